namespace IoTGuard.Analysis.Rules;

/// <summary>
/// How regular a sender is, told from its pauses: of one that speaks each minute nearly all time lies in pauses about as long as its longest, of one that speaks when
/// something happens hardly any. Learned in the run; a pause twice as long as all before begins anew.
/// </summary>
internal struct Steadiness
{
    private long _lastNs;
    private long _longestNs;
    private long _spanNs;
    private long _longNs;

    /// <summary>Pauses of at least half the longest.</summary>
    public int Regular { get; private set; }

    /// <summary>Longest pause, ns of packet time.</summary>
    public readonly long LongestNs => _longestNs;

    /// <summary>When it spoke last, ns of packet time.</summary>
    public readonly long LastNs => _lastNs;

    /// <summary>Share of the time that lies in pauses of at least half the longest.</summary>
    public readonly double Share => _spanNs == 0 ? 0 : (double)_longNs / _spanNs;

    /// <summary>Notes that it spoke.</summary>
    public void Add(long timeNs)
    {
        var pause = timeNs - _lastNs;
        var isFirst = _lastNs == 0;
        _lastNs = timeNs;
        if (isFirst || pause <= 0)
            return;
        if (pause > 2 * _longestNs)
            (_spanNs, _longNs, Regular) = (0, 0, 0);
        _longestNs = Math.Max(_longestNs, pause);
        _spanNs += pause;
        if (2 * pause < _longestNs)
            return;
        _longNs += pause;
        Regular++;
    }
}
