namespace IoTGuard.Learning.Tests.Oracles;

/// <summary>Pipelines of scikit-learn, as the graphs that skl2onnx makes of them, score here as they do there.</summary>
public sealed class ScikitLearnModelTests
{
    [Theory]
    [InlineData("logistic")]
    [InlineData("random-forest")]
    [InlineData("isolation-forest")]
    [InlineData("gradient-boosting")]
    public void AScaledPipelineScoresAsInScikitLearn(string kind)
    {
        using var oracle = new Oracle("sklearn", "onnx");
        var train = Samples.Cloud(600, 7, seed: 111);
        for (var r = 0; r < 150; r++)
            train.AddRow([.. Samples.Cloud(1, 7, seed: 200 + (ulong)r, shift: 1.5f).Row(0)]);
        var rows = Samples.Cloud(250, 7, seed: 112, shift: 0.6f);
        oracle.Ask("pipeline", kind, "600", oracle.Write("train.csv", train), oracle.PathOf("model.onnx"), oracle.Write("rows.csv", rows), oracle.PathOf("scores.csv"));
        var model = AnomalyModel.Load(File.ReadAllBytes(oracle.PathOf("model.onnx")), null);
        Assert.Equal(7, model.ColumnCount);
        Assert.Equal(oracle.ReadScores("scores.csv"), Samples.Scores(model, rows), (x, y) => Math.Abs(x - y) <= 2e-5f);
    }
}
