using System.Text;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules.Custom;

/// <summary>The fields of one event that rules ask for, by slot. Filled anew for each event; what is not asked for is not kept.</summary>
internal sealed class FieldBag
{
    private readonly Dictionary<string, int> _slots;
    private readonly Dictionary<(string? Outer, string Name), int> _nested = [];
    private readonly FieldValue[] _values;

    public FieldBag(IEnumerable<string> fields)
    {
        _slots = fields.Distinct(StringComparer.Ordinal).Select(static (name, slot) => (name, slot)).ToDictionary(static f => f.name, static f => f.slot, StringComparer.Ordinal);
        _values = new FieldValue[_slots.Count];
    }

    public FieldValue this[int slot] => _values[slot];

    public int SlotOf(string field) => _slots[field];

    public bool Wants(string field) => _slots.ContainsKey(field);

    public void Clear() => Array.Clear(_values);

    public void Set(string name, in FieldValue value)
    {
        if (_slots.TryGetValue(name, out var slot))
            _values[slot] = value;
    }

    public void Set(int slot, in FieldValue value) => _values[slot] = value;

    /// <summary>Takes the fields that a protocol writes; those of inner objects are named outer.inner.</summary>
    public void Take(Transaction transaction)
    {
        var writer = new Writer(this);
        transaction.WriteFields(ref writer);
    }

    private int SlotOf(string? outer, string name)
    {
        if (!_nested.TryGetValue((outer, name), out var slot))
            _nested.Add((outer, name), slot = _slots.GetValueOrDefault(outer is null ? name : outer + "." + name, -1));
        return slot;
    }

    private struct Writer(FieldBag bag) : IFieldWriter
    {
        private string? _outer;

        public readonly void Text(string name, string? value) => Set(name, FieldValue.Of(value));

        public readonly void Text(string name, ReadOnlySpan<byte> value)
        {
            var slot = bag.SlotOf(_outer, name);
            if (slot >= 0 && !value.IsEmpty)
                bag._values[slot] = FieldValue.Of(Encoding.Latin1.GetString(value));
        }

        public readonly void Number(string name, long value) => Set(name, FieldValue.Of((double)value));

        public readonly void Real(string name, double value) => Set(name, FieldValue.Of(value));

        public readonly void Flag(string name, bool value) => Set(name, FieldValue.Of(value));

        public readonly void Pseudonym(string name, Pseudonym value) => Set(name, FieldValue.Of(value));

        public readonly void List(string name, ReadOnlySpan<string> values)
        {
            var slot = bag.SlotOf(_outer, name);
            if (slot >= 0)
                bag._values[slot] = FieldValue.Of(values.ToArray());
        }

        public void BeginObject(string name) => _outer = name;

        public void EndObject() => _outer = null;

        private readonly void Set(string name, in FieldValue value)
        {
            var slot = bag.SlotOf(_outer, name);
            if (slot >= 0)
                bag._values[slot] = value;
        }
    }
}
