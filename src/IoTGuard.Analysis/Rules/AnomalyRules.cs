namespace IoTGuard.Analysis.Rules;

/// <summary>What the models find. How rare is rare enough is no threshold of a rule: the alert budget says it.</summary>
internal static class AnomalyRules
{
    public static readonly Rule FlowAnomaly = new()
    {
        Id = "flow-anomaly",
        Title = "Unusual traffic",
        Category = "anomaly",
        Severity = 4,
        Attack = [],
        Condition = "All models of the site about the flows of such devices find a flow rarer than the alert budget allows.",
        Template = "The traffic of {device} with {peer} on {services} is unusual (p = {p-value}): {features}.",
        Recommendation = "Look at the features named; mark the alert as benign here when it is explained.",
        FalsePositives = "Rare but rightful work; the budget bounds how many such alerts there can be.",
        Traits = RuleTraits.Baseline,
        Thresholds = [new("packets", 8, "packets")],
        QuietSeconds = 3600,
    };

    public static readonly Rule DeviceAnomaly = new()
    {
        Id = "device-anomaly",
        Title = "Unusual behaviour of a device",
        Category = "anomaly",
        Severity = 4,
        Attack = [],
        Condition = "All models of the site about what such devices do in a minute find a minute of a device rarer than the alert budget allows.",
        Template = "What {device} did within a minute is unusual (p = {p-value}): {features}.",
        Recommendation = "Look at the features named and at what else the device did at that time; mark the alert as benign here when it is explained.",
        FalsePositives = "Rare but rightful work, such as a migration or a back-up; the budget bounds how many such alerts there can be.",
        Traits = RuleTraits.Baseline,
        QuietSeconds = 3600,
    };

    public static readonly IReadOnlyList<Rule> All = [FlowAnomaly, DeviceAnomaly];
}
