using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>SIP over UDP (RFC 3261), named and counted.</summary>
public sealed class SipSession : DatagramSession
{
    public override ApplicationProtocol Protocol => ApplicationProtocol.Sip;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data) => SipMessage.Starts(data) ? ProbeResult.Certain : ProbeResult.NotForUs;

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (SipMessage.Starts(data)) // else keep-alives between the messages
            SipMessage.Tell(context, direction, data, HeadOf(data));
    }

    public override void OnEnd(SessionContext context)
    {
    }

    public override void Reset()
    {
    }

    private static int HeadOf(ReadOnlySpan<byte> data)
    {
        var end = data.IndexOf("\r\n\r\n"u8);
        return end < 0 ? data.Length : end + 4;
    }
}
