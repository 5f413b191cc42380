using System.Globalization;
using System.Text.Json;
using IoTGuard.Analysis.Rules;
using IoTGuard.Outputs;
using IoTGuard.Sites.State;
using Spectre.Console;
using Rule = IoTGuard.Analysis.Rules.Rule;

namespace IoTGuard.Commands.Alerts;

/// <summary>All about one alert, for the analyst who has to decide.</summary>
internal sealed class AlertStory(
    StoredAlert alert, IReadOnlyList<StoredAlert> all, IReadOnlyList<AlertEvent> events, IReadOnlyList<GivenAnswer> answers, Suppressions suppressions)
{
    /// <summary>Most related alerts listed; the others are counted.</summary>
    private const int MaximumRelated = 20;

    /// <summary>Most events listed from the beginning; the last is always told.</summary>
    private const int MaximumEvents = 5;

    /// <summary>Alerts about the same device this close in time are related, ns of packet time.</summary>
    private const long NearNs = 3_600_000_000_000;

    private readonly Rule? _rule = RuleTable.Rules.FirstOrDefault(r => r.Id == alert.Rule);

    public void Print(IAnsiConsole console)
    {
        var colour = alert.Severity switch { >= 8 => "red", >= 5 => "yellow", _ => "blue" };
        console.MarkupLineInterpolated($"[{colour}]{alert.Severity}/10[/]  [bold]{alert.Text("title") ?? ""}[/]  ({alert.Rule}, {alert.Text("category") ?? ""})");
        console.WriteLine();
        console.Write(Plain(alert.Text("description") ?? ""));
        console.WriteLine();
        PrintFacts(console);
        PrintEvidence(console);
        if (_rule is not null)
        {
            Section(console, "Why it is unusual", _rule.Condition);
            Section(console, "What else looks like this", _rule.FalsePositives);
        }

        Section(console, "What to do", alert.Text("recommendation") ?? "");
        PrintHistory(console);
        PrintRelated(console);
        PrintPackets(console);
    }

    public void WriteJson()
    {
        JsonForm.Print(json =>
        {
            json.WriteStartObject();
            AlertListCommand.WriteFields(json, alert);
            json.WriteStartArray("events");
            foreach (var e in events)
            {
                json.WriteStartObject();
                json.WriteTime("time"u8, e.TimeNs);
                json.WriteString("phase", AlertEvent.NameOf(e.Phase));
                json.WriteNumber("count", e.Count);
                json.WriteNumber("severity", e.Severity);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("answers");
            foreach (var answer in answers)
            {
                json.WriteStartObject();
                json.WriteTime("given"u8, answer.GivenNs);
                json.WriteString("answer", answer.Answer);
                json.WriteString("note", answer.Note);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("related");
            foreach (var other in Related())
                json.WriteStringValue(other.Id);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private void PrintFacts(IAnsiConsole console)
    {
        var rows = Terminal.Table("", "");
        rows.HideHeaders();
        rows.Columns[1].NoWrap = false;
        Row("Alert", alert.Id);
        Row("State", alert.State + (alert.Answer is null ? "" : alert.IsOpen ? ", open" : ", closed"));
        Row("Incident", $"{alert.Incident} ({Incident().Count()} alert{(Incident().Count() == 1 ? "" : "s")})");
        Row("First seen", PacketTime.ForPeople(alert.FirstNs));
        Row("Last seen", PacketTime.ForPeople(alert.LastNs));
        Row("Raised", PacketTime.ForPeople(alert.RaisedNs));
        Row("Count", $"{RunSummary.Number(alert.Count)} observation{(alert.Count == 1 ? "" : "s")}, confidence {alert.Body.GetProperty("confidence").GetDouble().ToString("P0", CultureInfo.InvariantCulture)}");
        Row("Device", Describe("device"));
        Row("Other side", Describe("peer"));
        Row("Protocol", string.Join(", ", new[] { alert.Text("protocol"), Ports() }.OfType<string>().Where(t => t.Length > 0)));
        Row("Patients", alert.Patients is { } patients ? $"{RunSummary.Number(patients)} distinct, counted by pseudonym" : "not counted by this rule");
        Row("ATT&CK", string.Join("; ", alert.Body.GetProperty("attack").EnumerateArray().Select(t => $"{t.GetProperty("id").GetString()} {t.GetProperty("name").GetString()}")));
        console.Write(rows);

        void Row(string name, string value)
        {
            if (value.Length > 0)
                rows.AddRow(new Text(name), new Text(value));
        }
    }

    private string Ports()
    {
        var ports = alert.Body.GetProperty("ports").EnumerateArray().Select(p => p.GetInt32()).ToList();
        return ports.Count switch { 0 => "", 1 => $"port {ports[0]}", _ => $"ports {string.Join(' ', ports)}" };
    }

    private string Describe(string party)
    {
        var told = new[]
        {
            alert.Of(party, "role"), alert.Of(party, "name"), alert.Of(party, "ip"), alert.Of(party, "mac"), alert.Of(party, "vendor"), alert.Of(party, "model"),
            alert.Of(party, "zone") is { } zone ? $"zone {zone}" : null,
        };
        return string.Join(", ", told.OfType<string>());
    }

    private void PrintEvidence(IAnsiConsole console)
    {
        var evidence = alert.Body.GetProperty("evidence").EnumerateArray().ToList();
        var table = Terminal.Table("What", "Observed", "Normal", "Unit");
        table.Columns[1].NoWrap = table.Columns[2].NoWrap = false;
        foreach (var item in evidence)
            table.AddRow(new Text(Of(item, "name")), new Text(Of(item, "observed")), new Text(Of(item, "normal")), new Text(Of(item, "unit")));
        if (evidence.Count > 0)
        {
            Heading(console, "Evidence");
            console.Write(table);
        }

        if (alert.Body.GetProperty("score") is not { ValueKind: JsonValueKind.Object } score)
            return;
        Heading(console, $"Model: p = {score.GetProperty("p_value").GetDouble().ToString("G3", CultureInfo.InvariantCulture)} under benign traffic of the site");
        var shares = Terminal.Table("Feature", "Value", "Unit", "Share");
        foreach (var part in score.GetProperty("contributions").EnumerateArray())
        {
            shares.AddRow(new Text(Of(part, "feature")), new Text(part.GetProperty("value").GetDouble().ToString("G5", CultureInfo.InvariantCulture)), new Text(Of(part, "unit")),
                new Text(part.GetProperty("share").GetDouble().ToString("P0", CultureInfo.InvariantCulture)));
        }

        console.Write(shares);

        static string Of(JsonElement item, string name) => item.GetProperty(name).GetString() ?? "";
    }

    private void PrintHistory(IAnsiConsole console)
    {
        Heading(console, "History");
        var shown = events.Count <= MaximumEvents + 1 ? events : [.. events.Take(MaximumEvents), events[^1]];
        foreach (var e in shown)
        {
            if (shown.Count < events.Count && e == events[^1])
                console.WriteLine($"... {RunSummary.Number(events.Count - shown.Count)} more");
            console.WriteLine($"{PacketTime.ForPeople(e.TimeNs)}  {AlertEvent.NameOf(e.Phase),-7}  {RunSummary.Number(e.Count)} times, severity {e.Severity}");
        }

        foreach (var answer in answers)
            console.WriteLine($"{PacketTime.ForPeople(answer.GivenNs)}  labelled {answer.Answer}{(answer.Note is null ? "" : ": " + answer.Note)}");
        foreach (var s in suppressions.All.Where(alert.IsCoveredBy))
            console.WriteLine($"suppressed by {s.Id} ({s.Scope}) until {PacketTime.ForPeople(s.UntilNs)}: {s.Reason}");
    }

    private IEnumerable<StoredAlert> Incident() => all.Where(a => a.Incident is not null && a.Incident == alert.Incident);

    private List<StoredAlert> Related()
    {
        var parties = new[] { alert.Of("device", "ip"), alert.Of("device", "mac") }.OfType<string>().ToHashSet(StringComparer.Ordinal);
        return
        [
            .. all.Where(a => a.Id != alert.Id && ((a.Incident is not null && a.Incident == alert.Incident)
                || (a.FirstNs <= alert.LastNs + NearNs && a.LastNs >= alert.FirstNs - NearNs
                    && (Meets(a.Of("device", "ip")) || Meets(a.Of("device", "mac")) || Meets(a.Of("peer", "ip")))))),
        ];

        bool Meets(string? address) => address is not null && parties.Contains(address);
    }

    private void PrintRelated(IAnsiConsole console)
    {
        var related = Related();
        if (related.Count == 0)
            return;
        Heading(console, "Related alerts (same incident, or the same device within an hour)");
        var table = Terminal.Table("Alert", "Sev", "State", "First seen (UTC)", "Rule", "Device", "Peer");
        table.Columns[4].NoWrap = table.Columns[5].NoWrap = table.Columns[6].NoWrap = false;
        foreach (var a in related.Take(MaximumRelated))
        {
            table.AddRow(new Text(a.Id[..8]), new Text($"{a.Severity}"), new Text(a.State), new Text(PacketTime.ForPeople(a.FirstNs)[..19]), new Text(a.Rule),
                new Text(AlertListCommand.Party(a, "device")), new Text(AlertListCommand.Party(a, "peer")));
        }

        console.Write(table);
        if (related.Count > MaximumRelated)
            console.WriteLine($"and {RunSummary.Number(related.Count - MaximumRelated)} more");
    }

    private void PrintPackets(IAnsiConsole console)
    {
        var ids = alert.Body.GetProperty("community_id").EnumerateArray().Select(c => c.GetString()).OfType<string>().ToList();
        if (ids.Count == 0)
            return;
        Heading(console, "To find the packets again: Community IDs (Zeek, Suricata, Wireshark know them)");
        console.Write(Plain(string.Join(' ', ids)));
        console.WriteLine();
    }

    private static void Section(IAnsiConsole console, string title, string text)
    {
        if (text.Length == 0)
            return;
        Heading(console, title);
        console.Write(Plain(text));
        console.WriteLine();
    }

    private static Text Plain(string text) => new(text);

    private static void Heading(IAnsiConsole console, string text)
    {
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{text}[/]");
    }
}
