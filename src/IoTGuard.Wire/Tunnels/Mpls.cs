using System.Buffers.Binary;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>
/// MPLS label stack (RFC 3032). Nothing in it says what follows: IP is known by its version, a pseudowire by its control word (RFC 4385), and
/// Ethernet without one by a header that is consistent with what follows it.
/// </summary>
internal static class Mpls
{
    /// <summary>Labels followed in one stack.</summary>
    public const int MaxLabels = 16;

    private const int EntrySize = 4;
    private const int ControlWordSize = 4;

    public static TunnelHeader Read(ReadOnlySpan<byte> bytes)
    {
        for (var labels = 1; labels <= MaxLabels; labels++)
        {
            var length = labels * EntrySize;
            if (bytes.Length < length)
                return TunnelHeader.TooShort(length);
            var entry = BinaryPrimitives.ReadUInt32BigEndian(bytes[(length - EntrySize)..]);
            if ((entry & 0x100) != 0) // bottom of stack
                return ReadPayload(bytes, length, entry >> 12);
        }

        return new TunnelHeader(TunnelKind.None, 0, 0, 0, FaultKind.TooDeep, MaxLabels + 1);
    }

    private static TunnelHeader ReadPayload(ReadOnlySpan<byte> bytes, int length, uint label)
    {
        var payload = bytes[length..];
        if (payload.IsEmpty)
            return TunnelHeader.TooShort(length + 1);
        var inner = InnerFrame.TypeOf(payload);
        if (inner != 0)
            return new TunnelHeader(TunnelKind.Mpls, length, inner, label);

        // A control word begins with a zero nibble; 1 is an associated channel (RFC 4385, 3 and 5).
        if (payload[0] >> 4 == 0 && payload.Length > ControlWordSize)
        {
            inner = InnerFrame.TypeOf(payload[ControlWordSize..]);
            if (inner != 0)
                return new TunnelHeader(TunnelKind.Mpls, length + ControlWordSize, inner, label);
        }

        return (payload[0] >> 4) switch
        {
            4 => new TunnelHeader(TunnelKind.Mpls, length, EtherType.Ipv4, label),
            6 => new TunnelHeader(TunnelKind.Mpls, length, EtherType.Ipv6, label),
            _ => TunnelHeader.NotFollowed(label),
        };
    }
}
