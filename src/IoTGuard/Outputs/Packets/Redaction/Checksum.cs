using System.Buffers.Binary;

namespace IoTGuard.Outputs.Packets.Redaction;

/// <summary>The Internet checksum, brought in line with changed bytes (RFC 1624, equation 3): what was right stays right, what was wrong stays wrong.</summary>
internal static class Checksum
{
    /// <param name="checksum">Its two bytes.</param>
    /// <param name="before">Payload as it was; begins at an even offset of what is summed.</param>
    /// <param name="after">Payload as it is.</param>
    /// <param name="isUdp">0 means that there is none (RFC 768).</param>
    public static void Adjust(Span<byte> checksum, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, bool isUdp)
    {
        var old = BinaryPrimitives.ReadUInt16BigEndian(checksum);
        if (isUdp && old == 0)
            return;
        var sum = (ulong)(ushort)~old + (ushort)~Fold(Sum(before)) + Sum(after);
        var fresh = (ushort)~Fold(sum);
        BinaryPrimitives.WriteUInt16BigEndian(checksum, isUdp && fresh == 0 ? (ushort)0xFFFF : fresh);
    }

    private static ulong Sum(ReadOnlySpan<byte> bytes)
    {
        ulong sum = 0;
        for (; bytes.Length >= 2; bytes = bytes[2..])
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
        return bytes.IsEmpty ? sum : sum + ((ulong)bytes[0] << 8);
    }

    private static ushort Fold(ulong sum)
    {
        while (sum > 0xFFFF)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)sum;
    }
}
