using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Rules;

namespace IoTGuard.Analysis.Baselines;

/// <summary>Makes a site of what a run has seen. What attackers did is left out.</summary>
internal sealed class SiteTeacher(DetectionContext context)
{
    private long _firstNs = long.MaxValue;
    private long _lastNs = long.MinValue;
    private long _scoredFlows;

    public void OnTime(long timeNs)
    {
        _firstNs = Math.Min(_firstNs, timeNs);
        _lastNs = Math.Max(_lastNs, timeNs);
    }

    public void OnFlow(in FlowRecord flow)
    {
        if (flow.FromOriginator.Packets + flow.FromResponder.Packets >= 8)
            _scoredFlows++;
    }

    public Site Teach()
    {
        var period = _firstNs > _lastNs ? default : new LearningPeriod(_firstNs, _lastNs);
        var offenders = context.Offenders;
        var facts = new Dictionary<Fact, FactHistory>(context.Facts.Seen.Count);
        foreach (var (fact, history) in context.Facts.Seen)
        {
            if (!offenders.Contains(fact.A))
                facts.Add(fact, history);
        }

        var middle = Novelty.MiddleOf(period);
        var halfHours = Math.Max(period.Hours / 2, 1.0 / 60);
        var rates = facts.Where(f => f.Value.FirstNs >= middle && !context.Facts.IsLearned(f.Key))
            .GroupBy(static f => f.Key.Kind)
            .ToDictionary(static g => g.Key, g => g.Count() / halfHours);
        return new Site
        {
            Devices = [.. context.Devices.Devices.Where(d => d.IsConfirmed && (d.IsLearned || !offenders.Contains(d.Address))).Select(static d => d.Copy())],
            Facts = facts,
            Rates = context.Rates.Profiles().Where(r => !offenders.Contains(r.Key.Device)).ToDictionary(),
            Periods = period == default ? [] : [period],
            NewPerHour = rates,
            NewDevicesPerHour = context.Devices.Devices.Count(d => d.IsConfirmed && !d.IsLearned && d.FirstSeenNs >= middle) / halfHours,
            ScoredFlowsPerHour = period.Hours > 0 ? _scoredFlows / period.Hours : 0,
        };
    }
}
