using System.Buffers.Binary;
using IoTGuard.Wire.Application.Files;

namespace IoTGuard.Wire.Application.Dicom;

/// <summary>What the 128 bytes before "DICM" hold (PS3.10 7.1), which the standard leaves to the application.</summary>
public enum PreambleKind : byte
{
    Zero,

    /// <summary>A TIFF header: the dual use that the standard has in mind.</summary>
    Tiff,
    PortableExecutable,
    Elf,
    MachO,
    Script,
    Other,
}

/// <summary>Answer of a reader to the bytes that there are.</summary>
public enum Part10Answer : byte
{
    /// <summary>A DICOM file; the file meta information was read to its end.</summary>
    Done,

    /// <summary>It is or can be one; more bytes would tell more. What was read already is there.</summary>
    NeedMore,
    Invalid,
}

/// <summary>
/// The head of a DICOM file (PS3.10 7.1): preamble, prefix and file meta information (group 0002, always explicit VR little endian). Values are slices of the
/// bytes that it was read from, padding removed; empty = not there. It holds no patient's identifier but the SOP Instance UID.
/// </summary>
public readonly ref struct Part10File
{
    public const int PreambleBytes = 128;

    /// <summary>Bytes that show whether it is one: preamble and "DICM".</summary>
    public const int MinimumBytes = 132;

    /// <summary>Bytes of file meta information that are looked at; private information (0002,0102) can make it longer.</summary>
    public const int MaximumMetaBytes = 4096;

    private const ushort MetaGroup = 0x0002;

    public PreambleKind Preamble { get; private init; }

    /// <summary>(0002,0002) Media Storage SOP Class UID.</summary>
    public ReadOnlySpan<byte> SopClass { get; private init; }

    /// <summary>(0002,0003) Media Storage SOP Instance UID; an identifier, never to be written as it is.</summary>
    public ReadOnlySpan<byte> SopInstance { get; private init; }

    /// <summary>(0002,0010).</summary>
    public ReadOnlySpan<byte> TransferSyntax { get; private init; }

    /// <summary>(0002,0012).</summary>
    public ReadOnlySpan<byte> ImplementationClass { get; private init; }

    /// <summary>(0002,0013).</summary>
    public ReadOnlySpan<byte> ImplementationVersion { get; private init; }

    /// <summary>(0002,0016) Source Application Entity Title.</summary>
    public ReadOnlySpan<byte> SourceAe { get; private init; }

    /// <summary>Bytes of preamble, prefix and the meta information that was read.</summary>
    public int Length { get; private init; }

    /// <summary>True when the bytes begin a DICOM file.</summary>
    public static bool IsPart10(ReadOnlySpan<byte> data) => data.Length >= MinimumBytes && data[PreambleBytes..MinimumBytes].SequenceEqual("DICM"u8);

    /// <summary>True when bytes too few to tell begin as the preamble of a DICOM file usually does: zeros, TIFF, or a program.</summary>
    public static bool CouldBegin(ReadOnlySpan<byte> data) =>
        data.Length < MinimumBytes && !data.IsEmpty
        && (data[0] == 0 ? !data[..Math.Min(data.Length, PreambleBytes)].ContainsAnyExcept((byte)0)
            : Begins(data, "MZ"u8) || Begins(data, [0x7F, 0x45, 0x4C, 0x46]) || Begins(data, "II*\0"u8) || Begins(data, "MM\0*"u8) || Begins(data, "#!"u8));

    /// <summary>What the first 128 bytes are.</summary>
    public static PreambleKind PreambleOf(ReadOnlySpan<byte> preamble)
    {
        preamble = preamble[..Math.Min(preamble.Length, PreambleBytes)];
        if (!preamble.ContainsAnyExcept((byte)0))
            return PreambleKind.Zero;
        return FileKinds.OfMagic(preamble) switch
        {
            FileKind.Tiff => PreambleKind.Tiff,
            FileKind.Elf => PreambleKind.Elf,
            FileKind.MachO => PreambleKind.MachO,
            FileKind.Script => PreambleKind.Script,
            // Nothing else has a reason to begin so in front of an image.
            _ when preamble.StartsWith("MZ"u8) => PreambleKind.PortableExecutable,
            _ => PreambleKind.Other,
        };
    }

    /// <summary>True for a preamble that makes the file a program as well.</summary>
    public static bool IsExecutable(PreambleKind preamble) =>
        preamble is PreambleKind.PortableExecutable or PreambleKind.Elf or PreambleKind.MachO or PreambleKind.Script;

    /// <summary>Reads the head of a file. Total: bytes that contradict themselves end the reading.</summary>
    public static Part10Answer TryRead(ReadOnlySpan<byte> data, out Part10File file)
    {
        file = default;
        if (data.Length < MinimumBytes)
            return data.IsEmpty || CouldBegin(data) ? Part10Answer.NeedMore : Part10Answer.Invalid;
        if (!IsPart10(data))
            return Part10Answer.Invalid;
        ReadOnlySpan<byte> sopClass = default, instance = default, syntax = default, implementation = default, version = default, source = default;
        var answer = Part10Answer.NeedMore;
        var at = MinimumBytes;
        while (true)
        {
            if (at - MinimumBytes >= MaximumMetaBytes)
            {
                answer = Part10Answer.Done;
                break;
            }

            var rest = data[at..];
            if (rest.Length >= 2 && BinaryPrimitives.ReadUInt16LittleEndian(rest) != MetaGroup)
            {
                answer = Part10Answer.Done;
                break;
            }

            if (!TryReadElement(rest, out var element, out var value, out var length))
                break;
            if (length > MaximumMetaBytes || at + length > data.Length)
            {
                if (length > MaximumMetaBytes)
                    answer = Part10Answer.Done;
                break;
            }

            switch (element)
            {
                case 0x0002:
                    sopClass = value;
                    break;
                case 0x0003:
                    instance = value;
                    break;
                case 0x0010:
                    syntax = value;
                    break;
                case 0x0012:
                    implementation = value;
                    break;
                case 0x0013:
                    version = value;
                    break;
                case 0x0016:
                    source = value;
                    break;
            }

            at += (int)length;
        }

        file = new Part10File
        {
            Preamble = PreambleOf(data),
            SopClass = sopClass,
            SopInstance = instance,
            TransferSyntax = syntax,
            ImplementationClass = implementation,
            ImplementationVersion = version,
            SourceAe = source,
            Length = at,
        };
        return answer;
    }

    /// <summary>An element in explicit VR little endian (PS3.5 7.1.2); the value is cut where the bytes end.</summary>
    private static bool TryReadElement(ReadOnlySpan<byte> rest, out ushort element, out ReadOnlySpan<byte> value, out long length)
    {
        element = 0;
        value = default;
        length = 0;
        if (rest.Length < 8)
            return false;
        element = BinaryPrimitives.ReadUInt16LittleEndian(rest[2..]);
        var hasLongLength = ((rest[4] << 8) | rest[5]) is 0x4F42 or 0x4F57 or 0x4F44 or 0x4F46 or 0x4F4C or 0x5351 or 0x554E or 0x5543 or 0x5552 or 0x5554; // OB OW OD OF OL SQ UN UC UR UT
        if (hasLongLength && rest.Length < 12)
            return false;
        var header = hasLongLength ? 12 : 8;
        var size = hasLongLength ? BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]) : BinaryPrimitives.ReadUInt16LittleEndian(rest[6..]);
        length = header + (long)size;
        value = DicomText.Trim(rest[header..(int)Math.Min(rest.Length, length)]);
        return true;
    }

    private static bool Begins(ReadOnlySpan<byte> data, ReadOnlySpan<byte> magic) => magic[..Math.Min(data.Length, magic.Length)].SequenceEqual(data[..Math.Min(data.Length, magic.Length)]);
}
