using System.CommandLine;
using System.Text.Json;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Outputs;
using IoTGuard.Sites.State;
using IoTGuard.Wire.Network;
using Spectre.Console;

namespace IoTGuard.Commands.Alerts;

/// <summary><c>iotguard alerts list</c>.</summary>
internal static class AlertListCommand
{
    private static readonly string[] States = ["open", "closed", "suppressed", "answered", "unanswered", .. Answers.All];

    public static Command Create()
    {
        var site = ListOptions.Site();
        var format = ListOptions.Format();
        var severity = new Option<int?>("--severity") { Description = "Only alerts of at least this severity, 0 to 10", HelpName = "N" };
        var rule = ListOptions.Text("--rule", "Only alerts of this rule", "RULE");
        var device = ListOptions.Text("--device", "Only alerts in which one side is this address, network, hardware address or name", "DEVICE");
        var since = ListOptions.Text("--since", "Only alerts last seen since a time: 2026-11-21T08:00Z, or 12h, 7d ago", "TIME");
        var state = ListOptions.Text("--state", "Only alerts that are open, closed, suppressed, answered, unanswered (and not suppressed), true, benign, wrong", "STATE");
        var incident = ListOptions.Text("--incident", "Only alerts of this incident (its first digits suffice)", "ID");
        var command = new Command("list", """
            Lists alerts, those of one incident together. --format json writes one array of alerts as 'analyze --alerts' has them, with 'state',
            'answer' and 'suppressed'; --format csv has a header line.

            Examples:
              iotguard alerts list --site /var/lib/iotguard/site
              iotguard alerts list --site /var/lib/iotguard/site --severity 7 --since 24h --state unanswered
              iotguard alerts list --site /var/lib/iotguard/site --device 10.20.1.9 --format json
            """)
        {
            site, format, severity, rule, device, since, state, incident,
        };
        command.SetAction(parsed =>
        {
            var all = AlertsCommand.All(parsed.GetValue(site)!);
            if (parsed.GetValue(state) is { } s && !States.Contains(s, StringComparer.Ordinal))
                throw new UserException(ExitStatus.Unusable, $"there is no state {s}; states are {string.Join(", ", States)}");
            var sinceNs = parsed.GetValue(since) is { } time ? ListOptions.Time(time, "--since") : long.MinValue;
            var alerts = all.Where(a =>
                a.Severity >= (parsed.GetValue(severity) ?? 0)
                && (parsed.GetValue(rule) is not { } r || a.Rule == r)
                && a.LastNs >= sinceNs
                && (parsed.GetValue(state) is not { } wanted || IsIn(a, wanted))
                && (parsed.GetValue(incident) is not { } i || a.Incident?.StartsWith(i, StringComparison.OrdinalIgnoreCase) == true)
                && (parsed.GetValue(device) is not { } d || Names(a, "device", d) || Names(a, "peer", d))).ToList();
            switch (parsed.GetValue(format))
            {
                case ListFormat.Json:
                    WriteJson(alerts);
                    break;
                case ListFormat.Csv:
                    WriteCsv(alerts);
                    break;
                default:
                    WriteTable(Terminal.Output, alerts, all.Count);
                    break;
            }

            return ExitStatus.Done;
        });
        return command;
    }

    /// <summary>One side of an alert in few words: its name and address.</summary>
    public static string Party(StoredAlert alert, string party) =>
        string.Join(' ', new[] { alert.Of(party, "name"), alert.Of(party, "ip") ?? alert.Of(party, "mac") }.OfType<string>());

    /// <summary>An alert's own fields, then its state.</summary>
    public static void WriteFields(Utf8JsonWriter json, StoredAlert alert)
    {
        foreach (var property in alert.Body.EnumerateObject())
            property.WriteTo(json);
        json.WriteString("state", alert.State);
        json.WriteString("answer", alert.Answer);
        if (alert.Suppression is { } by)
        {
            json.WriteStartObject("suppressed");
            json.WriteNumber("by", by.Id);
            json.WriteString("reason", by.Reason);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("suppressed");
        }
    }

    private static bool IsIn(StoredAlert alert, string state) => state switch
    {
        "open" => alert.IsOpen,
        "closed" => !alert.IsOpen,
        "suppressed" => alert.Suppression is not null,
        "answered" => alert.Answer is not null,
        "unanswered" => alert.Answer is null && alert.Suppression is null,
        _ => alert.Answer == state,
    };

