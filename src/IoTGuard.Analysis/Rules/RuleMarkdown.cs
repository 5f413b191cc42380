using System.Globalization;
using System.Text;

namespace IoTGuard.Analysis.Rules;

/// <summary>The rule table as a document.</summary>
public static class RuleMarkdown
{
    /// <summary>All detections, as they stand in docs/detections.md.</summary>
    public static string Write()
    {
        var text = new StringBuilder();
        text.Append("""
            # Detections

            Written from the rule table in `src/IoTGuard.Analysis/Rules`; a test fails when this page is not current. Severity goes from 0 to 10 and
            grows when care depends on one of the two devices, and with the number of patients. *Baseline* rules compare with a learned site and are silent without one.
            *Standing* findings are told once, and not at all when they stood while the site was learned.

            | Rule | Category | Severity | ATT&CK |
            |---|---|---|---|

            """);
        foreach (var rule in RuleTable.Rules)
            text.Append(CultureInfo.InvariantCulture, $"| [{rule.Id}](#{rule.Id}) | {rule.Category} | {rule.Severity} | {string.Join(", ", rule.Attack.Select(static a => a.Id))} |\n");
        foreach (var rule in RuleTable.Rules)
            Write(text, rule);
        return text.ToString();
    }

    private static void Write(StringBuilder text, Rule rule)
    {
        text.Append(CultureInfo.InvariantCulture, $"\n## {rule.Id}\n\n**{rule.Title}.** {rule.Condition}\n\n");
        var traits = new List<string>();
        if (rule.Has(RuleTraits.Baseline))
            traits.Add("baseline");
        if (rule.Has(RuleTraits.Standing))
            traits.Add("standing");
        traits.Add(rule.Has(RuleTraits.PerPeer) ? "one alert per device and peer" : "one alert per device");
        text.Append(CultureInfo.InvariantCulture, $"- Category {rule.Category}, severity {rule.Severity}; {string.Join(", ", traits)}.\n");
        if (rule.Attack.Count > 0)
            text.Append(CultureInfo.InvariantCulture, $"- ATT&CK: {string.Join("; ", rule.Attack.Select(static a => $"{a.Id} {a.Name}"))}.\n");
        if (rule.Thresholds.Count > 0)
            text.Append(CultureInfo.InvariantCulture, $"- Thresholds: {string.Join("; ", rule.Thresholds.Select(ThresholdText))}.\n");
        text.Append(CultureInfo.InvariantCulture, $"- What to do: {rule.Recommendation}\n- False positives: {rule.FalsePositives}\n");
    }

    private static string ThresholdText(Threshold threshold)
    {
        var unit = threshold.Unit == "1" ? "" : " " + threshold.Unit;
        return string.Create(CultureInfo.InvariantCulture, $"`{threshold.Name}` {threshold.Value}{unit}");
    }
}
