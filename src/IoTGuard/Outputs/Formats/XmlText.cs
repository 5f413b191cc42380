using System.Text;

namespace IoTGuard.Outputs.Formats;

/// <summary>Text for XML 1.0 documents.</summary>
internal static class XmlText
{
    /// <summary>The text with U+FFFD for each character that XML cannot hold: halves of surrogate pairs, U+FFFE and U+FFFF.</summary>
    public static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            clean.Append(rune.Value is 0xFFFE or 0xFFFF ? "\uFFFD" : rune.ToString());
        return clean.ToString();
    }
}
