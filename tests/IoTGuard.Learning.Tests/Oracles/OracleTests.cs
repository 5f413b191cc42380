using System.Globalization;

namespace IoTGuard.Learning.Tests.Oracles;

public sealed class OracleTests
{
    private const int Seeds = 5;

    public static TheoryData<string> TableNames => [.. Table.Names];

    [Theory]
    [MemberData(nameof(TableNames))]
    public void TheForestRanksAsWellAsScikitLearns(string name)
    {
        var table = Table.LoadOrSkip(name, mostTestRows: 2000);
        using var oracle = new Oracle("sklearn");
        var theirs = AskScikitLearn(oracle, table).Average(run => run.AreaUnderRoc);
        var ours = Enumerable.Range(0, Seeds).Average(seed => AreaUnderRoc(table, (ulong)seed));
        Assert.True(Math.Abs(ours - theirs) < 0.015, $"{name}: ours {ours:P2}, scikit-learn {theirs:P2}");
        if (table.Published is { } published)
            Assert.InRange(ours * 100, published - 4, published + 4);
    }

    [Fact]
    public void OurFileIsValidOnnxAndAnotherEvaluatorGivesTheSameScores()
    {
        var data = Samples.Cloud(2000, 12, seed: 31);
        var rows = Samples.Cloud(150, 12, seed: 32, shift: 0.5f);
        rows.AddRow([.. Enumerable.Repeat(float.NaN, 6), .. Enumerable.Repeat(float.PositiveInfinity, 6)]);
        var model = Samples.Model(data);
        var scores = Samples.Scores(model, rows);
        model = model.WithCalibration(Calibration.Fit(scores));
        using var oracle = new Oracle("onnx");
        var said = oracle.Ask("evaluate", oracle.Write("model.onnx", model.Save()), oracle.Write("rows.csv", rows), oracle.PathOf("scores.csv"));
        Assert.Contains("'iotguard.calibration', 'iotguard.features', 'iotguard.path_normaliser', 'iotguard.schema_hash'", said, StringComparison.Ordinal);
        Assert.Equal(oracle.ReadScores("scores.csv"), scores, (x, y) => Math.Abs(x - y) <= 1e-6f);
    }

    [Fact]
    public void AForestOfScikitLearnIsScoredAndExplainedHere()
    {
        var train = Samples.Cloud(1000, 9, seed: 41);
        var rows = Samples.Cloud(400, 9, seed: 42, shift: 0.5f);
        using var oracle = new Oracle("sklearn", "onnx");
        oracle.Ask("export", oracle.Write("train.csv", train), oracle.PathOf("model.onnx"), oracle.Write("rows.csv", rows), oracle.PathOf("scores.csv"));
        var model = AnomalyModel.Load(File.ReadAllBytes(oracle.PathOf("model.onnx")), "elsewhere");
        var scores = Samples.Scores(model, rows);
        Assert.Equal(oracle.ReadScores("scores.csv"), scores, (x, y) => Math.Abs(x - y) <= 1e-6f);

        // Its file carries no IoTGuard feature table; calibrating and saving it keeps the graph and adds one.
        var calibrated = AnomalyModel.Load(model.WithCalibration(Calibration.Fit(scores)).Save(), "elsewhere");
        Assert.Equal(scores, Samples.Scores(calibrated, rows));
        float[] row = [9, 0, 0, 0, 1, 0, 0, 0, 0], contributions = new float[9];
        calibrated.Explain(row, contributions);
        Assert.Equal(contributions.Max(), contributions[0]);
    }

    internal static double AreaUnderRoc(Table table, ulong seed) =>
        Metrics.AreaUnderRoc(Samples.Scores(Samples.Model(table.Train, seed: seed), table.Test), table.Anomalous);

    internal static IReadOnlyList<ForestRun> AskScikitLearn(Oracle oracle, Table table)
    {
        var answer = oracle.Ask(
            "sklearn",
            oracle.Write("train.csv", table.Train),
            oracle.Write("test.csv", table.Test),
            oracle.Write("labels.csv", table.LabelColumn()),
            Seeds.ToString(CultureInfo.InvariantCulture));
        return
        [
            .. answer.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
            {
                var numbers = Array.ConvertAll(line.Split(' '), double.Parse);
                return new ForestRun(numbers[0], numbers[1], numbers[2], numbers[3]);
            }),
        ];
    }

    internal readonly record struct ForestRun(double AreaUnderRoc, double AveragePrecision, double TrainSeconds, double ScoreSeconds);
}
