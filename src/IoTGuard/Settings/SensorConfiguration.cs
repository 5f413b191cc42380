using IoTGuard.Analysis;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Models;
using IoTGuard.Sites;

namespace IoTGuard.Settings;

/// <summary>Everything that the sensor reads before it runs, and again at a reload: settings, policy, rules, the site with its model, receivers.</summary>
/// <param name="Settings">Settings in force.</param>
/// <param name="Own">Policy and rules of the site.</param>
/// <param name="Site">What was learned; the same facts, and the same models, as long as their files are the same.</param>
/// <param name="Detection">Limits and choices of the detector.</param>
internal sealed record SensorConfiguration(SensorSettings Settings, SiteSettings Own, Site Site, DetectorOptions Detection)
{
    private const long NsPerSecond = 1_000_000_000;

    /// <summary>Folder of the site in force, whatever the settings say since; null for the shipped one.</summary>
    private string? Folder { get; init; }

    /// <summary>Stamps of the site's files, and of the model that the settings name.</summary>
    private (string Site, string Model) Stamps { get; init; } = ("", "");

    /// <summary>Which versions of its models are used, in words; empty without a site.</summary>
    public string Choice { get; private init; } = "";

    /// <summary>Reads everything; the first fault ends it.</summary>
    /// <param name="sources">Where the settings come from.</param>
    /// <param name="before">The configuration in force, of which what has not changed is taken over.</param>
    /// <exception cref="UserException">Something cannot be used; the message says what, where, and what to do.</exception>
    public static SensorConfiguration Load(SettingSources sources, SensorConfiguration? before = null)
    {
        var settings = sources.Load();
        if (string.IsNullOrWhiteSpace(settings.Interface))
            throw new UserException(ExitStatus.Unusable, "no interface: give --interface IF, or 'interface:' in the configuration file");
        // Another site waits for a restart, with all that lies in its folder.
        var path = before is null ? settings.Site : before.Folder;
        var folder = path is null ? null : new SiteFolder(path);
        var own = SiteSettings.Load(path, settings.Policy, settings.Rules);
        if (before?.Own.IsSameAs(own) == true)
            own = before.Own;
        if (folder is not null)
            SiteFolder.RequireFolder(folder.Path);
        var (stamps, choice) = ((Site: folder?.Stamp() ?? "", Model: GivenModel.Stamp(settings.Model)), folder?.Models.Choice() ?? "");
        var site = folder is null ? before?.Site ?? ShippedSite.Load()
            : before is null || before.Stamps.Site != stamps.Site ? folder.LoadWithModels()
            : before.Stamps.Model != stamps.Model || before.Choice != choice ? before.Site with { Models = folder.Models.LoadCurrent() }
            : before.Site;
        if (folder is null || !ReferenceEquals(site, before?.Site))
            site = GivenModel.Apply(site, settings.Model);
        var detection = own.Apply(DetectionOf(settings));
        if (folder is not null)
            detection = detection with { Indicators = folder.LoadIndicators() };
        return new SensorConfiguration(settings, own, site, detection) { Folder = path, Stamps = stamps, Choice = choice };
    }

    /// <summary>The same with the models that were chosen since, as by <c>iotguard models promote</c>; null when the choice is the same.</summary>
    /// <exception cref="UserException">The models cannot be used.</exception>
    public SensorConfiguration? WithModelsChosenSince()
    {
        if (Folder is null || Settings.Model is not null)
            return null;
        var store = new SiteFolder(Folder).Models;
        var choice = store.Choice();
        return choice == Choice ? null : this with { Site = Site with { Models = store.LoadCurrent() }, Choice = choice };
    }

    /// <summary>What the settings say about detection.</summary>
    public static DetectorOptions DetectionOf(SensorSettings settings) => new()
    {
        AlertBudgetPerDay = settings.AlertBudgetPerDay,
        MaximumDevices = settings.MaximumDevices,
        MaximumFacts = settings.MaximumFacts,
        MaximumOpenAlerts = settings.MaximumOpenAlerts,
        UpdateIntervalNs = settings.AlertUpdateSeconds * NsPerSecond,
        IncidentWindowNs = settings.IncidentWindowSeconds * NsPerSecond,
        CommunityIdSeed = (ushort)settings.CommunityIdSeed,
    };

    /// <summary>Limits and choices of each sensor.</summary>
    /// <param name="key">Key of pseudonyms, 32 bytes.</param>
    /// <param name="sensors">Sensors that share the limits: live, each ring has one of its own that knows nothing of the others.</param>
    public SensorOptions SensorOptions(byte[] key, int sensors) => new()
    {
        PseudonymKey = key,
        VlanAware = Settings.VlanAware,
        CommunityIdSeed = (ushort)Settings.CommunityIdSeed,
        MaximumFlows = Math.Max(1, Settings.MaximumFlows / sensors),
        IdleTimeoutNs = Settings.IdleTimeoutSeconds * NsPerSecond,
        EstablishedIdleTimeoutNs = Settings.EstablishedIdleTimeoutSeconds * NsPerSecond,
        ActiveTimeoutNs = Settings.ActiveTimeoutSeconds * NsPerSecond,
    };

    /// <summary>What differs from the configuration before, in words: what a reload puts into force, and what waits for a restart.</summary>
    public IEnumerable<string> Changes(SensorConfiguration before)
    {
        foreach (var setting in SettingTable.All)
        {
            var (was, now) = (setting.Show(before.Settings), setting.Show(Settings));
            if (was != now)
                yield return setting.Reloads ? $"{setting.Key} is {now}, was {was}" : $"{setting.Key} is now {now} in the configuration; the change waits for a restart";
        }

        if (!ReferenceEquals(Own, before.Own))
            yield return "policy and rules of the site were read again";
        if (Stamps.Site != before.Stamps.Site)
            yield return "the learned site was read again";
        if (!ReferenceEquals(Site.Models, before.Site.Models))
            yield return "the models were read again";
        if (!Detection.Indicators.SetEquals(before.Detection.Indicators))
            yield return $"{Detection.Indicators.Count} indicators";
    }
}
