namespace IoTGuard.Wire.Application.Dns;

/// <summary>Domain names on the wire (RFC 1035, 3.1 and 4.1.4) and NetBIOS names in them (RFC 1001, 14.1).</summary>
public static class DnsName
{
    /// <summary>Longest name as text, in bytes (RFC 1035, 3.1, has 255 octets on the wire).</summary>
    public const int MaximumLength = 254;

    /// <summary>Length of a NetBIOS name without its suffix, in bytes.</summary>
    public const int NetBiosLength = 15;

    /// <summary>Most pointers followed in a name; compression needs one, rarely two.</summary>
    public const int MaximumPointers = 32;

    private const int MaximumLabel = 63;
    private const int EncodedNetBiosLength = 32;
    private const byte PointerBits = 0xC0;

    /// <summary>
    /// Reads a name as text in lower case, labels separated by dots, dots within labels and bytes that do not print replaced by '?'. A pointer must lead
    /// backwards, before everything that was read of the name, so no loop is possible. False when the name is not valid or goes beyond the message.
    /// </summary>
    /// <param name="message">The whole message.</param>
    /// <param name="offset">Where the name starts; receives where it ends.</param>
    /// <param name="text">At least <see cref="MaximumLength"/> bytes.</param>
    /// <param name="length">Receives the length of the text; 0 for the root.</param>
    public static bool TryRead(ReadOnlySpan<byte> message, ref int offset, Span<byte> text, out int length)
    {
        length = 0;
        var at = offset;
        var lowest = offset;
        var pointers = 0;
        while ((uint)at < (uint)message.Length)
        {
            var size = message[at];
            if (size == 0)
            {
                if (pointers == 0)
                    offset = at + 1;
                return true;
            }

            if ((size & PointerBits) == PointerBits)
            {
                if (at + 1 >= message.Length)
                    return false;
                var target = ((size & ~PointerBits) << 8) | message[at + 1];
                if (pointers++ == 0)
                    offset = at + 2;
                if (target >= lowest || pointers > MaximumPointers)
                    return false;
                at = lowest = target;
                continue;
            }

            if (size > MaximumLabel || at + 1 + size > message.Length || length + 1 + size > MaximumLength)
                return false;
            if (length > 0)
                text[length++] = (byte)'.';
            foreach (var octet in message.Slice(at + 1, size))
                text[length++] = Printable(octet);
            at += 1 + size;
        }

        return false;
    }

    /// <summary>Passes over a name without reading it. False when it goes beyond the message.</summary>
    public static bool TrySkip(ReadOnlySpan<byte> message, ref int offset)
    {
        for (var at = offset; (uint)at < (uint)message.Length;)
        {
            var size = message[at];
            if (size == 0)
            {
                offset = at + 1;
                return true;
            }

            if ((size & PointerBits) == PointerBits)
            {
                offset = at + 2;
                return offset <= message.Length;
            }

            if (size > MaximumLabel)
                return false;
            at += 1 + size;
        }

        return false;
    }

    /// <summary>Decodes the first label of a name in the form of RFC 1001, 14.1, in place. False when it is no NetBIOS name.</summary>
    /// <param name="text">The name as <see cref="TryRead"/> gave it.</param>
    /// <param name="length">Receives the length of the decoded name, which starts at the first byte; padding is trimmed.</param>
    /// <param name="suffix">Receives the sixteenth byte, which says what the name is of.</param>
    public static bool TryDecodeNetBios(Span<byte> text, out int length, out byte suffix)
    {
        length = 0;
        suffix = 0;
        if (text.Length < EncodedNetBiosLength || (text.Length > EncodedNetBiosLength && text[EncodedNetBiosLength] != '.'))
            return false;
        if (text[..EncodedNetBiosLength].ContainsAnyExceptInRange((byte)'a', (byte)'p'))
            return false;
        for (var i = 0; i <= NetBiosLength; i++)
        {
            var octet = (byte)(((text[2 * i] - 'a') << 4) | (text[(2 * i) + 1] - 'a'));
            if (i == NetBiosLength)
                suffix = octet;
            else
                text[i] = Printable(octet);
        }

        length = text[..NetBiosLength].TrimEnd(" ?"u8).Length;
        return true;
    }

    private static byte Printable(byte octet) => octet switch
    {
        >= (byte)'A' and <= (byte)'Z' => (byte)(octet | 0x20),
        (byte)'.' or < (byte)' ' or > (byte)'~' => (byte)'?',
        _ => octet,
    };
}
