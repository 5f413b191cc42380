using System.Runtime.CompilerServices;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Transport;

namespace IoTGuard.Wire.Tunnels;

/// <summary>
/// Follows encapsulations to the innermost packet that can be read. What a tunnel carries replaces the carrier in the view; where it cannot be
/// read, the carrier stays, so that nothing passes unseen because a tunnel's header stands before it.
/// </summary>
internal static class TunnelDecoder
{
    /// <summary>Encapsulations followed in one frame; more are <see cref="FaultKind.TooDeep"/>.</summary>
    public const int MaxDepth = 8;

    /// <summary>Mark in <see cref="PacketView.Tunnel"/> of a view that may be a tunnel's carrier; the other bits are its own tunnel.</summary>
    public const TunnelKind Unresolved = (TunnelKind)0x80;

    /// <summary>The last offset where an inner packet may begin, so that its headers' offsets stay 16-bit numbers.</summary>
    private const int MaxOffset = ushort.MaxValue - 1024;

    /// <summary>Resolves the mark of a view. Out of line: plain frames never come here.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Follow(ReadOnlySpan<byte> frame, ref PacketView view)
    {
        var wireEnd = int.MaxValue;
        var readable = default(PacketView);
        for (var first = true; (view.Tunnel & Unresolved) != 0; first = false)
        {
            view.Tunnel &= ~Unresolved;
            if (first || view.Kind != PacketKind.Other)
                readable = view;

            // The datagram comes again when it is whole.
            if (view.IsFragment)
                return;
            var outer = view;
            var start = outer.PayloadOffset;
            var carrier = frame[..(start + outer.PayloadLength)];
            if (outer.Kind != PacketKind.Other)
                wireEnd = Math.Min(wireEnd, start + outer.PayloadWireLength);
            var layer = outer.Kind switch { PacketKind.Other => Layer.Link, PacketKind.Udp => Layer.Transport, _ => Layer.Network };
            var header = ReadHeader(carrier[start..], outer);
            if (!header.IsFollowed)
            {
                view = readable;
                if (header.Fault != FaultKind.None)
                    view.Note(header.Fault, layer, start, header.Required, outer.PayloadLength);
                return;
            }

            if (outer.TunnelDepth == MaxDepth || start + header.Length > MaxOffset)
            {
                view = readable;
                view.Note(FaultKind.TooDeep, layer, start, outer.TunnelDepth + 1, MaxDepth);
                return;
            }

            Enter(carrier, start, header, outer, ref view);
            if (view.Kind == PacketKind.Other && (view.Tunnel & Unresolved) == 0)
            {
                var fault = view.Fault;
                view = readable;
                view.Note(fault.Kind, fault.Layer, fault.Offset, fault.Required, fault.Available);
                return;
            }

            if (view.Kind is not (PacketKind.Other or PacketKind.Arp) && view.PayloadOffset + (long)view.PayloadWireLength > wireEnd)
            {
                view.Note(FaultKind.BadLength, Layer.Network, view.NetworkOffset, view.PayloadWireLength, wireEnd - view.PayloadOffset);
                view.PayloadWireLength = Math.Max(view.PayloadLength, wireEnd - view.PayloadOffset);
            }
        }
    }

    /// <summary>Decodes what a tunnel carries into <paramref name="view"/>.</summary>
    private static void Enter(ReadOnlySpan<byte> carrier, int start, in TunnelHeader header, in PacketView outer, ref PacketView view)
    {
        view = default;
        view.Fault = outer.Fault;
        view.Tunnel = header.Kind;
        view.TunnelId = header.Id;
        view.TunnelDepth = (byte)(outer.TunnelDepth + 1);
        view.SetCarrier(outer.Kind == PacketKind.Other ? outer.CarrierOffset : outer.NetworkOffset);
        var offset = start + header.Length;
        if (offset > carrier.Length)
        {
            view.End(FaultKind.Truncated, Layer.Link, carrier.Length, header.Length, carrier.Length - start);
            return;
        }

        if (header.Inner == EtherType.TransparentEthernet)
        {
            LinkDecoder.DecodeEthernet(carrier, offset, ref view);
            return;
        }

        // Without a link of its own, the packet is on the link of a carrier that is no network.
        if (outer.Kind == PacketKind.Other)
        {
            view.SourceMac = outer.SourceMac;
            view.DestinationMac = outer.DestinationMac;
            view.Vlan = outer.Vlan;
            view.InnerVlan = outer.InnerVlan;
        }

        LinkDecoder.DecodeTypeOrLength(carrier, offset, header.Inner, ref view);
    }

