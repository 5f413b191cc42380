namespace IoTGuard.Wire.Application.Hl7;

/// <summary>The delimiters that a message declares in MSH-1 and MSH-2 (chapter 2.5.4). A delimiter that is not declared is 0, which no text holds.</summary>
public readonly record struct Hl7Delimiters(byte Field, byte Component, byte Repetition, byte Escape, byte Subcomponent)
{
    /// <summary>The recommended ones: <c>|^~\&amp;</c>.</summary>
    public static Hl7Delimiters Recommended => new((byte)'|', (byte)'^', (byte)'~', (byte)'\\', (byte)'&');

    /// <summary>True for printable ASCII that is neither letter, digit nor space: what can be a delimiter.</summary>
    public static bool IsPunctuation(byte b) => b is > 0x20 and < 0x7F && !char.IsAsciiLetterOrDigit((char)b);

    /// <summary>
    /// Reads the delimiters of a header segment (MSH, FHS, BHS). False when they are unusable (letters, digits, control characters, the same
    /// twice, or no component separator); <paramref name="delimiters"/> then holds what can be used: the declared field separator or the recommended set.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> header, out Hl7Delimiters delimiters)
    {
        delimiters = Recommended;
        if (header.Length > Hl7SegmentId.Length && header[Hl7SegmentId.Length..].StartsWith("|^~\\&|"u8))
            return true;
        if (header.Length <= Hl7SegmentId.Length || !IsPunctuation(header[Hl7SegmentId.Length]))
            return false;
        var field = header[Hl7SegmentId.Length];
        delimiters = delimiters with { Field = field };
        var declared = header[(Hl7SegmentId.Length + 1)..];
        var end = declared.IndexOf(field);
        if (end >= 0)
            declared = declared[..end];
        if (declared.IsEmpty || declared.Length > 5)
            return false;
        for (var i = 0; i < declared.Length; i++)
        {
            if (!IsPunctuation(declared[i]) || declared[..i].Contains(declared[i]))
                return false;
        }

        delimiters = new Hl7Delimiters(field, At(declared, 0), At(declared, 1), At(declared, 2), At(declared, 3));
        return true;
    }

    private static byte At(ReadOnlySpan<byte> declared, int index) => index < declared.Length ? declared[index] : (byte)0;
}
