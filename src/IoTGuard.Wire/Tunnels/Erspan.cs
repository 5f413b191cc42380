using System.Buffers.Binary;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>ERSPAN, a mirror over GRE (draft-foschiano-erspan): type I has no header of its own, II has 8 bytes, III 12 or 20.</summary>
internal static class Erspan
{
    private const int Type2Size = 8;
    private const int Type3Size = 12;
    private const int PlatformSize = 8;

    /// <param name="bytes">From the GRE header on.</param>
    /// <param name="offset">Length of the GRE header.</param>
    /// <param name="hasSequence">The GRE header has a sequence number: type II always has, type I never.</param>
    public static TunnelHeader ReadType1Or2(ReadOnlySpan<byte> bytes, int offset, bool hasSequence)
    {
        if (!hasSequence)
            return new TunnelHeader(TunnelKind.Erspan, offset, EtherType.TransparentEthernet);
        if (bytes.Length < offset + Type2Size)
            return TunnelHeader.TooShort(offset + Type2Size);
        var version = bytes[offset] >> 4;
        return version == 1
            ? new TunnelHeader(TunnelKind.Erspan, offset + Type2Size, EtherType.TransparentEthernet, Session(bytes, offset))
            : TunnelHeader.NotFollowed(version);
    }

    public static TunnelHeader ReadType3(ReadOnlySpan<byte> bytes, int offset)
    {
        if (bytes.Length < offset + Type3Size)
            return TunnelHeader.TooShort(offset + Type3Size);
        var version = bytes[offset] >> 4;
        if (version != 2)
            return TunnelHeader.NotFollowed(version);

        // Protocol 1 bit, frame type 5 bits, hardware 6, direction 1, granularity 2, and whether the platform's subheader follows.
        var last = BinaryPrimitives.ReadUInt16BigEndian(bytes[(offset + 10)..]);
        var length = offset + Type3Size + ((last & 1) != 0 ? PlatformSize : 0);
        var frameType = (last >> 10) & 0x1F;
        switch (frameType)
        {
            case 0: // Ethernet
                return new TunnelHeader(TunnelKind.Erspan, length, EtherType.TransparentEthernet, Session(bytes, offset));
            case 2: // IP
                if (bytes.Length <= length)
                    return TunnelHeader.TooShort(length + 1);
                var inner = bytes[length] >> 4 == 6 ? EtherType.Ipv6 : EtherType.Ipv4;
                return new TunnelHeader(TunnelKind.Erspan, length, inner, Session(bytes, offset));
            default:
                return TunnelHeader.NotFollowed(frameType);
        }
    }

    private static uint Session(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt16BigEndian(bytes[(offset + 2)..]) & 0x3FFu;
}
