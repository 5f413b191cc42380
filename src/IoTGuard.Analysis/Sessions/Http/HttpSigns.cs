using System.Buffers;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Looks in targets, headers and bodies for what only attacks hold. Few and plain signs: each is told to people.</summary>
internal static class HttpSigns
{
    /// <summary>Bytes of a target that are looked at.</summary>
    private const int MaximumBytes = 2048;

    private static readonly SearchValues<byte> Interesting = SearchValues.Create("%;'<(`|\\${"u8);

    /// <summary>Lower case; what is sent is decoded and lowered before.</summary>
    private static readonly (byte[] Text, WebSign Sign)[] Texts =
    [
        .. new (string, WebSign)[]
        {
            ("${jndi:", WebSign.Jndi), ("${${", WebSign.Jndi), ("${lower:", WebSign.Jndi),
            ("/etc/passwd", WebSign.PathTraversal), ("/etc/shadow", WebSign.PathTraversal), ("windows/win.ini", WebSign.PathTraversal), ("boot.ini", WebSign.PathTraversal),
            ("../../", WebSign.PathTraversal), ("..\\..\\", WebSign.PathTraversal),
            ("union select ", WebSign.SqlInjection), ("union all select ", WebSign.SqlInjection), ("information_schema", WebSign.SqlInjection),
            ("waitfor delay", WebSign.SqlInjection), ("xp_cmdshell", WebSign.SqlInjection), ("' or '1'='1", WebSign.SqlInjection), ("' or 1=1", WebSign.SqlInjection),
            ("' and 1=1", WebSign.SqlInjection), ("and sleep(", WebSign.SqlInjection), ("or sleep(", WebSign.SqlInjection), ("benchmark(", WebSign.SqlInjection),
            ("drop table ", WebSign.SqlInjection), ("pg_sleep(", WebSign.SqlInjection),
            (";cat /", WebSign.CommandInjection), ("|cat /", WebSign.CommandInjection), (";wget ", WebSign.CommandInjection), (";curl ", WebSign.CommandInjection),
            ("/bin/sh", WebSign.CommandInjection), ("/bin/bash", WebSign.CommandInjection), ("cmd.exe", WebSign.CommandInjection), ("() { :", WebSign.CommandInjection),
            ("powershell ", WebSign.CommandInjection), ("$(id)", WebSign.CommandInjection), ("`id`", WebSign.CommandInjection),
            ("<script", WebSign.ScriptInjection), ("javascript:alert", WebSign.ScriptInjection), ("onerror=", WebSign.ScriptInjection),
        }.Select(static t => (System.Text.Encoding.ASCII.GetBytes(t.Item1), t.Item2)),
    ];

    private static readonly byte[][] Gadgets =
    [
        .. new[]
        {
            "java.lang.ProcessBuilder", "java.lang.Runtime", "InvokerTransformer", "ChainedTransformer", "dynamic-proxy", "java.beans.EventHandler",
            "javax.naming.", "TemplatesImpl", "org.apache.commons.collections",
        }.Select(System.Text.Encoding.ASCII.GetBytes),
    ];

    /// <summary>The sign in a request target.</summary>
    public static WebSign OfTarget(ReadOnlySpan<byte> target)
    {
        if (!target.ContainsAny(Interesting) && target.IndexOf(".."u8) < 0)
            return WebSign.None;
        target = target[..Math.Min(target.Length, MaximumBytes)];
        Span<byte> plain = stackalloc byte[MaximumBytes];
        var length = Decode(target, plain);
        length = Decode(plain[..length], plain); // what is encoded twice is meant to be decoded twice
        plain = plain[..length];
        foreach (var (text, sign) in Texts)
        {
            if (plain.IndexOf(text) >= 0)
                return sign;
        }

        var query = plain.IndexOf((byte)'?');
        var path = query < 0 ? plain : plain[..query];
        if (path.Contains((byte)0))
            return WebSign.NullByte;
        return path.IndexOf("/../"u8) >= 0 || path.EndsWith("/.."u8) || path.IndexOf("..\\"u8) >= 0 ? WebSign.PathTraversal : WebSign.None;
    }

    /// <summary>The sign in a header's value.</summary>
    public static WebSign OfHeader(ReadOnlySpan<byte> value)
    {
        if (value.IndexOf("${"u8) is >= 0 and var at && (StartsWithIgnoreCase(value[at..], "${jndi:"u8) || value[at..].StartsWith("${${"u8) || StartsWithIgnoreCase(value[at..], "${lower:"u8)))
            return WebSign.Jndi;
        return value.StartsWith("() {"u8) ? WebSign.CommandInjection : WebSign.None;
    }

    /// <summary>The sign in the beginning of an XML body.</summary>
    public static WebSign OfXml(ReadOnlySpan<byte> body)
    {
        foreach (var gadget in Gadgets)
        {
            if (body.IndexOf(gadget) >= 0)
                return WebSign.Deserialization;
        }

        return WebSign.None;
    }

    /// <summary>Percent-decodes, lowers letters, and makes spaces of plus signs. In place is allowed.</summary>
    private static int Decode(ReadOnlySpan<byte> from, Span<byte> to)
    {
        var written = 0;
        for (var i = 0; i < from.Length; i++)
        {
            var value = from[i];
            if (value == '%' && i + 2 < from.Length && char.IsAsciiHexDigit((char)from[i + 1]) && char.IsAsciiHexDigit((char)from[i + 2]))
            {
                value = (byte)((Digit(from[i + 1]) << 4) | Digit(from[i + 2]));
                i += 2;
            }

            to[written++] = value switch { (byte)'+' => (byte)' ', >= (byte)'A' and <= (byte)'Z' => (byte)(value | 0x20), _ => value };
        }

        return written;
    }

    private static int Digit(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private static bool StartsWithIgnoreCase(ReadOnlySpan<byte> text, ReadOnlySpan<byte> start) =>
        text.Length >= start.Length && System.Text.Ascii.EqualsIgnoreCase(text[..start.Length], start);
}
