namespace IoTGuard.Wire.Application.Ldap;

/// <summary>One element of the Basic Encoding Rules (X.690) with a tag of one byte and a definite length, as LDAP (RFC 4511 5.1) and Kerberos use.</summary>
/// <param name="Tag">Class, form and number.</param>
/// <param name="HeaderLength">Bytes of tag and length.</param>
/// <param name="Length">Bytes of the content; may reach beyond the bytes that are there.</param>
public readonly record struct BerElement(byte Tag, int HeaderLength, int Length)
{
    /// <summary>Most bytes of tag and length that are accepted: lengths of up to four bytes.</summary>
    public const int MaximumHeader = 6;

    /// <summary>Bytes of the whole element.</summary>
    public long TotalLength => HeaderLength + (long)Length;

    /// <summary>Reads tag and length; null when more bytes are needed, a negative length when it is none.</summary>
    public static BerElement? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2)
            return null;
        var first = bytes[1];
        if (first < 0x80)
            return new BerElement(bytes[0], 2, first);
        var octets = first & 0x7F;
        if (octets is 0 or > 4)
            return new BerElement(bytes[0], 2, -1);
        if (bytes.Length < 2 + octets)
            return null;
        var length = 0u;
        for (var i = 0; i < octets; i++)
            length = (length << 8) | bytes[2 + i];
        return new BerElement(bytes[0], 2 + octets, length > int.MaxValue / 2 ? -1 : (int)length);
    }
}

/// <summary>Walks the elements within a constructed one. Elements that are cut end the walk; their beginning is still shown.</summary>
public ref struct BerReader(ReadOnlySpan<byte> content)
{
    private ReadOnlySpan<byte> _rest = content;

    /// <summary>Tag of the present element.</summary>
    public byte Tag { get; private set; }

    /// <summary>Content of the present element, as far as it is there.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Goes on to the next element.</summary>
    public bool MoveNext()
    {
        if (BerElement.Read(_rest) is not { Length: >= 0 } element)
            return false;
        Tag = element.Tag;
        var available = Math.Min(element.Length, _rest.Length - element.HeaderLength);
        Value = _rest.Slice(element.HeaderLength, available);
        _rest = _rest[(element.HeaderLength + available)..];
        return true;
    }

    /// <summary>Goes on to the next element, which must have a tag.</summary>
    public bool MoveTo(byte tag) => MoveNext() && Tag == tag;

    /// <summary>The present element as a small number; -1 when it is none.</summary>
    public readonly int Number()
    {
        if (Value.Length is 0 or > 4)
            return -1;
        var number = 0;
        foreach (var octet in Value)
            number = (number << 8) | octet;
        return number;
    }
}
