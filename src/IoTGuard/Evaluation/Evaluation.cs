namespace IoTGuard.Evaluation;

/// <summary>How one labelled scenario was met.</summary>
/// <param name="TimeToDetect">Seconds of packet time from the scenario's start to the first matching alert; null when missed.</param>
internal sealed record ScenarioResult(Label Label, IReadOnlyList<ScoredAlert> Alerts, double? TimeToDetect)
{
    /// <summary>True when an alert is about one of the attackers.</summary>
    public bool NamesAttacker => Alerts.Any(a => a.Device is { } device && Label.Attackers.Contains(device, StringComparer.Ordinal));
}

/// <summary>
/// Alerts held against labels. An alert meets a scenario when their times overlap (with <see cref="GraceSeconds"/> after its end) and
/// its device or peer is one of the scenario's attackers or victims. An alert that meets none is a false one.
/// </summary>
internal sealed class EvaluationResult
{
    /// <summary>An alert may come this long after a scenario's end and still count for it, seconds.</summary>
    public const double GraceSeconds = 60;

    /// <param name="labels">What really happened.</param>
    /// <param name="all">Alerts; those that the site suppresses are counted apart, and neither find a scenario nor are false.</param>
    /// <param name="hours">Hours of traffic; null = from the first to the last time in labels and alerts.</param>
    /// <param name="budgetPerDay">Alerts per day that somebody looks at, the heaviest first.</param>
    public EvaluationResult(IReadOnlyList<Label> labels, IReadOnlyList<ScoredAlert> all, double? hours, double budgetPerDay)
    {
        IReadOnlyList<ScoredAlert> alerts = [.. all.Where(static a => !a.IsSuppressed)];
        Suppressed = all.Count - alerts.Count;
        var matched = new HashSet<ScoredAlert>();
        foreach (var label in labels)
        {
            var hits = alerts.Where(a => Meets(a, label)).OrderBy(a => a.Raised).ToList();
            matched.UnionWith(hits);
            Scenarios.Add(new ScenarioResult(label, hits, TimeToDetect(label, hits)));
        }

        FalseAlerts = [.. alerts.Where(a => !matched.Contains(a))];
        Alerts = alerts.Count;
        Hours = hours ?? Span(labels, alerts);
        Budget = Math.Max(1, (int)Math.Ceiling(budgetPerDay * Hours / 24));
        var looked = alerts.OrderByDescending(static a => a.Weight).ThenBy(static a => a.Raised).ThenBy(static a => a.Id, StringComparer.Ordinal).Take(Budget).ToList();
        PrecisionAtBudget = looked.Count == 0 ? null : (double)looked.Count(matched.Contains) / looked.Count;
    }

    public List<ScenarioResult> Scenarios { get; } = [];

    public IReadOnlyList<ScoredAlert> FalseAlerts { get; }

    public int Alerts { get; }

    /// <summary>Hours of packet time that the false alerts are spread over; 0 when nothing says.</summary>
    public double Hours { get; }

    public int Found => Scenarios.Count(s => s.TimeToDetect is not null);

    /// <summary>Alerts that the site suppresses.</summary>
    public int Suppressed { get; }

    /// <summary>Alerts that the budget allows in <see cref="Hours"/>; at least one.</summary>
    public int Budget { get; }

    /// <summary>Share of true ones among the heaviest alerts that the budget allows; null without alerts.</summary>
    public double? PrecisionAtBudget { get; }

    /// <summary>Scenarios in which an alert is about an attacker.</summary>
    public int Named => Scenarios.Count(static s => s.NamesAttacker);

    public double? Recall => Scenarios.Count == 0 ? null : (double)Found / Scenarios.Count;

    public double? Precision => Alerts == 0 ? null : 1 - ((double)FalseAlerts.Count / Alerts);

    public double? FalseAlertsPerHour => Hours > 0 ? FalseAlerts.Count / Hours : null;

    /// <summary>To the first alert raised during the scenario; 0 when only alerts that stood before it went on.</summary>
    private static double? TimeToDetect(Label label, List<ScoredAlert> hits)
    {
        if (hits.Count == 0)
            return null;
        var raised = hits.Find(a => a.Raised >= label.Start);
        return raised is null ? 0 : raised.Raised - label.Start;
    }

    private static bool Meets(ScoredAlert alert, Label label) =>
        alert.FirstSeen <= label.End + GraceSeconds && alert.LastSeen >= label.Start && alert.Addresses.Intersect(label.Addresses, StringComparer.Ordinal).Any();

    private static double Span(IReadOnlyList<Label> labels, IReadOnlyList<ScoredAlert> alerts)
    {
        var times = labels.SelectMany(l => new[] { l.Start, l.End }).Concat(alerts.SelectMany(a => new[] { a.FirstSeen, a.LastSeen })).ToList();
        return times.Count == 0 ? 0 : (times.Max() - times.Min()) / 3600;
    }
}
