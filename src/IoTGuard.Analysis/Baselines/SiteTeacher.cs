using IoTGuard.Analysis.Rules;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Baselines;

/// <summary>
/// Makes a site of what a run has seen. What attackers did is left out. Who does nothing worse than explore the network, but does so in
/// several minutes and over much of the period, is taken for monitoring or inventory, and is learned; of others who only explored, no more than that they are there.
/// </summary>
internal sealed class SiteTeacher(DetectionContext context)
{
    /// <summary>What went on for so long, ns of packet time, and was seen so often, is normal.</summary>
    private const long SettledNs = 86_400_000_000_000;
    private const int SettledTimes = 3;

    /// <summary>Minutes with exploration, and the share of the period between the first and the last of them, from which on it is regular.</summary>
    private const int RegularMinutes = 3;
    private const double RegularShare = 1.0 / 3;

    /// <summary>A pause without any event counts as this long at most: between two captures nobody looked. ns.</summary>
    private const long LongestPauseNs = 300_000_000_000;

    private long _firstNs = long.MaxValue;
    private long _lastNs = long.MinValue;
    private long _watchedNs;
    private long _scoredFlows;
    private long _scoredWindows;

    public void OnTime(long timeNs)
    {
        _firstNs = Math.Min(_firstNs, timeNs);
        if (timeNs > _lastNs && _lastNs != long.MinValue)
            _watchedNs += Math.Min(timeNs - _lastNs, LongestPauseNs);
        _lastNs = Math.Max(_lastNs, timeNs);
    }

    /// <summary>A flow closed that models would score.</summary>
    public void OnScoredFlow() => _scoredFlows++;

    /// <summary>A window ended that models would score.</summary>
    public void OnScoredWindow() => _scoredWindows++;

    public Site Teach()
    {
        var period = _firstNs > _lastNs ? default : new LearningPeriod(_firstNs, _lastNs, _watchedNs);
        var offenders = Offenders(period);
        var facts = new Dictionary<Fact, FactHistory>(context.Facts.Seen.Count);
        foreach (var (fact, seen) in context.Facts.Seen)
        {
            var history = seen.History;
            if (offenders.Contains(fact.A) || (fact.Kind == FactKind.Scanner && !IsRegular(history, period)))
                continue;

            // Addresses that were joined to a device after the fact was seen.
            var identified = fact with { A = context.IdentityOf(fact.A), B = fact.B == default ? default : context.IdentityOf(fact.B) };
            facts[identified] = facts.TryGetValue(identified, out var other)
                ? new FactHistory(Math.Min(other.FirstNs, history.FirstNs), Math.Max(other.LastNs, history.LastNs), other.Count + history.Count)
                : history;
        }

        var middle = Novelty.MiddleOf(period);
        var watchedHours = _watchedNs / 3.6e12;
        var halfHours = Math.Max(period.Hours / 2, 1.0 / 60);
        var rates = facts.Where(f => f.Value.FirstNs >= middle && !context.Facts.IsLearned(f.Key))
            .GroupBy(static f => f.Key.Kind)
            .ToDictionary(static g => g.Key, g => g.Count() / halfHours);
        return new Site
        {
            Devices = [.. context.Devices.Devices.Where(d => d.IsConfirmed && (d.IsLearned || !offenders.Contains(d.Address) || !context.Attackers.Contains(d.Address))).Select(static d => d.AsLearned())],
            Facts = facts,
            Rates = context.Rates.Profiles().Where(r => !offenders.Contains(r.Key.Device)).ToDictionary(),
            Periods = period == default ? [] : [period],
            NewPerHour = rates,
            NewDevicesPerHour = context.Devices.Devices.Count(d => d.IsConfirmed && !d.IsLearned && d.FirstSeenNs >= middle) / halfHours,
            ScoredFlowsPerHour = watchedHours > 0 ? _scoredFlows / watchedHours : 0,
            ScoredWindowsPerHour = watchedHours > 0 ? _scoredWindows / watchedHours : 0,
        };
    }

    /// <summary>
    /// What a sensor takes in as it runs: findings that were told, so that a restart does not tell them again; and devices and facts that went on for a
    /// whole day without an attack by either side. One attack teaches nothing: it is over sooner, or its attacker is known.
    /// </summary>
    public Site Settle()
    {
        var offenders = context.Offenders;
        var facts = new Dictionary<Fact, FactHistory>();
        foreach (var (fact, seen) in context.Facts.Seen)
        {
            var history = seen.History;
            var isSettled = history.LastNs - history.FirstNs >= SettledNs && history.Count >= SettledTimes && !offenders.Contains(fact.A) && !offenders.Contains(fact.B);
            if ((isSettled || fact.Kind == FactKind.Finding) && fact.Kind != FactKind.Scanner && !context.Facts.IsLearned(fact))
                facts.Add(fact, history);
        }

        return new Site
        {
            Devices = [.. context.Devices.Devices.Where(d => d is { IsConfirmed: true, IsLearned: false } && d.LastSeenNs - d.FirstSeenNs >= SettledNs && !offenders.Contains(d.Address))
                .Select(static d => d.AsLearned())],
            Facts = facts,
        };
    }

    /// <summary>Attackers of this run whose deeds are not learned.</summary>
    private HashSet<IpAddress> Offenders(LearningPeriod period)
    {
        var offenders = new HashSet<IpAddress>(context.Offenders);
        foreach (var (fact, seen) in context.Facts.Seen)
        {
            if (fact.Kind == FactKind.Scanner && !context.Attackers.Contains(fact.A) && (context.Facts.IsLearned(fact) || IsRegular(seen.History, period)))
                offenders.Remove(fact.A);
        }

        return offenders;
    }

    private static bool IsRegular(FactHistory history, LearningPeriod period) =>
        history.Count >= RegularMinutes && history.LastNs - history.FirstNs >= RegularShare * (period.EndNs - period.StartNs);
}
