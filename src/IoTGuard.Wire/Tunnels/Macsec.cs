using System.Buffers.Binary;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>MACsec (802.1AE, 9.3): what is only protected against change can be read; what is encrypted is counted.</summary>
internal static class Macsec
{
    private const int Size = 6;
    private const int ChannelIdentifierSize = 8;
    private const int TypeSize = 2;
    private const byte Version = 0x80;
    private const byte HasChannelIdentifier = 0x20;
    private const byte Encrypted = 0x08;
    private const byte Changed = 0x04;

    public static TunnelHeader Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Size)
            return TunnelHeader.TooShort(Size);
        var control = bytes[0];
        if ((control & (Version | Encrypted | Changed)) != 0)
            return TunnelHeader.NotFollowed(control);
        var length = Size + ((control & HasChannelIdentifier) != 0 ? ChannelIdentifierSize : 0);
        if (bytes.Length < length + TypeSize)
            return TunnelHeader.TooShort(length + TypeSize);
        var type = BinaryPrimitives.ReadUInt16BigEndian(bytes[length..]);
        return type < EtherType.Lowest ? TunnelHeader.NotFollowed(type) : new TunnelHeader(TunnelKind.Macsec, length + TypeSize, type);
    }
}
