using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using IoTGuard.Analysis;
using IoTGuard.Evaluation;
using IoTGuard.Models;
using IoTGuard.Outputs;
using Spectre.Console;

namespace IoTGuard.Commands;

/// <summary><c>iotguard evaluate</c>: alerts against labels (recall per scenario, time to detect, false alerts per hour), or a model against a table.</summary>
internal static class EvaluateCommand
{
    public static Command Create()
    {
        var alerts = new Option<string>("--alerts") { Description = "Alerts of 'iotguard analyze', JSON lines", HelpName = "FILE" };
        var labels = new Option<string>("--labels") { Description = "What really happened, JSON lines; for a model instead of a label column", HelpName = "FILE" };
        var model = ListOptions.Text("--model", "A model, held against a table instead of alerts against labels", "FILE.onnx");
        var data = ListOptions.Text("--data", "Table of features: CSV with a header, plain or gzip", "TABLE");
        var label = ListOptions.Text("--label", "Column that says what a row is: empty, 0, benign or normal, or else an anomaly (default: label)", "COLUMN");
        var curves = ListOptions.Text("--curves", "Write ROC and precision over recall", "FILE.svg");
        var budget = CommonOptions.AlertBudget("False alerts a day that are accepted (default: 10)");
        var hours = new Option<double?>("--hours") { Description = "Hours of traffic (default: from the first to the last time in both files)", HelpName = "H" };
        var json = new Option<bool>("--json") { Description = "Print the figures as JSON" };
        var command = new Command("evaluate", """
            Holds alerts against labels: recall per scenario, time to detect, whether the right device is named, false alerts
            per hour, precision at the budget. Or a model against a table of features:
            AUROC, average precision, and recall at the alert budget, with intervals; without labels, whether the budget is kept.

            Examples:
              iotguard analyze captures/hospital-attacks.pcapng --alerts alerts.jsonl
              iotguard evaluate --alerts alerts.jsonl --labels captures/hospital-attacks.labels.jsonl
              iotguard analyze captures/hospital-attacks.pcapng --flows flows.csv
              iotguard evaluate --model model.onnx --data flows.csv --labels captures/hospital-attacks.labels.jsonl --curves curves.svg
            """)
        {
            alerts, labels, hours, model, data, label, curves, budget, json,
        };
        command.SetAction(parsed =>
        {
            var (alertFile, labelFile) = (parsed.GetValue(alerts), parsed.GetValue(labels));
            if (parsed.GetValue(model) is { } modelFile)
            {
                if (alertFile is not null || parsed.GetValue(data) is not { } table)
                    throw new UserException(ExitStatus.Unusable, "evaluate --model needs --data TABLE, and no --alerts; see 'iotguard evaluate --help'");
                return EvaluateModel.Run(modelFile, table, parsed.GetValue(label), labelFile, parsed.GetValue(curves), parsed.GetValue(budget) ?? DetectorOptions.DefaultAlertBudgetPerDay, parsed.GetValue(json));
            }

            if (alertFile is null || labelFile is null)
                throw new UserException(ExitStatus.Unusable, "evaluate needs --alerts and --labels, or --model and --data; see 'iotguard evaluate --help'");
            var result = new EvaluationResult(EvaluationFiles.ReadLabels(labelFile), EvaluationFiles.ReadAlerts(alertFile), parsed.GetValue(hours), parsed.GetValue(budget) ?? DetectorOptions.DefaultAlertBudgetPerDay);
            if (parsed.GetValue(json))
                PrintJson(result);
            else
                PrintTable(result);
            return ExitStatus.Done;
        });
        return command;
    }

    private static void PrintTable(EvaluationResult result)
    {
        var console = Terminal.Output;
        var table = Terminal.Table("Scenario", "Found", "After (s)", "Device", "Alerts", "By rule");
        table.Columns[5].NoWrap = false;
        foreach (var scenario in result.Scenarios)
        {
            var rules = string.Join(", ", scenario.Alerts.Select(a => a.Rule).Distinct(StringComparer.Ordinal));
            table.AddRow(
                new Text(scenario.Label.Name),
                new Text(scenario.TimeToDetect is null ? "no" : "yes"),
                new Text(Number(scenario.TimeToDetect, "F1")).RightJustified(),
                new Text(scenario.NamesAttacker ? "attacker" : scenario.Alerts.Count > 0 ? "victim" : "-"),
                new Text(scenario.Alerts.Count.ToString(CultureInfo.InvariantCulture)).RightJustified(),
                new Text(rules));
        }

        console.Write(table);
        console.WriteLine();
        console.WriteLine($"Scenarios found      {result.Found} of {result.Scenarios.Count}{(result.Recall is { } recall ? $" ({Number(recall * 100, "F0")} %)" : "")}");
        console.WriteLine($"Attacker named       {result.Named} of {result.Scenarios.Count}");
        console.WriteLine($"At the budget        {(result.PrecisionAtBudget is { } precision ? $"{Number(precision * 100, "F0")} % true" : "-")} of the {result.Budget} heaviest alert{(result.Budget == 1 ? "" : "s")}");
        if (result.Suppressed > 0)
            console.WriteLine($"Suppressed           {result.Suppressed} alerts, counted nowhere else");
        console.WriteLine($"Alerts               {result.Alerts}, of which {result.FalseAlerts.Count} meet no label (precision {Number(result.Precision * 100, "F0")} %)");
        console.WriteLine($"False alerts per hour {Number(result.FalseAlertsPerHour, "F2")} (over {Number(result.Hours, "F2")} hours of packet time)");
        foreach (var alert in result.FalseAlerts)
            console.WriteLine($"  false: {alert.Rule} {string.Join(" / ", alert.Addresses)} {alert.Title}");
    }

    private static void PrintJson(EvaluationResult result)
    {
        JsonForm.Print(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("scenarios", result.Scenarios.Count);
            json.WriteNumber("found", result.Found);
            Write(json, "recall", result.Recall);
            Write(json, "precision", result.Precision);
            json.WriteNumber("alerts", result.Alerts);
            json.WriteNumber("suppressed", result.Suppressed);
            json.WriteNumber("attacker_named", result.Named);
            json.WriteNumber("budget", result.Budget);
            Write(json, "precision_at_budget", result.PrecisionAtBudget);
            json.WriteNumber("false_alerts", result.FalseAlerts.Count);
            Write(json, "hours", result.Hours);
            Write(json, "false_alerts_per_hour", result.FalseAlertsPerHour);
            json.WriteStartArray("per_scenario");
            foreach (var scenario in result.Scenarios)
            {
                json.WriteStartObject();
                json.WriteString("name", scenario.Label.Name);
                json.WriteBoolean("found", scenario.TimeToDetect is not null);
                Write(json, "time_to_detect", scenario.TimeToDetect);
                json.WriteBoolean("attacker_named", scenario.NamesAttacker);
                json.WriteNumber("alerts", scenario.Alerts.Count);
                json.WriteStartArray("rules");
                foreach (var rule in scenario.Alerts.Select(a => a.Rule).Distinct(StringComparer.Ordinal))
                    json.WriteStringValue(rule);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });

        static void Write(Utf8JsonWriter json, string name, double? value) => ModelTables.WriteNumber(json, name, value ?? double.NaN);
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";
}
