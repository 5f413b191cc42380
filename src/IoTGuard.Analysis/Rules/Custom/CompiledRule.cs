using System.Globalization;
using IoTGuard.Analysis.Baselines;

namespace IoTGuard.Analysis.Rules.Custom;

/// <summary>A site's rule with its fields as slots and its values parsed, and the counts of its window.</summary>
internal sealed class CompiledRule
{
    /// <summary>Most values (or groups, where events are counted) held over all groups of a rule.</summary>
    public const int MaximumValues = 1_000_000;

    /// <summary>Most groups of a rule; while the table is full, new ones are not counted.</summary>
    public const int MaximumGroups = 65_536;

    private readonly Func<FieldBag, bool> _holds;
    private readonly int[] _groupBy = [];
    private readonly int _distinct = -1;
    private readonly KeyedState<ulong, Group>? _groups;

    public CompiledRule(CustomRule rule, FieldBag bag)
    {
        Rule = rule;
        _holds = Compile(rule.Condition, bag);
        Told = [.. rule.Fields.Select(f => (f, bag.SlotOf(f)))];
        if (rule.Window is not { } window)
            return;
        _groupBy = [.. window.GroupBy.Select(bag.SlotOf)];
        _distinct = window.DistinctField is { } field ? bag.SlotOf(field) : -1;
        var perGroup = _distinct >= 0 ? LimitOf(window) : 1;
        _groups = new KeyedState<ulong, Group>(Math.Clamp(MaximumValues / perGroup, 16, MaximumGroups), window.WindowNs);
    }

    public CustomRule Rule { get; }

    /// <summary>Fields that alerts tell, with their slots.</summary>
    public IReadOnlyList<(string Field, int Slot)> Told { get; }

    private sealed class Group(WindowCount window)
    {
        public readonly DistinctWindow? Values = window.DistinctField is null ? null : new DistinctWindow(window.WindowNs, LimitOf(window));
        public WindowSum Events;
    }

    public bool Holds(FieldBag bag) => _holds(bag);

    /// <summary>Counts a match. True when the count suffices.</summary>
    /// <param name="bag">Fields of the match.</param>
    /// <param name="timeNs">Packet time, ns.</param>
    /// <param name="count">The count so far.</param>
    /// <param name="firstNs">Packet time of the first event counted.</param>
    public bool Counts(FieldBag bag, long timeNs, out double count, out long firstNs)
    {
        (count, firstNs) = (1, timeNs);
        if (Rule.Window is not { } window)
            return true;
        ulong key = 0;
        foreach (var slot in _groupBy)
            key = bag[slot].Hash(key == 0 ? 14_695_981_039_346_656_037 : key);
        if (_groups!.Touch(key, timeNs, () => new Group(window)) is not { } group)
            return false;
        if (group.Values is { } values)
        {
            if (bag[_distinct].Kind == FieldKind.Absent)
                return false;
            var isNew = values.Add(bag[_distinct].Hash(), timeNs);
            (count, firstNs) = (values.Count, values.FirstNs);
            return count >= window.AtLeast && (isNew || count >= values.Limit);
        }

        group.Events.Add(1, timeNs, window.WindowNs);
        (count, firstNs) = (group.Events.Total, group.Events.FirstNs);
        return count >= window.AtLeast;
    }

    /// <summary>Different values counted exactly: more than the threshold, so that alerts can tell how far beyond it goes.</summary>
    private static int LimitOf(WindowCount window) => Math.Max(64, window.AtLeast * 4);

    private static Func<FieldBag, bool> Compile(Condition condition, FieldBag bag)
    {
        Func<FieldBag, bool>[] parts = condition.Kind == ConditionKind.Tests
            ? [.. condition.Tests.Select(t => Compile(t, bag))]
            : [.. condition.Parts.Select(p => Compile(p, bag))];
        return condition.Kind switch
        {
            ConditionKind.Not => b => !parts[0](b),
            ConditionKind.OneOf => b => Array.Exists(parts, p => p(b)),
            _ => b => Array.TrueForAll(parts, p => p(b)),
        };
    }

    private static Func<FieldBag, bool> Compile(FieldTest test, FieldBag bag)
    {
        var slot = bag.SlotOf(test.Field);
        if (test.Comparison == Comparison.Exists)
        {
            var wanted = test.Values[0] == "true";
            return b => (b[slot].Kind != FieldKind.Absent) == wanted;
        }

        var texts = test.Values.ToArray();
        var numbers = Array.ConvertAll(texts, static v => double.TryParse(v, NumberStyles.Float, CultureInfo.InvariantCulture, out var n) ? n : double.NaN);
        var networks = Array.ConvertAll(texts, static v => AddressPrefix.TryParse(v, out var p) ? p : (AddressPrefix?)null);
        var comparison = test.Comparison;
        return b =>
        {
            var value = b[slot];
            for (var i = 0; i < texts.Length; i++)
            {
                if (Matches(value, comparison, texts[i], numbers[i], networks[i]))
                    return true;
            }

            return false;
        };
    }

    private static bool Matches(in FieldValue value, Comparison comparison, string text, double number, AddressPrefix? network)
    {
        switch (value.Kind)
        {
            case FieldKind.Absent or FieldKind.Pseudonym:
                return false;
            case FieldKind.Number when comparison is Comparison.Equal or >= Comparison.Greater and <= Comparison.AtMost:
                return Compare(value.Number, comparison, number);
            case FieldKind.Address when comparison is Comparison.Equal or Comparison.InNetwork:
                return network is { } held && held.Contains(value.Address);
            case FieldKind.List:
                foreach (var item in value.List!)
                {
                    if (Matches(FieldValue.Of(item), comparison, text, number, network))
                        return true;
                }

                return false;
            case FieldKind.Text when comparison is >= Comparison.Greater and <= Comparison.AtMost:
                return double.TryParse(value.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var own) && Compare(own, comparison, number);
            case FieldKind.Text when comparison == Comparison.InNetwork:
                return network is { } around && Wire.Network.IpAddress.TryParse(value.Text!, out var address) && around.Contains(address);
        }

        var told = value.ForPeople;
        return comparison switch
        {
            Comparison.Equal => string.Equals(told, text, StringComparison.OrdinalIgnoreCase),
            Comparison.Contains => told.Contains(text, StringComparison.OrdinalIgnoreCase),
            Comparison.StartsWith => told.StartsWith(text, StringComparison.OrdinalIgnoreCase),
            Comparison.EndsWith => told.EndsWith(text, StringComparison.OrdinalIgnoreCase),
            _ => false,
        };
    }

    private static bool Compare(double value, Comparison comparison, double with) => comparison switch
    {
        Comparison.Equal => value.Equals(with),
        Comparison.Greater => value > with,
        Comparison.AtLeast => value >= with,
        Comparison.Less => value < with,
        _ => value <= with,
    };
}
