using System.Buffers.Binary;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>CAPWAP data messages (RFC 5415, 4.3) that are neither encrypted nor fragmented, with 802.3 or 802.11 data frames.</summary>
internal static class Capwap
{
    private const int FixedSize = 8;
    private const int WirelessNative = 0x01_00; // T
    private const int Fragmented = 0x00_80; // F
    private const int KeepAlive = 0x00_08; // K

    public static TunnelHeader Read(ReadOnlySpan<byte> bytes)
    {
        // Preamble: version 0, type 0 (in the clear).
        if (bytes.Length < FixedSize || bytes[0] != 0)
            return TunnelHeader.None;
        var length = (bytes[1] >> 3) * 4;
        var flags = ((bytes[2] & 1) << 8) | bytes[3];
        if (length < FixedSize || bytes.Length <= length || (flags & (Fragmented | KeepAlive)) != 0)
            return TunnelHeader.None;
        if ((flags & WirelessNative) == 0)
        {
            return InnerFrame.IsEthernet(bytes[length..])
                ? new TunnelHeader(TunnelKind.Capwap, length, EtherType.TransparentEthernet)
                : TunnelHeader.None;
        }

        return ReadWireless(bytes, length);
    }

    /// <summary>An 802.11 data frame (802.11, 9.3.2.1) in the clear, with LLC and SNAP.</summary>
    private static TunnelHeader ReadWireless(ReadOnlySpan<byte> bytes, int offset)
    {
        const int HeaderSize = 24;
        var frame = bytes[offset..];
        if (frame.Length < HeaderSize)
            return TunnelHeader.None;

        // Some access controllers write the frame control field with its octets swapped.
        var swapped = (frame[0] & 0x0F) != 0x08 && (frame[1] & 0x0F) == 0x08;
        var (type, flags) = swapped ? (frame[1], frame[0]) : (frame[0], frame[1]);
        var isProtected = (flags & 0x40) != 0;
        if ((type & 0x0F) != 0x08 || isProtected)
            return TunnelHeader.None;
        var length = HeaderSize + ((flags & 0x03) == 0x03 ? 6 : 0) + ((type & 0x80) != 0 ? 2 : 0);
        if (frame.Length < length + SnapHeader.Size)
            return TunnelHeader.None;
        ref readonly var snap = ref System.Runtime.InteropServices.MemoryMarshal.AsRef<SnapHeader>(frame[length..]);
        return snap.CarriesEtherType && snap.ProtocolId >= EtherType.Lowest
            ? new TunnelHeader(TunnelKind.Capwap, offset + length + SnapHeader.Size, snap.ProtocolId)
            : TunnelHeader.None;
    }
}
