namespace IoTGuard.Pipeline;

/// <summary>
/// The clock of a live run on one ring: the largest packet time so far, as long as the machine's clock goes forward. When that is set back, the run's clock goes on from where it
/// was, a quarter slower than packet time until they agree again: if it stood still instead, no flow would end until then, and hours would look like one instant to whoever counts over time.
/// </summary>
internal struct RunClock
{
    /// <summary>Packet times that are earlier than the clock by no more than this are late packets, or small corrections: the clock waits for them, ns.</summary>
    public const long LateNs = 5_000_000_000;

    private const int Slowing = 4;

    private long _ahead;
    private long _last;

    /// <summary>ns since 1970; 0 before the first packet.</summary>
    public long Now { get; private set; }

    /// <summary>Takes a packet into account, and returns the time that it has in the run.</summary>
    /// <param name="packetNs">Its time by the machine's clock, ns.</param>
    /// <param name="newest">Clock of the ring that is farthest: after a step all go on from there.</param>
    public long Take(long packetNs, long newest)
    {
        if (_ahead > 0 && packetNs > _last)
            _ahead = Math.Max(0, _ahead - ((packetNs - _last) / Slowing));
        _last = packetNs;
        if (packetNs + _ahead < Now - LateNs)
            _ahead = Math.Max(Now, newest) - packetNs;
        Now = Math.Max(Now, packetNs + _ahead);
        return packetNs + _ahead;
    }

    /// <summary>Follows another ring's clock.</summary>
    public void Follow(long clock) => Now = Math.Max(Now, clock);
}
