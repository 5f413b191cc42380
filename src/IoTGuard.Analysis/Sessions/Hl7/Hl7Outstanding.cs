namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Messages of one direction that are not acknowledged yet, oldest first. The table starts small and grows to
/// <see cref="Hl7Session.MaximumOutstanding"/>; when it is full, the oldest is given up. Its transactions are reused, so that it
/// allocates nothing once it has grown.
/// </summary>
internal sealed class Hl7Outstanding
{
    private Hl7Transaction[] _slots = [];

    public int Count { get; private set; }

    public bool IsFull => Count == Hl7Session.MaximumOutstanding;

    public Hl7Transaction this[int index] => _slots[index];

    /// <summary>Takes <paramref name="message"/> and gives a free transaction in exchange. The table must not be full.</summary>
    public void Add(ref Hl7Transaction message)
    {
        if (Count == _slots.Length)
        {
            var old = _slots.Length;
            Array.Resize(ref _slots, Math.Clamp(2 * old, 2, Hl7Session.MaximumOutstanding));
            for (var i = old; i < _slots.Length; i++)
                _slots[i] = new Hl7Transaction();
        }

        (_slots[Count], message) = (message, _slots[Count]);
        Count++;
    }

    /// <summary>Index of the oldest message with this control id; -1 when there is none.</summary>
    public int Find(ReadOnlySpan<byte> controlId)
    {
        if (controlId.IsEmpty)
            return -1;
        for (var i = 0; i < Count; i++)
        {
            if (_slots[i].ControlId.Bytes.SequenceEqual(controlId))
                return i;
        }

        return -1;
    }

    /// <summary>Index of the oldest message without any acknowledgement; -1 when there is none.</summary>
    public int FindUnacknowledged()
    {
        for (var i = 0; i < Count; i++)
        {
            if (_slots[i].AckCode is null)
                return i;
        }

        return -1;
    }

    public void RemoveAt(int index)
    {
        var free = _slots[index];
        Array.Copy(_slots, index + 1, _slots, index, Count - index - 1);
        _slots[--Count] = free;
    }

    public void Clear() => Count = 0;
}
