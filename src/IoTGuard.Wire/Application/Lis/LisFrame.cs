namespace IoTGuard.Wire.Application.Lis;

/// <summary>Characters and frames of the low level protocol of laboratory instruments (LIS01-A2, before ASTM E1381).</summary>
public static class LisFrame
{
    public const byte StartOfText = 0x02;
    public const byte EndOfText = 0x03;
    public const byte EndOfTransmission = 0x04;
    public const byte Enquiry = 0x05;
    public const byte Acknowledge = 0x06;
    public const byte NegativeAcknowledge = 0x15;

    /// <summary>ETB: the message goes on in the next frame.</summary>
    public const byte EndOfBlock = 0x17;

    /// <summary>Bytes behind the text: checksum (two digits) and CR; LF follows in nearly all.</summary>
    public const int TrailerBytes = 3;

    /// <summary>The sum over frame number, text and the end character, modulo 256 (6.3.1.2).</summary>
    public static byte ChecksumOf(ReadOnlySpan<byte> frame)
    {
        var sum = 0;
        foreach (var value in frame)
            sum += value;
        return (byte)sum;
    }

    /// <summary>Two hexadecimal digits.</summary>
    public static bool TryReadChecksum(ReadOnlySpan<byte> digits, out byte checksum)
    {
        checksum = 0;
        if (digits.Length < 2 || !char.IsAsciiHexDigit((char)digits[0]) || !char.IsAsciiHexDigit((char)digits[1]))
            return false;
        checksum = (byte)((Digit(digits[0]) << 4) | Digit(digits[1]));
        return true;
    }

    /// <summary>True when a header record of LIS02-A2 (ASTM E1394) begins: H, then four different delimiters. Null when more bytes are needed to say.</summary>
    public static bool? StartsHeader(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return null;
        if (data[0] != 'H')
            return false;
        if (data.Length < 5)
            return data[1..].ContainsAnyInRange((byte)'A', (byte)'Z') || data[1..].ContainsAnyExceptInRange((byte)0x21, (byte)0x7E) ? false : null;
        var (field, repeat, component, escape) = (data[1], data[2], data[3], data[4]);
        return IsPunctuation(field) && IsPunctuation(repeat) && IsPunctuation(component) && IsPunctuation(escape)
            && field != repeat && field != component && field != escape && repeat != component && repeat != escape && component != escape;
    }

    private static bool IsPunctuation(byte value) => value is > 0x20 and < 0x7F && !char.IsAsciiLetterOrDigit((char)value);

    private static int Digit(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
