namespace IoTGuard.Wire.Link;

/// <summary>An EUI-48 address in the low 48 bits; 0 = none known.</summary>
/// <param name="Value">The six octets as a big-endian number.</param>
public readonly record struct MacAddress(ulong Value) : IComparable<MacAddress>
{
    /// <summary>True when no address is known.</summary>
    public bool IsNone => Value == 0;

    /// <summary>True for group addresses (the I/G bit), broadcast among them.</summary>
    public bool IsGroup => (Value & 0x0100_0000_0000) != 0;

    /// <summary>True for locally administered addresses (the U/L bit).</summary>
    public bool IsLocal => (Value & 0x0200_0000_0000) != 0;

    /// <summary>Reads six octets.</summary>
    public static MacAddress Read(ReadOnlySpan<byte> bytes) =>
        new(((ulong)bytes[0] << 40) | ((ulong)bytes[1] << 32) | ((ulong)bytes[2] << 24) | ((ulong)bytes[3] << 16) | ((ulong)bytes[4] << 8) | bytes[5]);

    /// <inheritdoc/>
    public int CompareTo(MacAddress other) => Value.CompareTo(other.Value);

    /// <summary>Lower-case hexadecimal octets separated by colons.</summary>
    public override string ToString() => string.Create(17, Value, static (text, value) =>
    {
        const string Digits = "0123456789abcdef";
        for (var i = 0; i < 6; i++)
        {
            var octet = (int)(value >> (40 - (8 * i))) & 0xFF;
            text[3 * i] = Digits[octet >> 4];
            text[(3 * i) + 1] = Digits[octet & 15];
            if (i < 5)
                text[(3 * i) + 2] = ':';
        }
    });

    public static bool operator <(MacAddress left, MacAddress right) => left.Value < right.Value;

    public static bool operator >(MacAddress left, MacAddress right) => left.Value > right.Value;

    public static bool operator <=(MacAddress left, MacAddress right) => left.Value <= right.Value;

    public static bool operator >=(MacAddress left, MacAddress right) => left.Value >= right.Value;
}
