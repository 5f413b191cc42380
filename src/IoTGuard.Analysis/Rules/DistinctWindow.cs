namespace IoTGuard.Analysis.Rules;

/// <summary>
/// Counts different values over the last window of packet time. Exact up to the limit, then it says the limit ("at least"). Values are
/// forgotten half a window at a time, so a value counts for between half a window and a whole one.
/// </summary>
internal sealed class DistinctWindow(long windowNs, int limit)
{
    // Made when needed: most windows of a flood's sources stay empty.
    private HashSet<ulong>? _current;
    private HashSet<ulong>? _previous;
    private long _startNs = long.MinValue;
    private int _fresh;

    /// <summary>Values counted exactly.</summary>
    public int Limit { get; set; } = limit;

    /// <summary>Different values in the window.</summary>
    public int Count => (_previous?.Count ?? 0) + _fresh;

    /// <summary>Packet time of the oldest value that may still be counted, ns.</summary>
    public long FirstNs { get; private set; }

    /// <summary>True when the value was not yet in the window.</summary>
    public bool Add(ulong value, long timeNs)
    {
        Rotate(timeNs);
        if (Count >= Limit || !(_current ??= []).Add(value))
            return false;
        if (_previous is not null && _previous.Contains(value))
            return false;
        if (Count == 0)
            FirstNs = timeNs;
        _fresh++;
        return true;
    }

    public bool Contains(ulong value) => (_current is not null && _current.Contains(value)) || (_previous is not null && _previous.Contains(value));

    /// <summary>Takes a value out.</summary>
    public void Remove(ulong value)
    {
        var held = _previous is not null && _previous.Remove(value);
        if (_current is not null && _current.Remove(value) && !held)
            _fresh--;
    }

    /// <summary>Forgets what is too old at a time.</summary>
    public void Rotate(long timeNs)
    {
        if (_startNs == long.MinValue)
        {
            _startNs = timeNs;
            FirstNs = timeNs;
        }

        var age = timeNs - _startNs;
        if (age < windowNs / 2)
            return;
        (_previous, _current) = (_current, _previous);
        _current?.Clear();
        if (age >= windowNs)
            _previous?.Clear();
        _fresh = 0;
        FirstNs = _previous is not { Count: > 0 } ? timeNs : Math.Max(FirstNs, _startNs);
        _startNs = timeNs;
    }
}

/// <summary>Adds amounts over the last window of packet time, forgotten half a window at a time.</summary>
internal struct WindowSum
{
    private long _startNs;
    private double _current;
    private double _previous;
    private bool _started;

    /// <summary>Sum over between half a window and a whole one.</summary>
    public readonly double Total => _current + _previous;

    /// <summary>Packet time of the first amount in the sum, ns.</summary>
    public long FirstNs { get; private set; }

    /// <summary>Packet time at which the sum last rose above the level, ns: where a burst began.</summary>
    public long RiseNs { get; private set; }

    /// <summary>Adds an amount, and notes where the sum rises above a level.</summary>
    public void Add(double amount, long timeNs, long windowNs, double level)
    {
        Add(0, timeNs, windowNs);
        if (Total + amount > level && (Total <= level || RiseNs == 0))
            RiseNs = timeNs;
        _current += amount;
    }

    public void Add(double amount, long timeNs, long windowNs)
    {
        if (!_started)
        {
            _started = true;
            _startNs = timeNs;
            FirstNs = timeNs;
        }

        var age = timeNs - _startNs;
        if (age >= windowNs / 2)
        {
            _previous = age >= windowNs ? 0 : _current;
            FirstNs = age >= windowNs ? timeNs : _startNs;
            _current = 0;
            _startNs = timeNs;
        }

        _current += amount;
    }
}

/// <summary>
/// State per key, bounded: when the table is full, what was untouched for the window is dropped, and while that frees nothing new keys
/// are refused and counted.
/// </summary>
internal sealed class KeyedState<TKey, TState>(int maximum, long windowNs)
    where TKey : struct, IEquatable<TKey>
    where TState : class
{
    private readonly Dictionary<TKey, Entry> _entries = [];
    private readonly List<TKey> _old = [];
    private long _cleanedNs = long.MinValue;

    /// <summary>The place of a key. Who touches it again and again keeps this instead of searching for it.</summary>
    internal sealed class Entry(TState state)
    {
        public readonly TState State = state;

        /// <summary>Packet time of the last touch, ns.</summary>
        public long TouchedNs;

        /// <summary>True when it was dropped; the key then has another place, or none.</summary>
        public bool IsDropped;
    }

    public int Count => _entries.Count;

    /// <summary>Keys that were refused.</summary>
    public long Overflows { get; private set; }

    public TState? Find(TKey key) => _entries.TryGetValue(key, out var entry) ? entry.State : null;

    /// <summary>The state of a key, made when it is new; null when the table is full.</summary>
    public TState? Touch(TKey key, long timeNs, Func<TState> make) => Enter(key, timeNs, make)?.State;

    /// <summary>The same, for a state that <paramref name="maker"/> tells how to make: a static function with it needs no object for each call.</summary>
    public TState? Touch<TMaker>(TKey key, long timeNs, TMaker maker, Func<TMaker, TState> make) => Enter(key, timeNs, maker, make)?.State;

    /// <summary>The same, as the place that can be kept.</summary>
    public Entry? Enter(TKey key, long timeNs, Func<TState> make) => Enter(key, timeNs, make, static make => make());

    private Entry? Enter<TMaker>(TKey key, long timeNs, TMaker maker, Func<TMaker, TState> make)
    {
        if (!_entries.TryGetValue(key, out var entry))
        {
            if (_entries.Count >= maximum)
                Clean(timeNs);
            if (_entries.Count >= maximum)
            {
                Overflows++;
                return null;
            }

            _entries.Add(key, entry = new Entry(make(maker)));
        }

        entry.TouchedNs = timeNs;
        return entry;
    }

    public void Remove(TKey key)
    {
        if (_entries.Remove(key, out var entry))
            entry.IsDropped = true;
    }

    private void Clean(long timeNs)
    {
        // A full scan frees nothing new before a part of the window has passed.
        if (_cleanedNs != long.MinValue && timeNs - _cleanedNs < windowNs / 8)
            return;
        _cleanedNs = timeNs;
        foreach (var (key, entry) in _entries)
        {
            if (timeNs - entry.TouchedNs > windowNs)
                _old.Add(key);
        }

        foreach (var key in _old)
            Remove(key);
        _old.Clear();
    }
}
