using System.Runtime.InteropServices;

namespace IoTGuard.Wire.Network;

/// <summary>One fragment of an IP datagram (RFC 791, 3.2; RFC 8200, 4.5). Offsets are from the start of the frame that it was read from.</summary>
/// <param name="Identification">Tells the datagrams between two addresses apart: 16 bits in IPv4, 32 in IPv6.</param>
/// <param name="Protocol">What the datagram carries, as this fragment says.</param>
/// <param name="FragmentOffset">Place of the data in the datagram's data, bytes.</param>
/// <param name="HasMore">False for the datagram's last fragment.</param>
/// <param name="HeaderOffset">Where the IP header begins.</param>
/// <param name="HeaderLength">Bytes of the headers that every fragment repeats.</param>
/// <param name="ProtocolOffset">Where, in these headers, the protocol of what follows is written.</param>
/// <param name="DataOffset">Where the data begins.</param>
/// <param name="DataLength">Bytes of data captured.</param>
/// <param name="DataWireLength">Bytes of data sent.</param>
public readonly record struct FragmentView(
    uint Identification, byte Protocol, int FragmentOffset, bool HasMore, int HeaderOffset, int HeaderLength, int ProtocolOffset,
    int DataOffset, int DataLength, int DataWireLength)
{
    /// <summary>Reads the fragment that a view shows; false when its headers are cut.</summary>
    public static bool TryRead(ReadOnlySpan<byte> frame, in PacketView view, out FragmentView fragment)
    {
        fragment = default;
        if (!view.IsFragment || view.NetworkOffset >= frame.Length)
            return false;
        return frame[view.NetworkOffset] >> 4 == 4
            ? TryReadIpv4(frame, view.NetworkOffset, out fragment)
            : TryReadIpv6(frame, view.NetworkOffset, out fragment);
    }

    private static bool TryReadIpv4(ReadOnlySpan<byte> frame, int offset, out FragmentView fragment)
    {
        fragment = default;
        if (!MemoryMarshal.TryRead<Ipv4Header>(frame[offset..], out var ip) || frame.Length < offset + ip.HeaderLength || ip.HeaderLength < Ipv4Header.Size)
            return false;
        const int MoreFragments = 0x2000;
        const int ProtocolField = 9;
        var length = ip.TotalLength == 0 ? frame.Length - offset : ip.TotalLength;
        var data = length - ip.HeaderLength;
        if (data < 0)
            return false;
        var start = offset + ip.HeaderLength;
        fragment = new FragmentView(
            ip.Identification, ip.Protocol, ip.FragmentOffset, (ip.FlagsAndFragmentOffset & MoreFragments) != 0, offset, ip.HeaderLength,
            offset + ProtocolField, start, Math.Min(data, frame.Length - start), data);
        return true;
    }

    private static bool TryReadIpv6(ReadOnlySpan<byte> frame, int offset, out FragmentView fragment)
    {
        fragment = default;
        if (!MemoryMarshal.TryRead<Ipv6Header>(frame[offset..], out var ip))
            return false;
        const int NextHeaderField = 6;
        var protocolOffset = offset + NextHeaderField;
        var at = offset + Ipv6Header.Size;
        var wireEnd = ip.PayloadLength == 0 ? frame.Length : at + ip.PayloadLength;
        var next = ip.NextHeader;
        for (var count = 0; count < NetworkDecoder.MaxExtensionHeaders; count++)
        {
            if (!MemoryMarshal.TryRead<Ipv6ExtensionHeader>(frame[at..], out var header))
                return false;
            if (next == IpProtocol.Fragment && header.IsFragment)
            {
                var start = at + Ipv6ExtensionHeader.Size;
                if (wireEnd < start)
                    return false;
                fragment = new FragmentView(
                    header.Identification, header.NextHeader, header.FragmentOffset, (header.OffsetAndFlags & 1) != 0, offset, at - offset,
                    protocolOffset, start, Math.Min(wireEnd, frame.Length) - start, wireEnd - start);
                return true;
            }

            protocolOffset = at;
            at += next switch
            {
                IpProtocol.Fragment => Ipv6ExtensionHeader.Size,
                IpProtocol.Authentication => Math.Max(Ipv6ExtensionHeader.Size, (header.Length + 2) * 4),
                _ => (header.Length + 1) * 8,
            };
            next = header.NextHeader;
            if (at > frame.Length)
                return false;
        }

        return false;
    }
}
