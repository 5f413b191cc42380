using System.Globalization;
using System.Text;
using IoTGuard.Analysis.Rules;
using IoTGuard.Outputs;
using IoTGuard.Sites.State;

namespace IoTGuard.Commands.Alerts;

/// <summary>
/// A draft of what has to be reported: Directive (EU) 2022/2555 (NIS2) article 23(4) and Regulation (EU) 2016/679 (GDPR) article 33. What
/// the alerts do not say stands in brackets, for people.
/// </summary>
internal sealed class IncidentReport(StoredAlert alert, IReadOnlyList<StoredAlert> all, long awareNs, bool awareIsGiven)
{
    private const long HourNs = 3_600_000_000_000;

    private readonly StringBuilder _text = new();
    private readonly List<StoredAlert> _incident = [.. all.Where(a => a.Id == alert.Id || (a.Incident is not null && a.Incident == alert.Incident)).OrderBy(a => a.FirstNs)];

    public string Write()
    {
        Line($"# Draft: security incident {alert.Incident ?? alert.Id}");
        Line();
        Line($"Written by IoTGuard {ProgramVersion.Text} from alert `{alert.Id}`. It holds no patient data. Parts in [brackets] are for people to fill in or to decide, first of all whether the incident is");
        Line("significant (NIS2 article 23(3)) and whether it is likely to be a risk to natural persons (GDPR article 33(1)).");
        Clocks();
        EarlyWarning();
        Notification();
        DataProtection();
        FinalReport();
        Appendix();
        return _text.ToString();
    }

    private void Clocks()
    {
        var warned = awareNs + (24 * HourNs);
        var notified = awareNs + (72 * HourNs);
        Line();
        Line("## Clocks");
        Line();
        Line(awareIsGiven
            ? $"Awareness: **{Time(awareNs)}**, as given."
            : $"Awareness: **{Time(awareNs)}**, when the alert was raised. [If people became aware of the incident at another time, write the draft again with `--aware TIME`.]");
        Line();
        Line("| what | to whom | by | clock |");
        Line("|---|---|---|---|");
        Line($"| early warning | CSIRT or competent authority | **{Time(warned)}** | 24 h, NIS2 article 23(4)(a) |");
        Line($"| incident notification | CSIRT or competent authority | **{Time(notified)}** | 72 h, NIS2 article 23(4)(b) |");
        Line($"| notification of a personal data breach | data protection authority | **{Time(notified)}** | 72 h, GDPR article 33(1) |");
        Line($"| final report | CSIRT or competent authority | **{Time(OneMonthAfter(notified))}** at the latest | one month after the incident notification, NIS2 article 23(4)(d) |");
        Line();
        Line("The final report is due one month after the notification was really submitted; where the incident still goes on then, a progress report takes its place (article 23(4)(e)).");
    }

    private void EarlyWarning()
    {
        Line();
        Line("## 1. Early warning (24 hours)");
        Line();
        Line($"- What: {alert.Text("title")} ({alert.Text("category")}). {alert.Text("description")}");
        Line($"- First seen {Time(_incident.Min(a => a.FirstNs))}, last seen {Time(_incident.Max(a => a.LastNs))}.");
        Line($"- Suspected to be caused by unlawful or malicious acts: {(_incident.Exists(IsHostile) ? "yes, what was seen is what attacks look like [confirm]" : "not by what was seen alone [decide]")}.");
        Line($"- Could have a cross-border impact: {(_incident.Exists(a => a.Of("peer", "role") == "outside") ? "data went to or came from outside addresses [find out which countries]" : "[decide]")}.");
        Line("- Entity: [name, sector health, registration number]. Contact: [name, function, telephone, e-mail, around the clock].");
    }

    private void Notification()
    {
        Line();
        Line("## 2. Incident notification (72 hours)");
        Line();
        Line($"- Initial assessment of severity: {_incident.Max(a => a.Severity)} of 10 by the sensor [own assessment].");
        Line($"- Impact: {Consequences(alert.Text("category"))} [services disrupted, since when, number of users; were patients treated elsewhere?]");
        Line("- Devices concerned:");
        foreach (var party in _incident.SelectMany(static a => new[] { Party(a, "device"), Party(a, "peer") }).Where(static p => p.Length > 0).Distinct(StringComparer.Ordinal))
            Line($"  - {party}");
        Line("- Indicators of compromise:");
        var techniques = _incident.SelectMany(static a => a.Body.GetProperty("attack").EnumerateArray())
            .Select(static t => $"{t.GetProperty("id").GetString()} {t.GetProperty("name").GetString()}").Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (techniques.Count > 0)
            Line($"  - ATT&CK: {string.Join("; ", techniques)}");
        var hostile = _incident.Where(IsHostile).SelectMany(static a => new[] { a.Of("device", "ip"), a.Of("device", "mac") }).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        if (hostile.Count > 0)
            Line($"  - Addresses that attacks came from: {string.Join(", ", hostile)}");
        var ports = _incident.SelectMany(static a => a.Body.GetProperty("ports").EnumerateArray()).Select(static p => p.GetInt32()).Distinct().Order().ToList();
        if (ports.Count > 0)
            Line($"  - Ports: {string.Join(", ", ports)}");
    }

