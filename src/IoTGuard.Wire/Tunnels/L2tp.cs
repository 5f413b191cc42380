using System.Buffers.Binary;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>
/// L2TP version 2 with PPP (RFC 2661, 3.1), and version 3 over UDP or IP (RFC 3931, 4.1). Version 3 does not say in the packet how long its cookie
/// is and whether a sublayer follows: the packet is looked for behind each possible length.
/// </summary>
internal static class L2tp
{
    private const ushort IsControl = 0x8000;
    private const ushort HasLength = 0x4000;
    private const ushort HasSequence = 0x0800;
    private const ushort HasOffset = 0x0200;
    private const int SessionSize = 4;

    /// <summary>Over UDP: both versions.</summary>
    public static TunnelHeader ReadDatagram(ReadOnlySpan<byte> bytes)
    {
        const int FixedSize = 6;
        if (bytes.Length < FixedSize)
            return TunnelHeader.None;
        var flags = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        if ((flags & IsControl) != 0)
            return TunnelHeader.None;
        switch (flags & 0x0F)
        {
            case 2:
                return ReadVersion2(bytes, flags);
            case 3:
                return ReadSession(bytes, 4);
            default:
                return TunnelHeader.None;
        }
    }

    /// <summary>Over IP (RFC 3931, 4.1.1): a session id, which is 0 for control messages.</summary>
    public static TunnelHeader Read(ReadOnlySpan<byte> bytes) =>
        bytes.Length < SessionSize ? TunnelHeader.TooShort(SessionSize)
        : BinaryPrimitives.ReadUInt32BigEndian(bytes) == 0 ? TunnelHeader.NotFollowed(0)
        : ReadSession(bytes, 0) is { IsFollowed: true } header ? header
        : TunnelHeader.NotFollowed(BinaryPrimitives.ReadUInt32BigEndian(bytes));

    private static TunnelHeader ReadVersion2(ReadOnlySpan<byte> bytes, ushort flags)
    {
        var offset = (flags & HasLength) != 0 ? 4 : 2;
        if (bytes.Length < offset + 4)
            return TunnelHeader.None;
        var id = BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..]);
        offset += 4 + ((flags & HasSequence) != 0 ? 4 : 0);
        if ((flags & HasOffset) != 0)
        {
            if (bytes.Length < offset + 2)
                return TunnelHeader.None;
            offset += 2 + BinaryPrimitives.ReadUInt16BigEndian(bytes[offset..]);
        }

        var header = Ppp.ReadFrame(bytes, offset, TunnelKind.L2tp, id);
        return header.IsFollowed && InnerFrame.TypeOf(bytes[header.Length..]) != 0 ? header : TunnelHeader.None;
    }

    private static TunnelHeader ReadSession(ReadOnlySpan<byte> bytes, int offset)
    {
        if (bytes.Length < offset + SessionSize)
            return TunnelHeader.None;
        var session = BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..]);
        offset += SessionSize;

        // Cookie of 0, 4 or 8 bytes, then no sublayer or one of 4 bytes.
        for (var skip = 0; skip <= 12 && bytes.Length > offset + skip; skip += 4)
        {
            var inner = InnerFrame.TypeOf(bytes[(offset + skip)..]);
            if (inner != 0)
                return new TunnelHeader(TunnelKind.L2tpV3, offset + skip, inner, session);
        }

        return TunnelHeader.None;
    }
}
