using System.CommandLine;
using System.Globalization;
using IoTGuard.Analysis;
using IoTGuard.Learning;
using IoTGuard.Learning.Training;
using IoTGuard.Models;
using IoTGuard.Outputs;
using IoTGuard.Settings;
using Spectre.Console;

namespace IoTGuard.Commands;

/// <summary><c>iotguard train</c>: a table of features → a model with its card.</summary>
internal static class TrainCommand
{
    /// <summary>Fewest rows that a model is made of: two thirds train, one third calibrates.</summary>
    private const int FewestRows = 100;

    public static Command Create()
    {
        var tables = new Argument<string[]>("TABLE") { Description = "Tables of 'iotguard analyze --flows' or '--windows': CSV with a header, plain or gzip", Arity = ArgumentArity.ZeroOrMore };
        var output = ListOptions.Text("--out", "The model; its card is written beside it as .card.md and .card.json", "FILE.onnx");
        var engine = ListOptions.Text("--engine", $"How to train: {string.Join(", ", NamedPackages.Engines.Select(e => e.Name))} (default: iforest)", "NAME");
        var parameters = ListOptions.Text("--parameters", "Hyper-parameters in a YAML file: engine, seed, folds, and those of 'iotguard train --engines'", "FILE");
        var set = new Option<string[]>("--set") { Description = "One hyper-parameter, stronger than the file: --set trees=200", HelpName = "NAME=VALUE" };
        var seed = new Option<ulong?>("--seed") { Description = "The same seed, rows and parameters give the same model, byte for byte (default: 1)", HelpName = "N" };
        var folds = new Option<int?>("--folds") { Description = "Folds of the cross-validation, in time order with devices held out; 0 leaves it out (default: 4)", HelpName = "N" };
        var label = ListOptions.Text("--label", "Column that says what a row is: empty, 0, benign or normal, or else an anomaly (default: label)", "COLUMN");
        var labels = ListOptions.Text("--labels", "What really happened, JSON lines; instead of a label column", "FILE");
        var budget = CommonOptions.AlertBudget("False alerts a day that are accepted; figures are given for it (default: 10)");
        var engines = new Option<bool>("--engines") { Description = "List the engines with their hyper-parameters, and stop" };
        var command = new Command("train", """
            Trains a model on a table of features, and says how good it is.

            Two thirds of the rows, in order of time, train; the benign ones of the last third calibrate. Rows that are labelled as anomalies
            are left out of both, unless the engine learns from labels.

            Examples:
              iotguard analyze captures/hospital-benign.pcapng --flows flows.csv
              iotguard train flows.csv --out model.onnx
              iotguard train flows.csv.gz --out model.onnx --engine ecod --parameters ecod.yaml
              iotguard train --engines
            """)
        {
            tables, output, engine, parameters, set, seed, folds, label, labels, budget, engines,
        };
        command.SetAction((parsed, cancellation) => Task.Run(
            () =>
            {
                if (parsed.GetValue(engines))
                {
                    PrintEngines();
                    return ExitStatus.Done;
                }

                var choice = TrainingChoice.Read(
                    parsed.GetValue(parameters), parsed.GetValue(set) ?? [], parsed.GetValue(engine), parsed.GetValue(seed), parsed.GetValue(folds));
                var paths = parsed.GetValue(tables)!;
                if (paths.Length == 0 || parsed.GetValue(output) is not { } path)
                    throw new UserException(ExitStatus.Unusable, "train needs a table and --out FILE.onnx; see 'iotguard train --help'");
                if (!path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
                    throw new UserException(ExitStatus.Unusable, $"--out {path} does not end in .onnx, the form that sensors score");
                using var progress = new TaskProgress();
                var table = FeatureTable.Load(paths, LabelColumns.Of(parsed.GetValue(label)), LabelColumns.Labeller(parsed.GetValue(labels)), progress);
                return Train(choice, table, path, parsed.GetValue(budget) ?? DetectorOptions.DefaultAlertBudgetPerDay, progress, cancellation);
            },
            CancellationToken.None));
        return command;
    }

    private static int Train(TrainingChoice choice, FeatureTable table, string path, double alertsPerDay, TaskProgress progress, CancellationToken cancellation)
    {
        var engine = choice.Engine;
        var rows = table.Table.Rows;
        if (engine.NeedsLabels && (table.Table.AnomalyCount == 0 || table.Table.BenignCount == 0))
        {
            throw new UserException(
                ExitStatus.Unusable, $"{engine.Name} learns from labels, and {table.Name} has {(table.Table.Anomalous is null ? "no label column" : table.Table.AnomalyCount == 0 ? "no anomalies" : "no benign rows")}; name one with --label, or a file with --labels");
        }

        var schema = new TrainingSchema(table.SchemaHash, table.Units, table.Name, ProgramVersion.Text);
        var task = new TrainingTask { Rows = rows, Seed = choice.Seed, Parameters = choice.Parameters, Progress = progress.Report, Cancellation = cancellation };
        try
        {
            CrossValidation? validation = null;
            if (choice.Folds > 0)
            {
                progress.Begin($"cross-validating {engine.Name}");
                validation = CrossValidation.Run(engine, table.Table, task, schema, choice.Folds);
            }

            progress.Begin($"training {engine.Name}");
            var started = System.Diagnostics.Stopwatch.GetTimestamp();
            var model = CalibratedModel.TryTrain(engine, table.Table, task, schema, FewestRows, out var attachments)
                ?? throw new UserException(ExitStatus.Unusable, engine.NeedsLabels
                    ? $"{table.Name}: the first two thirds need anomalies and benign rows, and the last third benign rows"
                    : $"{table.Name} has {table.Table.BenignCount:N0} benign rows, too few for a model: {FewestRows} are needed");
            var seconds = System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds;
            AlertBudget? budget = table.Hours > 0 && alertsPerDay > 0 ? new AlertBudget(alertsPerDay, Math.Max(1, table.Table.BenignCount / table.Hours * 24)) : null;
            var card = CardOf(model, path, table, validation, budget);
            progress.Dispose();
            var written = ModelFiles.Write(path, model, card, attachments);
            Print(choice, table, model, card, validation, seconds, written);
            return ExitStatus.Done;
        }
        catch (ArgumentException e)
        {
            throw new UserException(ExitStatus.Unusable, $"{engine.Name} cannot be trained on {table.Name}: {e.Message.Split(" (Parameter")[0]}", e);
        }
        catch (OperationCanceledException e)
        {
            throw new UserException(ExitStatus.Lost, "training was stopped; nothing was written", e);
        }
    }

    private static ModelCard CardOf(AnomalyModel model, string path, FeatureTable table, CrossValidation? validation, AlertBudget? budget)
    {
        IReadOnlyList<ModelFigure> figures = [];
        if (validation is not null)
        {
            var mixed = validation.Anomalous is { } labels && labels.Contains(true) && labels.Contains(false);
            figures = mixed
                ? ModelFigures.Labelled(validation.Surprise, validation.Anomalous!, validation.PValues, budget, validation.Description)
                : ModelFigures.Unlabelled([.. validation.PValues.Where((_, i) => validation.Anomalous is not { } a || !a[i])], validation.Description);
        }

        var limits = new List<string> { "It knows the traffic of its tables; at another site its p-values are not calibrated until that site has calibrated it." };
        if (table.Table.Anomalous is null)
            limits.Add("Its table had no labels: how much it finds has not been measured.");
        if (validation is not null && validation.HeldOutDevices == 0)
            limits.Add("The table names too few devices to hold some out: the figures are for devices that it knows.");
        return ModelCard.Of(model, Path.GetFileNameWithoutExtension(path), $"Scores how unusual rows of this feature schema are; trained by 'iotguard train' on {table.Name}.") with
        {
            Budget = budget,
            Figures = figures,
            Limits = limits,
        };
    }

    private static void Print(TrainingChoice choice, FeatureTable table, AnomalyModel model, ModelCard card, CrossValidation? validation, double seconds, IReadOnlyList<string> written)
    {
        var console = Terminal.Output;
        var rows = table.Table;
        var grid = Terminal.Table("", "");
        grid.HideHeaders();
        grid.Columns[1].NoWrap = false;
        void Row(string name, string text) => grid.AddRow(new Text(name), new Text(text));
        var hours = table.Hours > 0 ? string.Create(CultureInfo.InvariantCulture, $", {table.Hours:0.##} hours") : "";
        Row("Table", Invariant($"{table.Name}: {rows.Rows.RowCount:N0} rows, {rows.Rows.ColumnCount} features, schema {table.SchemaHash[..Math.Min(12, table.SchemaHash.Length)]}{hours}"));
        Row("Labels", rows.Anomalous is null ? "none" : Invariant($"{rows.AnomalyCount:N0} anomalies"));
        Row("Engine", $"{choice.Engine.Name}, {string.Join(", ", model.Info.Training!.Parameters.Select(p => Invariant($"{p.Key} {p.Value:0.######}")))}, seed {choice.Seed}");
        Row("Trained", Invariant($"{model.Info.Training.Rows:N0} rows in {seconds:0.00} s"));
        Row("Calibrated", Invariant($"{model.Calibration!.SampleCount:N0} later benign rows"));
        if (card.Budget is { } b)
        {
            var score = model.Calibration.ScoreAt(b.PThreshold);
            var reached = float.IsFinite(score) ? Invariant($"score ≥ {score:0.####}") : "which no score reaches with so few calibration rows";
            Row("Budget", Invariant($"{b.AlertsPerDay:0.###} alerts a day of {b.FlowsPerDay:N0} rows is p ≤ {b.PThreshold:0.##e0}, {reached}"));
        }

        Row("Cross-validated", validation?.Description ?? (choice.Folds == 0 ? "left out" : "too few rows"));
        console.Write(grid);
        if (card.Figures.Count > 0)
        {
            console.WriteLine();
            ModelTables.WriteFigures(console, card.Figures);
        }

        console.WriteLine();
        console.WriteLine($"Written: {string.Join(", ", written)}");
        console.WriteLine($"Next: iotguard evaluate --model {written[0]} --data TABLE --curves curves.svg; iotguard models add {written[0]} --site DIR --shadow");
    }

    private static void PrintEngines()
    {
        var table = Terminal.Table("Engine", "Labels", "Parameter", "Default", "From", "To", "Unit", "What it does");
        table.Columns[7].NoWrap = false;
        foreach (var engine in NamedPackages.Engines)
        {
            table.AddRow(new Text(engine.Name), new Text(engine.NeedsLabels ? "needed" : "-"), new Text(""), new Text(""), new Text(""), new Text(""), new Text(""), new Text(engine.Description));
            foreach (var p in engine.Parameters)
            {
                table.AddRow(
                    new Text(""), new Text(""), new Text(p.Name), Number(p.Default), Number(p.Least), Number(p.Most), new Text(p.Unit == "1" ? "" : p.Unit), new Text(p.Description));
            }
        }

        Terminal.Output.Write(table);

        static Text Number(double value) => new Text(value.ToString("0.######", CultureInfo.InvariantCulture)).RightJustified();
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
