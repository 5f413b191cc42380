using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>DNS over UDP, mDNS (RFC 6762), LLMNR (RFC 4795) and the NetBIOS name service (RFC 1002): one format, told apart by port.</summary>
public sealed class DnsSession : DatagramSession
{
    private readonly DnsExchanges _exchanges = new();

    public override ApplicationProtocol Protocol => ApplicationProtocol.Dns;

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        context.Flow.Application = DnsExchanges.KindOf(context.Flow);
        _exchanges.OnMessage(context, direction, data, cut);
    }

    public override void OnEnd(SessionContext context) => _exchanges.OnEnd(context);

    public override void Reset() => _exchanges.Reset();
}

/// <summary>DNS over TCP: two bytes of length before each message (RFC 1035, 4.2.2; RFC 7766). After a gap nothing shows where a message starts.</summary>
public sealed class DnsStreamSession : StreamSession
{
    private const int LengthSize = 2;
    private readonly DnsExchanges _exchanges = new();
    private readonly bool[] _isLost = new bool[2];

    public override ApplicationProtocol Protocol => ApplicationProtocol.Dns;

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (_isLost[(int)direction])
            return new StreamProgress(data.Length, Skip: Everything);
        var consumed = 0;
        while (data.Length - consumed >= LengthSize)
        {
            var rest = data[consumed..];
            int length = BinaryPrimitives.ReadUInt16BigEndian(rest);
            if (rest.Length < LengthSize + length)
                return new StreamProgress(consumed, LengthSize + length);
            _exchanges.OnMessage(context, direction, rest.Slice(LengthSize, length), 0);
            consumed += LengthSize + length;
        }

        return new StreamProgress(consumed, LengthSize);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes) => _isLost[(int)direction] |= bytes > 0;

    public override void OnEnd(SessionContext context) => _exchanges.OnEnd(context);

    public override void Reset()
    {
        _exchanges.Reset();
        Array.Clear(_isLost);
    }
}
