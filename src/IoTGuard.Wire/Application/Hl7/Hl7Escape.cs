namespace IoTGuard.Wire.Application.Hl7;

/// <summary>Escape sequences in text (chapter 2.7).</summary>
public static class Hl7Escape
{
    /// <summary>
    /// Decodes \F\ \S\ \T\ \R\ \E\ and \Xhh..\; drops the others (highlighting, character set switches, formatting, local ones).
    /// An escape character without its partner is text.
    /// </summary>
    /// <param name="text">Text as sent.</param>
    /// <param name="delimiters">The message's delimiters.</param>
    /// <param name="destination">Receives the decoded text, which is never longer; what does not fit is cut.</param>
    /// <returns>Bytes written.</returns>
    public static int Decode(ReadOnlySpan<byte> text, Hl7Delimiters delimiters, Span<byte> destination)
    {
        var written = 0;
        while (!text.IsEmpty && written < destination.Length)
        {
            var start = delimiters.Escape == 0 ? -1 : text.IndexOf(delimiters.Escape);
            var length = start < 0 ? -1 : text[(start + 1)..].IndexOf(delimiters.Escape);
            if (length < 0)
                return written + Copy(text, destination[written..]);

            written += Copy(text[..start], destination[written..]);
            written += Sequence(text.Slice(start + 1, length), delimiters, destination[written..]);
            text = text[(start + length + 2)..];
        }

        return written;
    }

    private static int Sequence(ReadOnlySpan<byte> sequence, Hl7Delimiters delimiters, Span<byte> destination)
    {
        if (destination.IsEmpty || sequence.IsEmpty)
            return 0;
        if (sequence[0] == 'X')
        {
            var digits = sequence[1..];
            if ((digits.Length & 1) != 0)
                digits = digits[..^1];
            digits = digits[..Math.Min(digits.Length, 2 * destination.Length)];
            return Convert.FromHexString(digits, destination, out _, out var written) == System.Buffers.OperationStatus.Done ? written : 0;
        }

        byte? literal = sequence.Length > 1 ? null : sequence[0] switch
        {
            (byte)'F' => delimiters.Field,
            (byte)'S' => delimiters.Component,
            (byte)'T' => delimiters.Subcomponent,
            (byte)'R' => delimiters.Repetition,
            (byte)'E' => delimiters.Escape,
            _ => null,
        };
        if (literal is not { } value)
            return 0;
        destination[0] = value;
        return 1;
    }

    private static int Copy(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        var length = Math.Min(text.Length, destination.Length);
        text[..length].CopyTo(destination);
        return length;
    }
}
