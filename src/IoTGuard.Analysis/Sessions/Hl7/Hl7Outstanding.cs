namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Messages of one direction that are not acknowledged yet, oldest first. The table starts small and grows to
/// <see cref="Hl7Session.MaximumOutstanding"/>; when it is full, the oldest is given up.
/// </summary>
internal sealed class Hl7Outstanding
{
    private const int InitialSlots = 2;

    private Hl7Transaction[] _slots = [];

    public int Count { get; private set; }

    public bool IsFull => Count == Hl7Session.MaximumOutstanding;

    public Hl7Transaction this[int index] => _slots[index];

    /// <summary>Takes a message. The table must not be full.</summary>
    public void Add(Hl7Transaction message)
    {
        if (Count == _slots.Length)
            Array.Resize(ref _slots, Math.Clamp(2 * Count, InitialSlots, Hl7Session.MaximumOutstanding));
        _slots[Count++] = message;
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
        Count--;
        if (index < Count)
            Array.Copy(_slots, index + 1, _slots, index, Count - index);
        _slots[Count] = null!;
    }

    public void Clear()
    {
        Array.Clear(_slots, 0, Count);
        Count = 0;
    }
}
