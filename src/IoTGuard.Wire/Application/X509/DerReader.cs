namespace IoTGuard.Wire.Application.X509;

/// <summary>
/// Walks the elements of DER (X.690 8.1, 10.1) of one level. Total: anything but a definite length of at most four bytes, a tag of one byte and an element
/// that is whole ends the walk.
/// </summary>
public ref struct DerReader(ReadOnlySpan<byte> bytes)
{
    public const byte Boolean = 0x01;
    public const byte Integer = 0x02;
    public const byte BitString = 0x03;
    public const byte OctetString = 0x04;
    public const byte ObjectIdentifier = 0x06;
    public const byte Sequence = 0x30;
    public const byte Set = 0x31;
    public const byte UtcTime = 0x17;
    public const byte GeneralizedTime = 0x18;

    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Identifier octet of the element.</summary>
    public byte Tag { get; private set; }

    /// <summary>Contents octets of the element.</summary>
    public ReadOnlySpan<byte> Body { get; private set; }

    /// <summary>The element with its identifier and length.</summary>
    public ReadOnlySpan<byte> Element { get; private set; }

    /// <summary>Steps to the next element; false at the end, and at bytes that are no element.</summary>
    public bool Read()
    {
        if (_rest.Length < 2 || (_rest[0] & 0x1F) == 0x1F)
            return End();
        long length = _rest[1];
        var header = 2;
        if (length > 0x7F)
        {
            var octets = (int)length & 0x7F;
            if (octets is 0 or > 4 || _rest.Length < 2 + octets)
                return End();
            length = 0;
            foreach (var octet in _rest.Slice(2, octets))
                length = (length << 8) | octet;
            header += octets;
        }

        if (length > _rest.Length - header)
            return End();
        Tag = _rest[0];
        Element = _rest[..(header + (int)length)];
        Body = Element[header..];
        _rest = _rest[Element.Length..];
        return true;
    }

    /// <summary>Steps to the next element when it has a tag; false otherwise, and then nothing more is read.</summary>
    public bool Read(byte tag) => Read() && (Tag == tag || End());

    private bool End()
    {
        _rest = default;
        Tag = 0;
        Body = default;
        Element = default;
        return false;
    }
}
