using System.CommandLine;
using IoTGuard.Analysis;
using IoTGuard.Learning;
using IoTGuard.Models;
using IoTGuard.Outputs;
using Spectre.Console;

namespace IoTGuard.Commands.Models;

/// <summary><c>iotguard models compare</c>: models side by side, on the same rows.</summary>
internal static class CompareModels
{
    public static Command Create()
    {
        var names = new Argument<string[]>("MODEL") { Description = "Two or more .onnx files, or versions of the site", Arity = new ArgumentArity(2, 16) };
        var site = ListOptions.Text("--site", "Folder of the site whose versions are meant", "DIR");
        var data = ListOptions.Text("--data", "Table of features to score with each", "TABLE");
        var label = ListOptions.Text("--label", "Column that says what a row is (default: label)", "COLUMN");
        var labels = ListOptions.Text("--labels", "What really happened, JSON lines; instead of a label column", "FILE");
        var budget = CommonOptions.AlertBudget("False alerts a day that are accepted (default: 10)");
        var command = new Command("compare", """
            Puts models side by side: what they are, and with a table how they score the same rows: figures with intervals, rows that would be alerts,
            how far they agree with the first one, and how well they keep their calibration.

            Example:
              iotguard models compare 0001 0002 --site /var/lib/iotguard/site --data flows.csv
            """)
        {
            names, site, data, label, labels, budget,
        };
        command.SetAction(parsed =>
        {
            IReadOnlyList<ModelReference> models = [.. parsed.GetValue(names)!.SelectMany(n => ModelReference.Find(n, parsed.GetValue(site)))];
            List<ModelEvaluation> evaluations = [];
            if (parsed.GetValue(data) is { } table)
            {
                using var progress = new TaskProgress();
                var columns = LabelColumns.Of(parsed.GetValue(label));
                var labeller = LabelColumns.Labeller(parsed.GetValue(labels));
                var hash = FeatureTable.SchemaHashOf(table) ?? models[0].Model.Info.SchemaHash;
                models = ModelReference.ThatRead(models, hash, table);
                foreach (var (name, model) in models)
                {
                    var rows = FeatureTable.LoadFor(model, name, table, columns, labeller, progress);
                    progress.Begin($"scoring with {name}");
                    evaluations.Add(ModelEvaluation.Of(model, rows, parsed.GetValue(budget) ?? DetectorOptions.DefaultAlertBudgetPerDay));
                }
            }

            Print(models, evaluations);
            return ExitStatus.Done;
        });
        return command;
    }

    private static void Print(IReadOnlyList<ModelReference> models, List<ModelEvaluation> evaluations)
    {
        var table = Terminal.Table(["", .. models.Select(m => m.Name)]);
        void Row(string name, Func<int, string> cell) => table.AddRow([new Text(name), .. models.Select((_, i) => new Text(cell(i)))]);
        Row("engine", i => models[i].Model.Info.Training?.Engine ?? "-");
        Row("trained on", i => FormattableString.Invariant($"{models[i].Model.Info.Training?.Rows:N0} rows"));
        Row("seed", i => FormattableString.Invariant($"{models[i].Model.Info.Training?.Seed}"));
        Row("calibrated on", i => models[i].Model.Calibration is { } c ? FormattableString.Invariant($"{c.SampleCount:N0} rows") : "-");
        Row("schema", i => models[i].Model.Info.SchemaHash is { Length: > 0 } hash ? hash[..Math.Min(12, hash.Length)] : "-");
        if (evaluations.Count > 0)
        {
            foreach (var figure in evaluations[0].Figures)
            {
                Row(figure.Name, i => evaluations[i].Figures.FirstOrDefault(f => f.Name == figure.Name) is { } f
                    ? $"{ModelTables.Number(f.Value)} ({ModelTables.Number(f.Low)} to {ModelTables.Number(f.High)})" : "-");
            }

            if (evaluations[0].Alerts is not null)
                Row("alerts at the budget", i => FormattableString.Invariant($"{evaluations[i].Alerts:N0}"));
            if (evaluations[0].Alerts is not null)
                Row("of them also of the first", i => Invariant(evaluations[i], e => Both(evaluations[0], e)));
            Row("rank agreement with the first", i => ModelTables.Number(RankAgreement.Spearman(evaluations[0].Scores, evaluations[i].Scores)));
            Row("p-values uniform", i => Uniform(evaluations[i]));
        }

        Terminal.Output.Write(table);
    }

    private static string Invariant(ModelEvaluation evaluation, Func<ModelEvaluation, int?> count) => FormattableString.Invariant($"{count(evaluation):N0}");

    private static int? Both(ModelEvaluation first, ModelEvaluation other) => first.PValues is null || other.PValues is null || first.Budget is not { } budget
        ? null
        : first.PValues.Where((p, i) => p <= budget.PThreshold && other.PValues[i] <= other.Budget!.Value.PThreshold).Count();

    /// <summary>Over the benign rows, as far as they are known.</summary>
    private static string Uniform(ModelEvaluation evaluation)
    {
        if (evaluation.PValues is null)
            return "-";
        var anomalous = evaluation.Table.Table.Anomalous;
        double[] benign = [.. evaluation.PValues.Where((_, i) => anomalous is null || !anomalous[i])];
        if (benign.Length == 0)
            return "-";
        var check = Uniformity.Check(benign, evaluation.Model.Calibration!.SampleCount);
        return check.ChanceTooMany < 0.001 ? $"no: {ModelTables.Number(check.TooMany * 100)} % too many small ones" : "yes";
    }
}
