namespace IoTGuard.Analysis.Rules;

/// <summary>The one table of detections. Its parts lie in files by subject; the order here is the order in documents.</summary>
public static class RuleTable
{
    /// <summary>All rules.</summary>
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        .. DicomRules.All, .. Hl7Rules.All, .. NetworkRules.All, .. WebRules.All, .. SecureRules.All, .. FileShareRules.All, .. ServiceRules.All,
        .. NameRules.All, .. AddressRules.All, .. ManagementRules.All, .. CovertRules.All, .. AnomalyRules.All,
    ];

    /// <summary>Categories in use: an alert's category says what kind of trouble it is.</summary>
    public static IReadOnlyList<string> Categories { get; } = [.. Rules.Select(static r => r.Category).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>The rules with thresholds replaced, by "rule-id.threshold".</summary>
    /// <exception cref="ArgumentException">No rule has such a threshold.</exception>
    public static Rule With(Rule rule, IReadOnlyDictionary<string, double> overrides)
    {
        if (overrides.Count == 0)
            return rule;
        return rule with
        {
            Thresholds = [.. rule.Thresholds.Select(t => overrides.TryGetValue($"{rule.Id}.{t.Name}", out var value) ? t with { Value = value } : t)],
        };
    }
}
