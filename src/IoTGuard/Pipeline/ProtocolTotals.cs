using System.Runtime.InteropServices;
using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Pipeline;

/// <summary>How often each protocol event was seen, for the summary.</summary>
internal sealed class ProtocolTotals
{
    private readonly Dictionary<(string Protocol, string Event), (long Count, long Bytes)> _totals = [];

    /// <summary>By protocol, then by event, in order of their names.</summary>
    public IEnumerable<(string Protocol, string Event, long Count, long Bytes)> Rows => _totals
        .OrderBy(t => t.Key.Protocol, StringComparer.Ordinal)
        .ThenBy(t => t.Key.Event, StringComparer.Ordinal)
        .Select(t => (t.Key.Protocol, t.Key.Event, t.Value.Count, t.Value.Bytes));

    public void Add(Transaction transaction)
    {
        var key = (transaction.Protocol, transaction.EventName);
        ref var total = ref CollectionsMarshal.GetValueRefOrAddDefault(_totals, key, out _);
        total.Count++;
        total.Bytes += transaction.Bytes;
    }
}
