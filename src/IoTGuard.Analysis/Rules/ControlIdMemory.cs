using System.Numerics;

namespace IoTGuard.Analysis.Rules;

/// <summary>
/// When, and over which port, control ids were seen first. A ring of entries in the order they came, found over chains by hash; full, it
/// forgets the oldest.
/// </summary>
/// <param name="capacity">Most ids remembered, a power of two.</param>
internal sealed class ControlIdMemory(int capacity)
{
    private const int InitialCapacity = 256;

    private Entry[] _entries = [];
    private int[] _heads = [];
    private int _next;
    private int _count;

    /// <param name="id">A well mixed hash of the id.</param>
    /// <param name="timeNs">Receives when it was seen first.</param>
    /// <param name="port">Receives the client's port.</param>
    public bool TryGet(ulong id, out long timeNs, out ushort port)
    {
        if (_count > 0)
        {
            for (var at = _heads[PlaceOf(id)]; at > 0; at = _entries[at - 1].Following)
            {
                ref readonly var entry = ref _entries[at - 1];
                if (entry.Id != id)
                    continue;
                (timeNs, port) = (entry.TimeNs, entry.Port);
                return true;
            }
        }

        (timeNs, port) = (0, 0);
        return false;
    }

    /// <summary>Remembers an id that is not remembered.</summary>
    public void Add(ulong id, long timeNs, ushort port)
    {
        if (_count == capacity)
            Unchain(_next);
        else if (_count == _entries.Length)
            Grow();
        _entries[_next] = new Entry { Id = id, TimeNs = timeNs, Port = port };
        Chain(_next);
        _count = Math.Min(_count + 1, capacity);
        _next = (_next + 1) & (_entries.Length - 1);
    }

    private int PlaceOf(ulong id) => (int)id & (_heads.Length - 1);

    private void Chain(int index)
    {
        ref var head = ref _heads[PlaceOf(_entries[index].Id)];
        _entries[index].Following = head;
        head = index + 1;
    }

    private void Unchain(int index)
    {
        ref var link = ref _heads[PlaceOf(_entries[index].Id)];
        while (link != index + 1)
            link = ref _entries[link - 1].Following;
        link = _entries[index].Following;
    }

    private void Grow()
    {
        _next = _count;
        Array.Resize(ref _entries, (int)Math.Min(capacity, BitOperations.RoundUpToPowerOf2((uint)Math.Max(InitialCapacity, 2 * _count))));
        _heads = new int[_entries.Length];
        for (var i = 0; i < _count; i++)
            Chain(i);
    }

    private struct Entry
    {
        public ulong Id;
        public long TimeNs;

        /// <summary>Index plus one of the next entry of the chain; 0 = none.</summary>
        public int Following;
        public ushort Port;
    }
}
