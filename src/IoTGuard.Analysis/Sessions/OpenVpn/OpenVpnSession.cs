using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.OpenVpn;

namespace IoTGuard.Analysis.Sessions;

/// <summary>OpenVPN over UDP: its first packets. What follows is encrypted and not looked at.</summary>
public sealed class OpenVpnSession : DatagramSession
{
    private readonly OpenVpnBeginning _beginning = new();

    public override ApplicationProtocol Protocol => ApplicationProtocol.OpenVpn;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data) => OpenVpnReset.TryRead(data, out _) ? ProbeResult.Certain : ProbeResult.NotForUs;

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (OpenVpnReset.TryRead(data, out var reset))
            _beginning.OnReset(context, direction, reset);
    }

    public override void OnEnd(SessionContext context) => _beginning.Emit(context, isAnswered: false);

    public override void Reset() => _beginning.Clear();
}

/// <summary>The same over TCP, where the length stands before each packet.</summary>
public sealed class OpenVpnStreamSession : StreamSession
{
    /// <summary>Longest first packet, bytes: that of <c>tls-crypt-v2</c> with a key of the client's own.</summary>
    public const int MaximumPacketBytes = 2048;

    private const int LengthSize = 2;

    private readonly OpenVpnBeginning _beginning = new();

    public override ApplicationProtocol Protocol => ApplicationProtocol.OpenVpn;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        const int least = 14;
        if (data.Length < LengthSize)
            return ProbeResult.Unsure;
        var length = BinaryPrimitives.ReadUInt16BigEndian(data);
        if (length is < least or > MaximumPacketBytes || (data.Length > LengthSize && data[LengthSize] is not (0x08 or 0x10 or 0x38 or 0x40 or 0x50)))
            return ProbeResult.NotForUs;
        if (data.Length < LengthSize + length)
            return ProbeResult.Unsure;
        return OpenVpnReset.TryRead(data.Slice(LengthSize, length), out _) ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.Length < LengthSize)
            return new StreamProgress(0, LengthSize);
        var length = BinaryPrimitives.ReadUInt16BigEndian(data);
        if (length > MaximumPacketBytes)
            return new StreamProgress(data.Length, 0, Everything);
        if (data.Length < LengthSize + length)
            return new StreamProgress(0, LengthSize + length);
        if (OpenVpnReset.TryRead(data.Slice(LengthSize, length), out var reset))
            _beginning.OnReset(context, direction, reset);
        return new StreamProgress(data.Length, 0, Everything);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
    }

    public override void OnEnd(SessionContext context) => _beginning.Emit(context, isAnswered: false);

    public override void Reset() => _beginning.Clear();
}

/// <summary>What both sides begin a session with.</summary>
internal sealed class OpenVpnBeginning
{
    private FlowDirection _client;
    private OpenVpnProtection _protection;
    private bool _emitted;
    private long _startNs;

    public void OnReset(SessionContext context, FlowDirection direction, OpenVpnReset reset)
    {
        if (reset.IsClient && _startNs == 0)
        {
            (_client, _protection, _startNs) = (direction, reset.Protection, context.TimeNs);
            context.Flow.Counters.Requests++;
        }
        else if (!reset.IsClient && _startNs != 0 && direction != _client && !_emitted)
        {
            context.Flow.Counters.Responses++;
            Emit(context, isAnswered: true);
        }
    }

    public void Emit(SessionContext context, bool isAnswered)
    {
        if (_emitted || _startNs == 0)
            return;
        _emitted = true;
        var transaction = context.Begin<OpenVpnTransaction>(_client);
        transaction.Protection = _protection;
        transaction.TimeNs = _startNs;
        transaction.DurationNs = isAnswered ? context.TimeNs - _startNs : -1;
        transaction.IsAnswered |= isAnswered;
        context.Emit(transaction);
    }

    public void Clear()
    {
        _client = FlowDirection.FromOriginator;
        _protection = OpenVpnProtection.None;
        _emitted = false;
        _startNs = 0;
    }
}
