using System.Text;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Turns short byte texts that repeat (AE titles, UIDs, application names) into one string each. When <see cref="MaximumEntries"/>
/// different texts are held, all are forgotten and the table starts again: repeated texts come back, a flood cannot grow it.
/// </summary>
public sealed class TextInterner
{
    /// <summary>Most different texts held.</summary>
    public const int MaximumEntries = 16_384;

    /// <summary>Longest text in bytes; longer ones are cut.</summary>
    public const int MaximumTextBytes = 128;

    /// <summary>Texts found without the table, a power of two.</summary>
    private const int RecentPlaces = 2048;

    private readonly string?[] _recent = new string?[RecentPlaces];
    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    public TextInterner() => _lookup = _texts.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Times the table was emptied because it was full.</summary>
    public long Overflows { get; private set; }

    /// <summary>
    /// The text of <paramref name="bytes"/>, as ISO 8859-1 (of which the standards' default repertoire is a part), padding (spaces, NUL) trimmed;
    /// null when nothing is left. Control characters become U+FFFD, so that no output can be confused by them.
    /// </summary>
    public string? Of(ReadOnlySpan<byte> bytes) => Of(bytes, Encoding.Latin1);

    /// <summary>The same for text in another encoding, of which ASCII must be a part.</summary>
    public string? Of(ReadOnlySpan<byte> bytes, Encoding encoding)
    {
        if (bytes.IsEmpty)
            return null;
        if (bytes[0] is (byte)' ' or 0 || bytes[^1] is (byte)' ' or 0)
        {
            bytes = bytes.Trim(" \0"u8);
            if (bytes.IsEmpty)
                return null;
        }

        if (bytes.Length > MaximumTextBytes)
            bytes = bytes[..MaximumTextBytes];

        // Equal ASCII bytes are equal text in every encoding; a text with replaced characters equals no bytes.
        ref var recent = ref _recent[(int)TextHash.Of(bytes) & (RecentPlaces - 1)];
        if (recent is not null && Ascii.Equals(bytes, recent))
            return recent;
        return recent = Find(bytes, encoding);
    }

    private string Find(ReadOnlySpan<byte> bytes, Encoding encoding)
    {
        Span<char> text = stackalloc char[MaximumTextBytes];
        text = text[..encoding.GetChars(bytes, text)];
        foreach (ref var c in text)
        {
            if (char.IsControl(c))
                c = '\uFFFD';
        }

        if (_lookup.TryGetValue(text, out var known))
            return known;
        if (_texts.Count == MaximumEntries)
        {
            _texts.Clear();
            Overflows++;
        }

        var fresh = text.ToString();
        _texts.Add(fresh, fresh);
        return fresh;
    }
}
