using System.Diagnostics;
using System.Globalization;
using IoTGuard.Learning;
using IoTGuard.Learning.Training;
using IoTGuard.MLNet;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace IoTGuard.Benchmarks.Baselines;

/// <summary>The same trees of ML.NET's FastTree, scored by ML.NET (its engine, row by row; its transform, all rows at once) and by our evaluator, in turns.</summary>
internal static class MLNetTrees
{
    private const int Columns = 40;
    private const int TrainingRows = 20_000;
    private const int Rounds = 7;

    public static int Run(int rowCount)
    {
        var (training, labels) = Make(TrainingRows, seed: 1);
        var (rows, _) = Make(rowCount, seed: 2);
        var engine = MLNetEngines.All.Single(static e => e.Name == "mlnet-fasttree");
        var task = new TrainingTask { Rows = training, Anomalous = labels, Parameters = engine.Complete() };
        var schema = new TrainingSchema("benchmark", [.. Enumerable.Repeat("1", Columns)], "synthetic", "benchmark");
        var model = engine.Train(task, schema, out var attachments);
        var zip = ZipScorer.Load(new MemoryStream(attachments[0].Content));
        float[] ours = new float[rowCount], theirs = new float[rowCount], whole = new float[rowCount];
        var ml = new MLContext();
        var transformer = ml.Model.Load(new MemoryStream(attachments[0].Content), out _);
        var data = ml.Data.LoadFromEnumerable(FeatureRow.Of(rows), FeatureRow.SchemaOf(Columns));

        double[] oursRate = new double[Rounds], engineRate = new double[Rounds], transformRate = new double[Rounds];
        for (var round = -1; round < Rounds; round++)
        {
            var (first, second, third) = (
                Rate(rowCount, () => model.Score(rows.Values, rowCount, ours)),
                Rate(rowCount, () => zip.Score(rows.Values, rowCount, theirs)),
                Rate(rowCount, () => whole = [.. transformer.Transform(data).GetColumn<float>("Score")]));
            // The round before the first warms up.
            if (round >= 0)
                (oursRate[round], engineRate[round], transformRate[round]) = (first, second, third);
        }

        var difference = Enumerable.Range(0, rowCount).Max(i => Math.Max(Math.Abs(ours[i] - theirs[i]), Math.Abs(ours[i] - whole[i])));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            FastTree of ML.NET, 100 trees of up to 20 leaves, {Columns} features, {rowCount} rows, median of {Rounds} rounds in turns, processor time of the process
            our evaluator                 {Median(oursRate) / 1e6,6:F2} million rows/s
            ML.NET, transform             {Median(transformRate) / 1e6,6:F2} million rows/s   ours is {Ratio(oursRate, transformRate):F1} times as fast
            ML.NET, prediction engine     {Median(engineRate) / 1e6,6:F2} million rows/s   ours is {Ratio(oursRate, engineRate):F1} times as fast
            largest difference of a score {difference:G2}
            """));
        return difference < 1e-3 ? 0 : 1;
    }

    /// <summary>Rows per second of processor time.</summary>
    private static double Rate(int rows, Action score)
    {
        using var process = Process.GetCurrentProcess();
        process.Refresh();
        var before = process.TotalProcessorTime;
        score();
        process.Refresh();
        return rows / (process.TotalProcessorTime - before).TotalSeconds;
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    private static double Ratio(double[] ours, double[] theirs) => Median([.. ours.Zip(theirs, static (a, b) => a / b)]);

    private static (FeatureMatrix Rows, bool[] Labels) Make(int count, int seed)
    {
        var random = new Random(seed);
        var matrix = new FeatureMatrix(Enumerable.Range(0, Columns).Select(static i => $"f{i}"));
        var labels = new bool[count];
        var row = new float[Columns];
        for (var i = 0; i < count; i++)
        {
            labels[i] = random.NextDouble() < 0.2;
            for (var column = 0; column < Columns; column++)
                row[column] = (float)(random.NextDouble() + random.NextDouble() + (labels[i] && column % 3 == 0 ? 0.3 : 0));
            matrix.AddRow(row);
        }

        return (matrix, labels);
    }
}
