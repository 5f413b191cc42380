using System.Buffers.Binary;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>Teredo (RFC 4380, 5.1.1): IPv6 in UDP, after optional authentication and origin indications.</summary>
internal static class Teredo
{
    private const ushort Authentication = 0x0001;
    private const ushort Origin = 0x0000;
    private const int AuthenticationSize = 13; // without client id and value: type, lengths, nonce, confirmation
    private const int OriginSize = 8;

    public static TunnelHeader Read(ReadOnlySpan<byte> bytes)
    {
        var length = 0;
        if (bytes.Length >= 4 && BinaryPrimitives.ReadUInt16BigEndian(bytes) == Authentication)
            length = AuthenticationSize + bytes[2] + bytes[3];
        if (bytes.Length >= length + 2 && BinaryPrimitives.ReadUInt16BigEndian(bytes[length..]) == Origin)
            length += OriginSize;
        return length < bytes.Length && InnerFrame.IsIpv6(bytes[length..])
            ? new TunnelHeader(TunnelKind.Teredo, length, EtherType.Ipv6)
            : TunnelHeader.None;
    }
}
