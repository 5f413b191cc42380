using IoTGuard.Learning.Training;

namespace IoTGuard.Learning.Tests;

public sealed class AdditiveTests
{
    private static readonly FeatureMatrix Data = Samples.Cloud(3000, 6, seed: 81);
    private static readonly FeatureMatrix Fresh = Samples.Cloud(500, 6, seed: 82);

    [Theory]
    [InlineData("hbos")]
    [InlineData("ecod")]
    public void AScoreIsTheSumOfItsColumnsAndEachExplainsItself(string engine)
    {
        var model = Train(engine, Data);
        var training = Samples.Scores(model, Data);
        var mean = training.Average();
        float[] contributions = new float[6], score = new float[1];
        for (var r = 0; r < Fresh.RowCount; r++)
        {
            model.Score(Fresh.Row(r), 1, score);
            model.Explain(Fresh.Row(r), contributions);
            Assert.Equal(score[0] - mean, contributions.Sum(), 0.05);
        }

        float[] odd = [.. Fresh.Row(0)];
        odd[3] = 40;
        model.Explain(odd, contributions);
        Assert.Equal(3, Array.IndexOf(contributions, contributions.Max()));
    }

    [Fact]
    public void TheTailsAreThoseOfTheTrainingDistribution()
    {
        var data = new FeatureMatrix(["x"]);
        for (var i = 1; i <= 99; i++)
            data.AddRow([i]);
        var model = Train("ecod", data);
        Assert.Equal(-Math.Log2(11.0 / 100), Score(model, 10), 0.11);
        Assert.Equal(-Math.Log2(11.0 / 100), Score(model, 90), 0.11);
        Assert.Equal(-Math.Log2(0.51), Score(model, 50), 0.11);
        Assert.All((float[])[0.5f, 99.5f, float.MaxValue, float.NegativeInfinity, float.PositiveInfinity, float.NaN], x => Assert.Equal(Math.Log2(100), Score(model, x), 0.001));
    }

    [Fact]
    public void AHistogramMeasuresHowFullABinIs()
    {
        var data = new FeatureMatrix(["x"]);
        for (var i = 0; i < 1000; i++)
            data.AddRow([i switch { < 400 => i / 400f, < 900 => 5 + ((i - 399) / 501f), _ => 10 }]);
        var model = Train("hbos", data, ("bins", 10), ("smoothing", 0.5));
        Assert.Equal(0, Score(model, 5.5f), 0.001);
        Assert.Equal(-Math.Log2(400.5 / 500.5), Score(model, 0.5f), 0.001);
        Assert.Equal(-Math.Log2(100.5 / 500.5), Score(model, 9.5f), 0.001);
        Assert.All((float[])[3, -1, 11, float.NaN], x => Assert.Equal(-Math.Log2(0.5 / 500.5), Score(model, x), 0.001));
    }

    [Fact]
    public void ALongTailHasBinsOfItsOwn()
    {
        var random = new Xoshiro256(5);
        var data = new FeatureMatrix(["bytes"]);
        for (var i = 0; i < 5000; i++)
            data.AddRow([(float)Math.Exp(3 * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))]);
        var model = Train("hbos", data);
        Assert.True(Score(model, 200) > Score(model, 1) + 1, $"{Score(model, 200)} and {Score(model, 1)}");
    }

    [Theory]
    [InlineData("hbos")]
    [InlineData("ecod")]
    public void ColumnsWithoutValuesOrWithOneAreLearned(string engine)
    {
        var data = new FeatureMatrix(["empty", "same", "extreme"]);
        for (var i = 0; i < 10; i++)
            data.AddRow([float.NaN, 7, i % 2 == 0 ? float.PositiveInfinity : float.NegativeInfinity]);
        var model = Train(engine, data);
        float[] scores = new float[2];
        model.Score([float.NaN, 7, float.PositiveInfinity, 1, 8, 0], 2, scores);
        Assert.All(scores, s => Assert.True(float.IsFinite(s)));
        Assert.True(scores[1] > scores[0] + 3, $"{scores[0]} and {scores[1]}");
    }

    private static AnomalyModel Train(string engine, FeatureMatrix data, params (string Name, double Value)[] parameters) =>
        OwnEngines.All.Single(e => e.Name == engine).Train(
            new TrainingTask { Rows = data, Parameters = parameters.ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal) },
            new TrainingSchema(Samples.SchemaHash, [.. data.Columns.Select(_ => "1")], "synthetic", "0.1.0"));

    private static double Score(AnomalyModel model, float x)
    {
        var score = new float[1];
        model.Score([x], 1, score);
        return score[0];
    }
}