    private void DataProtection()
    {
        Line();
        Line("## 3. Personal data breach (GDPR article 33(3))");
        Line();
        Line($"- (a) Nature of the breach: {Nature(alert.Text("category"))} {alert.Text("description")}");
        Line("  - Categories of data subjects: patients [staff, others].");
        Line($"  - Approximate number of data subjects: {Patients()}.");
        Line($"  - Categories of records: {Records()}. Approximate number of records: {RunSummary.Number(_incident.Where(static a => a.Patients is not null).Sum(static a => a.Count))} observations by the sensor [number of records].");
        Line("- (b) Data protection officer or other contact point: [name, telephone, e-mail].");
        Line($"- (c) Likely consequences: {Consequences(alert.Text("category"))} [for the persons concerned]");
        Line($"- (d) Measures taken or proposed: {alert.Text("recommendation")} [what was done, when, by whom; what reduces the harm to the persons concerned]");
        Line();
        Line("[Where a high risk to the persons is likely, they have to be told too: article 34.]");
    }

    private void FinalReport()
    {
        Line();
        Line("## 4. Final report (one month)");
        Line();
        Line("- Detailed description, severity and impact: [as established]");
        Line("- Type of threat or root cause: [as established]");
        Line($"- Mitigation applied and ongoing: {alert.Text("recommendation")} [as done]");
        Line("- Cross-border impact: [as established]");
    }

    private void Appendix()
    {
        Line();
        Line("## Appendix: alerts of the incident");
        Line();
        Line("| alert | severity | first seen | last seen | rule | device | other side | patients |");
        Line("|---|---|---|---|---|---|---|---|");
        foreach (var a in _incident)
        {
            Line($"| `{a.Id}` | {a.Severity} | {Time(a.FirstNs)} | {Time(a.LastNs)} | {a.Rule} | {Cell(AlertListCommand.Party(a, "device"))} | {Cell(AlertListCommand.Party(a, "peer"))} | {a.Patients?.ToString(CultureInfo.InvariantCulture) ?? "-"} |");
        }

        Line();
        Line("Evidence of the alert that this draft was written from:");
        Line();
        Line("| what | observed | normal | unit |");
        Line("|---|---|---|---|");
        foreach (var item in alert.Body.GetProperty("evidence").EnumerateArray())
            Line($"| {Of(item, "name")} | {Of(item, "observed")} | {Of(item, "normal")} | {Of(item, "unit")} |");

        static string Of(System.Text.Json.JsonElement item, string name) => Cell(item.GetProperty(name).GetString() ?? "");
    }

    private void Line(string text = "") => _text.Append(text).Append('\n');

    private string Patients()
    {
        var counts = _incident.Select(static a => a.Patients).OfType<int>().ToList();
        return counts.Count == 0
            ? "not counted by the rules that fired [estimate]"
            : $"at least {RunSummary.Number(counts.Max())} (distinct pseudonyms in one alert; several alerts may concern the same persons) [confirm]";
    }

    private string Records()
    {
        var protocols = _incident.Select(static a => a.Text("protocol")).ToHashSet(StringComparer.Ordinal);
        var kinds = new[] { protocols.Contains("dicom") ? "medical images and their descriptions (DICOM)" : null, protocols.Contains("hl7") ? "admissions, orders and results (HL7)" : null };
        return string.Join(", ", kinds.OfType<string>().DefaultIfEmpty("[which]"));
    }

    private static bool IsHostile(StoredAlert a) => RuleTable.Rules.FirstOrDefault(r => r.Id == a.Rule)?.Has(RuleTraits.Hostile) == true;

    private static string Party(StoredAlert a, string party)
    {
        var told = new[] { a.Of(party, "role"), a.Of(party, "name"), a.Of(party, "ip"), a.Of(party, "mac"), a.Of(party, "vendor"), a.Of(party, "model") };
        return string.Join(", ", told.OfType<string>());
    }

    private static string Nature(string? category) => category switch
    {
        "exfiltration" or "data-collection" or "interception" or "credential-access" or "unauthorized-access" => "loss of confidentiality is possible.",
        "integrity" => "loss of integrity is possible.",
        "denial-of-service" or "availability" => "loss of availability is possible.",
        _ => "[confidentiality, integrity, availability?]",
    };

    private static string Consequences(string? category) => category switch
    {
        "exfiltration" or "data-collection" => "health data may be known to people who have no right to it.",
        "interception" => "health data in transit may have been read or changed.",
        "credential-access" or "unauthorized-access" => "somebody may have access to systems that hold health data.",
        "integrity" => "results, orders or images may be false; decisions about treatment may rest on them.",
        "denial-of-service" or "availability" => "images, orders or results may be late or missing, which delays treatment.",
        "reconnaissance" => "the network was explored; by itself this harms nobody, but attacks follow it.",
        "lateral-movement" or "new-device" or "new-service" => "somebody may be moving through the network.",
        "misconfiguration" => "data or systems are exposed more than they need to be.",
        _ => "[which].",
    };

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static string Time(long timeNs) => DateTime.UnixEpoch.AddTicks(timeNs / 100).ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    private static long OneMonthAfter(long timeNs) => (DateTime.UnixEpoch.AddTicks(timeNs / 100).AddMonths(1) - DateTime.UnixEpoch).Ticks * 100;
}
