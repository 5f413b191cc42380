using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Inventory;

namespace IoTGuard.Analysis.Baselines;

/// <summary>A stretch of packet time that was learned from.</summary>
/// <param name="StartNs">Its first packet, ns since 1970.</param>
/// <param name="EndNs">Its last packet, ns since 1970.</param>
/// <param name="WatchedNs">The part of it in which there was traffic to learn from, ns: not the pauses between captures.</param>
public readonly record struct LearningPeriod(long StartNs, long EndNs, long WatchedNs)
{
    /// <summary>A stretch without pauses.</summary>
    public LearningPeriod(long startNs, long endNs)
        : this(startNs, endNs, Math.Max(0, endNs - startNs))
    {
    }

    /// <summary>Hours that there was traffic to learn from.</summary>
    public double Hours => WatchedNs / 3.6e12;
}

/// <summary>The models of a site.</summary>
/// <param name="Active">Those that raise alerts.</param>
/// <param name="Shadow">Those that score beside them without raising alerts; null = none.</param>
public sealed record SiteModels(ModelSet Active, ModelSet? Shadow = null)
{
    /// <summary>No models.</summary>
    public static SiteModels None { get; } = new(ModelSet.Empty);
}

/// <summary>
/// What was learned of a site: devices, facts, rates, the models, and how fast new things still appeared when learning ended.
/// Immutable. The key for pseudonyms is no part of it.
/// </summary>
public sealed record Site
{
    /// <summary>Nothing learned: the first day.</summary>
    public static Site Empty { get; } = new();

    /// <summary>The file by which a folder is known to be a site; written last.</summary>
    public const string ManifestFile = SiteFormat.Site;

    public IReadOnlyList<Device> Devices { get; init; } = [];

    public IReadOnlyDictionary<Fact, FactHistory> Facts { get; init; } = new Dictionary<Fact, FactHistory>();

    public IReadOnlyDictionary<RateKey, RateProfile> Rates { get; init; } = new Dictionary<RateKey, RateProfile>();

    public IReadOnlyList<LearningPeriod> Periods { get; init; } = [];

    /// <summary>New facts per hour of each kind in the last half of the latest learning period.</summary>
    public IReadOnlyDictionary<FactKind, double> NewPerHour { get; init; } = new Dictionary<FactKind, double>();

    /// <summary>New devices per hour in the last half of the latest learning period.</summary>
    public double NewDevicesPerHour { get; init; }

    /// <summary>The models that judge it. No part of the site's own files: they have versions of their own.</summary>
    public SiteModels Models { get; init; } = SiteModels.None;

    /// <summary>Flows per hour that the model would have scored while learning; 0 = not known.</summary>
    public double ScoredFlowsPerHour { get; init; }

    /// <summary>Windows of devices per hour that models would have scored while learning; 0 = not known.</summary>
    public double ScoredWindowsPerHour { get; init; }

    /// <summary>True when there was a learning period.</summary>
    public bool IsLearned => Periods.Count > 0;

    /// <summary>Hours learned from.</summary>
    public double HoursLearned => Periods.Sum(static p => p.Hours);

    /// <summary>What both know; rates of new things are those of <paramref name="later"/> where it has them, the models those of this one.</summary>
    public Site Merge(Site later)
    {
        var facts = new Dictionary<Fact, FactHistory>(Facts);
        foreach (var (fact, history) in later.Facts)
        {
            facts[fact] = facts.TryGetValue(fact, out var known)
                ? new FactHistory(Math.Min(known.FirstNs, history.FirstNs), Math.Max(known.LastNs, history.LastNs), known.Count + history.Count)
                : history;
        }

        var rates = new Dictionary<RateKey, RateProfile>(Rates);
        foreach (var (key, profile) in later.Rates)
            rates[key] = rates.TryGetValue(key, out var known) ? known.With(profile) : profile;

        // A run with a site carries on the site's devices, so the later record of a device holds the earlier one.
        var devices = new List<Device>(later.Devices);
        var addresses = later.Devices.SelectMany(static d => d.Addresses).ToHashSet();
        devices.AddRange(Devices.Where(d => !d.Addresses.Any(addresses.Contains)));

        return this with
        {
            Devices = devices,
            Facts = facts,
            Rates = rates,
            Periods = [.. Periods, .. later.Periods],
            NewPerHour = later.IsLearned ? later.NewPerHour : NewPerHour,
            NewDevicesPerHour = later.IsLearned ? later.NewDevicesPerHour : NewDevicesPerHour,
            ScoredFlowsPerHour = later.ScoredFlowsPerHour > 0 ? later.ScoredFlowsPerHour : ScoredFlowsPerHour,
            ScoredWindowsPerHour = later.ScoredWindowsPerHour > 0 ? later.ScoredWindowsPerHour : ScoredWindowsPerHour,
        };
    }

    /// <summary>This site without some of its devices and facts; the rates of devices go with them.</summary>
    public Site Where(Func<Device, bool> devices, Func<Fact, bool> facts)
    {
        var gone = Devices.Where(d => !devices(d)).SelectMany(static d => d.Addresses).ToHashSet();
        return this with
        {
            Devices = [.. Devices.Where(devices)],
            Facts = Facts.Where(f => facts(f.Key)).ToDictionary(),
            Rates = Rates.Where(r => !gone.Contains(r.Key.Device)).ToDictionary(),
        };
    }

    /// <summary>The site as files: name to content.</summary>
    public IReadOnlyDictionary<string, byte[]> ToFiles() => SiteWriter.Write(this);

    /// <summary>Reads a site back.</summary>
    /// <exception cref="SiteException">A file is missing or damaged; the message names it, the line, and the remedy.</exception>
    public static Site FromFiles(IReadOnlyDictionary<string, byte[]> files) => SiteReader.Read(files);
}
