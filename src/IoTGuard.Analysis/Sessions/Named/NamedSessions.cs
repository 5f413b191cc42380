using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>A connection whose protocol has its name and nothing else: its bytes are passed over.</summary>
internal sealed class NamedStreamSession(ApplicationProtocol protocol) : StreamSession
{
    public override ApplicationProtocol Protocol => protocol;

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data) => new(data.Length, 0, Everything);

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
    }

    public override void OnEnd(SessionContext context)
    {
    }

    public override void Reset()
    {
    }
}

/// <summary>A flow over UDP whose protocol has its name and nothing else.</summary>
internal sealed class NamedDatagramSession(ApplicationProtocol protocol) : DatagramSession
{
    public override ApplicationProtocol Protocol => protocol;

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
    }

    public override void OnEnd(SessionContext context)
    {
    }

    public override void Reset()
    {
    }
}

/// <summary>STUN over UDP: what two sides find each other with before they speak of something else (RFC 7983), which is looked for in every other datagram.</summary>
internal sealed class StunSession : DatagramSession
{
    public override ApplicationProtocol Protocol => ApplicationProtocol.Stun;

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (NamedProbes.StunDatagram(direction, data) == ProbeResult.NotForUs)
            context.HandOver();
    }

    public override void OnEnd(SessionContext context)
    {
    }

    public override void Reset()
    {
    }
}

/// <summary>
/// RTP (RFC 3550, 5.1). One packet proves nothing: the flow has the name when <see cref="Packets"/> of one side follow each other (A.1) from one source
/// with one type of payload. What does not follow is shown to the other probes.
/// </summary>
internal sealed class RtpSession : DatagramSession
{
    /// <summary>Packets that must follow each other.</summary>
    public const int Packets = 5;

    /// <summary>Sequence numbers that may be missing between two packets.</summary>
    private const int MaximumLoss = 3;

    /// <summary>Furthest step of the timestamp from packet to packet: a second of 192 kHz.</summary>
    private const uint MaximumTimestampStep = 192_000;

    private readonly (uint Source, uint Timestamp, ushort Sequence, byte Type, int Count)[] _sides = new (uint, uint, ushort, byte, int)[2];
    private bool _isNamed;

    /// <summary>Unknown until it is proven.</summary>
    public override ApplicationProtocol Protocol => ApplicationProtocol.Unknown;

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (_isNamed || NamedProbes.Rtcp(direction, data) == ProbeResult.Certain || NamedProbes.StunDatagram(direction, data) == ProbeResult.Certain)
            return;
        if (NamedProbes.Rtp(direction, data) == ProbeResult.NotForUs)
        {
            context.HandOver();
            return;
        }

        ref var side = ref _sides[(int)direction];
        var type = (byte)(data[1] & 0x7F);
        var sequence = System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        var timestamp = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        var source = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(data[8..]);
        var follows = source == side.Source && type == side.Type && (ushort)(sequence - side.Sequence) is > 0 and <= MaximumLoss + 1
            && timestamp - side.Timestamp <= MaximumTimestampStep;
        side = (source, timestamp, sequence, type, follows ? side.Count + 1 : 1);
        if (side.Count < Packets)
            return;
        _isNamed = true;
        context.Flow.Application = ApplicationProtocol.Rtp;
    }

    public override void OnEnd(SessionContext context)
    {
    }

    public override void Reset()
    {
        _isNamed = false;
        Array.Clear(_sides);
    }
}
