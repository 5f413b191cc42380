using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Analysis.Streams;

/// <summary>One list of the protocol table at work: asks its probes, and keeps sessions for reuse.</summary>
internal sealed class SessionPool(ProtocolRow[] rows)
{
    private readonly Stack<ProtocolSession>[] _sessions = [.. rows.Select(_ => new Stack<ProtocolSession>())];

    /// <summary>A bit for each row.</summary>
    public ulong AllRows { get; } = rows.Length == 0 ? 0 : ulong.MaxValue >> (64 - rows.Length);

    /// <summary>
    /// Asks the probes that are still candidates. Returns the row that is certain, else the first likely one that names one of the ports,
    /// else -1, and leaves the unsure ones as candidates.
    /// </summary>
    public int Recognise(FlowDirection direction, ReadOnlySpan<byte> prefix, ushort port, ushort otherPort, ref ulong candidates)
    {
        var likely = -1;
        for (var left = candidates; left != 0; left &= left - 1)
        {
            var row = System.Numerics.BitOperations.TrailingZeroCount(left);
            switch (rows[row].Probe(direction, prefix))
            {
                case ProbeResult.Certain:
                    return row;
                case ProbeResult.NotForUs:
                    candidates &= ~(1ul << row);
                    break;
                case ProbeResult.Likely:
                    candidates &= ~(1ul << row);
                    if (likely < 0 && Names(rows[row], port, otherPort))
                        likely = row;
                    break;
                default:
                    break;
            }
        }

        return likely;
    }

    /// <summary>The row that takes connections picked up in the middle on one of the ports, or -1.</summary>
    public int Hinted(ushort port, ushort otherPort) => Array.FindIndex(rows, row => row.ReadsMidStream && Names(row, port, otherPort));

    /// <summary>A session of the row's protocol, as new.</summary>
    public ProtocolSession Rent(int row) => _sessions[row].TryPop(out var session) ? session : rows[row].Create();

    public void Return(int row, ProtocolSession session)
    {
        session.Reset();
        _sessions[row].Push(session);
    }

    private static bool Names(ProtocolRow row, ushort port, ushort otherPort)
    {
        var ports = row.HintPorts.AsSpan();
        return row.IsLikelyOnAnyPort || ports.Contains(port) || ports.Contains(otherPort);
    }
}
