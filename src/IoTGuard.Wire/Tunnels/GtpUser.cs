using System.Buffers.Binary;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>GTP-U version 1 (3GPP TS 29.281, 5): only G-PDUs carry a packet, of IP.</summary>
internal static class GtpUser
{
    /// <summary>Extension headers followed in one packet.</summary>
    public const int MaxExtensionHeaders = 8;

    private const int Size = 8;
    private const int OptionalSize = 4;
    private const byte GPdu = 255;

    public static TunnelHeader Read(ReadOnlySpan<byte> bytes)
    {
        // Version 1, protocol type 1, the spare bit 0; a length that the datagram holds.
        if (bytes.Length < Size || (bytes[0] & 0xF8) != 0x30 || bytes[1] != GPdu || BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) == 0)
            return TunnelHeader.None;
        var length = Size;
        if ((bytes[0] & 0x07) != 0)
        {
            length += OptionalSize;
            if (bytes.Length < length)
                return TunnelHeader.None;
            var next = (bytes[0] & 0x04) != 0 ? bytes[length - 1] : (byte)0;
            for (var count = 0; next != 0; count++)
            {
                // Length in units of four bytes, content, and the next type last (5.2.1).
                if (count == MaxExtensionHeaders || bytes.Length <= length || bytes[length] == 0)
                    return TunnelHeader.None;
                length += bytes[length] * 4;
                if (bytes.Length < length)
                    return TunnelHeader.None;
                next = bytes[length - 1];
            }
        }

        if (bytes.Length <= length)
            return TunnelHeader.None;
        var teid = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        return (bytes[length] >> 4) switch
        {
            4 => new TunnelHeader(TunnelKind.GtpUser, length, EtherType.Ipv4, teid),
            6 => new TunnelHeader(TunnelKind.GtpUser, length, EtherType.Ipv6, teid),
            _ => InnerFrame.IsEthernet(bytes[length..])
                ? new TunnelHeader(TunnelKind.GtpUser, length, EtherType.TransparentEthernet, teid)
                : TunnelHeader.None,
        };
    }
}
