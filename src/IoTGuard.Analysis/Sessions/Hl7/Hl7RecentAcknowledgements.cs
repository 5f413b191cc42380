namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Remembers the last <see cref="Capacity"/> different acknowledgements (control id and code, as a 64-bit hash), so that repeated ones
/// are told apart: servers that acknowledge all earlier messages again are common. The oldest is forgotten first.
/// </summary>
internal sealed class Hl7RecentAcknowledgements
{
    /// <summary>Acknowledgements remembered per connection.</summary>
    public const int Capacity = 64;

    private const int InitialCapacity = 4;

    // The highest byte of each key: one cache line tells nearly always that an acknowledgement is new.
    private byte[] _tags = [];
    private Entry[] _entries = [];
    private int _next;

    /// <summary>Touches what an acknowledgement will need. The result says nothing.</summary>
    public long Touch() => _next >= _tags.Length ? 0 : _tags[0] + _tags[^1] + _entries[_next].Count;

    /// <summary>Counts an acknowledgement; returns how often it was counted before.</summary>
    public int Count(ReadOnlySpan<byte> controlId, string? code)
    {
        var key = Hash(controlId, code);
        var tag = (byte)(key >> 56);
        for (int at = 0, found; (found = _tags.AsSpan(at).IndexOf(tag)) >= 0; at += found + 1)
        {
            ref var entry = ref _entries[at + found];
            if (entry.Key == key)
                return entry.Count++;
        }

        if (_next == _tags.Length)
        {
            Array.Resize(ref _tags, Math.Max(InitialCapacity, 2 * _next));
            Array.Resize(ref _entries, _tags.Length);
        }

        _tags[_next] = tag;
        _entries[_next] = new Entry { Key = key, Count = 1 };
        _next = (_next + 1) % Capacity;
        return 0;
    }

    public void Clear()
    {
        Array.Clear(_entries);
        _next = 0;
    }

    /// <summary>Never 0, which is kept for empty places.</summary>
    private static ulong Hash(ReadOnlySpan<byte> controlId, string? code)
    {
        const ulong Prime = 0x100000001B3;
        var hash = 0xCBF29CE484222325;
        foreach (var b in controlId)
            hash = (hash ^ b) * Prime;
        foreach (var c in code ?? "")
            hash = (hash ^ c ^ 0x100) * Prime;
        return hash | 1;
    }

    private struct Entry
    {
        public ulong Key;
        public int Count;
    }
}
