using System.Text;

namespace IoTGuard.Wire.Application.Http;

/// <summary>The first line of a request (RFC 9112 section 3). Slices of the line that it was read from.</summary>
public readonly ref struct HttpRequestLine
{
    public ReadOnlySpan<byte> Method { get; private init; }

    /// <summary>The request target as sent: origin, absolute, authority or asterisk form.</summary>
    public ReadOnlySpan<byte> Target { get; private init; }

    /// <summary>Minor version: HTTP/1.0 or HTTP/1.1.</summary>
    public int MinorVersion { get; private init; }

    /// <summary>Reads a line without its end. Spaces in a target, which no standard allows and some programs send, are kept in it.</summary>
    public static bool TryRead(ReadOnlySpan<byte> line, out HttpRequestLine request)
    {
        request = default;
        line = line.TrimEnd((byte)' ');
        var methodEnd = line.IndexOf((byte)' ');
        var versionStart = line.LastIndexOf((byte)' ') + 1;
        if (methodEnd <= 0 || versionStart - 1 <= methodEnd || !HttpLine.IsMethod(line[..methodEnd]) || !HttpLine.TryReadVersion(line[versionStart..], out var minor))
            return false;
        request = new HttpRequestLine { Method = line[..methodEnd], Target = line[(methodEnd + 1)..(versionStart - 1)].Trim((byte)' '), MinorVersion = minor };
        return true;
    }
}

/// <summary>The first line of a response (RFC 9112 section 4).</summary>
/// <param name="MinorVersion">HTTP/1.0 or HTTP/1.1.</param>
/// <param name="Status">100 to 999.</param>
public readonly record struct HttpStatusLine(int MinorVersion, int Status)
{
    public static bool TryRead(ReadOnlySpan<byte> line, out HttpStatusLine status)
    {
        status = default;
        if (line.Length < 12 || !HttpLine.TryReadVersion(line[..8], out var minor) || line[8] != ' ')
            return false;
        if (!char.IsAsciiDigit((char)line[9]) || !char.IsAsciiDigit((char)line[10]) || !char.IsAsciiDigit((char)line[11]) || (line.Length > 12 && line[12] != ' '))
            return false;
        status = new HttpStatusLine(minor, ((line[9] - '0') * 100) + ((line[10] - '0') * 10) + line[11] - '0');
        return status.Status >= 100;
    }
}

/// <summary>A header field line (RFC 9112 section 5). Slices of the line that it was read from.</summary>
public readonly ref struct HttpFieldLine
{
    public ReadOnlySpan<byte> Name { get; private init; }

    /// <summary>Value without the white space around it.</summary>
    public ReadOnlySpan<byte> Value { get; private init; }

    /// <summary>White space between name and colon, which servers must refuse: a way to smuggle requests.</summary>
    public bool HasSpaceBeforeColon { get; private init; }

    public static bool TryRead(ReadOnlySpan<byte> line, out HttpFieldLine field)
    {
        field = default;
        var colon = line.IndexOf((byte)':');
        if (colon <= 0)
            return false;
        var name = line[..colon];
        var trimmed = name.TrimEnd(" \t"u8);
        field = new HttpFieldLine { Name = trimmed, Value = line[(colon + 1)..].Trim(" \t"u8), HasSpaceBeforeColon = trimmed.Length != name.Length };
        return !trimmed.IsEmpty;
    }
}

/// <summary>Words of HTTP/1.</summary>
public static class HttpLine
{
    /// <summary>Longest method that is known: UNSUBSCRIBE.</summary>
    public const int MaximumMethodLength = 16;

    private static readonly byte[][] Methods =
    [
        .. new[]
        {
            "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK",
            "SEARCH", "REPORT", "SUBSCRIBE", "UNSUBSCRIBE", "NOTIFY", "M-SEARCH", "TRACK", "PURGE",
        }.Select(Encoding.ASCII.GetBytes),
    ];

    /// <summary>True for the methods of RFC 9110, WebDAV, UPnP and few others.</summary>
    public static bool IsMethod(ReadOnlySpan<byte> text)
    {
        foreach (var method in Methods)
        {
            if (text.SequenceEqual(method))
                return true;
        }

        return false;
    }

    /// <summary>True when the bytes begin with a method and a space; null when more bytes are needed to say.</summary>
    public static bool? StartsWithMethod(ReadOnlySpan<byte> data)
    {
        bool? answer = false;
        foreach (var method in Methods)
        {
            if (data.Length > method.Length)
            {
                if (data[method.Length] == ' ' && data.StartsWith(method))
                    return true;
            }
            else if (method.AsSpan().StartsWith(data))
            {
                answer = null;
            }
        }

        return answer;
    }

    /// <summary>"HTTP/1.0" and "HTTP/1.1".</summary>
    public static bool TryReadVersion(ReadOnlySpan<byte> text, out int minor)
    {
        minor = text.Length == 8 ? text[7] - '0' : -1;
        return minor is >= 0 and <= 9 && text.StartsWith("HTTP/1."u8);
    }

    /// <summary>A decimal number of at most 18 digits and nothing else (RFC 9110 8.6).</summary>
    public static bool TryReadLength(ReadOnlySpan<byte> text, out long length)
    {
        length = 0;
        if (text.IsEmpty || text.Length > 18)
            return false;
        foreach (var digit in text)
        {
            if (!char.IsAsciiDigit((char)digit))
                return false;
            length = (length * 10) + digit - '0';
        }

        return true;
    }

    /// <summary>A chunk's size line: hexadecimal digits, then perhaps extensions (RFC 9112 7.1).</summary>
    public static bool TryReadChunkSize(ReadOnlySpan<byte> line, out long size)
    {
        size = 0;
        var end = line.IndexOf((byte)';');
        var digits = (end < 0 ? line : line[..end]).TrimEnd(" \t"u8);
        if (digits.IsEmpty || digits.Length > 15)
            return false;
        foreach (var digit in digits)
        {
            if (!char.IsAsciiHexDigit((char)digit))
                return false;
            size = (size << 4) | (uint)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }

        return true;
    }

    /// <summary>The value of a parameter of a header value, quotes removed; empty when it is not there.</summary>
    public static ReadOnlySpan<byte> Parameter(ReadOnlySpan<byte> value, ReadOnlySpan<byte> name)
    {
        for (var at = value.IndexOf((byte)';'); at >= 0;)
        {
            var rest = value[(at + 1)..].TrimStart(" \t"u8);
            if (rest.Length > name.Length && rest[name.Length] == '=' && Ascii.EqualsIgnoreCase(rest[..name.Length], name))
            {
                rest = rest[(name.Length + 1)..];
                if (rest is [(byte)'"', ..])
                {
                    var quote = rest[1..].IndexOf((byte)'"');
                    return quote < 0 ? rest[1..] : rest[1..(quote + 1)];
                }

                var end = rest.IndexOfAny("; \t,"u8);
                return end < 0 ? rest : rest[..end];
            }

            var next = value[(at + 1)..].IndexOf((byte)';');
            at = next < 0 ? -1 : at + 1 + next;
        }

        return default;
    }
}
