namespace IoTGuard.TestSupport;

/// <summary>Measures what code allocates.</summary>
internal static class Allocations
{
    /// <summary>Most measurements before a result other than zero is believed.</summary>
    private const int Attempts = 50;

    /// <summary>
    /// Bytes that warm code allocates on this thread. A collection that another thread starts closes this thread's allocation buffer and counts its rest, and code
    /// that is not yet fully compiled allocates what it later does not: then it is measured again. What allocates each time is found all the same.
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
