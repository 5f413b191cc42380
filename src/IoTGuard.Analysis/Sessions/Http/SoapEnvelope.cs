namespace IoTGuard.Analysis.Sessions;

/// <summary>Finds single values in the beginning of a SOAP message without reading XML: names are looked for, whatever their prefix.</summary>
internal static class SoapEnvelope
{
    /// <summary>Text of the first element with a local name, trimmed; empty when it is not there. The text points into the message.</summary>
    public static ReadOnlySpan<byte> TextOf(ReadOnlySpan<byte> message, ReadOnlySpan<byte> localName)
    {
        for (var at = 0; at < message.Length;)
        {
            var found = message[at..].IndexOf(localName);
            if (found < 0)
                return default;
            at += found;
            var before = at > 0 ? message[at - 1] : (byte)0;
            at += localName.Length;
            if (before is not ((byte)':' or (byte)'<') || at >= message.Length || message[at] is not ((byte)'>' or (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
                continue;
            if (before == ':' && IsClosing(message[..(at - localName.Length - 1)]))
                continue;
            var open = message[at..].IndexOf((byte)'>');
            if (open < 0)
                return default;
            if (open > 0 && message[at + open - 1] == '/')
                continue;
            var text = message[(at + open + 1)..];
            var end = text.IndexOf((byte)'<');
            return end < 0 ? default : text[..end].Trim(" \t\r\n"u8);
        }

        return default;
    }

    /// <summary>The action of WS-Addressing; else the first element of the body.</summary>
    public static ReadOnlySpan<byte> ActionOf(ReadOnlySpan<byte> message) => TextOf(message, "Action"u8);

    /// <summary>True when a prefix belongs to an end tag.</summary>
    private static bool IsClosing(ReadOnlySpan<byte> before)
    {
        var tag = before.LastIndexOf((byte)'<');
        return tag >= 0 && tag + 1 < before.Length && before[tag + 1] == '/';
    }
}
