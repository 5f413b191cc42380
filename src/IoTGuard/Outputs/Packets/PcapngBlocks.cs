using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using IoTGuard.Wire;

namespace IoTGuard.Outputs.Packets;

/// <summary>Writes the blocks of a pcapng file (draft-ietf-opsawg-pcapng), little-endian, times in nanoseconds.</summary>
internal static class PcapngBlocks
{
    private const uint SectionHeader = 0x0A0D0D0A;
    private const uint InterfaceDescription = 1;
    private const uint EnhancedPacket = 6;
    private const ushort OptionComment = 1;
    private const ushort OptionUserApplication = 4;
    private const ushort OptionName = 2;
    private const ushort OptionTimeResolution = 9;

    public static void WriteSection(IBufferWriter<byte> target, string application)
    {
        Span<byte> fixedPart = stackalloc byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(fixedPart, 0x1A2B3C4D);
        BinaryPrimitives.WriteUInt16LittleEndian(fixedPart[4..], 1);
        BinaryPrimitives.WriteInt64LittleEndian(fixedPart[8..], -1); // length not given
        WriteBlock(target, SectionHeader, fixedPart, [], [(OptionUserApplication, Encoding.UTF8.GetBytes(application))]);
    }

    /// <param name="target">Where to.</param>
    /// <param name="link">Link type of its packets.</param>
    /// <param name="snapBytes">Most bytes kept of a packet.</param>
    /// <param name="name">Name for people.</param>
    /// <param name="comment">Comment for people.</param>
    public static void WriteInterface(IBufferWriter<byte> target, LinkType link, int snapBytes, string name, string comment)
    {
        Span<byte> fixedPart = stackalloc byte[8];
        BinaryPrimitives.WriteUInt16LittleEndian(fixedPart, (ushort)link);
        BinaryPrimitives.WriteUInt32LittleEndian(fixedPart[4..], (uint)snapBytes);
        WriteBlock(target, InterfaceDescription, fixedPart, [],
            [(OptionName, Encoding.UTF8.GetBytes(name)), (OptionComment, Encoding.UTF8.GetBytes(comment)), (OptionTimeResolution, [9])]);
    }

    /// <param name="target">Where to.</param>
    /// <param name="interfaceNumber">Of the section, from 0.</param>
    /// <param name="timeNs">Packet time.</param>
    /// <param name="frame">Captured bytes.</param>
    /// <param name="wireLength">Bytes on the wire.</param>
    /// <param name="comment">Comment for people; null = none.</param>
    public static void WritePacket(IBufferWriter<byte> target, int interfaceNumber, long timeNs, ReadOnlySpan<byte> frame, int wireLength, string? comment)
    {
        Span<byte> fixedPart = stackalloc byte[20];
        BinaryPrimitives.WriteInt32LittleEndian(fixedPart, interfaceNumber);
        BinaryPrimitives.WriteUInt32LittleEndian(fixedPart[4..], (uint)(timeNs >> 32));
        BinaryPrimitives.WriteUInt32LittleEndian(fixedPart[8..], (uint)timeNs);
        BinaryPrimitives.WriteInt32LittleEndian(fixedPart[12..], frame.Length);
        BinaryPrimitives.WriteInt32LittleEndian(fixedPart[16..], wireLength);
        WriteBlock(target, EnhancedPacket, fixedPart, frame, comment is null ? [] : [(OptionComment, Encoding.UTF8.GetBytes(comment))]);
    }

    private static void WriteBlock(
        IBufferWriter<byte> target, uint type, ReadOnlySpan<byte> fixedPart, ReadOnlySpan<byte> data, ReadOnlySpan<(ushort Code, byte[] Value)> options)
    {
        var length = 12 + fixedPart.Length + Padded(data.Length);
        foreach (var (_, value) in options)
            length += 4 + Padded(value.Length);
        if (options.Length > 0)
            length += 4;
        var block = target.GetSpan(length)[..length];
        block.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(block, type);
        BinaryPrimitives.WriteInt32LittleEndian(block[4..], length);
        fixedPart.CopyTo(block[8..]);
        var at = 8 + fixedPart.Length;
        data.CopyTo(block[at..]);
        at += Padded(data.Length);
        foreach (var (code, value) in options)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(block[at..], code);
            BinaryPrimitives.WriteUInt16LittleEndian(block[(at + 2)..], (ushort)value.Length);
            value.CopyTo(block[(at + 4)..]);
            at += 4 + Padded(value.Length);
        }

        BinaryPrimitives.WriteInt32LittleEndian(block[^4..], length);
        target.Advance(length);
    }

    private static int Padded(int length) => (length + 3) & ~3;
}
