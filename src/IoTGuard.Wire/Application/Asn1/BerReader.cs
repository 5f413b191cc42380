namespace IoTGuard.Wire.Application.Asn1;

/// <summary>
/// Walks over elements of the basic encoding rules (X.690): tags of one byte, definite lengths of up to four bytes. Points into the span it was given.
/// An element that goes beyond the bytes is clipped to them, which shows in <see cref="IsClipped"/>.
/// </summary>
public ref struct BerReader(ReadOnlySpan<byte> bytes)
{
    public const byte Integer = 0x02;
    public const byte OctetString = 0x04;
    public const byte ObjectIdentifier = 0x06;
    public const byte Sequence = 0x30;

    /// <summary>Bytes of the longest integer that is read.</summary>
    private const int MaximumInteger = 8;

    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>True once an element was longer than the bytes that are there.</summary>
    public bool IsClipped { get; private set; }

    /// <summary>What was not yet read.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    public readonly bool IsEmpty => _rest.IsEmpty;

    /// <summary>The tag of the next element; 0 when there is none.</summary>
    public readonly byte Next => _rest.IsEmpty ? (byte)0 : _rest[0];

    /// <summary>The next element. False when there is none, or its head is not of the forms that are read.</summary>
    public bool TryRead(out byte tag, out ReadOnlySpan<byte> content)
    {
        tag = 0;
        content = default;
        if (_rest.Length < 2 || (_rest[0] & 0x1F) == 0x1F)
            return false;
        tag = _rest[0];
        long length = _rest[1];
        var head = 2;
        if (length >= 0x80)
        {
            var count = (int)length & 0x7F;
            if (count is 0 or > 4 || _rest.Length < 2 + count)
                return false;
            length = 0;
            for (var i = 0; i < count; i++)
                length = (length << 8) | _rest[2 + i];
            head += count;
        }

        var available = (int)Math.Min(length, _rest.Length - head);
        IsClipped |= available < length;
        content = _rest.Slice(head, available);
        _rest = _rest[(head + available)..];
        return true;
    }

    /// <summary>The next element if it has the tag; else nothing is read.</summary>
    public bool TryRead(byte tag, out ReadOnlySpan<byte> content)
    {
        content = default;
        return Next == tag && TryRead(out _, out content);
    }

    /// <summary>The content of the next element, if it has the tag, to walk over.</summary>
    public bool TryEnter(byte tag, out BerReader inner)
    {
        inner = default;
        if (!TryRead(tag, out var content))
            return false;
        inner = new BerReader(content);
        return true;
    }

    /// <summary>An INTEGER of at most eight bytes.</summary>
    public bool TryReadInteger(out long value)
    {
        value = 0;
        if (!TryRead(Integer, out var content) || content.Length is 0 or > MaximumInteger)
            return false;
        value = ToInteger(content);
        return true;
    }

    /// <summary>Two's complement, big-endian.</summary>
    public static long ToInteger(ReadOnlySpan<byte> content)
    {
        long value = content.IsEmpty || content[0] < 0x80 ? 0 : -1;
        foreach (var octet in content[..Math.Min(content.Length, MaximumInteger)])
            value = (value << 8) | octet;
        return value;
    }

    /// <summary>Writes the numbers of an OBJECT IDENTIFIER with dots between. Returns the number of bytes; what does not fit is left out.</summary>
    public static int FormatIdentifier(ReadOnlySpan<byte> content, Span<byte> text)
    {
        var length = 0;
        ulong number = 0;
        var isFirst = true;
        foreach (var octet in content)
        {
            number = (number << 7) | (uint)(octet & 0x7F);
            if (octet >= 0x80)
                continue;
            if (isFirst)
            {
                var top = Math.Min(number / 40, 2);
                if (!Append(text, ref length, top))
                    return length;
                number -= top * 40;
                isFirst = false;
            }

            if (!Append(text, ref length, number))
                return length;
            number = 0;
        }

        return length;
    }

    private static bool Append(Span<byte> text, ref int length, ulong number)
    {
        var dot = length > 0 ? 1 : 0;
        if (length + dot >= text.Length || !System.Buffers.Text.Utf8Formatter.TryFormat(number, text[(length + dot)..], out var written))
            return false;
        if (dot == 1)
            text[length] = (byte)'.';
        length += dot + written;
        return true;
    }
}
