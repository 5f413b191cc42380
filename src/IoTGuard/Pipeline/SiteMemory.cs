using IoTGuard.Analysis;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Sites.State;

namespace IoTGuard.Pipeline;

/// <summary>What a sensor takes in as it runs, kept in the site's state beside what was learned, so that a restart or a crash repeats nothing that was told.</summary>
internal sealed class SiteMemory(StateWriter? writer)
{
    /// <summary>How often it is written, ns of packet time.</summary>
    private const long IntervalNs = 600_000_000_000;

    private Site _kept = writer?.Settled ?? Site.Empty;
    private long _nextNs = long.MinValue;
    private (object Learned, Site Extended)? _given;

    /// <summary>
    /// A learned site with what sensors took in since. Without a learned site there is nothing to extend but what was told. The same learned facts give the
    /// same object again, by which the detector knows that only the models may be others, and goes on counting.
    /// </summary>
    public Site With(Site site)
    {
        if (_given is { } given && ReferenceEquals(given.Learned, site.Facts))
            return given.Extended with { Models = site.Models };
        var extended = _kept.Facts.Count == 0 && _kept.Devices.Count == 0 ? site : site.Merge(_kept);
        _given = (site.Facts, extended);
        return extended;
    }

    /// <summary>The clock went on, ns of packet time.</summary>
    public void OnClock(Detector detector, long clockNs)
    {
        if (_nextNs == long.MinValue)
            _nextNs = clockNs + IntervalNs;
        if (clockNs < _nextNs)
            return;
        _nextNs = clockNs + IntervalNs;
        Keep(detector);
    }

    /// <summary>Keeps what the run took in so far.</summary>
    public void Keep(Detector detector)
    {
        if (writer is null)
            return;
        var settled = detector.Settle();
        if (settled.Facts.Count == 0 && settled.Devices.Count == 0)
            return;
        _kept = _kept.Merge(settled);
        writer.OnSettled(_kept);
    }
}
