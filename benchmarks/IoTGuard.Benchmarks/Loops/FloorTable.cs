namespace IoTGuard.Benchmarks.Loops;

/// <summary>The 5-tuple, smaller endpoint first.</summary>
internal readonly record struct FloorKey(ulong HighA, ulong LowA, ulong HighB, ulong LowB, ulong Ports);

/// <summary>An open-addressing table of flows, a cache line each.</summary>
internal sealed class FloorTable
{
    private Slot[] _slots = new Slot[1 << 16];

    public int Count { get; private set; }

    public void Add(in FloorKey key, uint bytes)
    {
        var mask = _slots.Length - 1;
        for (var i = (int)(Hash(key) >> 32) & mask; ; i = (i + 1) & mask)
        {
            ref var slot = ref _slots[i];
            if (slot.Packets == 0)
            {
                slot.Key = key;
                slot.Packets = 1;
                slot.Bytes = bytes;
                if (++Count > _slots.Length / 2)
                    Grow();
                return;
            }

            if (slot.Key == key)
            {
                slot.Packets++;
                slot.Bytes += bytes;
                return;
            }
        }
    }

    private static ulong Hash(in FloorKey key)
    {
        const ulong Factor = 0x9E3779B97F4A7C15;
        var hash = (key.LowA ^ key.HighA) * Factor;
        hash = ((hash >> 29) ^ hash ^ key.LowB ^ key.HighB) * Factor;
        return ((hash >> 29) ^ hash ^ key.Ports) * Factor;
    }

    private void Grow()
    {
        var old = _slots;
        _slots = new Slot[old.Length * 2];
        var mask = _slots.Length - 1;
        foreach (ref readonly var slot in old.AsSpan())
        {
            if (slot.Packets == 0)
                continue;
            var i = (int)(Hash(slot.Key) >> 32) & mask;
            while (_slots[i].Packets != 0)
                i = (i + 1) & mask;
            _slots[i] = slot;
        }
    }

    private struct Slot
    {
        public FloorKey Key;
        public long Packets;
        public long Bytes;
    }
}
