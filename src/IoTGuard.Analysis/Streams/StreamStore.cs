using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Analysis.Streams;

/// <summary>What the streams of a worker share: buffers, sessions, counters, and the clock of the packet that is being worked on.</summary>
internal sealed class StreamStore(ProtocolRow[] rows)
{
    private readonly Stack<ProtocolSession>[] _sessions = [.. rows.Select(_ => new Stack<ProtocolSession>())];
    private readonly Stack<Conversation> _conversations = new();

    /// <summary>Counters of the sensor.</summary>
    public SensorCounters Counters;

    /// <summary>Clock of the packet that is being worked on, ns.</summary>
    public long Clock { get; set; }

    public BufferPool Buffers { get; } = new();

    /// <summary>A bit for each row of the protocol table.</summary>
    public uint AllRows { get; } = rows.Length == 0 ? 0 : uint.MaxValue >> (32 - rows.Length);

    /// <summary>Charges the shard for buffered bytes; false when <see cref="FlowLimits.MaximumStreamBytesPerShard"/> would be passed.</summary>
    public static bool TryCharge(FlowShard shard, int bytes)
    {
        if (shard.StreamBytes + bytes > FlowLimits.MaximumStreamBytesPerShard)
            return false;
        shard.StreamBytes += bytes;
        return true;
    }

    /// <summary>Asks the probes that are still candidates. Returns the row that is certain, or -1, and leaves the unsure ones as candidates.</summary>
    public int Certain(FlowDirection direction, ReadOnlySpan<byte> prefix, ref uint candidates)
    {
        for (var row = 0; row < rows.Length; row++)
        {
            var bit = 1u << row;
            if ((candidates & bit) == 0)
                continue;
            switch (rows[row].Probe(direction, prefix))
            {
                case ProbeResult.Certain:
                    return row;
                case ProbeResult.NotForUs:
                    candidates &= ~bit;
                    break;
                default:
                    break;
            }
        }

        return -1;
    }

    /// <summary>The row that names one of the ports as a hint, or -1.</summary>
    public int Hinted(ushort port, ushort otherPort)
    {
        for (var row = 0; row < rows.Length; row++)
        {
            var ports = rows[row].HintPorts;
            if (ports.AsSpan().Contains(port) || ports.AsSpan().Contains(otherPort))
                return row;
        }

        return -1;
    }

    /// <summary>A session of the row's protocol, as new.</summary>
    public ProtocolSession Rent(int row) => _sessions[row].TryPop(out var session) ? session : rows[row].Create();

    public void Return(int row, ProtocolSession session)
    {
        session.Reset();
        _sessions[row].Push(session);
    }

    public Conversation RentConversation() => _conversations.TryPop(out var conversation) ? conversation : new Conversation(this);

    public void Return(Conversation conversation)
    {
        conversation.Release();
        _conversations.Push(conversation);
    }
}
