using System.Buffers;
using System.Text;
using IoTGuard.Wire.Application.Hl7;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Values of fields as texts.</summary>
internal static class Hl7Text
{
    /// <summary>Longest value that counts as a code, in bytes; anything longer or with other characters than a code's is not kept.</summary>
    private const int MaximumCodeBytes = 20;

    private static readonly SearchValues<byte> CodeCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"u8);

    /// <summary>A text in the message's character set.</summary>
    /// <param name="characterSet">MSH-18, first repetition, as sent.</param>
    public static string? Of(TextInterner texts, ReadOnlySpan<byte> text, ReadOnlySpan<byte> characterSet) =>
        Ascii.IsValid(text) ? texts.Of(text) : texts.Of(text, Hl7CharacterSet.EncodingOf(characterSet, text));

    /// <summary>A short code; null for anything that does not look like one.</summary>
    public static string? Code(TextInterner texts, ReadOnlySpan<byte> text)
    {
        text = text.Trim((byte)' ');
        return text.Length > MaximumCodeBytes || text.ContainsAnyExcept(CodeCharacters) ? null : texts.Of(text);
    }
}
