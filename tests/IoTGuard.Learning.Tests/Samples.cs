namespace IoTGuard.Learning.Tests;

/// <summary>Small data sets and models, the same on every run.</summary>
internal static class Samples
{
    public const string SchemaHash = "5f1e0c4b";

    /// <summary>A cloud around 0 with correlated, skewed and constant columns.</summary>
    public static FeatureMatrix Cloud(int rows, int columns, ulong seed, float shift = 0)
    {
        var random = new Xoshiro256(seed);
        var matrix = new FeatureMatrix(Enumerable.Range(0, columns).Select(c => $"f{c}"));
        var row = new float[columns];
        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < columns; c++)
            {
                var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
                row[c] = c % 5 == 4 ? MathF.Exp((float)normal) : (float)normal + shift;
            }

            matrix.AddRow(row);
        }

        return matrix;
    }

    public static ModelInfo Info(FeatureMatrix data) => new(
        SchemaHash,
        FeatureInfo.Describe(data, [.. data.Columns.Select(_ => "1")]),
        new TrainingInfo("synthetic cloud", data.RowCount, "iforest", new Dictionary<string, double>(StringComparer.Ordinal) { ["trees"] = 100, ["sample_size"] = 256 }, 1),
        "0.1.0");

    public static AnomalyModel Model(FeatureMatrix data, int trees = 100, ulong seed = 1) =>
        AnomalyModel.Create(IsolationForest.Train(data, new() { Trees = trees, Seed = seed }), Info(data));

    public static float[] Scores(AnomalyModel model, FeatureMatrix rows)
    {
        var scores = new float[rows.RowCount];
        model.Score(rows.Values, rows.RowCount, scores);
        return scores;
    }
}
