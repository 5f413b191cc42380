using System.Buffers.Binary;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>GRE (RFC 2784 with the key and sequence of RFC 2890), and what is made of it: NVGRE, ERSPAN, PPTP, WCCP.</summary>
internal static class Gre
{
    private const int Size = 4;
    private const int FieldSize = 4;
    private const ushort ChecksumPresent = 0x8000;
    private const ushort RoutingPresent = 0x4000;
    private const ushort KeyPresent = 0x2000;
    private const ushort SequencePresent = 0x1000;
    private const ushort AcknowledgmentPresent = 0x0080;
    /// <summary>Virtual subnets begin here (RFC 7637, 3.3): lower keys are those of bridges over plain GRE.</summary>
    private const uint LowestSubnet = 0x1000;
    private const ushort ErspanType2 = 0x88BE;
    private const ushort ErspanType3 = 0x22EB;
    private const ushort PointToPoint = 0x880B;
    private const ushort CacheRedirect = 0x883E;

    public static TunnelHeader Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Size)
            return TunnelHeader.TooShort(Size);
        var flags = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        var protocol = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        var version = flags & 7;
        if (version == 1)
            return ReadPptp(bytes, flags, protocol);
        if (version != 0 || (flags & RoutingPresent) != 0)
            return TunnelHeader.NotFollowed(flags);

        var keyOffset = Size + (Has(flags, ChecksumPresent) ? FieldSize : 0);
        var length = keyOffset + (Has(flags, KeyPresent) ? FieldSize : 0) + (Has(flags, SequencePresent) ? FieldSize : 0);
        if (bytes.Length < length)
            return TunnelHeader.TooShort(length);
        var key = Has(flags, KeyPresent) ? BinaryPrimitives.ReadUInt32BigEndian(bytes[keyOffset..]) : 0;
        switch (protocol)
        {
            case ErspanType2:
                return Erspan.ReadType1Or2(bytes, length, Has(flags, SequencePresent));
            case ErspanType3:
                return Erspan.ReadType3(bytes, length);
            case PointToPoint:
                return Ppp.ReadFrame(bytes, length, TunnelKind.Gre, key);
            case CacheRedirect:
                // WCCP 2 puts four bytes of its own before the packet, WCCP 1 none.
                var redirect = bytes.Length > length && bytes[length] >> 4 != 4 ? FieldSize : 0;
                return new TunnelHeader(TunnelKind.Gre, length + redirect, EtherType.Ipv4, key);
            case EtherType.TransparentEthernet when key >> 8 >= LowestSubnet && !Has(flags, ChecksumPresent) && !Has(flags, SequencePresent):
                return new TunnelHeader(TunnelKind.Nvgre, length, protocol, key >> 8);
            case < EtherType.Lowest:
                return TunnelHeader.NotFollowed(protocol); // keep-alives and OSI
            default:
                return new TunnelHeader(TunnelKind.Gre, length, protocol, key);
        }
    }

    /// <summary>Enhanced GRE (RFC 2637, 4.1): the key is the payload's length and the call's id.</summary>
    private static TunnelHeader ReadPptp(ReadOnlySpan<byte> bytes, ushort flags, ushort protocol)
    {
        if (protocol != PointToPoint || !Has(flags, KeyPresent) || !Has(flags, SequencePresent))
            return TunnelHeader.NotFollowed(protocol); // an acknowledgement carries nothing
        var length = Size + FieldSize + FieldSize + (Has(flags, AcknowledgmentPresent) ? FieldSize : 0);
        return bytes.Length < length
            ? TunnelHeader.TooShort(length)
            : Ppp.ReadFrame(bytes, length, TunnelKind.Pptp, BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]));
    }

    private static bool Has(ushort flags, ushort flag) => (flags & flag) != 0;
}
