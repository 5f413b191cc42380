using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>SIP over TCP: messages end by their Content-Length, and lines without content between them keep the connection open (RFC 3261, 18.3; RFC 5626, 3.5.1).</summary>
public sealed class SipStreamSession : StreamSession
{
    /// <summary>Longest head that is read, in bytes; a longer one is a fault, after which the next start line is looked for.</summary>
    public const int MaximumHead = 16 * 1024;

    private readonly int[] _scanned = new int[2];

    public override ApplicationProtocol Protocol => ApplicationProtocol.Sip;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        data = data.TrimStart("\r\n"u8);
        return SipMessage.Starts(data) ? ProbeResult.Certain : SipMessage.MayStart(data) && data.Length < MaximumHead ? ProbeResult.Unsure : ProbeResult.NotForUs;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        ref var scanned = ref _scanned[(int)direction];
        var at = scanned == 0 ? data.Length - data.TrimStart("\r\n"u8).Length : 0;
        var rest = data[at..];
        var from = Math.Max(scanned - 3, 0);
        var end = rest[Math.Min(from, rest.Length)..].IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            if (rest.Length > MaximumHead)
            {
                context.Flow.Counters.Faults++;
                scanned = 0;
                return new StreamProgress(data.Length);
            }

            scanned = rest.Length;
            return new StreamProgress(at);
        }

        scanned = 0;
        var head = from + end + 4;
        if (SipMessage.Starts(rest))
            return new StreamProgress(at + head, Skip: SipMessage.Tell(context, direction, rest[..head], head));
        context.Flow.Counters.Faults++;
        return new StreamProgress(at + head);
    }

    /// <summary>What follows is passed over up to the next empty line; a head behind it is read again.</summary>
    public override void OnGap(SessionContext context, FlowDirection direction, long bytes) => _scanned[(int)direction] = 0;

    public override void OnEnd(SessionContext context)
    {
    }

    public override void Reset() => Array.Clear(_scanned);
}
