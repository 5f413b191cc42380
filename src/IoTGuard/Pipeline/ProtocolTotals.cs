using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Pipeline;

/// <summary>How often each protocol event was seen, for the summary.</summary>
internal sealed class ProtocolTotals
{
    private readonly SortedDictionary<(string Protocol, string Event), (long Count, long Bytes)> _totals = [];

    public IEnumerable<(string Protocol, string Event, long Count, long Bytes)> Rows =>
        _totals.Select(t => (t.Key.Protocol, t.Key.Event, t.Value.Count, t.Value.Bytes));

    public void Add(Transaction transaction)
    {
        var key = (transaction.Protocol, transaction.EventName);
        _totals.TryGetValue(key, out var total);
        _totals[key] = (total.Count + 1, total.Bytes + transaction.Bytes);
    }
}
