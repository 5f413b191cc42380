namespace IoTGuard.TestSupport;

/// <summary>
/// Counts what this thread allocates. The runtime counts whole allocation buffers: one that a collection closes, which any other test may start, counts its rest as
/// allocated. That much is taken off, so a measured piece of work must be long: a thousand operations that allocate one object each exceed it, one alone may not.
/// </summary>
internal readonly struct Allocations
{
    /// <summary>Most of an allocation buffer of a thread, in bytes.</summary>
    private const int BufferBytes = 8192;

    /// <summary>Most measurements before a result other than zero is believed.</summary>
    private const int Attempts = 50;

    private readonly long _bytes;

    private readonly int _collections;

    private Allocations(long bytes, int collections) => (_bytes, _collections) = (bytes, collections);

    /// <summary>Bytes allocated since <see cref="Start"/>, without what collections closed: that which may have begun at either end counts too.</summary>
    public long Bytes
    {
        get
        {
            var bytes = GC.GetAllocatedBytesForCurrentThread() - _bytes;
            return long.Max(0, bytes - ((GC.CollectionCount(0) - _collections + 1) * BufferBytes));
        }
    }

    /// <summary>Begins to count.</summary>
    public static Allocations Start()
    {
        var collections = GC.CollectionCount(0);
        return new(GC.GetAllocatedBytesForCurrentThread(), collections);
    }

    /// <summary>
    /// Bytes that warm code allocates on this thread, exactly. Where a collection disturbed it, or code that is not yet fully compiled allocates what it later does not,
    /// it is measured again. What allocates each time is found all the same.
    /// </summary>
    public static long Of(Action code)
    {
        code();
        var allocated = long.MaxValue;
        for (var attempt = 0; attempt < Attempts && allocated > 0; attempt++)
        {
            if (attempt > 0)
                Thread.Sleep(100);
            var before = GC.GetAllocatedBytesForCurrentThread();
            code();
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        return allocated;
    }
}
