namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Finds the parts of a multipart body (RFC 2046 5.1) as it passes, and shows the beginning of each. Holds no more than <see cref="WindowBytes"/> bytes; what lies
/// between is searched for the delimiter only.
/// </summary>
internal sealed class HttpMultipart
{
    /// <summary>Longest boundary, RFC 2046.</summary>
    public const int MaximumBoundaryBytes = 70;

    private const int WindowBytes = HttpContent.SniffBytes + 512;

    private readonly byte[] _window = new byte[WindowBytes];
    private readonly byte[] _delimiter = new byte[MaximumBoundaryBytes + 4];
    private int _delimiterLength;
    private int _length;
    private bool _inHead;

    /// <summary>Starts a body; false for a boundary that cannot be one.</summary>
    public bool Begin(ReadOnlySpan<byte> boundary)
    {
        _length = 0;
        _inHead = false;
        if (boundary.IsEmpty || boundary.Length > MaximumBoundaryBytes)
            return false;
        "\r\n--"u8.CopyTo(_delimiter);
        boundary.CopyTo(_delimiter.AsSpan(4));
        _delimiterLength = boundary.Length + 4;
        // The first delimiter has no line before it.
        "\r\n"u8.CopyTo(_window);
        _length = 2;
        return true;
    }

    public void OnBytes(SessionContext context, bool isRequest, ReadOnlySpan<byte> bytes, ref HttpFacts facts)
    {
        while (!bytes.IsEmpty)
        {
            if (_inHead)
            {
                var take = Math.Min(bytes.Length, WindowBytes - _length);
                bytes[..take].CopyTo(_window.AsSpan(_length));
                _length += take;
                bytes = bytes[take..];
                if (_length == WindowBytes)
                    OnWindow(context, isRequest, ref facts, isEnd: false);
                continue;
            }

            bytes = Search(bytes);
        }
    }

    public void End(SessionContext context, bool isRequest, ref HttpFacts facts)
    {
        if (_inHead)
            OnWindow(context, isRequest, ref facts, isEnd: true);
        _length = 0;
        _inHead = false;
    }

    /// <summary>Bytes are missing: looks for the next delimiter behind them.</summary>
    public void Gap()
    {
        _length = 0;
        _inHead = false;
    }

    private ReadOnlySpan<byte> Delimiter => _delimiter.AsSpan(0, _delimiterLength);

    /// <summary>Looks for a delimiter that may have begun in the window. Returns what follows it, or nothing.</summary>
    private ReadOnlySpan<byte> Search(ReadOnlySpan<byte> bytes)
    {
        if (_length > 0)
        {
            var join = Math.Min(bytes.Length, _delimiterLength - 1);
            bytes[..join].CopyTo(_window.AsSpan(_length));
            var found = _window.AsSpan(0, _length + join).IndexOf(Delimiter);
            if (found >= 0)
            {
                var rest = bytes[(found + _delimiterLength - _length)..];
                OpenPart();
                return rest;
            }
        }

        var at = bytes.IndexOf(Delimiter);
        if (at >= 0)
        {
            OpenPart();
            return bytes[(at + _delimiterLength)..];
        }

        Keep(bytes);
        return default;
    }

    private void OpenPart()
    {
        _inHead = true;
        _length = 0;
    }

    /// <summary>Keeps the last bytes, in which a delimiter may begin.</summary>
    private void Keep(ReadOnlySpan<byte> bytes)
    {
        var keep = _delimiterLength - 1;
        if (bytes.Length >= keep)
        {
            bytes[^keep..].CopyTo(_window);
            _length = keep;
            return;
        }

        var old = Math.Min(_length, keep - bytes.Length);
        _window.AsSpan(_length - old, old).CopyTo(_window);
        bytes.CopyTo(_window.AsSpan(old));
        _length = old + bytes.Length;
    }

    /// <summary>The window begins behind a delimiter: reads all parts that end in it, and the beginning of the last one when the window is full.</summary>
    private void OnWindow(SessionContext context, bool isRequest, ref HttpFacts facts, bool isEnd)
    {
        while (true)
        {
            var window = _window.AsSpan(0, _length);
            if (window.StartsWith("--"u8))
            {
                _inHead = false;
                _length = 0;
                return;
            }

            var next = window.IndexOf(Delimiter);
            var part = next < 0 ? window : window[..next];
            var body = part.StartsWith("\r\n\r\n"u8) ? 4 : part.IndexOf("\r\n\r\n"u8) is >= 0 and var end ? end + 4 : -1;
            if (next < 0 && !isEnd && body > 4 && body > WindowBytes - HttpContent.SniffBytes)
            {
                // Long part headers: nobody needs them.
                window[(body - 4)..].CopyTo(_window);
                _length -= body - 4;
                return;
            }

            if (body >= 0 && part.Length > body)
                HttpContent.OfPart(context, isRequest, part[body..Math.Min(part.Length, body + HttpContent.SniffBytes)], ref facts);
            if (next >= 0)
            {
                window[(next + _delimiterLength)..].CopyTo(_window);
                _length -= next + _delimiterLength;
                if (_length == 0 || !isEnd)
                    return;
                continue;
            }

            var keep = Math.Min(_length, _delimiterLength - 1);
            window[^keep..].CopyTo(_window);
            _length = keep;
            _inHead = false;
            return;
        }
    }
}
