namespace IoTGuard.Analysis.Sessions;

/// <summary>Calls of one kind on a connection, since they were last told.</summary>
internal struct CallCount
{
    /// <summary>What is called, in the terms of the protocol.</summary>
    public ulong Key;
    public bool IsUsed;
    public bool WasTold;
    public long SinceNs;
    public long LastNs;
    public int Calls;
    public int Failures;
    public long Bytes;
    public long Items;
    public int Code;

    /// <summary>True when the first calls, or an interval's, are due to be told.</summary>
    public readonly bool IsDue(long timeNs) => Calls > 0 && (!WasTold || timeNs - SinceNs >= CallTable.IntervalNs);

    /// <summary>Begins the next interval.</summary>
    public void Told()
    {
        WasTold = true;
        Calls = Failures = 0;
        Bytes = Items = SinceNs = 0;
    }
}

/// <summary>
/// Counts calls by what is called, for protocols that repeat the same few all day: the first is told at once, the others once per
/// <see cref="IntervalNs"/> and at the end. When the table is full, further kinds share the last place.
/// </summary>
internal sealed class CallTable
{
    /// <summary>Kinds of calls of one connection that are told apart.</summary>
    public const int MaximumKinds = 32;

    /// <summary>Packet time between two reports of one kind, ns.</summary>
    public const long IntervalNs = 60_000_000_000;

    private readonly CallCount[] _counts = new CallCount[MaximumKinds];

    public Span<CallCount> Counts => _counts;

    /// <summary>The count of a kind.</summary>
    public ref CallCount Of(ulong key, long timeNs)
    {
        var place = 0;
        while (place < MaximumKinds - 1 && _counts[place].IsUsed && _counts[place].Key != key)
            place++;
        ref var count = ref _counts[place];
        if (!count.IsUsed)
            count = new CallCount { IsUsed = true, Key = key };
        if (count.SinceNs == 0)
            count.SinceNs = timeNs;
        count.LastNs = timeNs;
        return ref count;
    }

    public void Clear() => Array.Clear(_counts);
}
