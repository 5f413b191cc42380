using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Files;

/// <summary>What a file is by its first bytes, whatever its name or declared type says.</summary>
public enum FileKind : byte
{
    Unknown,

    /// <summary>DOS, Windows: "MZ" and a plausible offset of the new header.</summary>
    PortableExecutable,
    Elf,
    MachO,

    /// <summary>A text that names its interpreter (<c>#!</c>), or PHP.</summary>
    Script,

    /// <summary>A DICOM file (PS3.10): "DICM" behind 128 bytes.</summary>
    Dicom,

    /// <summary>HL7 v2: begins with MSH, with or without MLLP's start block.</summary>
    Hl7,
    Zip,
    Gzip,
    SevenZip,
    Rar,
    Pdf,

    /// <summary>Office documents before 2007, and Windows installers.</summary>
    CompoundDocument,
    Jpeg,
    Png,
    Gif,
    Tiff,
    Xml,
    Json,
    Html,
}

/// <summary>Recognises files by their first bytes.</summary>
public static class FileKinds
{
    /// <summary>Bytes that are enough for any decision.</summary>
    public const int PrefixBytes = Dicom.Part10File.MinimumBytes;

    /// <summary>Offset of the field that tells where the new header of a Windows program is.</summary>
    private const int NewHeaderOffset = 0x3C;

    /// <summary>Farthest place of that header, bytes: a stub, or a DICOM header, may lie between.</summary>
    private const uint MaximumNewHeader = 1 << 24;

    private static readonly string[] Names =
    [
        "unknown", "portable_executable", "elf", "mach_o", "script", "dicom", "hl7", "zip", "gzip", "7z", "rar", "pdf", "compound_document",
        "jpeg", "png", "gif", "tiff", "xml", "json", "html",
    ];

    /// <summary>Name as it stands in outputs.</summary>
    public static string NameOf(FileKind kind) => Names[(int)kind];

    /// <summary>True for what a machine runs.</summary>
    public static bool IsExecutable(FileKind kind) => kind is FileKind.PortableExecutable or FileKind.Elf or FileKind.MachO or FileKind.Script;

    /// <summary>The kind of a file from its first bytes; DICOM goes before what its preamble pretends to be.</summary>
    public static FileKind Of(ReadOnlySpan<byte> prefix) => Dicom.Part10File.IsPart10(prefix) ? FileKind.Dicom : OfMagic(prefix);

    /// <summary>The kind by the very first bytes alone, which in a DICOM file are the preamble's.</summary>
    public static FileKind OfMagic(ReadOnlySpan<byte> prefix)
    {
        if (prefix.Length < 4)
            return FileKind.Unknown;
        return BinaryPrimitives.ReadUInt32BigEndian(prefix) switch
        {
            0x7F454C46 => FileKind.Elf,
            0xFEEDFACE or 0xFEEDFACF or 0xCEFAEDFE or 0xCFFAEDFE => FileKind.MachO,
            0x504B0304 => FileKind.Zip,
            0x377ABCAF => FileKind.SevenZip,
            0x52617221 => FileKind.Rar,
            0x25504446 => FileKind.Pdf,
            0xD0CF11E0 => FileKind.CompoundDocument,
            0x89504E47 => FileKind.Png,
            0x47494638 => FileKind.Gif,
            0x49492A00 or 0x4D4D002A => FileKind.Tiff,
            var magic => (magic >> 8) switch
            {
                0x1F8B08 => FileKind.Gzip,
                0xFFD8FF => FileKind.Jpeg,
                0x4D5348 => IsPunctuation(prefix[3]) ? FileKind.Hl7 : FileKind.Unknown,
                0x0B4D53 when prefix[3] == 'H' => FileKind.Hl7,
                _ when magic >> 16 == 0x4D5A => IsProgram(prefix) ? FileKind.PortableExecutable : FileKind.Unknown,
                _ when magic >> 16 == 0x2321 => prefix[2] is (byte)'/' or (byte)' ' ? FileKind.Script : FileKind.Unknown,
                _ => OfText(prefix),
            },
        };
    }

    private static bool IsPunctuation(byte value) => value is > 0x20 and < 0x7F && !char.IsAsciiLetterOrDigit((char)value);

    private static bool IsProgram(ReadOnlySpan<byte> prefix) =>
        prefix.Length >= NewHeaderOffset + 4 && BinaryPrimitives.ReadUInt32LittleEndian(prefix[NewHeaderOffset..]) is >= 4 and < MaximumNewHeader;

    private static FileKind OfText(ReadOnlySpan<byte> prefix)
    {
        prefix = prefix.TrimStart("\uFEFF \t\r\n"u8);
        if (prefix.IsEmpty)
            return FileKind.Unknown;
        switch (prefix[0])
        {
            case (byte)'{' or (byte)'[':
                return FileKind.Json;
            case (byte)'<' when prefix.StartsWith("<?php"u8):
                return FileKind.Script;
            case (byte)'<' when StartsWithIgnoreCase(prefix, "<!doctype html"u8) || StartsWithIgnoreCase(prefix, "<html"u8):
                return FileKind.Html;
            case (byte)'<' when prefix.Length > 1 && (prefix[1] is (byte)'?' or (byte)'!' || char.IsAsciiLetter((char)prefix[1])):
                return FileKind.Xml;
            default:
                return FileKind.Unknown;
        }
    }

    private static bool StartsWithIgnoreCase(ReadOnlySpan<byte> text, ReadOnlySpan<byte> start) =>
        text.Length >= start.Length && System.Text.Ascii.EqualsIgnoreCase(text[..start.Length], start);
}
