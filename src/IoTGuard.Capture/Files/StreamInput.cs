namespace IoTGuard.Capture.Files;

/// <summary>A pipe, or an unpacked stream.</summary>
/// <param name="stream">Where the bytes come from.</param>
/// <param name="prompt">True for a pipe: what is there is delivered, a buffer is not waited full.</param>
/// <param name="packed">The input that <paramref name="stream"/> unpacks, if it does.</param>
internal sealed class StreamInput(Stream stream, bool prompt, ByteInput? packed = null) : ByteInput
{
    /// <summary>Room below which a buffer is not read into any more, bytes.</summary>
    private const int LeastRoom = 4096;

    public override long Remaining => Math.Max(0, Window.Length - Position);

    public override double? Progress => packed?.Progress;

    public override bool Extend()
    {
        if (Position > Window.Length && !Skip())
            return false;

        var window = Window as BufferWindow;
        if (window is null || window.Buffer.Length - window.Length < LeastRoom)
            window = Carry();

        var before = window.Length;
        int read;
        do
        {
            read = stream.Read(window.Buffer, window.Length, window.Buffer.Length - window.Length);
            window.Length += read;
        }
        while (!prompt && read > 0 && window.Length < window.Buffer.Length);
        return window.Length > before;
    }

    /// <summary>Moves to a fresh buffer behind the bytes to be skipped; false when the input ends among them.</summary>
    private bool Skip()
    {
        var left = Position - Window.Length;
        var window = BufferPool.Rent(Window.Offset + Window.Length);
        Window.Release();
        Window = window;
        while (left > 0)
        {
            var read = stream.Read(window.Buffer, 0, Math.Min(left, window.Buffer.Length));
            if (read == 0)
                break;
            left -= read;
            window.Offset += read;
        }

        Position = left;
        return left == 0;
    }

    protected override void Close()
    {
        stream.Dispose();
        packed?.Dispose();
    }
}
