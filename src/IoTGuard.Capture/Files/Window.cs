namespace IoTGuard.Capture.Files;

/// <summary>
/// A stretch of an input's bytes in memory. It is held by the input that reads on in it and by every batch over it,
/// and goes back to its owner when the last holder, on whichever thread, lets go.
/// </summary>
internal abstract class Window
{
    private int _holders;

    /// <summary>The memory; only the first <see cref="Length"/> bytes are valid.</summary>
    public abstract ReadOnlyMemory<byte> Memory { get; }

    /// <summary>Valid bytes.</summary>
    public int Length { get; set; }

    /// <summary>Offset of the first byte in the input.</summary>
    public long Offset { get; set; }

    public void Retain() => Interlocked.Increment(ref _holders);

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
            Recycle();
    }

    /// <summary>Called when nobody holds the window any more.</summary>
    protected abstract void Recycle();
}

/// <summary>A window over a buffer that is used again.</summary>
internal sealed class BufferWindow : Window
{
    public byte[] Buffer { get; } = GC.AllocateUninitializedArray<byte>(CaptureLimits.BufferBytes);

    public override ReadOnlyMemory<byte> Memory => Buffer;

    protected override void Recycle() => BufferPool.Return(this);
}

/// <summary>Buffers between uses, for all captures together. As many come to exist as are in use at the same time.</summary>
internal static class BufferPool
{
    private static readonly Stack<BufferWindow> Free = new();
    private static int s_created;

    /// <summary>Buffers that exist.</summary>
    public static int Created => Volatile.Read(ref s_created);

    /// <summary>An empty buffer, held once.</summary>
    public static BufferWindow Rent(long offset)
    {
        BufferWindow? window;
        lock (Free)
            Free.TryPop(out window);
        if (window is null)
        {
            window = new BufferWindow();
            Interlocked.Increment(ref s_created);
        }

        window.Length = 0;
        window.Offset = offset;
        window.Retain();
        return window;
    }

    public static void Return(BufferWindow window)
    {
        lock (Free)
            Free.Push(window);
    }
}
