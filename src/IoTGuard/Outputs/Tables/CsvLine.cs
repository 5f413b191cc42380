using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using IoTGuard.Wire.Network;

namespace IoTGuard.Outputs.Tables;

/// <summary>Fields of a line of CSV (RFC 4180), written into the buffer of a file. Nothing is allocated per field.</summary>
internal sealed class CsvLine(OutputFile file)
{
    /// <summary>Below it a float without a fraction is written as digits alone, which is faster and shorter.</summary>
    private const float LargestWhole = 1 << 24;

    /// <summary>Room for any number, in bytes.</summary>
    private const int LongestNumber = 32;

    /// <summary>Bytes of the separator before the next field: none before the first of a line.</summary>
    private int _separator;

    public void Text(ReadOnlySpan<char> text)
    {
        if (text.IndexOfAny(",\"\r\n") >= 0)
            text = $"\"{text.ToString().Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        var field = Begin(Encoding.UTF8.GetMaxByteCount(text.Length));
        Advance(Encoding.UTF8.GetBytes(text, field));
    }

    /// <summary>Text that is known to need no quotes, already as bytes.</summary>
    public void Bytes(ReadOnlySpan<byte> text)
    {
        text.CopyTo(Begin(text.Length));
        Advance(text.Length);
    }

    public void Whole(long number)
    {
        Utf8Formatter.TryFormat(number, Begin(LongestNumber), out var length);
        Advance(length);
    }

    /// <summary>A number in the shortest form that reads back to the same value.</summary>
    /// <param name="number">The number.</param>
    /// <param name="withPoint">Whether a whole number gets a point too, which shows that the column is not of whole numbers.</param>
    public void Real(float number, bool withPoint)
    {
        var field = Begin(LongestNumber);
        int length;
        if (number != MathF.Truncate(number) || MathF.Abs(number) >= LargestWhole)
        {
            number.TryFormat(field, out length, default, CultureInfo.InvariantCulture);
        }
        else
        {
            // Most features of most flows are a digit.
            if (number is >= 0 and < 10)
                (field[0], length) = ((byte)('0' + (int)number), 1);
            else
                Utf8Formatter.TryFormat((int)number, field, out length);
            if (withPoint)
            {
                ".0"u8.CopyTo(field[length..]);
                length += 2;
            }
        }

        Advance(length);
    }

    public void Address(IpAddress address)
    {
        Span<char> text = stackalloc char[IpAddress.MaximumTextLength];
        Text(text[..address.Format(text)]);
    }

    public void Time(long timeNs)
    {
        PacketTime.Format(timeNs, Begin(PacketTime.TextLength));
        Advance(PacketTime.TextLength);
    }

    public void End()
    {
        _separator = 0;
        file.EndLine();
    }

    /// <summary>Where the next field goes, behind its separator.</summary>
    private Span<byte> Begin(int room)
    {
        var span = file.Buffer.GetSpan(room + 1);
        span[0] = (byte)',';
        return span[_separator..];
    }

    /// <summary>Ends the field that was put where <see cref="Begin"/> said.</summary>
    private void Advance(int length)
    {
        file.Buffer.Advance(_separator + length);
        _separator = 1;
    }
}
