using System.Buffers.Binary;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>PPP (RFC 1661) and its encapsulation in an Ethernet session (RFC 2516).</summary>
internal static class Ppp
{
    private const int SessionHeaderSize = 6;
    private const int ProtocolSize = 2;

    /// <summary>A PPPoE session packet, behind its EtherType.</summary>
    public static TunnelHeader ReadSession(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < SessionHeaderSize)
            return TunnelHeader.TooShort(SessionHeaderSize);
        if (bytes[0] != 0x11 || bytes[1] != 0)
            return TunnelHeader.NotFollowed(BinaryPrimitives.ReadUInt16BigEndian(bytes));
        return ReadFrame(bytes, SessionHeaderSize, TunnelKind.Pppoe, BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]));
    }

    /// <summary>A PPP frame after the <paramref name="offset"/> bytes of the header that carries it.</summary>
    public static TunnelHeader ReadFrame(ReadOnlySpan<byte> bytes, int offset, TunnelKind kind, uint id)
    {
        // Address and control field FF-03 may be left out (RFC 1661, 6.6).
        if (bytes.Length >= offset + 2 && bytes[offset] == 0xFF && bytes[offset + 1] == 0x03)
            offset += 2;
        if (bytes.Length < offset + ProtocolSize)
            return TunnelHeader.TooShort(offset + ProtocolSize);

        // An odd first octet is a compressed protocol field (6.5).
        var compressed = (bytes[offset] & 1) != 0;
        ushort protocol = compressed ? bytes[offset] : BinaryPrimitives.ReadUInt16BigEndian(bytes[offset..]);
        offset += compressed ? 1 : ProtocolSize;
        return protocol switch
        {
            0x0021 => new TunnelHeader(kind, offset, EtherType.Ipv4, id),
            0x0057 => new TunnelHeader(kind, offset, EtherType.Ipv6, id),
            0x0281 or 0x0283 => new TunnelHeader(kind, offset, EtherType.Mpls, id),
            _ => TunnelHeader.NotFollowed(protocol),
        };
    }
}
