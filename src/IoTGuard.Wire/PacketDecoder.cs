using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Tunnels;

namespace IoTGuard.Wire;

/// <summary>Link → IP → transport, for one frame, through tunnels to the innermost packet. Total: every input gives a view, and what is wrong is in <see cref="PacketView.Fault"/>.</summary>
public static class PacketDecoder
{
    /// <summary>
    /// Decodes a frame of a batch into <paramref name="view"/>, overwriting it. Lengths in its headers are held against the frame's length
    /// on the wire: a datagram that claims more than was sent is <see cref="FaultKind.BadLength"/>, its payload ends with the frame.
    /// </summary>
    /// <param name="frame">Captured bytes of the frame; not kept.</param>
    /// <param name="header">What the capture says about it.</param>
    /// <param name="view">Receives the headers.</param>
    public static void Decode(ReadOnlySpan<byte> frame, in FrameHeader header, ref PacketView view)
    {
        Decode(frame, header.Link, header.AuxVlan, ref view);
        var sent = Math.Max(header.WireLength, frame.Length) - view.PayloadOffset;
        if (view.PayloadWireLength > sent)
        {
            view.Note(FaultKind.BadLength, Layer.Network, view.NetworkOffset, view.PayloadWireLength, sent);
            view.PayloadWireLength = Math.Max(view.PayloadLength, sent);
        }
    }

    /// <summary>Decodes an IP datagram that was put together from fragments, on the link and in the tunnels of its first one.</summary>
    /// <param name="bytes">Holds the datagram, and before it, when a tunnel carried its fragments, the tunnel's IP header.</param>
    /// <param name="offset">Where the datagram begins.</param>
    /// <param name="carrierOffset">Where the IP header of the tunnel is; -1 when there is none.</param>
    /// <param name="first">The view of the first fragment.</param>
    /// <param name="view">Receives the headers.</param>
    public static void DecodeDatagram(ReadOnlySpan<byte> bytes, int offset, int carrierOffset, in PacketView first, ref PacketView view)
    {
        var link = first;
        view = default;
        view.SourceMac = link.SourceMac;
        view.DestinationMac = link.DestinationMac;
        view.Vlan = link.Vlan;
        view.InnerVlan = link.InnerVlan;
        view.Tunnel = link.Tunnel;
        view.TunnelId = link.TunnelId;
        view.TunnelDepth = link.TunnelDepth;
        view.SetCarrier(carrierOffset);
        if (bytes[offset] >> 4 == 4)
            NetworkDecoder.DecodeIpv4(bytes, offset, ref view);
        else
            NetworkDecoder.DecodeIpv6(bytes, offset, ref view);
        if (view.Tunnel != TunnelKind.None)
            TunnelDecoder.Follow(bytes, ref view);
    }

    /// <summary>Decodes a frame whose length on the wire is not known into <paramref name="view"/>, overwriting it.</summary>
    /// <param name="frame">Captured bytes of the frame; not kept.</param>
    /// <param name="link">Link type of its interface.</param>
    /// <param name="auxVlan">VLAN tag stripped by the kernel, as in <see cref="FrameHeader.AuxVlan"/>.</param>
    /// <param name="view">Receives the headers.</param>
    public static void Decode(ReadOnlySpan<byte> frame, LinkType link, uint auxVlan, ref PacketView view)
    {
        view = default;
        if (auxVlan != 0)
            view.AddVlan((ushort)auxVlan);

        switch (link)
        {
            case LinkType.Ethernet:
                LinkDecoder.DecodeEthernet(frame, 0, ref view);
                break;
            case LinkType.LinuxSll:
                LinkDecoder.DecodeLinuxSll(frame, ref view);
                break;
            case LinkType.LinuxSll2:
                LinkDecoder.DecodeLinuxSll2(frame, ref view);
                break;
            case LinkType.Null or LinkType.Loop:
                LinkDecoder.DecodeNull(frame, ref view);
                break;
            case LinkType.Raw or LinkType.RawBsd or LinkType.RawOpenBsd:
                LinkDecoder.DecodeRaw(frame, ref view);
                break;
            case LinkType.Ipv4:
                NetworkDecoder.DecodeIpv4(frame, 0, ref view);
                break;
            case LinkType.Ipv6:
                NetworkDecoder.DecodeIpv6(frame, 0, ref view);
                break;
            default:
                view.End(FaultKind.Unsupported, Layer.Link, 0, (long)link);
                break;
        }

        if (view.Tunnel != TunnelKind.None)
            TunnelDecoder.Follow(frame, ref view);
    }
}