    private static bool Names(StoredAlert alert, string party, string text)
    {
        if (string.Equals(alert.Of(party, "mac"), text, StringComparison.OrdinalIgnoreCase) || string.Equals(alert.Of(party, "name"), text, StringComparison.OrdinalIgnoreCase))
            return true;
        return AddressPrefix.TryParse(text, out var prefix) && alert.Of(party, "ip") is { } ip && IpAddress.TryParse(ip, out var address) && prefix.Contains(address);
    }

    private static void WriteTable(IAnsiConsole console, List<StoredAlert> alerts, int all)
    {
        if (alerts.Count == 0)
        {
            console.WriteLine(all == 0 ? "No alerts yet: 'iotguard analyze --site' and 'iotguard sensor --site' bring them." : $"None of {RunSummary.Number(all)} alerts.");
            return;
        }

        var table = Terminal.Table("Incident", "Alert", "Sev", "State", "First seen (UTC)", "Count", "Rule", "Device", "Peer");
        table.Columns[2].RightAligned();
        table.Columns[5].RightAligned();
        table.Columns[6].NoWrap = table.Columns[7].NoWrap = table.Columns[8].NoWrap = false;
        var incidents = alerts.GroupBy(a => a.Incident ?? a.Id, StringComparer.Ordinal).ToList();
        foreach (var incident in incidents)
        {
            var first = true;
            foreach (var alert in incident)
            {
                var colour = alert.Severity switch { >= 8 => Color.Red, >= 5 => Color.Yellow, _ => Color.Blue };
                table.AddRow(
                    new Text(first ? Short(alert.Incident) : ""),
                    new Text(alert.Id[..8]),
                    new Text($"{alert.Severity}", new Style(colour)),
                    new Text(alert.State),
                    new Text(PacketTime.ForPeople(alert.FirstNs)[..16]),
                    new Text(RunSummary.Number(alert.Count)),
                    new Text(alert.Rule),
                    new Text(Party(alert, "device")),
                    new Text(Party(alert, "peer")));
                first = false;
            }
        }

        console.Write(table);
        console.WriteLine();
        console.WriteLine($"{(alerts.Count == all ? "" : RunSummary.Number(alerts.Count) + " of ")}{RunSummary.Number(all)} alerts, {RunSummary.Number(incidents.Count)} incident{(incidents.Count == 1 ? "" : "s")}");
    }

    private static string Short(string? incident) => incident is null ? "" : incident[..Math.Min(8, incident.Length)];

    private static void WriteJson(List<StoredAlert> alerts)
    {
        JsonForm.Print(json =>
        {
            json.WriteStartArray();
            foreach (var alert in alerts)
            {
                json.WriteStartObject();
                WriteFields(json, alert);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    private static void WriteCsv(List<StoredAlert> alerts)
    {
        ListOptions.Csv(Console.Out, "id", "incident", "state", "answer", "severity", "confidence", "rule", "title", "category", "first_seen", "last_seen", "raised", "count", "device_ip", "device_mac",
            "device_role", "device_name", "device_zone", "peer_ip", "peer_mac", "peer_role", "peer_name", "peer_zone", "protocol", "ports", "attack", "patients_affected", "description");
        foreach (var a in alerts)
        {
            ListOptions.Csv(Console.Out, a.Id, a.Incident, a.State, a.Answer, a.Severity, a.Body.GetProperty("confidence").GetDouble(), a.Rule, a.Text("title"), a.Text("category"), a.Text("first_seen"),
                a.Text("last_seen"), a.Text("raised"), a.Count, a.Of("device", "ip"), a.Of("device", "mac"), a.Of("device", "role"), a.Of("device", "name"), a.Of("device", "zone"), a.Of("peer", "ip"),
                a.Of("peer", "mac"), a.Of("peer", "role"), a.Of("peer", "name"), a.Of("peer", "zone"), a.Text("protocol"),
                string.Join(' ', a.Body.GetProperty("ports").EnumerateArray().Select(p => p.GetInt32())),
                string.Join(' ', a.Body.GetProperty("attack").EnumerateArray().Select(t => t.GetProperty("id").GetString())), a.Patients, a.Text("description"));
        }
    }
}
