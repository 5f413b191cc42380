namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// What is read of the pixel data of a stored object, to know them again on another hop: the first <see cref="HeadBytes"/>, then
/// <see cref="WindowBytes"/> of each <see cref="StrideBytes"/>. The rest is passed over untouched: a change within the gaps alone is not seen.
/// </summary>
internal struct PixelSample
{
    public const int HeadBytes = 8 * 1024;
    public const int WindowBytes = 1024;
    public const int StrideBytes = 32 * 1024;

    private ContentPrint _print;
    private long _position;

    /// <summary>True between <see cref="Begin"/> and <see cref="Stop"/>.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>Bytes from here on that nobody needs; 0 within a window.</summary>
    public readonly long Skippable
    {
        get
        {
            if (_position < HeadBytes)
                return 0;
            var inStride = _position % StrideBytes;
            return _position >= StrideBytes && inStride < WindowBytes ? 0 : StrideBytes - inStride;
        }
    }

    /// <summary>The value of the sample and of the number of bytes; 0 when it does not run.</summary>
    public readonly ulong Value => IsRunning ? _print.Value ^ ((ulong)_position << 1) : 0;

    public void Begin()
    {
        this = default;
        IsRunning = true;
    }

    public void Stop() => IsRunning = false;

    /// <summary>The next bytes, of which those in windows are read.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var skip = (int)Math.Min(Skippable, bytes.Length);
            Skip(skip);
            bytes = bytes[skip..];
            if (bytes.IsEmpty)
                return;
            var take = (int)Math.Min(WindowRest, bytes.Length);
            _print.Add(bytes[..take]);
            _position += take;
            bytes = bytes[take..];
        }
    }

    /// <summary>Passes over bytes, at most <see cref="Skippable"/>.</summary>
    public void Skip(long bytes) => _position += bytes;

    private readonly long WindowRest => _position < HeadBytes ? HeadBytes - _position : WindowBytes - (_position % StrideBytes);
}
