using System.Text;

namespace IoTGuard.Wire.Application.Http;

/// <summary>What header compression of HTTP/2 is made of (RFC 7541): integers, Huffman texts, the static table. Without state.</summary>
public static class Hpack
{
    /// <summary>Entries of the static table (appendix A); numbers from here on are the dynamic table's.</summary>
    public const int StaticEntries = 61;

    private const int EndOfString = 256;
    private const int LongestCode = 30;

    private static readonly (byte[] Name, byte[] Value)[] Static =
    [
        .. new[]
        {
            ":authority", ":method GET", ":method POST", ":path /", ":path /index.html", ":scheme http", ":scheme https", ":status 200", ":status 204", ":status 206",
            ":status 304", ":status 400", ":status 404", ":status 500", "accept-charset", "accept-encoding gzip, deflate", "accept-language", "accept-ranges", "accept",
            "access-control-allow-origin", "age", "allow", "authorization", "cache-control", "content-disposition", "content-encoding", "content-language",
            "content-length", "content-location", "content-range", "content-type", "cookie", "date", "etag", "expect", "expires", "from", "host", "if-match",
            "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "last-modified", "link", "location", "max-forwards", "proxy-authenticate",
            "proxy-authorization", "range", "referer", "refresh", "retry-after", "server", "set-cookie", "strict-transport-security", "transfer-encoding", "user-agent",
            "vary", "via", "www-authenticate",
        }.Select(static e => e.IndexOf(' ', StringComparison.Ordinal) is > 0 and var space
            ? (Encoding.ASCII.GetBytes(e[..space]), Encoding.ASCII.GetBytes(e[(space + 1)..]))
            : (Encoding.ASCII.GetBytes(e), [])),
    ];

    /// <summary>Lengths of the codes of appendix B in bits, for the 256 octets and the end of string. The code is canonical: lengths say all.</summary>
    private static ReadOnlySpan<byte> Lengths =>
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30,
    ];

    // Symbols by length and value; of each length the first code, how many there are, and where they begin among the symbols.
    private static readonly ushort[] Symbols = [.. Enumerable.Range(0, Lengths.Length).OrderBy(static s => Lengths[s]).ThenBy(static s => s).Select(static s => (ushort)s)];
    private static readonly int[] Counts = [.. Enumerable.Range(0, LongestCode + 1).Select(static l => Lengths.Count((byte)l))];

    /// <summary>Name of an entry of the static table, 1 to 61.</summary>
    public static ReadOnlySpan<byte> StaticName(int index) => Static[index - 1].Name;

    /// <summary>Its value; empty for most.</summary>
    public static ReadOnlySpan<byte> StaticValue(int index) => Static[index - 1].Value;

    /// <summary>An integer with a prefix of some bits in its first byte (5.1), at most 2²⁸; false when it is cut or larger.</summary>
    public static bool TryReadInteger(ref ReadOnlySpan<byte> data, int prefixBits, out int value)
    {
        value = 0;
        if (data.IsEmpty)
            return false;
        var mask = (1 << prefixBits) - 1;
        value = data[0] & mask;
        data = data[1..];
        if (value < mask)
            return true;
        for (var shift = 0; shift < 28; shift += 7)
        {
            if (data.IsEmpty)
                return false;
            var next = data[0];
            data = data[1..];
            value += (next & 0x7F) << shift;
            if (next < 0x80)
                return value is >= 0 and < 1 << 28;
        }

        return false;
    }

    /// <summary>A text (5.2), decoded into <paramref name="into"/>; false when it is cut, malformed or longer than that.</summary>
    public static bool TryReadText(ref ReadOnlySpan<byte> data, Span<byte> into, out int written)
    {
        written = 0;
        if (data.IsEmpty)
            return false;
        var isHuffman = (data[0] & 0x80) != 0;
        if (!TryReadInteger(ref data, 7, out var length) || length > data.Length)
            return false;
        var text = data[..length];
        data = data[length..];
        if (isHuffman)
            return TryDecode(text, into, out written);
        if (length > into.Length)
            return false;
        text.CopyTo(into);
        written = length;
        return true;
    }

    private static bool TryDecode(ReadOnlySpan<byte> text, Span<byte> into, out int written)
    {
        written = 0;
        int code = 0, first = 0, index = 0, length = 0;
        foreach (var octet in text)
        {
            for (var bit = 7; bit >= 0; bit--)
            {
                code = (code << 1) | ((octet >> bit) & 1);
                first <<= 1;
                length++;
                if (length > LongestCode)
                    return false;
                var count = Counts[length];
                if (code - first < count)
                {
                    var symbol = Symbols[index + code - first];
                    if (symbol == EndOfString || written == into.Length)
                        return false;
                    into[written++] = (byte)symbol;
                    code = first = index = length = 0;
                    continue;
                }

                first += count;
                index += count;
            }
        }

        // What is left is the beginning of the end of string: up to seven ones.
        return length < 8 && code == (1 << length) - 1;
    }
}
