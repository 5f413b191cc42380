using System.Text.Json;
using IoTGuard.Outputs;
using IoTGuard.Sites.State;
using Spectre.Console;

namespace IoTGuard.Commands.Alerts;

/// <summary>Suppressions as a list.</summary>
internal static class SuppressionList
{
    public static void Write(Suppressions suppressions, IReadOnlyList<StoredAlert> alerts, ListFormat format)
    {
        switch (format)
        {
            case ListFormat.Json:
                WriteJson(suppressions, alerts);
                break;
            case ListFormat.Csv:
                ListOptions.Csv(Console.Out, "id", "rule", "device", "peer", "from", "until", "reason", "alert", "made", "ended", "alerts");
                foreach (var s in suppressions.All)
                {
                    ListOptions.Csv(Console.Out, s.Id, s.Rule, s.Device, s.Peer, Time(s.FromNs), PacketTime.ToText(s.UntilNs), s.Reason, s.Alert, PacketTime.ToText(s.MadeNs), Time(s.EndedNs),
                        alerts.Count(a => a.IsCoveredBy(s)));
                }

                break;
            default:
                WriteTable(Terminal.Output, suppressions, alerts);
                break;
        }
    }

    private static void WriteTable(IAnsiConsole console, Suppressions suppressions, IReadOnlyList<StoredAlert> alerts)
    {
        if (suppressions.All.Count == 0)
        {
            console.WriteLine("No suppressions.");
            return;
        }

        var table = Terminal.Table("Number", "State", "What", "Until (UTC)", "Alerts", "Why");
        table.Columns[2].NoWrap = table.Columns[5].NoWrap = false;
        foreach (var s in suppressions.All)
        {
            table.AddRow(
                new Text($"{s.Id}"), new Text(s.IsInForce ? "in force" : "taken back"), new Text(s.Scope), new Text(PacketTime.ForPeople(s.UntilNs)[..16]),
                new Text(RunSummary.Number(alerts.Count(a => a.IsCoveredBy(s)))), new Text(s.Reason));
        }

        console.Write(table);
    }

    private static void WriteJson(Suppressions suppressions, IReadOnlyList<StoredAlert> alerts)
    {
        JsonForm.Print(json =>
        {
            json.WriteStartArray();
            foreach (var s in suppressions.All)
            {
                json.WriteStartObject();
                json.WriteNumber("id", s.Id);
                json.WriteString("rule", s.Rule);
                json.WriteString("device", s.Device);
                json.WriteString("peer", s.Peer);
                json.WriteString("from", Time(s.FromNs));
                json.WriteString("until", PacketTime.ToText(s.UntilNs));
                json.WriteString("reason", s.Reason);
                json.WriteString("alert", s.Alert);
                json.WriteString("made", PacketTime.ToText(s.MadeNs));
                json.WriteString("ended", Time(s.EndedNs));
                json.WriteNumber("alerts", alerts.Count(a => a.IsCoveredBy(s)));
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    private static string? Time(long? timeNs) => timeNs is { } ns ? PacketTime.ToText(ns) : null;
}
