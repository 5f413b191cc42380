using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Policies;
using IoTGuard.Analysis.Rules.Custom;

namespace IoTGuard.Analysis;

/// <summary>Limits and choices of the detector.</summary>
public sealed record DetectorOptions
{
    /// <summary>Alerts per day when nothing else is said.</summary>
    public const double DefaultAlertBudgetPerDay = 10;

    /// <summary>Largest number of alerts per day that may be asked for.</summary>
    public const double LargestAlertBudgetPerDay = 100_000;

    /// <summary>Alerts per day of packet time that the models may raise; 0 = they are silent.</summary>
    public double AlertBudgetPerDay { get; init; } = DefaultAlertBudgetPerDay;

    /// <summary>Most devices held; addresses beyond them are watched by rules but not inventoried.</summary>
    public int MaximumDevices { get; init; } = 50_000;

    /// <summary>Most facts (peers, senders, titles ...) held over all devices; facts beyond them are neither learned nor news.</summary>
    public int MaximumFacts { get; init; } = 1_000_000;

    /// <summary>Most alerts open at once; beyond them the ones longest quiet are closed.</summary>
    public int MaximumOpenAlerts { get; init; } = 4096;

    /// <summary>An open alert is sent again at most this often, ns of packet time.</summary>
    public long UpdateIntervalNs { get; init; } = 60_000_000_000;

    /// <summary>An alert joins the incident of its device or victim when that was active within this time, ns of packet time.</summary>
    public long IncidentWindowNs { get; init; } = 1_800_000_000_000;

    /// <summary>Seed of the Community IDs in alerts; stays as it was when options change in a run.</summary>
    public ushort CommunityIdSeed { get; init; }

    /// <summary>Addresses that belong to the site besides the private ones.</summary>
    public IReadOnlyList<AddressPrefix> InsideNetworks { get; init; } = [];

    /// <summary>Addresses and networks of the site's own scanners: what they explore is no finding.</summary>
    public IReadOnlyList<AddressPrefix> ExemptScanners { get; init; } = [];

    /// <summary>Zones of the site, and what may talk to what.</summary>
    public ZonePolicy Policy { get; init; } = ZonePolicy.Empty;

    /// <summary>Rules that the site wrote itself.</summary>
    public IReadOnlyList<CustomRule> CustomRules { get; init; } = [];

    /// <summary>Flows, and windows of devices, kept for training models, a uniform sample of all each; 0 = none.</summary>
    public int TrainingRows { get; init; }

    /// <summary>Fingerprints that the site knows to be bad: JA3, JA3S, JA4, JA4S or HASSH, without their kind.</summary>
    public IReadOnlySet<string> Indicators { get; init; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Thresholds that differ from the rule table, by "rule-id.threshold".</summary>
    public IReadOnlyDictionary<string, double> Thresholds { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);
}
