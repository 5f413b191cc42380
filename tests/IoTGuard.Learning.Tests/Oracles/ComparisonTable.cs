using IoTGuard.TestSupport;
using Microsoft.ML.OnnxRuntime;

namespace IoTGuard.Learning.Tests.Oracles;

/// <summary>
/// Writes the tables of <c>benchmarks/results/learning.md</c>. Not part of the suite, asked for by name:
/// <c>dotnet run -c Release --project tests/IoTGuard.Learning.Tests -- -explicit only -class "*ComparisonTable"</c>.
/// </summary>
public sealed class ComparisonTable
{
    private const int Seeds = 5;

    [Fact(Explicit = true)]
    public void Write()
    {
        using var oracle = new Oracle("sklearn");
        Table[] tables = [.. Table.Names.Select(name => Table.LoadOrSkip(name, int.MaxValue)), Synthetic()];
        Measure(tables[^1], seed: 0);
        var theirs = OracleTests.AskScikitLearn(oracle, tables);
        Comparison[] results =
        [
            .. tables.Zip(theirs, (table, runs) => new Comparison(table, [.. Enumerable.Range(0, Seeds).Select(seed => Measure(table, (ulong)seed))], runs)),
        ];

        using var text = new StringWriter();
        WriteRanking(text, results);
        WriteBudget(text, tables[..^1]);
        WrittenPart.ReplaceIn(Repository.PathOf("benchmarks", "results", "learning.md"), nameof(ComparisonTable), text.ToString());
    }

    private static void WriteRanking(TextWriter text, Comparison[] results)
    {
        text.Write("""
            ## Ranking and speed

            | Table | Columns | Trained | Tested | Anomalies | AUROC ours | AUROC scikit-learn | Published | Average precision ours | scikit-learn | Training, times faster than scikit-learn | Scoring, times faster than scikit-learn | than onnxruntime | Scoring, million rows/s |
            |---|---|---|---|---|---|---|---|---|---|---|---|---|---|

            """.ReplaceLineEndings("\n"));
        foreach (var (table, ours, theirs) in results)
        {
            var score = ours.Min(r => r.ScoreSeconds);
            string[] cells =
            [
                table.Name, $"{table.Train.ColumnCount}", $"{table.Train.RowCount}", $"{table.Test.RowCount}", $"{table.Anomalous.Count(a => a)}",
                Spread(ours.Select(r => r.AreaUnderRoc)), Spread(theirs.Select(r => r.AreaUnderRoc)), table.Published is { } p ? $"{p:F1}" : "–",
                $"{ours.Average(r => r.AveragePrecision) * 100:F1}", $"{theirs.Average(r => r.AveragePrecision) * 100:F1}",
                $"{theirs.Min(r => r.TrainSeconds) / ours.Min(r => r.TrainSeconds):F0}", $"{theirs.Min(r => r.ScoreSeconds) / score:F1}", $"{OnnxRuntimeSeconds(table) / score:F1}",
                $"{table.Test.RowCount / score / 1e6:F2}",
            ];
            text.Write($"| {string.Join(" | ", cells)} |\n");
        }
    }

    private static void WriteBudget(TextWriter text, Table[] tables)
    {
        text.Write("""

            ## Is the alert budget kept?

            | Table | Calibration rows | False at 1 % | False at 0.1 % | False at 0.01 % | Found at 1 % | Found at 0.1 % | Found at 0.01 % |
            |---|---|---|---|---|---|---|---|

            """.ReplaceLineEndings("\n"));
        foreach (var table in tables)
        {
            double[] budgets = [0.01, 0.001, 0.0001];
            double[] falseShare = new double[3], found = new double[3];
            var calibrationRows = table.Anomalous.Count(a => !a) / 2;
            for (ulong seed = 0; seed < Seeds; seed++)
            {
                // Normal rows stand first in a table's test rows, shuffled.
                var scores = Samples.Scores(Samples.Model(table.Train, seed: seed), table.Test);
                var calibration = Calibration.Fit(scores.AsSpan(0, calibrationRows));
                for (var b = 0; b < budgets.Length; b++)
                {
                    for (var r = calibrationRows; r < scores.Length; r++)
                    {
                        if (calibration.PValue(scores[r]) <= budgets[b])
                            (table.Anomalous[r] ? found : falseShare)[b]++;
                    }
                }
            }

            var normal = table.Anomalous.Count(a => !a) - calibrationRows;
            var anomalies = table.Anomalous.Length - calibrationRows - normal;
            string[] cells =
            [
                table.Name, $"{calibrationRows}", .. falseShare.Select(f => $"{f / Seeds / normal * 100:F3} %"), .. found.Select(f => $"{f / Seeds / anomalies * 100:F1} %"),
            ];
            text.Write($"| {string.Join(" | ", cells)} |\n");
        }
    }

    private static OracleTests.ForestRun Measure(Table table, ulong seed)
    {
        var start = Environment.CpuUsage.TotalTime;
        var forest = IsolationForest.Train(table.Train, new() { Seed = seed });
        var trained = Environment.CpuUsage.TotalTime;
        var model = AnomalyModel.Create(forest, Samples.Info(table.Train));
        var scores = new float[table.Test.RowCount];
        var repeats = Math.Max(1, 50_000 / scores.Length);
        var ready = Environment.CpuUsage.TotalTime;
        for (var i = 0; i < repeats; i++)
            model.Score(table.Test.Values, table.Test.RowCount, scores);
        var scored = Environment.CpuUsage.TotalTime;
        return new(
            Metrics.AreaUnderRoc(scores, table.Anomalous),
            Metrics.AveragePrecision(scores, table.Anomalous),
            (trained - start).TotalSeconds,
            (scored - ready).TotalSeconds / repeats);
    }

    /// <summary>Processor seconds of onnxruntime for the tested rows, by the same trees; best of five runs.</summary>
    private static double OnnxRuntimeSeconds(Table table)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        using var session = new InferenceSession(Samples.Model(table.Train, seed: 0).Save(), options);
        var (rows, columns) = (table.Test.RowCount, table.Test.ColumnCount);
        var values = table.Test.Values.ToArray();
        var best = double.MaxValue;
        for (var run = 0; run < Seeds; run++)
        {
            var start = Environment.CpuUsage.TotalTime;
            for (var done = 0; done < rows; done += 2048)
            {
                var count = Math.Min(2048, rows - done);
                using var input = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, values.AsMemory(done * columns, count * columns), [count, columns]);
                using var how = new RunOptions();
                using var scores = session.Run(how, ["features"], [input], ["score"]);
            }

            best = Math.Min(best, (Environment.CpuUsage.TotalTime - start).TotalSeconds);
        }

        return best;
    }

    /// <summary>The width that speed is stated for: 40 columns.</summary>
    private static Table Synthetic()
    {
        var test = Samples.Cloud(20_000, 40, seed: 72);
        var shifted = Samples.Cloud(1000, 40, seed: 73, shift: 0.5f);
        for (var r = 0; r < shifted.RowCount; r++)
            test.AddRow(shifted.Row(r));
        return new("synthetic", Samples.Cloud(20_000, 40, seed: 71), test, [.. Enumerable.Range(0, test.RowCount).Select(r => r >= 20_000)]);
    }

    private static string Spread(IEnumerable<double> values)
    {
        var all = values.ToArray();
        var mean = all.Average();
        return $"{mean * 100:F1} ± {Math.Sqrt(all.Average(v => (v - mean) * (v - mean))) * 100:F1}";
    }

    private sealed record Comparison(Table Table, OracleTests.ForestRun[] Ours, OracleTests.ForestRun[] Theirs);
}
