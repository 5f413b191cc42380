using System.Runtime.InteropServices;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Transport;

namespace IoTGuard.Wire.Network;

/// <summary>IPv4, IPv6 with its extension headers, and ARP.</summary>
internal static class NetworkDecoder
{
    /// <summary>IP extension headers followed in one datagram; more are <see cref="FaultKind.TooDeep"/>.</summary>
    public const int MaxExtensionHeaders = 8;

    public static void DecodeIpv4(ReadOnlySpan<byte> frame, int offset, ref PacketView view)
    {
        var bytes = frame[offset..];
        if (bytes.Length < Ipv4Header.Size)
        {
            view.End(FaultKind.Truncated, Layer.Network, offset, Ipv4Header.Size, bytes.Length);
            return;
        }

        ref readonly var ip = ref MemoryMarshal.AsRef<Ipv4Header>(bytes);
        var headerLength = ip.HeaderLength;
        int totalLength = ip.TotalLength;
        if (ip.Version != 4)
        {
            view.End(FaultKind.BadValue, Layer.Network, offset, ip.Version, 4);
            return;
        }

        if (headerLength < Ipv4Header.Size)
        {
            view.End(FaultKind.BadLength, Layer.Network, offset, Ipv4Header.Size, headerLength);
            return;
        }

        view.NetworkOffset = (ushort)offset;
        view.EtherType = EtherType.Ipv4;
        view.Kind = PacketKind.Ip;
        view.IpProtocol = ip.Protocol;
        view.TimeToLive = ip.TimeToLive;
        view.IpIdentification = ip.Identification;
        view.Source = ip.Source;
        view.Destination = ip.Destination;
        view.PayloadOffset = offset + headerLength;

        // Length 0: segmentation was left to the network card, the frame is the datagram.
        if (totalLength == 0)
            totalLength = bytes.Length;
        if (totalLength < headerLength)
        {
            view.End(FaultKind.BadLength, Layer.Network, offset, headerLength, totalLength);
            view.PayloadOffset = Math.Min(view.PayloadOffset, frame.Length);
            return;
        }

        if (bytes.Length < headerLength)
        {
            view.End(FaultKind.Truncated, Layer.Network, offset, headerLength, bytes.Length);
            view.SetNoPayload(frame.Length, totalLength - headerLength);
            return;
        }

        var datagram = totalLength < bytes.Length ? frame[..(offset + totalLength)] : frame;
        if (ip.IsFragment)
        {
            view.IsFragment = true;
            view.Note(FaultKind.Fragment, Layer.Network, offset, ip.FragmentOffset);
            if (ip.FragmentOffset != 0)
            {
                view.SetPayload(view.PayloadOffset, datagram.Length, offset + totalLength);
                return;
            }
        }

        if (ip.Protocol == IpProtocol.Authentication)
            DecodeExtensions(datagram, offset + totalLength, ref view);
        else
            TransportDecoder.Decode(datagram, offset + totalLength, ref view);
    }

    public static void DecodeIpv6(ReadOnlySpan<byte> frame, int offset, ref PacketView view)
    {
        var bytes = frame[offset..];
        if (bytes.Length < Ipv6Header.Size)
        {
            view.End(FaultKind.Truncated, Layer.Network, offset, Ipv6Header.Size, bytes.Length);
            return;
        }

        ref readonly var ip = ref MemoryMarshal.AsRef<Ipv6Header>(bytes);
        if (ip.Version != 6)
        {
            view.End(FaultKind.BadValue, Layer.Network, offset, ip.Version, 6);
            return;
        }

        view.NetworkOffset = (ushort)offset;
        view.EtherType = EtherType.Ipv6;
        view.Kind = PacketKind.Ip;
        view.IpProtocol = ip.NextHeader;
        view.TimeToLive = ip.HopLimit;
        view.Source = ip.Source;
        view.Destination = ip.Destination;
        view.PayloadOffset = offset + Ipv6Header.Size;

        int length = ip.PayloadLength;
        if (length == 0 && ip.NextHeader != IpProtocol.NoNextHeader)
            length = JumboLength(bytes[Ipv6Header.Size..], ip.NextHeader);
        var wireEnd = offset + Ipv6Header.Size + length;
        var datagram = wireEnd < frame.Length ? frame[..wireEnd] : frame;

        if (IsExtension(ip.NextHeader))
            DecodeExtensions(datagram, wireEnd, ref view);
        else
            TransportDecoder.Decode(datagram, wireEnd, ref view);
    }

