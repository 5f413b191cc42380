using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using IoTGuard.Learning;
using IoTGuard.Models;
using IoTGuard.Outputs;
using Spectre.Console;

namespace IoTGuard.Commands.Models;

/// <summary><c>iotguard models drift</c>: has the traffic moved away from what a model was made of?</summary>
internal static class DriftOfModel
{
    /// <summary>Features that are listed for people.</summary>
    private const int MostFeatures = 15;

    public static Command Create()
    {
        var name = new Argument<string>("MODEL") { Description = "An .onnx file, or a version of the site" };
        var site = ListOptions.Text("--site", "Folder of the site whose version is meant", "DIR");
        var data = new Option<string>("--data") { Description = "Table of features of today, mostly benign", HelpName = "TABLE", Required = true };
        var before = ListOptions.Text("--before", "Table that the model was trained on: gives the population stability of each feature", "TABLE");
        var json = new Option<bool>("--json") { Description = "As JSON, with all features" };
        var command = new Command("drift", """
            Says whether traffic has moved away from what a model was made of: are its p-values still uniform, and which features have moved.

            Population stability: below 0.1 nothing to speak of, above 0.25 train again.

            Example:
              iotguard models drift 0001 --site /var/lib/iotguard/site --data today.csv --before training.csv
            """)
        {
            name, site, data, before, json,
        };
        command.SetAction(parsed =>
        {
            using var progress = new TaskProgress();
            var path = parsed.GetValue(data)!;
            var models = ModelReference.Find(parsed.GetValue(name)!, parsed.GetValue(site));
            foreach (var (title, model) in ModelReference.ThatRead(models, FeatureTable.SchemaHashOf(path) ?? models[0].Model.Info.SchemaHash, path))
            {
                var now = FeatureTable.LoadFor(model, title, path, LabelColumns.Of(null), null, progress);
                var then = parsed.GetValue(before) is { } old ? FeatureTable.LoadFor(model, title, old, LabelColumns.Of(null), null, progress) : null;
                var drift = Drift.Between(model, then?.Table.Rows, now.Table.Rows);
                progress.Dispose();
                if (parsed.GetValue(json))
                    PrintJson(title, drift);
                else
                    Print(title, now, drift);
            }

            return ExitStatus.Done;
        });
        return command;
    }

    private static void Print(string title, FeatureTable now, Drift drift)
    {
        var console = Terminal.Output;
        console.WriteLine(FormattableString.Invariant($"{title} on {now.Name}: {now.Table.Rows.RowCount:N0} rows"));
        console.WriteLine(drift.PValues is not { } check ? "P-values    none: the model is not calibrated"
            : check.ChanceTooMany < 0.001 ? FormattableString.Invariant($"P-values    not uniform: up to {check.TooMany * 100:0.#} % too many small ones, more alerts than the budget; calibrate or train again")
            : FormattableString.Invariant($"P-values    uniform enough (chance {check.ChanceTooMany:0.###} of as many small ones without drift)"));
        if (drift.Features.All(f => double.IsNaN(f.Stability)))
            console.WriteLine("Features    by the share outside the usual range; --before gives their population stability");
        console.WriteLine();
        var table = Terminal.Table("Feature", "Stability", "", "Median before", "now", "Outside 1 to 99 %");
        foreach (var feature in drift.Features.OrderByDescending(f => double.IsNaN(f.Stability) ? f.OutsideShare : f.Stability).Take(MostFeatures))
        {
            table.AddRow(
                new Text(feature.Name),
                new Text(ModelTables.Number(feature.Stability)).RightJustified(),
                new Text(feature.Stability switch { > Drift.Moved => "moved", > Drift.Stable => "a little", _ => "" }),
                new Text(ModelTables.Number(feature.MedianBefore)).RightJustified(),
                new Text(ModelTables.Number(feature.MedianNow)).RightJustified(),
                new Text((feature.OutsideShare * 100).ToString("0.0 \\%", CultureInfo.InvariantCulture)).RightJustified());
        }

        console.Write(table);
    }

    private static void PrintJson(string title, Drift drift)
    {
        JsonForm.Print(json =>
        {
            json.WriteStartObject();
            json.WriteString("model", title);
            if (drift.PValues is { } check)
            {
                json.WriteStartObject("p_values");
                json.WriteNumber("count", check.Count);
                ModelTables.WriteNumber(json, "too_many", check.TooMany);
                ModelTables.WriteNumber(json, "too_few", check.TooFew);
                ModelTables.WriteNumber(json, "chance_too_many", check.ChanceTooMany);
                json.WriteEndObject();
            }

            json.WriteStartArray("features");
            foreach (var feature in drift.Features)
            {
                json.WriteStartObject();
                json.WriteString("name", feature.Name);
                ModelTables.WriteNumber(json, "stability", feature.Stability);
                ModelTables.WriteNumber(json, "median_before", feature.MedianBefore);
                ModelTables.WriteNumber(json, "median_now", feature.MedianNow);
                ModelTables.WriteNumber(json, "outside_share", feature.OutsideShare);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }
}
