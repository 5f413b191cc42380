using IoTGuard.Analysis;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;

namespace IoTGuard.Benchmarks.Inputs;

/// <summary>Bytes that one side sends in a turn.</summary>
internal readonly record struct Turn(FlowDirection Direction, byte[] Bytes);

/// <summary>Plays turns to a session as the stream does, in segments of <see cref="SegmentBytes"/>; what is skipped is never shown.</summary>
internal sealed class SessionPlayer
{
    /// <summary>Payload of a full TCP segment on Ethernet with time stamps, bytes.</summary>
    public const int SegmentBytes = 1448;

    private readonly FlowRecord[] _flows = new FlowRecord[1];
    private StreamSession _session;
    private readonly SessionContext _context;
    private long _frame;
    private long _timeNs = 1_767_323_045_000_000_000;

    public SessionPlayer(StreamSession session, ushort port)
    {
        _session = session;
        _context = new SessionContext(new Pseudonymizer(new byte[32]));
        _flows[0] = new FlowRecord
        {
            Originator = IpAddress.FromIpv4(0x0A000001),
            Responder = IpAddress.FromIpv4(0x0A000002),
            OriginatorPort = 50_000,
            ResponderPort = port,
            IpProtocol = 6,
            State = ConnectionState.Established,
        };
        _flows[0].FromOriginator.Syn = 1;
    }

    /// <summary>What the session emitted since the last turn began.</summary>
    public EventBatch Output { get; } = new();

    /// <summary>Plays to another session from now on, as on another connection.</summary>
    public void Begin(StreamSession session) => _session = session;

    public void Play(ReadOnlySpan<Turn> turns)
    {
        Output.Clear();
        foreach (var turn in turns)
            Play(turn.Direction, turn.Bytes);
    }

    private void Play(FlowDirection direction, ReadOnlySpan<byte> bytes)
    {
        long at = 0;
        var needed = 1;
        for (var arrived = 0; arrived < bytes.Length;)
        {
            arrived = Math.Min(bytes.Length, arrived + SegmentBytes);
            while (arrived - at >= needed)
            {
                _timeNs += 10_000;
                _context.AtFrame(_timeNs, _frame++, Output);
                _context.AtFlow(_flows, 0);
                var progress = _session.OnData(_context, direction, bytes[(int)at..arrived]);
                at += progress.Consumed + progress.Skip;
                needed = Math.Max(1, progress.Needed);
                if (progress is { Consumed: 0, Skip: 0 })
                {
                    needed = (int)Math.Max(needed, arrived - at + 1);
                    break;
                }
            }
        }

        if (at != bytes.Length)
            throw new InvalidOperationException($"the session is at {at} of {bytes.Length} bytes");
    }
}
