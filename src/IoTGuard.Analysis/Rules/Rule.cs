using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Analysis.Rules;

/// <summary>A named number of a rule, with its unit.</summary>
public sealed record Threshold(string Name, double Value, string Unit);

/// <summary>How a rule is treated.</summary>
[Flags]
public enum RuleTraits
{
    None = 0,

    /// <summary>Compares with a learned site; silent on the first day.</summary>
    Baseline = 1,

    /// <summary>A standing state: told once, and not at all when it stood while the site was learned.</summary>
    Standing = 2,

    /// <summary>What it finds is an attack: facts about the device are not learned, and other findings about it weigh more.</summary>
    Hostile = 4,

    /// <summary>One alert per device and peer; else one per device.</summary>
    PerPeer = 8,
}

/// <summary>One detection: everything about it that is not code.</summary>
public sealed record Rule
{
    /// <summary>Quiet time of rules about what a device never did before: what was told is no news on the same day, seconds.</summary>
    public const double NewsSeconds = 86_400;

    private readonly Threshold[] _thresholds = [];

    /// <summary>Stable id, kebab-case.</summary>
    public required string Id { get; init; }

    public required string Title { get; init; }

    public required string Category { get; init; }

    /// <summary>0 (informational) to 10, before patients and roles are weighed in.</summary>
    public required int Severity { get; init; }

    public required IReadOnlyList<AttackTechnique> Attack { get; init; }

    /// <summary>When it fires.</summary>
    public required string Condition { get; init; }

    /// <summary>The alert's sentence; {device}, {peer}, {count} and the names of measures in braces are replaced. A part in brackets at its end needs its measure.</summary>
    public required string Template { get; init; }

    public required string Recommendation { get; init; }

    /// <summary>What else looks like this.</summary>
    public required string FalsePositives { get; init; }

    public RuleTraits Traits { get; init; }

    public IReadOnlyList<Threshold> Thresholds
    {
        get => _thresholds;
        init => _thresholds = [.. value];
    }

    /// <summary>Packet time without a further observation after which the alert closes, seconds.</summary>
    public double QuietSeconds { get; init; } = 900;

    /// <summary>By id alone, which no two rules share: rules are keys of alerts, whatever their thresholds are meanwhile.</summary>
    public bool Equals(Rule? other) => other is not null && other.Id == Id;

    /// <inheritdoc cref="Equals(Rule?)"/>
    public override int GetHashCode() => Id.GetHashCode(StringComparison.Ordinal);

    /// <summary>True when there is one alert for as long as the state lasts: what was told, or stood while the site was learned, is not told again.</summary>
    public bool IsToldOnce => Has(RuleTraits.Standing) || double.IsPositiveInfinity(QuietSeconds);

    public bool Has(RuleTraits trait) => (Traits & trait) != RuleTraits.None;

    /// <summary>The value of a threshold.</summary>
    public double this[string threshold]
    {
        get
        {
            foreach (ref readonly var own in _thresholds.AsSpan())
            {
                if (own.Name == threshold)
                    return own.Value;
            }

            throw new ArgumentException($"The rule {Id} has no threshold {threshold}.", nameof(threshold));
        }
    }
}
