using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Pipeline;

/// <summary>How often each protocol event was seen, for the summary.</summary>
internal sealed class ProtocolTotals
{
    // Names are constants, and there are few: looking for the same strings is quicker than hashing them.
    private readonly List<Total> _totals = [];

    /// <summary>By protocol, then by event, in order of their names.</summary>
    public IEnumerable<(string Protocol, string Event, long Count, long Bytes)> Rows => _totals
        .OrderBy(t => t.Protocol, StringComparer.Ordinal)
        .ThenBy(t => t.Event, StringComparer.Ordinal)
        .Select(t => (t.Protocol, t.Event, t.Count, t.Bytes));

    public void Add(Transaction transaction)
    {
        var total = Find(transaction.Protocol, transaction.EventName);
        total.Count++;
        total.Bytes += transaction.Bytes;
    }

    private Total Find(string protocol, string name)
    {
        foreach (var total in _totals)
        {
            if (ReferenceEquals(total.Event, name) && ReferenceEquals(total.Protocol, protocol))
                return total;
        }

        return FindByText(protocol, name);
    }

    // Apart, because a method that captures its parameters allocates for them whenever it is called.
    private Total FindByText(string protocol, string name)
    {
        var found = _totals.Find(t => t.Event == name && t.Protocol == protocol);
        if (found is null)
            _totals.Add(found = new Total(protocol, name));
        return found;
    }

    private sealed class Total(string protocol, string name)
    {
        public string Protocol { get; } = protocol;

        public string Event { get; } = name;

        public long Count { get; set; }

        public long Bytes { get; set; }
    }
}
