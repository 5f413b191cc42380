using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// RDP up to the protocol negotiation: TPKT (RFC 1006) with X.224 connection request and confirm. Hands over to TLS when that was selected; the rest of standard RDP security
/// is not looked at.
/// </summary>
public sealed class RdpSession : StreamSession
{
    /// <summary>Longest connection request, bytes; cookie and token have no more.</summary>
    public const int MaximumRequestBytes = 512;

    private const int TpktSize = 4;
    private const int X224Size = 7;
    private const int NegotiationSize = 8;
    private const byte ConnectionRequest = 0xE0;
    private const byte ConnectionConfirm = 0xD0;

    private readonly RdpTransaction _facts = new();
    private readonly bool[] _read = new bool[2];
    private bool _emitted;
    private long _startNs;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Rdp;

    /// <summary>A connection request with a cookie or a negotiation is certain; a bare one is likely on the port.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        if (data[0] != 3 || (data.Length > 1 && data[1] != 0) || (data.Length > 5 && data[5] != ConnectionRequest))
            return ProbeResult.NotForUs;
        if (data.Length < TpktSize + X224Size)
            return ProbeResult.Unsure;
        var length = BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        if (length > MaximumRequestBytes || length < TpktSize + X224Size || data[4] != length - TpktSize - 1)
            return ProbeResult.NotForUs;
        if (data.Length < length)
            return ProbeResult.Unsure;
        var rest = data[(TpktSize + X224Size)..length];
        if (rest.StartsWith("Cookie: m"u8) || IsNegotiation(rest, 1))
            return ProbeResult.Certain;
        return rest.IsEmpty ? ProbeResult.Likely : ProbeResult.NotForUs;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (_startNs == 0)
            _startNs = context.TimeNs;
        if (_read[(int)direction])
            return new StreamProgress(data.Length, 0, Everything);
        if (data.Length < TpktSize + X224Size)
            return new StreamProgress(0, TpktSize + X224Size);
        var length = BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        if (data[0] != 3 || length is < TpktSize + X224Size or > MaximumRequestBytes)
        {
            _read[(int)direction] = true;
            return new StreamProgress(data.Length, 0, Everything);
        }

        if (data.Length < length)
            return new StreamProgress(0, length);
        _read[(int)direction] = true;
        var rest = data[(TpktSize + X224Size)..length];
        if (data[5] == ConnectionRequest)
        {
            OnRequest(context, rest);
        }
        else if (data[5] == ConnectionConfirm && direction == FlowDirection.FromResponder)
        {
            OnConfirm(context, rest);
            if (_facts.Selected > 0)
            {
                context.HandOver();
                return new StreamProgress(length);
            }
        }

        return new StreamProgress(length);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
        if (bytes > 0)
            _read[(int)direction] = true;
    }

    public override void OnEnd(SessionContext context) => Emit(context, isAnswered: false);

    public override void Reset()
    {
        _facts.Reset();
        Array.Clear(_read);
        _emitted = false;
        _startNs = 0;
    }

    private static bool IsNegotiation(ReadOnlySpan<byte> bytes, byte type) =>
        bytes.Length >= NegotiationSize && bytes[0] == type && BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]) == NegotiationSize;

    private void OnRequest(SessionContext context, ReadOnlySpan<byte> rest)
    {
        const byte request = 1;
        context.Flow.Counters.Requests++;
        var end = rest.IndexOf("\r\n"u8);
        if (end >= 0)
        {
            var line = rest[..end];
            _facts.HasCookie = line.StartsWith("Cookie: mstshash="u8);
            _facts.HasRoutingToken = !_facts.HasCookie;
            rest = rest[(end + 2)..];
        }

        if (IsNegotiation(rest, request))
            _facts.Requested = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
    }

    private void OnConfirm(SessionContext context, ReadOnlySpan<byte> rest)
    {
        const byte response = 2;
        const byte failure = 3;
        context.Flow.Counters.Responses++;
        if (IsNegotiation(rest, response))
            _facts.Selected = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
        else if (IsNegotiation(rest, failure))
            _facts.FailureCode = (int)BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]) & 0xFFFF;
        else
            _facts.Selected = 0;
        if (_facts.FailureCode > 0)
            context.Flow.Counters.Failures++;
        Emit(context, isAnswered: true);
    }

    private void Emit(SessionContext context, bool isAnswered)
    {
        if (_emitted || _startNs == 0)
            return;
        _emitted = true;
        var transaction = context.Begin<RdpTransaction>();
        transaction.CopyFrom(_facts);
        transaction.TimeNs = _startNs;
        transaction.DurationNs = isAnswered ? context.TimeNs - _startNs : -1;
        context.Emit(transaction);
    }
}