    public static void DecodeArp(ReadOnlySpan<byte> frame, int offset, ref PacketView view)
    {
        var bytes = frame[offset..];
        if (bytes.Length < ArpView.FixedSize)
        {
            view.End(FaultKind.Truncated, Layer.Network, offset, ArpView.FixedSize, bytes.Length);
            return;
        }

        view.Kind = PacketKind.Arp;
        view.NetworkOffset = (ushort)offset;
        view.EtherType = EtherType.Arp;
        view.PayloadOffset = frame.Length;
        if (!MemoryMarshal.TryRead<ArpView>(bytes, out var arp))
        {
            view.End(FaultKind.Truncated, Layer.Network, offset, ArpView.Size, bytes.Length);
            return;
        }

        view.ArpOperation = arp.Operation;
        if (!arp.IsIpv4OverMac)
        {
            view.End(FaultKind.Unsupported, Layer.Network, offset, arp.ProtocolType);
            return;
        }

        view.Source = arp.Sender;
        view.Destination = arp.Target;
    }

    private static bool IsExtension(byte nextHeader) => nextHeader is
        IpProtocol.HopByHop or IpProtocol.Routing or IpProtocol.Fragment or IpProtocol.DestinationOptions or IpProtocol.Authentication;

    /// <summary>Walks extension headers (RFC 8200, 4) from <see cref="PacketView.PayloadOffset"/> to the transport header.</summary>
    private static void DecodeExtensions(ReadOnlySpan<byte> datagram, int wireEnd, ref PacketView view)
    {
        for (var count = 0; IsExtension(view.IpProtocol); count++)
        {
            var offset = view.PayloadOffset;
            var bytes = datagram[offset..];
            if (count == MaxExtensionHeaders)
            {
                view.End(FaultKind.TooDeep, Layer.Network, offset, count + 1, MaxExtensionHeaders);
                view.SetPayload(offset, datagram.Length, wireEnd);
                return;
            }

            var length = Ipv6ExtensionHeader.Size;
            if (bytes.Length >= Ipv6ExtensionHeader.Size)
            {
                ref readonly var extension = ref MemoryMarshal.AsRef<Ipv6ExtensionHeader>(bytes);
                length = view.IpProtocol switch
                {
                    IpProtocol.Fragment => Ipv6ExtensionHeader.Size,
                    IpProtocol.Authentication => Math.Max(Ipv6ExtensionHeader.Size, (extension.Length + 2) * 4),
                    _ => (extension.Length + 1) * 8,
                };
            }

            if (bytes.Length < length)
            {
                var kind = wireEnd - offset < length ? FaultKind.BadLength : FaultKind.Truncated;
                view.End(kind, Layer.Network, offset, length, bytes.Length);
                view.SetNoPayload(datagram.Length, wireEnd - offset - length);
                return;
            }

            ref readonly var header = ref MemoryMarshal.AsRef<Ipv6ExtensionHeader>(bytes);
            var isFragment = view.IpProtocol == IpProtocol.Fragment && header.IsFragment;
            view.IpProtocol = header.NextHeader;
            view.PayloadOffset = offset + length;
            if (isFragment)
            {
                view.IsFragment = true;
                view.Note(FaultKind.Fragment, Layer.Network, offset, header.FragmentOffset);
                if (header.FragmentOffset != 0)
                {
                    view.SetPayload(view.PayloadOffset, datagram.Length, wireEnd);
                    return;
                }
            }
        }

        TransportDecoder.Decode(datagram, wireEnd, ref view);
    }

    /// <summary>
    /// Payload length of a datagram whose length field is 0: the jumbo payload option when it leads the hop-by-hop header
    /// (RFC 2675, 2), else what was captured, as segmentation was left to the network card.
    /// </summary>
    private static int JumboLength(ReadOnlySpan<byte> payload, byte nextHeader)
    {
        const int JumboOptionEnd = 8;
        const ushort JumboOption = 0xC204;
        if (nextHeader != IpProtocol.HopByHop || payload.Length < JumboOptionEnd)
            return payload.Length;
        ref readonly var header = ref MemoryMarshal.AsRef<Ipv6ExtensionHeader>(payload);
        var length = header.Identification.Value;
        return header.OffsetAndFlags == JumboOption && length is > ushort.MaxValue and < int.MaxValue / 2 ? (int)length : payload.Length;
    }
}
