using System.Globalization;

namespace IoTGuard.Learning.Tests.Oracles;

public sealed class OracleTests
{
    private const int Seeds = 5;

    [Fact]
    public void TheForestRanksEveryTableAsWellAsScikitLearns()
    {
        Table[] tables = [.. Table.Names.Select(name => Table.LoadOrSkip(name, mostTestRows: 1500))];
        using var oracle = new Oracle("sklearn");
        var theirRuns = AskScikitLearn(oracle, tables);
        Assert.All(tables.Zip(theirRuns), pair =>
        {
            var (table, runs) = pair;
            var theirs = runs.Average(run => run.AreaUnderRoc);
            var ours = Enumerable.Range(0, Seeds).Average(seed => AreaUnderRoc(table, (ulong)seed));
            Assert.True(Math.Abs(ours - theirs) < 0.015, $"{table.Name}: ours {ours:P2}, scikit-learn {theirs:P2}");
            if (table.Published is { } published)
                Assert.InRange(ours * 100, published - 4, published + 4);
        });
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

    /// <summary>Per table, one run per seed.</summary>
    internal static IReadOnlyList<ForestRun[]> AskScikitLearn(Oracle oracle, Table[] tables)
    {
        foreach (var table in tables)
        {
            oracle.Write(table.Name + ".train.csv", table.Train);
            oracle.Write(table.Name + ".test.csv", table.Test);
            oracle.Write(table.Name + ".labels.csv", table.LabelColumn());
        }

        var answer = oracle.Ask(["sklearn", Seeds.ToString(CultureInfo.InvariantCulture), .. tables.Select(t => t.Name)]);
        return
        [
            .. answer.Split('\n', StringSplitOptions.RemoveEmptyEntries).Chunk(Seeds).Select(lines => Array.ConvertAll(lines, line =>
            {
                var numbers = Array.ConvertAll(line.Split(' '), double.Parse);
                return new ForestRun(numbers[0], numbers[1], numbers[2], numbers[3]);
            })),
        ];
    }

    internal readonly record struct ForestRun(double AreaUnderRoc, double AveragePrecision, double TrainSeconds, double ScoreSeconds);
}
