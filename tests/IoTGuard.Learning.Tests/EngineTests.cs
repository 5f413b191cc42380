using IoTGuard.Learning.Training;
using IoTGuard.TestSupport;

namespace IoTGuard.Learning.Tests;

/// <summary>What holds for every engine of the table.</summary>
public sealed class EngineTests
{
    private static readonly FeatureMatrix Data = Samples.Cloud(1200, 9, seed: 91);

    /// <summary>Rows of the cloud and, every eighth, an anomaly: three columns moved far out.</summary>
    private static readonly (FeatureMatrix Rows, bool[] Anomalous) Mixed = Mix(800, seed: 92);

    public static TheoryData<string> Engines => [.. OwnEngines.All.Select(e => e.Name)];

    [Theory]
    [MemberData(nameof(Engines))]
    public void AnEngineFindsWhatIsPlainlyUnusualAndSaysWhichColumn(string name)
    {
        var model = Train(name);
        var scores = Samples.Scores(model, Mixed.Rows);
        Assert.True(Metrics.AreaUnderRoc(scores, Mixed.Anomalous) > 0.97, $"{Metrics.AreaUnderRoc(scores, Mixed.Anomalous)}");
        float[] contributions = new float[9];
        var found = 0;
        for (var r = 0; r < Mixed.Rows.RowCount; r += 8)
        {
            model.Explain(Mixed.Rows.Row(r), contributions);
            found += Array.IndexOf(contributions, contributions.Max()) is 1 or 3 or 6 ? 1 : 0;
        }

        // What is left of a row after reconstruction need not lie in the columns that were moved when columns are independent.
        Assert.True(found > 85 || name is "pca" or "autoencoder", $"{found} of 100");
    }

