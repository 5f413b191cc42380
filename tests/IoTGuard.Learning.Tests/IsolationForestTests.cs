using IoTGuard.Learning.Onnx;

namespace IoTGuard.Learning.Tests;

public sealed class IsolationForestTests
{
    private static readonly FeatureMatrix Data = Samples.Cloud(1000, 7, seed: 11);

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 1.20739236)]
    [InlineData(256, 10.24477072)]
    public void AveragePathLengthIsThatOfTheLiterature(int rows, double expected) =>
        Assert.Equal(expected, IsolationForest.AveragePathLength(rows), 6);

    [Fact]
    public void TheSameSeedGivesTheSameFileAndAnotherSeedAnother()
    {
        Assert.Equal(Samples.Model(Data).Save(), Samples.Model(Data).Save());
        Assert.NotEqual(Samples.Model(Data).Save(), Samples.Model(Data, seed: 2).Save());
    }

    [Fact]
    public void OutliersScoreAboveTheCloud()
    {
        var model = Samples.Model(Data);
        var usual = Samples.Scores(model, Samples.Cloud(500, 7, seed: 12));
        var far = Samples.Scores(model, Samples.Cloud(500, 7, seed: 13, shift: 4));
        var labels = new bool[1000];
        labels.AsSpan(500).Fill(true);
        Assert.True(Metrics.AreaUnderRoc([.. usual, .. far], labels) > 0.99);
        Assert.All(usual, s => Assert.InRange(s, 0.3f, 0.75f));
    }

    [Fact]
    public void AFewAttacksAmongTheTrainingRowsAreNotLearnedAsUsual()
    {
        var mixed = Samples.Cloud(970, 7, seed: 14);
        var attacks = Samples.Cloud(30, 7, seed: 15, shift: 4);
        for (var r = 0; r < attacks.RowCount; r++)
            mixed.AddRow(attacks.Row(r));
        var model = Samples.Model(mixed);
        var labels = new bool[700];
        labels.AsSpan(500).Fill(true);
        float[] scores = [.. Samples.Scores(model, Samples.Cloud(500, 7, seed: 16)), .. Samples.Scores(model, Samples.Cloud(200, 7, seed: 17, shift: 4))];
        Assert.True(Metrics.AreaUnderRoc(scores, labels) > 0.97);
    }

    [Fact]
    public void TreesStopAtTheDepthLimitAndHoldEveryDrawnRowOnce()
    {
        var forest = IsolationForest.Train(Data, new() { Trees = 20, SampleSize = 100 });
        foreach (var tree in forest.Trees)
        {
            Assert.Equal(100, tree[0].Samples);
            Assert.Equal(100, tree.Where(n => n.Feature < 0).Sum(n => n.Samples));
            Assert.InRange(Depth(tree, 0), 1, 7);
        }

        static int Depth(TreeNode[] tree, int at) =>
            tree[at].Feature < 0 ? 0 : 1 + Math.Max(Depth(tree, tree[at].Left), Depth(tree, tree[at].Right));
    }

    [Fact]
    public void IdenticalRowsAreNeitherUsualNorUnusual()
    {
        var data = new FeatureMatrix(["a", "b"]);
        for (var i = 0; i < 300; i++)
            data.AddRow([1, 2]);
        var model = Samples.Model(data);
        var score = new float[1];
        model.Score([5, float.NaN], 1, score);
        Assert.Equal(0.5f, score[0], 4);
    }

    [Fact]
    public void AMissingValueIsUnusualWhereValuesAreUsualAndUsualWhereTheyAreMissing()
    {
        var random = new Xoshiro256(3);
        var full = new FeatureMatrix(["a", "b"]);
        var empty = new FeatureMatrix(["a", "b"]);
        for (var i = 0; i < 400; i++)
        {
            var a = (float)random.NextDouble();
            full.AddRow([a, i % 100 == 0 ? float.NaN : 7]);
            empty.AddRow([a, i % 100 == 0 ? 7 : float.NaN]);
        }

        float[] scores = new float[2], mirrored = new float[2];
        Samples.Model(full).Score([0.5f, float.NaN, 0.5f, 7], 2, scores);
        Samples.Model(empty).Score([0.5f, 7, 0.5f, float.NaN], 2, mirrored);
        Assert.True(scores[0] > scores[1] + 0.05f);
        Assert.True(mirrored[0] > mirrored[1] + 0.05f);
    }

    [Fact]
    public void InfinitiesAreTrainedOnAndScored()
    {
        var data = new FeatureMatrix(["a", "b"]);
        for (var i = 0; i < 64; i++)
            data.AddRow([i % 2 == 0 ? float.PositiveInfinity : i, i % 3 == 0 ? float.NegativeInfinity : float.NaN]);
        var scores = Samples.Scores(Samples.Model(data), data);
        Assert.All(scores, s => Assert.InRange(s, 0.1f, 0.9f));
    }

    [Fact]
    public void ConstantColumnsDoNotChangeHowRowsRank()
    {
        var widened = new FeatureMatrix([.. Data.Columns, "same"]);
        for (var r = 0; r < Data.RowCount; r++)
            widened.AddRow([.. Data.Row(r), 42]);
        var forest = IsolationForest.Train(widened, new());
        Assert.DoesNotContain(forest.Trees.SelectMany(t => t), n => n.Feature == Data.ColumnCount);
    }

    [Fact]
    public void TooFewRowsOrBadOptionsAreRefused()
    {
        Assert.Throws<ArgumentException>(() => IsolationForest.Train(Samples.Cloud(1, 2, 1), new()));
        Assert.Throws<ArgumentException>(() => IsolationForest.Train(Data, new() { Trees = 0 }));
        Assert.Throws<ArgumentException>(() => IsolationForest.Train(Data, new() { SampleSize = 1 }));
        Assert.Throws<ArgumentException>(() => IsolationForest.Train(Data, new() { Trees = 10_000, SampleSize = 1000 }));
    }
}
