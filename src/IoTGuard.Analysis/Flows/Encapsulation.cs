using IoTGuard.Wire;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Tunnels;

namespace IoTGuard.Analysis.Flows;

/// <summary>The tunnel that a flow's first packet came in: the one next to it, when several are in each other.</summary>
/// <param name="Kind"><see cref="TunnelKind.None"/> for a flow without encapsulation.</param>
/// <param name="Id">VNI, key, label or session, as <see cref="TunnelKind"/> says.</param>
/// <param name="Source">Where the tunnel's packet came from; 0 when no IP carries it.</param>
/// <param name="Destination">Where it went; 0 when no IP carries it.</param>
public readonly record struct Encapsulation(TunnelKind Kind, uint Id, IpAddress Source, IpAddress Destination)
{
    /// <summary>True for a flow without encapsulation.</summary>
    public bool IsNone => Kind == TunnelKind.None;

    internal static Encapsulation Of(ReadOnlySpan<byte> frame, in PacketView view)
    {
        const int Ipv4Size = 20;
        const int Ipv6Size = 40;
        var carrier = view.CarrierOffset < 0 ? [] : frame[view.CarrierOffset..];
        if (carrier.Length >= Ipv4Size && carrier[0] >> 4 == 4)
            return new(view.Tunnel, view.TunnelId, IpAddress.ReadIpv4(carrier[12..]), IpAddress.ReadIpv4(carrier[16..]));
        return carrier.Length >= Ipv6Size
            ? new(view.Tunnel, view.TunnelId, IpAddress.ReadIpv6(carrier[8..]), IpAddress.ReadIpv6(carrier[24..]))
            : new(view.Tunnel, view.TunnelId, default, default);
    }
}
