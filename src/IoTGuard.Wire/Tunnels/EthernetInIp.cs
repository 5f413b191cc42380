using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>EtherIP (RFC 3378, 3): version 3 and twelve zero bits, then an Ethernet frame.</summary>
internal static class EthernetInIp
{
    private const int Size = 2;

    public static TunnelHeader Read(ReadOnlySpan<byte> bytes) =>
        bytes.Length < Size ? TunnelHeader.TooShort(Size)
        : bytes[0] != 0x30 || bytes[1] != 0 ? TunnelHeader.NotFollowed(bytes[0])
        : new TunnelHeader(TunnelKind.EthernetInIp, Size, EtherType.TransparentEthernet);
}
