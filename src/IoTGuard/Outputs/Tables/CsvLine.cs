using System.Buffers;
using System.Buffers.Text;
using System.Text;
using IoTGuard.Wire.Network;

namespace IoTGuard.Outputs.Tables;

/// <summary>Fields of a line of CSV (RFC 4180), written into the buffer of a file. Nothing is allocated per field.</summary>
internal sealed class CsvLine(OutputFile file)
{
    /// <summary>Below it a float without a fraction is written as digits alone, which is faster and shorter.</summary>
    private const float LargestWhole = 1 << 24;

    private bool _isFirst = true;

    public void Text(ReadOnlySpan<char> text)
    {
        Separate();
        if (text.IndexOfAny(",\"\r\n") >= 0)
            text = $"\"{text.ToString().Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        var span = file.Buffer.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        file.Buffer.Advance(Encoding.UTF8.GetBytes(text, span));
    }

    /// <summary>Text that is known to need no quotes, already as bytes.</summary>
    public void Bytes(ReadOnlySpan<byte> text)
    {
        Separate();
        file.Buffer.Write(text);
    }

    public void Whole(long number)
    {
        Separate();
        Utf8Formatter.TryFormat(number, file.Buffer.GetSpan(24), out var length);
        file.Buffer.Advance(length);
    }

    /// <summary>A number in the shortest form that reads back to the same value.</summary>
    /// <param name="number">The number.</param>
    /// <param name="withPoint">Whether a whole number gets a point too, which shows that the column is not of whole numbers.</param>
    public void Real(float number, bool withPoint)
    {
        Separate();
        var span = file.Buffer.GetSpan(32);
        int length;
        if (number != MathF.Truncate(number) || MathF.Abs(number) >= LargestWhole)
        {
            Utf8Formatter.TryFormat(number, span, out length);
        }
        else
        {
            Utf8Formatter.TryFormat((int)number, span, out length);
            if (withPoint)
            {
                ".0"u8.CopyTo(span[length..]);
                length += 2;
            }
        }

        file.Buffer.Advance(length);
    }

    public void Address(IpAddress address)
    {
        Span<char> text = stackalloc char[IpAddress.MaximumTextLength];
        Text(text[..address.Format(text)]);
    }

    public void Time(long timeNs)
    {
        Separate();
        PacketTime.Format(timeNs, file.Buffer.GetSpan(PacketTime.TextLength));
        file.Buffer.Advance(PacketTime.TextLength);
    }

    public void End()
    {
        _isFirst = true;
        file.EndLine();
    }

    private void Separate()
    {
        if (!_isFirst)
            file.Buffer.Write(","u8);
        _isFirst = false;
    }
}
