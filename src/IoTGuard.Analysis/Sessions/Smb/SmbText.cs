using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Texts of Microsoft's protocols: UTF-16 or one byte per character, interned.</summary>
internal static class SmbText
{
    /// <summary>The text, or what stands in it after the last of a character; null when nothing is left.</summary>
    public static string? Of(SessionContext context, ReadOnlySpan<byte> bytes, bool isUnicode, char afterLast = '\0')
    {
        if (!isUnicode)
        {
            bytes = bytes.TrimEnd((byte)0);
            return context.Texts.Of(bytes[(afterLast == '\0' ? 0 : bytes.LastIndexOf((byte)afterLast) + 1)..]);
        }

        var text = MemoryMarshal.Cast<byte, char>(bytes[..(bytes.Length & ~1)]).TrimEnd('\0');
        if (afterLast != '\0')
            text = text[(text.LastIndexOf(afterLast) + 1)..];
        text = text[..Math.Min(text.Length, TextInterner.MaximumTextBytes)];
        Span<byte> utf8 = stackalloc byte[TextInterner.MaximumTextBytes];
        Utf8.FromUtf16(text, utf8, out _, out var written);
        return context.Texts.Of(utf8[..written], Encoding.UTF8);
    }

    /// <summary>"Windows 10.0.17763" of an NTLM version; null when there is none.</summary>
    public static string? Windows(SessionContext context, (byte Major, byte Minor, ushort Build) version) =>
        version.Major == 0 ? null : Version(context, "Windows "u8, version.Major, version.Minor, version.Build);

    /// <summary>A version of three numbers behind a prefix.</summary>
    public static string? Version(SessionContext context, ReadOnlySpan<byte> prefix, int major, int minor, int build)
    {
        Span<byte> text = stackalloc byte[48];
        prefix.CopyTo(text);
        var length = prefix.Length;
        Utf8Formatter.TryFormat(major, text[length..], out var written);
        length += written;
        text[length++] = (byte)'.';
        Utf8Formatter.TryFormat(minor, text[length..], out written);
        length += written;
        text[length++] = (byte)'.';
        Utf8Formatter.TryFormat(build, text[length..], out written);
        return context.Texts.Of(text[..(length + written)]);
    }

    /// <summary>True for ADMIN$ and a drive's C$; IPC$, which everybody uses, is none.</summary>
    public static bool IsAdministrative(string? share) =>
        string.Equals(share, "ADMIN$", StringComparison.OrdinalIgnoreCase) || (share is { Length: 2 } && char.IsAsciiLetter(share[0]) && share[1] == '$');

    /// <summary>Reads a text that ends with NUL, from the front of what is left; UTF-16 begins at an even place of the message.</summary>
    public static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> rest, ref int place, bool isUnicode)
    {
        if (isUnicode && (place & 1) != 0 && !rest.IsEmpty)
        {
            rest = rest[1..];
            place++;
        }

        var size = isUnicode ? 2 : 1;
        var end = 0;
        while (end + size <= rest.Length && (rest[end] != 0 || (isUnicode && rest[end + 1] != 0)))
            end += size;
        var text = rest[..Math.Min(end, rest.Length)];
        var used = Math.Min(end + size, rest.Length);
        rest = rest[used..];
        place += used;
        return text;
    }
}
