using System.Buffers.Binary;

namespace IoTGuard.Capture.Files;

/// <summary>Tells by its first bytes what an input is.</summary>
internal static class Signature
{
    /// <summary>Bytes that suffice to tell.</summary>
    public const int Length = 16;

    private static readonly (byte[] Start, string What)[] Others =
    [
        ([0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0], "an xz archive (unpack it with xz -dc FILE | iotguard analyze -)"),
        ([0x28, 0xB5, 0x2F, 0xFD], "a zstd archive (unpack it with zstd -dc FILE | iotguard analyze -)"),
        ([0x04, 0x22, 0x4D, 0x18], "an lz4 archive (unpack it with lz4 -dc FILE | iotguard analyze -)"),
        ("BZh"u8.ToArray(), "a bzip2 archive (unpack it with bzip2 -dc FILE | iotguard analyze -)"),
        ("PK\x03\x04"u8.ToArray(), "a zip archive (unpack it first)"),
        ("snoop\0\0\0"u8.ToArray(), "a snoop capture (convert it with editcap -F pcapng)"),
        ("GMBU"u8.ToArray(), "a Microsoft Network Monitor capture (convert it with editcap -F pcapng)"),
        ([0x7F, (byte)'E', (byte)'L', (byte)'F'], "a program"),
    ];

    public static bool IsGzip(ReadOnlySpan<byte> start) => start.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]);

    /// <summary>The format of a capture, or null when these bytes do not start one.</summary>
    public static CaptureFormat? FormatOf(ReadOnlySpan<byte> start, ProblemLog problems)
    {
        if (start.Length < 4)
            return null;
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(start);
        if (magic == PcapngFormat.SectionHeader)
            return new PcapngFormat(problems);
        if (IsPcap(magic))
            return new PcapFormat(magic, swapped: !BitConverter.IsLittleEndian);
        magic = BinaryPrimitives.ReverseEndianness(magic);
        return IsPcap(magic) ? new PcapFormat(magic, swapped: BitConverter.IsLittleEndian) : null;
    }

    /// <summary>What an input is that is not a capture, for a person.</summary>
    public static string Describe(ReadOnlySpan<byte> start)
    {
        if (start.IsEmpty)
            return "an empty file";
        foreach (var (prefix, what) in Others)
        {
            if (start.StartsWith(prefix))
                return what;
        }

        return start.IndexOfAnyExcept(Text) < 0 ? "text" : $"something that starts with the bytes {Convert.ToHexString(start[..Math.Min(8, start.Length)])}";
    }

    private static readonly System.Buffers.SearchValues<byte> Text =
        System.Buffers.SearchValues.Create([(byte)'\t', (byte)'\n', (byte)'\r', .. Enumerable.Range(0x20, 0x5F).Select(static c => (byte)c)]);

    private static bool IsPcap(uint magic) => magic is PcapFormat.MagicMicroseconds or PcapFormat.MagicNanoseconds or PcapFormat.MagicModified;
}
