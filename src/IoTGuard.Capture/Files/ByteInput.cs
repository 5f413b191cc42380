namespace IoTGuard.Capture.Files;

/// <summary>The bytes of a capture, in order, seen through a <see cref="Files.Window"/> that moves along.</summary>
internal abstract class ByteInput : IDisposable
{
    /// <summary>Where the next unread byte lies in <see cref="Window"/>. May lie past its end: those bytes are to be skipped.</summary>
    public int Position { get; set; }

    /// <summary>The window; what was read of it may still be in use by batches.</summary>
    public Window Window { get; protected set; } = EmptyWindow.Instance;

    /// <summary>Offset in the input of the next unread byte.</summary>
    public long Offset => Window.Offset + Position;

    /// <summary>Bytes known to follow <see cref="Offset"/>.</summary>
    public abstract long Remaining { get; }

    /// <summary>Fraction consumed, or null when not known.</summary>
    public abstract double? Progress { get; }

    /// <summary>
    /// Brings more bytes behind the unread ones of the window, which stay. Waits for at least one.
    /// Returns false at the end of the input. Throws <see cref="IOException"/> or <see cref="InvalidDataException"/> when it cannot be read on.
    /// </summary>
    public abstract bool Extend();

    public void Dispose()
    {
        Window.Release();
        Window = EmptyWindow.Instance;
        Position = 0;
        Close();
    }

    protected abstract void Close();

    /// <summary>A fresh buffer that starts with the unread bytes of the window; the window is let go.</summary>
    protected BufferWindow Carry()
    {
        var next = BufferPool.Rent(Offset);
        var unread = Window.Length - Position;
        if (unread > 0)
        {
            Window.Memory.Span.Slice(Position, unread).CopyTo(next.Buffer);
            next.Length = unread;
        }

        Window.Release();
        Window = next;
        Position = 0;
        return next;
    }

    private sealed class EmptyWindow : Window
    {
        public static readonly EmptyWindow Instance = new();

        public override ReadOnlyMemory<byte> Memory => default;

        protected override void Recycle()
        {
        }
    }
}
