using System.Buffers;
using System.Text.Unicode;

namespace IoTGuard.Outputs.Formats;

/// <summary>UTF-8 text under a limit: whole characters are appended as far as they fit.</summary>
/// <param name="maximum">Most bytes that it ever holds.</param>
internal sealed class LimitedText(int maximum)
{
    private readonly byte[] _bytes = new byte[maximum];
    private int _limit = maximum;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>Bytes written; setting it takes back what was written behind.</summary>
    public int Length { get; set; }

    /// <summary>Most bytes for now.</summary>
    public int Limit
    {
        get => _limit;
        set => _limit = Math.Clamp(value, Length, _bytes.Length);
    }

    public void Clear()
    {
        Length = 0;
        _limit = _bytes.Length;
    }

    /// <summary>Appends what fits, whole characters only; false when something did not. Lone surrogates become U+FFFD.</summary>
    public bool Append(ReadOnlySpan<char> text)
    {
        var status = Utf8.FromUtf16(text, _bytes.AsSpan(Length, _limit - Length), out _, out var written);
        Length += written;
        return status == OperationStatus.Done;
    }

    public bool Append(char ascii)
    {
        if (Length >= _limit)
            return false;
        _bytes[Length++] = (byte)ascii;
        return true;
    }

    /// <summary>Appends a value with escapes, all of it or nothing.</summary>
    /// <param name="before">Text before the value.</param>
    /// <param name="value">The value, cut after <paramref name="longest"/> bytes.</param>
    /// <param name="escaped">Characters (ASCII) that get a backslash.</param>
    /// <param name="after">Text after the value.</param>
    /// <param name="longest">Most bytes of the value before escaping.</param>
    public bool AppendWhole(ReadOnlySpan<char> before, ReadOnlySpan<char> value, ReadOnlySpan<char> escaped, ReadOnlySpan<char> after, int longest)
    {
        var start = Length;
        Span<byte> utf8 = stackalloc byte[longest];
        Utf8.FromUtf16(value, utf8, out _, out var bytes);
        var fits = Append(before);
        foreach (var b in utf8[..bytes])
        {
            if (b < 128 && escaped.Contains((char)b))
                fits &= Append('\\');
            if (fits && Length < _limit)
                _bytes[Length++] = b;
            else
                fits = false;
        }

        fits = fits && Append(after);
        if (!fits)
            Length = start;
        return fits;
    }
}
