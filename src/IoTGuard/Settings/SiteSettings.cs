using IoTGuard.Analysis;

namespace IoTGuard.Settings;

/// <summary>Policy and rules that a site brings: files of its folder, or those that the configuration names instead.</summary>
/// <param name="Policy">Zones, networks, thresholds.</param>
/// <param name="Rules">The site's own rules.</param>
internal sealed record SiteSettings(PolicyFile Policy, RulesFile Rules)
{
    public static SiteSettings None { get; } = new(PolicyFile.Empty, RulesFile.Empty);

    /// <summary>Reads what is there; faults are gathered in the files.</summary>
    /// <param name="folder">Folder of the site, or null.</param>
    /// <param name="policy">File instead of the folder's policy.yaml.</param>
    /// <param name="rules">File instead of the folder's rules.yaml.</param>
    public static SiteSettings Read(string? folder, string? policy = null, string? rules = null)
    {
        policy ??= InFolder(folder, PolicyFile.FileName);
        rules ??= InFolder(folder, RulesFile.FileName);
        return new SiteSettings(policy is null ? PolicyFile.Empty : PolicyFile.Load(policy), rules is null ? RulesFile.Empty : RulesFile.Load(rules));
    }

    /// <summary>The same; the first fault ends the command.</summary>
    public static SiteSettings Load(string? folder, string? policy = null, string? rules = null)
    {
        var settings = Read(folder, policy, rules);
        foreach (var fault in settings.Faults)
            throw new UserException(ExitStatus.Unusable, fault + (settings.Faults.Count() > 1 ? $" (and {settings.Faults.Count() - 1} more; 'iotguard config check' lists all)" : ""));
        return settings;
    }

    /// <summary>True when both were read from the same texts.</summary>
    public bool IsSameAs(SiteSettings other) => Policy.Path == other.Policy.Path && Rules.Path == other.Rules.Path && Policy.Text == other.Policy.Text && Rules.Text == other.Rules.Text;

    public IEnumerable<string> Faults => Policy.Faults.Concat(Rules.Faults);

    /// <summary>Detector options with what the site says.</summary>
    public DetectorOptions Apply(DetectorOptions options) => options with
    {
        InsideNetworks = Policy.Inside,
        ExemptScanners = Policy.Scanners,
        Policy = Policy.Policy,
        Thresholds = Policy.Thresholds.ToDictionary(static t => t.Key, static t => t.Value.Value, StringComparer.Ordinal),
        CustomRules = Rules.Rules,
    };

    private static string? InFolder(string? folder, string name) =>
        folder is not null && Path.Combine(folder, name) is var path && File.Exists(path) ? path : null;
}