    private static TunnelHeader ReadHeader(ReadOnlySpan<byte> bytes, in PacketView outer) => outer.Kind switch
    {
        PacketKind.Other => ReadByEtherType(bytes, outer.EtherType),
        PacketKind.Udp => ReadByPort(bytes, outer.SourcePort, outer.DestinationPort),
        _ => ReadByProtocol(bytes, outer.IpProtocol),
    };

    private static TunnelHeader ReadByEtherType(ReadOnlySpan<byte> bytes, ushort type) => type switch
    {
        EtherType.Mpls or EtherType.MplsMulticast => Mpls.Read(bytes),
        EtherType.PppoeSession => Ppp.ReadSession(bytes),
        EtherType.BackboneServiceInstance => BackboneBridge.Read(bytes),
        EtherType.Macsec => Macsec.Read(bytes),
        EtherType.TransparentEthernet => new TunnelHeader(TunnelKind.Gre, 0, EtherType.TransparentEthernet),
        _ => TunnelHeader.NotFollowed(type),
    };

    private static TunnelHeader ReadByProtocol(ReadOnlySpan<byte> bytes, byte protocol) => protocol switch
    {
        IpProtocol.Ipv4 => new TunnelHeader(TunnelKind.Ipv4InIp, 0, EtherType.Ipv4),
        IpProtocol.Ipv6 => new TunnelHeader(TunnelKind.Ipv6InIp, 0, EtherType.Ipv6),
        IpProtocol.Gre => Gre.Read(bytes),
        IpProtocol.EtherIp => EthernetInIp.Read(bytes),
        IpProtocol.L2tp => L2tp.Read(bytes),
        IpProtocol.Mpls => Mpls.Read(bytes),
        IpProtocol.Ethernet => new TunnelHeader(TunnelKind.EthernetInIp, 0, EtherType.TransparentEthernet),
        _ => TunnelHeader.NotFollowed(protocol),
    };

    private static TunnelHeader ReadByPort(ReadOnlySpan<byte> bytes, ushort source, ushort destination) => destination switch
    {
        UdpTunnel.Vxlan or UdpTunnel.OldVxlan => Vxlan.Read(bytes),
        UdpTunnel.VxlanGpe => Vxlan.ReadGeneric(bytes),
        UdpTunnel.Geneve => Geneve.Read(bytes),
        UdpTunnel.GtpUser => GtpUser.Read(bytes),
        UdpTunnel.Tzsp => Tzsp.Read(bytes),
        UdpTunnel.Mpls => WhenConsistent(bytes, Mpls.Read(bytes)),
        UdpTunnel.Gre => WhenConsistent(bytes, Gre.Read(bytes)),
        _ => (source, destination) switch
        {
            (UdpTunnel.Teredo, _) or (_, UdpTunnel.Teredo) => Teredo.Read(bytes),
            (UdpTunnel.L2tp, _) or (_, UdpTunnel.L2tp) => L2tp.ReadDatagram(bytes),
            (UdpTunnel.Capwap, _) or (_, UdpTunnel.Capwap) => Capwap.Read(bytes),
            _ => TunnelHeader.None,
        },
    };

    /// <summary>A port alone makes no tunnel of a datagram where the tunnel's header has little that could be wrong.</summary>
    private static TunnelHeader WhenConsistent(ReadOnlySpan<byte> bytes, in TunnelHeader header) =>
        header.IsFollowed && header.Length < bytes.Length && InnerFrame.TypeOf(bytes[header.Length..]) == header.Inner ? header : TunnelHeader.None;
}
