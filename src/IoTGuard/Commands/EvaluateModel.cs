using System.Text.Json;
using IoTGuard.Models;
using IoTGuard.Outputs;
using Spectre.Console;

namespace IoTGuard.Commands;

/// <summary><c>iotguard evaluate --model</c>: a model against a table of features.</summary>
internal static class EvaluateModel
{
    public static int Run(string modelPath, string data, string? label, string? labels, string? curves, double alertsPerDay, bool json)
    {
        using var progress = new TaskProgress();
        var model = ModelFiles.Load(modelPath);
        var table = FeatureTable.LoadFor(model, Path.GetFileName(modelPath), data, LabelColumns.Of(label), LabelColumns.Labeller(labels), progress);
        if (labels is null && label is not null && table.Table.Anomalous is null)
            throw new UserException(ExitStatus.Unusable, $"{data} has no column {label}");
        progress.Begin("scoring");
        var evaluation = ModelEvaluation.Of(model, table, alertsPerDay);
        progress.Dispose();
        if (curves is not null)
            WriteCurves(curves, Path.GetFileName(modelPath), evaluation);
        if (json)
            PrintJson(modelPath, evaluation);
        else
            Print(modelPath, evaluation, curves);
        return ExitStatus.Done;
    }

    private static void WriteCurves(string path, string modelName, ModelEvaluation evaluation)
    {
        if (evaluation.Curve is not { } curve)
            throw new UserException(ExitStatus.Unusable, $"{evaluation.Table.Name} has no labels of both kinds, which curves need; name a column with --label, or a file with --labels");
        if (!path.EndsWith(".svg", StringComparison.OrdinalIgnoreCase))
            throw new UserException(ExitStatus.Unusable, $"--curves {path} does not end in .svg, the form that is written");
        var table = evaluation.Table.Table;
        var svg = CurvePlot.Svg($"{modelName} on {evaluation.Table.Name}", curve, evaluation.Figures, (double)table.AnomalyCount / table.Rows.RowCount, evaluation.AtBudget());
        try
        {
            File.WriteAllText(path, svg);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitStatus.Unusable, $"cannot write {path}: {e.Message.TrimEnd('.')}", e);
        }
    }

    private static void Print(string modelPath, ModelEvaluation evaluation, string? curves)
    {
        var console = Terminal.Output;
        var table = evaluation.Table.Table;
        console.WriteLine($"Model   {modelPath}: {ModelTables.Engine(evaluation.Model)}");
        console.WriteLine(FormattableString.Invariant($"Table   {evaluation.Table.Name}: {table.Rows.RowCount:N0} rows, {(table.Anomalous is null ? "no labels" : FormattableString.Invariant($"{table.AnomalyCount:N0} anomalies"))}"));
        if (evaluation is { Budget: { } budget, Alerts: { } alerts })
            console.WriteLine(FormattableString.Invariant($"Budget  {budget.AlertsPerDay:0.###} alerts a day of {budget.FlowsPerDay:N0} rows: p ≤ {budget.PThreshold:0.##e0}, {alerts:N0} rows here"));
        if (evaluation.Model.Calibration is null)
            console.WriteLine("Budget  the model has no calibration: it ranks rows and has no p-values");
        if (evaluation.Figures.Count > 0)
        {
            console.WriteLine();
            ModelTables.WriteFigures(console, evaluation.Figures);
        }

        if (curves is not null)
            console.WriteLine($"Curves  {curves}");
    }

    private static void PrintJson(string modelPath, ModelEvaluation evaluation)
    {
        JsonForm.Print(json =>
        {
            var table = evaluation.Table.Table;
            json.WriteStartObject();
            json.WriteString("model", Path.GetFileName(modelPath));
            json.WriteString("schema_hash", evaluation.Model.Info.SchemaHash);
            json.WriteString("data", evaluation.Table.Name);
            json.WriteNumber("rows", table.Rows.RowCount);
            if (table.Anomalous is not null)
                json.WriteNumber("anomalies", table.AnomalyCount);
            if (evaluation is { Budget: { } budget, Alerts: { } alerts })
            {
                json.WriteStartObject("alert_budget");
                json.WriteNumber("alerts_per_day", budget.AlertsPerDay);
                json.WriteNumber("rows_per_day", budget.FlowsPerDay);
                json.WriteNumber("p_threshold", budget.PThreshold);
                json.WriteNumber("alerts", alerts);
                json.WriteEndObject();
            }

            ModelTables.WriteFigures(json, evaluation.Figures);
            if (evaluation.Curve is { } curve)
            {
                json.WriteStartArray("curve");
                foreach (var point in curve)
                {
                    json.WriteStartObject();
                    ModelTables.WriteNumber(json, "threshold", point.Threshold);
                    ModelTables.WriteNumber(json, "false_share", point.FalseShare);
                    ModelTables.WriteNumber(json, "recall", point.Recall);
                    ModelTables.WriteNumber(json, "precision", point.Precision);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
        });
    }
}