    [Theory]
    [InlineData("pca")]
    [InlineData("autoencoder")]
    public void AReconstructionFindsColumnsThatNoLongerGoTogether(string name)
    {
        var random = new Xoshiro256(6);
        var data = new FeatureMatrix(["x", "twice", "sum", "y", "z"]);
        void Add(bool broken)
        {
            var (x, y, z) = ((float)random.NextDouble(), (float)random.NextDouble(), (float)random.NextDouble());
            data.AddRow([x, broken ? 2 - (2 * x) : 2 * x, x + y, y, z]);
        }

        for (var i = 0; i < 2000; i++)
            Add(broken: false);
        var engine = OwnEngines.All.Single(e => e.Name == name);
        var parameters = new Dictionary<string, double>(StringComparer.Ordinal) { [name == "pca" ? "variance" : "code"] = name == "pca" ? 0.95 : 3 };
        var model = engine.Train(new TrainingTask { Rows = data, Parameters = parameters }, new TrainingSchema("", ["1", "1", "1", "1", "1"], "synthetic", "0.1.0"));
        for (var i = 0; i < 300; i++)
            Add(broken: true);
        var scores = Samples.Scores(model, data);
        Assert.True(Metrics.AreaUnderRoc(scores, [.. Enumerable.Range(0, 2300).Select(r => r >= 2000)]) > 0.9);
        float[] contributions = new float[5], sums = new float[5];
        for (var r = 2000; r < 2300; r++)
        {
            model.Explain(data.Row(r), contributions);
            for (var c = 0; c < 5; c++)
                sums[c] += contributions[c];
        }

        Assert.True(sums[0] + sums[1] > sums[2] + sums[3] + sums[4], string.Join(' ', sums));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void TheSameSeedGivesTheSameBytesAndAnotherOnesUsuallyOthers(string name)
    {
        Assert.Equal(Train(name).Save(), Train(name).Save());
        var engine = OwnEngines.All.Single(e => e.Name == name);
        if (name is not ("hbos" or "ecod" or "pca"))
            Assert.NotEqual(Samples.Scores(Train(name), Data), Samples.Scores(Train(name, seed: 2), Data));
        Assert.Equal(engine.Complete(), Train(name).Info.Training!.Parameters);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void AFileReadBackScoresTheSameInAnyBatchWithoutAllocating(string name)
    {
        var model = Train(name);
        var read = AnomalyModel.Load(model.Save(), Samples.SchemaHash);
        float[] rows = [.. Mixed.Rows.Values], scores = new float[800], one = new float[1], contributions = new float[9];
        model.Score(rows, 800, scores);
        for (var r = 0; r < 150; r++)
        {
            read.Score(rows.AsSpan(r * 9, 9), 1, one);
            Assert.Equal(scores[r], one[0]);
        }

        Assert.Equal(0, Allocations.Of(() =>
        {
            read.Score(rows, 800, scores);
            read.Explain(rows.AsSpan(0, 9), contributions);
        }));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void MissingInfiniteAndConstantColumnsGiveFiniteScores(string name)
    {
        var data = new FeatureMatrix(["a", "b", "c", "d"]);
        var random = new Xoshiro256(4);
        for (var i = 0; i < 300; i++)
            data.AddRow([i % 7 == 0 ? float.NaN : (float)random.NextDouble(), 5, i % 50 == 0 ? float.PositiveInfinity : i, float.NaN]);
        var model = Train(name, data, [.. Enumerable.Range(0, 300).Select(i => i % 9 == 0)]);
        Assert.All(Samples.Scores(model, data), s => Assert.True(float.IsFinite(s), $"{s}"));
        float[] scores = new float[3];
        model.Score([float.NaN, float.NaN, float.NaN, float.NaN, float.MaxValue, float.MinValue, float.MaxValue, 0, float.NegativeInfinity, 6, 0, 1], 3, scores);
        Assert.All(scores, s => Assert.True(float.IsFinite(s), $"{s}"));
    }

    [Fact]
    public void ParametersAreCheckedAndNamed()
    {
        var engine = OwnEngines.All.Single(e => e.Name == "iforest");
        Assert.Contains("it has trees, sample_size", Refusal("size", 3), StringComparison.Ordinal);
        Assert.Contains("must be a whole number from 1 to 10000, not 2.5", Refusal("trees", 2.5), StringComparison.Ordinal);
        Assert.Contains("from 2 to 65536, not 1", Refusal("sample_size", 1), StringComparison.Ordinal);
        Assert.Equal(7, engine.Complete(new Dictionary<string, double>(StringComparer.Ordinal) { ["trees"] = 7 })["trees"]);

        string Refusal(string name, double value) =>
            Assert.Throws<ArgumentException>(() => engine.Complete(new Dictionary<string, double>(StringComparer.Ordinal) { [name] = value })).Message;
    }

    [Fact]
    public void AnEngineThatLearnsFromLabelsWantsBothKinds()
    {
        Assert.Throws<ArgumentException>(() => Train("gbt", Data, null));
        Assert.Throws<ArgumentException>(() => Train("gbt", Data, new bool[Data.RowCount]));
        Assert.Throws<ArgumentException>(() => Train("gbt", Data, [true, false]));
    }

    [Fact]
    public void TheContributionsOfAReconstructionSumToTheScore()
    {
        foreach (var name in (string[])["pca", "autoencoder"])
        {
            var model = Train(name);
            float[] contributions = new float[9], score = new float[1];
            for (var r = 0; r < 50; r++)
            {
                model.Score(Mixed.Rows.Row(r), 1, score);
                model.Explain(Mixed.Rows.Row(r), contributions);
                Assert.Equal(score[0], contributions.Sum(), 1e-3 * (1 + score[0]));
            }
        }
    }

    internal static AnomalyModel Train(string name, ulong seed = 1) =>
        Train(name, name == "gbt" ? Mixed.Rows : Data, name == "gbt" ? Mixed.Anomalous : null, seed);

    private static AnomalyModel Train(string name, FeatureMatrix rows, bool[]? labels, ulong seed = 1)
    {
        var engine = OwnEngines.All.Single(e => e.Name == name);
        return engine.Train(
            new TrainingTask { Rows = rows, Anomalous = labels, Seed = seed, Parameters = engine.Complete() },
            new TrainingSchema(Samples.SchemaHash, [.. rows.Columns.Select(_ => "1")], "synthetic", "0.1.0"));
    }

    private static (FeatureMatrix Rows, bool[] Anomalous) Mix(int rows, ulong seed)
    {
        var cloud = Samples.Cloud(rows, 9, seed);
        var mixed = new FeatureMatrix(cloud.Columns);
        for (var r = 0; r < rows; r++)
        {
            float[] row = [.. cloud.Row(r)];
            if (r % 8 == 0)
                (row[1], row[3], row[6]) = (row[1] + 7, row[3] - 8, row[6] + 9);
            mixed.AddRow(row);
        }

        return (mixed, [.. Enumerable.Range(0, rows).Select(r => r % 8 == 0)]);
    }
}
