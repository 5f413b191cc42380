using System.Text;

namespace IoTGuard.Wire.Application.Hl7;

/// <summary>Character sets that MSH-18 can declare (table 0211).</summary>
public static class Hl7CharacterSet
{
    private static readonly (byte[] Name, Encoding Encoding)[] Table =
    [
        Row("ASCII", "us-ascii"),
        Row("8859/1", "iso-8859-1"),
        Row("8859/2", "iso-8859-2"),
        Row("8859/3", "iso-8859-3"),
        Row("8859/4", "iso-8859-4"),
        Row("8859/5", "iso-8859-5"),
        Row("8859/6", "iso-8859-6"),
        Row("8859/7", "iso-8859-7"),
        Row("8859/8", "iso-8859-8"),
        Row("8859/9", "iso-8859-9"),
        Row("8859/15", "iso-8859-15"),
        Row("UNICODE UTF-8", "utf-8"),
        Row("UTF-8", "utf-8"), // not in the table, but seen
        Row("GB 18030-2000", "gb18030"),
        Row("BIG-5", "big5"),
        Row("KS X 1001", "ks_c_5601-1987"),
    ];

    /// <summary>
    /// How to read text beyond ASCII: as declared; without a declaration that is known, UTF-8 when the bytes are valid UTF-8, else ISO 8859-1.
    /// </summary>
    /// <param name="declared">First repetition of MSH-18, as sent.</param>
    /// <param name="text">The text to be read.</param>
    public static Encoding EncodingOf(ReadOnlySpan<byte> declared, ReadOnlySpan<byte> text)
    {
        declared = declared.Trim((byte)' ');
        foreach (var (name, encoding) in Table)
        {
            if (declared.SequenceEqual(name) && encoding is not ASCIIEncoding)
                return encoding;
        }

        return System.Text.Unicode.Utf8.IsValid(text) ? Encoding.UTF8 : Encoding.Latin1;
    }

    private static (byte[] Name, Encoding Encoding) Row(string name, string encoding) =>
        (Encoding.ASCII.GetBytes(name), CodePagesEncodingProvider.Instance.GetEncoding(encoding) ?? Encoding.GetEncoding(encoding));
}
