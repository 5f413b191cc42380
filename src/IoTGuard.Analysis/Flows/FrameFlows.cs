using IoTGuard.Wire;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Transport;

namespace IoTGuard.Analysis.Flows;

/// <summary>Says which flow a frame belongs to, for what looks at frames beside the sensors. Used by one thread.</summary>
public sealed class FrameFlows(SensorOptions options)
{
    private readonly FlowHasher _hasher = new(options);
    private readonly ushort _seed = options.CommunityIdSeed;
    private PacketView _view;

    /// <summary>A number for the frame's flow; fragments without ports have one for both addresses, ARP frames one for their sender; 0 = neither.</summary>
    public ulong NumberOf(in FrameHeader header, ReadOnlySpan<byte> frame)
    {
        if (_hasher.TryPeek(header, frame, out var hash))
            return hash;
        PacketDecoder.Decode(frame, header, ref _view);
        if (!FlowHasher.HasFlow(_view))
            return ArpView.TryRead(frame, _view, out var arp) ? _hasher.HashOf(new FlowKey(arp.Sender, new IpAddress(0, arp.SenderMac.Value), 0, 0, 0, 0)) : 0;
        _hasher.KeyOf(_view, out hash, out _);
        return hash;
    }

    /// <summary>Who speaks in a frame of ARP or neighbour discovery; null in all others.</summary>
    public FrameNeighbor? NeighborOf(in FrameHeader header, ReadOnlySpan<byte> frame)
    {
        PacketDecoder.Decode(frame, header, ref _view);
        if (ArpView.TryRead(frame, _view, out var arp))
            return new FrameNeighbor(arp.Sender, arp.SenderMac, "arp");
        return NeighborMessage.TryRead(frame, _view, out var message)
            ? new FrameNeighbor(_view.Source, message.LinkAddress.IsNone || message.Kind == NeighborMessageKind.Redirect ? _view.SourceMac : message.LinkAddress, "ndp")
            : null;
    }

    /// <summary>The flow of a frame in full; null when it has none.</summary>
    public FrameFlow? FlowOf(in FrameHeader header, ReadOnlySpan<byte> frame)
    {
        PacketDecoder.Decode(frame, header, ref _view);
        if (!FlowHasher.HasFlow(_view))
            return null;
        var key = _hasher.KeyOf(_view, out _, out var sender);
        var other = sender == Endpoint.A ? Endpoint.B : Endpoint.A;
        return new FrameFlow(
            key.A, key.B, CommunityId.ToString(key, sender, _seed), CommunityId.ToString(key, other, _seed), _hasher.HashOf(key with { PortA = 0, PortB = 0 }));
    }
}

/// <summary>The flow of a frame.</summary>
/// <param name="A">One address.</param>
/// <param name="B">The other.</param>
/// <param name="CommunityId">Its community id when the frame's sender began it.</param>
/// <param name="ReverseCommunityId">The same when the other side began it: they differ for one-way ICMP messages only.</param>
/// <param name="FragmentsNumber">Number of the fragments between both addresses, see <see cref="FrameFlows.NumberOf"/>.</param>
public sealed record FrameFlow(IpAddress A, IpAddress B, string CommunityId, string ReverseCommunityId, ulong FragmentsNumber);

/// <summary>The sender of a frame of ARP or neighbour discovery, as the frame tells it.</summary>
/// <param name="Address">Its address; unspecified (RFC 4862, 5.4; RFC 5227, 1.1) while it has none.</param>
/// <param name="Mac">Its hardware address.</param>
/// <param name="Protocol">"arp" or "ndp".</param>
public sealed record FrameNeighbor(IpAddress Address, MacAddress Mac, string Protocol);
