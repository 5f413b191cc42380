using System.Buffers.Binary;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>The service instance tag of provider backbone bridges (802.1Q, 9.7, once 802.1ah): flags, a 24-bit I-SID, the customer's frame.</summary>
internal static class BackboneBridge
{
    private const int Size = 4;

    public static TunnelHeader Read(ReadOnlySpan<byte> bytes) => bytes.Length < Size
        ? TunnelHeader.TooShort(Size)
        : new TunnelHeader(TunnelKind.BackboneBridge, Size, EtherType.TransparentEthernet, BinaryPrimitives.ReadUInt32BigEndian(bytes) & 0xFF_FFFF);
}
