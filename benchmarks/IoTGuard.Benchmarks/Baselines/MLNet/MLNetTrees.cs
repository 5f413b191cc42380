using IoTGuard.Learning;
using IoTGuard.Learning.Training;
using IoTGuard.MLNet;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace IoTGuard.Benchmarks.Baselines;

/// <summary>The same trees of ML.NET's FastTree, scored by ML.NET (its transform, all rows at once; its engine, row by row) and by our evaluator, in turns.</summary>
internal static class MLNetTrees
{
    private const int Rounds = 5;

    public static int Run(FeatureMatrix training, bool[] labels, FeatureMatrix rows) =>
        Math.Max(Run(training, labels, rows, leaves: 20), Run(training, labels, rows, leaves: 256));

    private static int Run(FeatureMatrix training, bool[] labels, FeatureMatrix rows, int leaves)
    {
        var engine = MLNetEngines.All.Single(static e => e.Name == "mlnet-fasttree");
        var parameters = engine.Complete(new Dictionary<string, double>(StringComparer.Ordinal) { ["leaves"] = leaves });
        var model = engine.Train(new TrainingTask { Rows = training, Anomalous = labels, Parameters = parameters }, TreeScoring.Schema, out var attachments);
        var zip = ZipScorer.Load(new MemoryStream(attachments[0].Content));
        float[] ours = new float[rows.RowCount], theirs = new float[rows.RowCount], whole = [];
        var ml = new MLContext();
        var transformer = ml.Model.Load(new MemoryStream(attachments[0].Content), out _);
        var data = ml.Data.LoadFromEnumerable(FeatureRow.Of(rows), FeatureRow.SchemaOf(TreeScoring.Columns));
        var best = (Ours: double.MaxValue, Transform: double.MaxValue, Engine: double.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            best.Ours = Math.Min(best.Ours, TreeScoring.Seconds(() => model.Score(rows.Values, rows.RowCount, ours)));
            best.Transform = Math.Min(best.Transform, TreeScoring.Seconds(() => whole = [.. transformer.Transform(data).GetColumn<float>("Score")]));
            best.Engine = Math.Min(best.Engine, TreeScoring.Seconds(() => zip.Score(rows.Values, rows.RowCount, theirs)));
        }

        double Rate(double seconds) => rows.RowCount / seconds / 1e6;
        var difference = Enumerable.Range(0, rows.RowCount).Max(i => Math.Max(Math.Abs(ours[i] - theirs[i]), Math.Abs(ours[i] - whole[i])));
        TreeScoring.Say($"""
            FastTree of ML.NET, 100 trees of up to {leaves} leaves; largest difference of a score {difference:G2}
            ours                       scores {Rate(best.Ours),6:F2} million rows/s
            ML.NET, transform          scores {Rate(best.Transform),6:F2} million rows/s   ours {best.Transform / best.Ours:F1} times as fast
            ML.NET, prediction engine  scores {Rate(best.Engine),6:F2} million rows/s   ours {best.Engine / best.Ours:F1} times as fast
            """);
        return difference < 1e-3 ? 0 : 1;
    }
}
