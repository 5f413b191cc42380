using System.Buffers.Binary;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>Tells what bytes are when the tunnel does not: only what is consistent in itself is taken for a packet.</summary>
internal static class InnerFrame
{
    private const int Ipv4Size = 20;
    private const int Ipv6Size = 40;

    /// <summary>EtherType of a packet that begins here, <see cref="EtherType.TransparentEthernet"/> for an Ethernet frame, or 0.</summary>
    public static ushort TypeOf(ReadOnlySpan<byte> bytes)
    {
        if (IsIpv4(bytes))
            return EtherType.Ipv4;
        if (IsIpv6(bytes))
            return EtherType.Ipv6;
        return IsEthernet(bytes) ? EtherType.TransparentEthernet : (ushort)0;
    }

    /// <summary>True for an Ethernet frame with IP or ARP in it, VLAN tags allowed.</summary>
    public static bool IsEthernet(ReadOnlySpan<byte> bytes)
    {
        var offset = EthernetHeader.Size;
        for (var tags = 0; tags <= LinkDecoder.MaxVlanTags && bytes.Length >= offset; tags++)
        {
            var payload = bytes[offset..];
            switch (BinaryPrimitives.ReadUInt16BigEndian(bytes[(offset - 2)..]))
            {
                case EtherType.Ipv4:
                    return IsIpv4(payload);
                case EtherType.Ipv6:
                    return IsIpv6(payload);
                case EtherType.Arp: // hardware type Ethernet, protocol type IPv4
                    return payload.Length >= 4 && BinaryPrimitives.ReadUInt32BigEndian(payload) == 0x0001_0800;
                case EtherType.CustomerVlan or EtherType.ServiceVlan or EtherType.OldServiceVlan:
                    offset += VlanTag.Size;
                    break;
                default:
                    return false;
            }
        }

        return false;
    }

    public static bool IsIpv4(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Ipv4Size || bytes[0] is < 0x45 or > 0x4F)
            return false;
        var headerLength = (bytes[0] & 0x0F) * 4;
        return bytes.Length >= headerLength && BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) >= headerLength && Checksum(bytes[..headerLength]);
    }

    /// <summary>IPv6 has no checksum: its length must fit, and its next header be one that is in use.</summary>
    public static bool IsIpv6(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= Ipv6Size && bytes[0] >> 4 == 6 && BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]) <= bytes.Length - Ipv6Size
        && bytes[6] is 0 or 4 or 6 or 17 or 41 or 43 or 44 or 47 or 50 or 51 or 58 or 59 or 60 or 89 or 103 or 115 or 132 or 135;

    /// <summary>The IPv4 header checksum (RFC 791, 3.1); one left to the network card is not demanded.</summary>
    private static bool Checksum(ReadOnlySpan<byte> header)
    {
        if (BinaryPrimitives.ReadUInt16BigEndian(header[10..]) == 0)
            return true;
        uint sum = 0;
        for (var i = 0; i + 1 < header.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(header[i..]);
        sum = (sum & 0xFFFF) + (sum >> 16);
        return ((sum & 0xFFFF) + (sum >> 16)) == 0xFFFF;
    }
}
