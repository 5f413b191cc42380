using System.Buffers.Binary;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>Geneve (RFC 8926, 3.4): 8 bytes, options in units of four, an EtherType of what follows.</summary>
internal static class Geneve
{
    private const int Size = 8;

    public static TunnelHeader Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Size)
            return TunnelHeader.None;
        var length = Size + ((bytes[0] & 0x3F) * 4);
        var type = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        var isGeneve = bytes[0] >> 6 == 0 // version
            && (bytes[1] & 0x3F) == 0 && bytes[7] == 0 // reserved
            && type >= EtherType.Lowest && bytes.Length > length;
        return isGeneve
            ? new TunnelHeader(TunnelKind.Geneve, length, type, BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]) >> 8)
            : TunnelHeader.None;
    }
}
