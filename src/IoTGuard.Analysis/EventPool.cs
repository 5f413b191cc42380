using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Analysis;

/// <summary>
/// What the batches of one sensor are made of, so that it is held once and not in each of them: flow records in pages, and transactions. One thread at a time
/// uses it. What is given back beyond its limits, after a flood or when the detector was behind, is left to the collector.
/// </summary>
public sealed class EventPool
{
    /// <summary>Most pages of flow records kept for reuse: 2 MB, what some eight full batches of frames tell in a flood.</summary>
    public const int MaximumPages = 64;

    /// <summary>Most transactions of one type kept for reuse.</summary>
    public const int MaximumTransactions = 1024;

    /// <summary>Flow records in a page, as a power of two: 30 KB.</summary>
    internal const int PageBits = 6;

    private static int s_types = -1;

    private readonly Stack<FlowRecord[]> _pages = new(MaximumPages);
    private Stack<Transaction>?[] _transactions = [];

    /// <summary>A transaction with any content; it is given back by the batch that it was added to.</summary>
    internal T Rent<T>()
        where T : Transaction, new()
    {
        var type = TypeOf<T>.Index;
        return type < _transactions.Length && _transactions[type] is { } free && free.TryPop(out var pooled)
            ? (T)pooled
            : new T { Pool = type };
    }

    internal void Return(Transaction transaction)
    {
        if (transaction.Pool < 0)
            return;
        if (transaction.Pool >= _transactions.Length)
            Array.Resize(ref _transactions, transaction.Pool + 1);
        var free = _transactions[transaction.Pool] ??= new Stack<Transaction>();
        if (free.Count < MaximumTransactions)
            free.Push(transaction);
    }

    internal FlowRecord[] RentPage() => _pages.TryPop(out var page) ? page : new FlowRecord[1 << PageBits];

    internal void Return(FlowRecord[] page)
    {
        if (_pages.Count < MaximumPages)
            _pages.Push(page);
    }

    /// <summary>Numbers the types of transactions, so that those of a type are found without a search.</summary>
    private static class TypeOf<T>
    {
        public static readonly int Index = Interlocked.Increment(ref s_types);
    }
}
