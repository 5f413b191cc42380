using System.Buffers.Text;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Puts a short ASCII text together in a span. What does not fit makes it broken, never longer.</summary>
internal ref struct AsciiText(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;
    private int _length;

    /// <summary>True when something did not fit.</summary>
    public bool IsBroken { get; private set; }

    public readonly ReadOnlySpan<byte> Bytes => _buffer[.._length];

    public void Add(byte character)
    {
        if (_length == _buffer.Length)
            IsBroken = true;
        else
            _buffer[_length++] = character;
    }

    public void Add(scoped ReadOnlySpan<byte> text)
    {
        if (text.TryCopyTo(_buffer[_length..]))
            _length += text.Length;
        else
            IsBroken = true;
    }

    /// <summary>A number in decimal digits.</summary>
    public void AddDecimal(int number)
    {
        if (Utf8Formatter.TryFormat(number, _buffer[_length..], out var written))
            _length += written;
        else
            IsBroken = true;
    }

    /// <summary>A number of two decimal digits; greater ones as 99.</summary>
    public void AddTwoDigits(int number)
    {
        number = Math.Min(number, 99);
        Add((byte)('0' + (number / 10)));
        Add((byte)('0' + (number % 10)));
    }

    /// <summary>Bytes as lower-case hexadecimal digits.</summary>
    public void AddHex(scoped ReadOnlySpan<byte> bytes)
    {
        foreach (var octet in bytes)
        {
            Add(Digit(octet >> 4));
            Add(Digit(octet & 15));
        }
    }

    /// <summary>Four hexadecimal digits.</summary>
    public void AddHex(ushort value) => AddHex([(byte)(value >> 8), (byte)value]);

    public static byte Digit(int value) => (byte)(value < 10 ? '0' + value : 'a' + value - 10);
}
