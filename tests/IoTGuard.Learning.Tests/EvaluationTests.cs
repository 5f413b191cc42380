namespace IoTGuard.Learning.Tests;

public sealed class EvaluationTests
{
    private static readonly float[] Scores = [0.9f, 0.8f, 0.7f, 0.6f, 0.6f, 0.3f, 0.2f, 0.1f];
    private static readonly bool[] Anomalous = [true, false, true, true, false, false, false, false];

    [Fact]
    public void TheCurveHasAPointPerThreshold()
    {
        var curve = Curve.Of(Scores, Anomalous);
        Assert.Equal(new CurvePoint(float.PositiveInfinity, 0, 0, 1), curve[0]);
        Assert.Equal(new CurvePoint(0.9f, 0, 1 / 3.0, 1), curve[1]);
        Assert.Equal(new CurvePoint(0.6f, 2 / 5.0, 1, 3 / 5.0), curve[4]);
        Assert.Equal(new CurvePoint(0.1f, 1, 1, 3 / 8.0), curve[^1]);

        // The area under its steps is the AUROC, ties counted half.
        var area = curve.Zip(curve.Skip(1), (a, b) => (b.FalseShare - a.FalseShare) * (a.Recall + b.Recall) / 2).Sum();
        Assert.Equal(Metrics.AreaUnderRoc(Scores, Anomalous), area, 9);
    }

    [Fact]
    public void ALongCurveIsThinnedAndKeepsItsArea()
    {
        var random = new Xoshiro256(3);
        var labels = Enumerable.Range(0, 20_000).Select(i => i % 5 == 0).ToArray();
        var scores = labels.Select(a => (float)(random.NextDouble() + (a ? 0.4 : 0))).ToArray();
        var curve = Curve.Of(scores, labels);
        Assert.InRange(curve.Count, 50, Curve.MaxPoints);
        var area = curve.Zip(curve.Skip(1), (a, b) => (b.FalseShare - a.FalseShare) * (a.Recall + b.Recall) / 2).Sum();
        Assert.Equal(Metrics.AreaUnderRoc(scores, labels), area, 0.002);
    }

    [Theory]
    [InlineData(0, 1 / 3.0)]
    [InlineData(0.2, 2 / 3.0)]
    [InlineData(0.39, 2 / 3.0)]
    [InlineData(0.4, 1)]
    public void RecallIsTakenAtTheShareOfFalseOnes(double falseShare, double expected) =>
        Assert.Equal(expected, Metrics.RecallAt(Scores, Anomalous, falseShare), 9);

    [Fact]
    public void AnIntervalHoldsTheTruthAboutAsOftenAsItSays()
    {
        // Scores of anomalies are shifted by one deviation: AUROC is Φ(1/√2) = 0.7602.
        var held = 0;
        for (ulong round = 0; round < 60; round++)
        {
            var cloud = Samples.Cloud(400, 1, seed: 500 + round);
            var labels = Enumerable.Range(0, 400).Select(i => i % 4 == 0).ToArray();
            var scores = Enumerable.Range(0, 400).Select(i => cloud[i, 0] + (labels[i] ? 1 : 0)).ToArray();
            var estimate = Estimate.Of(scores, labels, static (s, a) => Metrics.AreaUnderRoc(s, a));
            held += estimate.Low <= 0.7602 && estimate.High >= 0.7602 ? 1 : 0;
        }

        Assert.InRange(held, 51, 60);
    }

    [Fact]
    public void WilsonsIntervalIsThatOfTheLiterature()
    {
        var estimate = Estimate.Share(8, 10);
        Assert.Equal((0.8, 0.4902, 0.9433), (estimate.Value, Math.Round(estimate.Low, 4), Math.Round(estimate.High, 4)));
        for (var all = 1; all <= 50; all++)
        {
            Assert.Equal(0, Estimate.Share(0, all).Low);
            Assert.Equal(1, Estimate.Share(all, all).High);
        }

        Assert.True(double.IsNaN(Estimate.Share(0, 0).Value));
    }

    [Fact]
    public void DriftIsSeenInTheFeatureThatMovedAndInThePValues()
    {
        var before = Samples.Cloud(4000, 5, seed: 61);
        var model = Samples.Model(before);
        model = model.WithCalibration(Calibration.Fit(Samples.Scores(model, Samples.Cloud(3000, 5, seed: 62))));
        var still = Drift.Between(model, before, Samples.Cloud(2000, 5, seed: 63));
        Assert.All(still.Features, f => Assert.InRange(f.Stability, 0, 0.05));
        Assert.True(still.PValues!.Value.ChanceTooMany > 0.001);

        var moved = new FeatureMatrix(before.Columns);
        var now = Samples.Cloud(2000, 5, seed: 64);
        for (var r = 0; r < now.RowCount; r++)
            moved.AddRow([now[r, 0], now[r, 1] + 2, now[r, 2], now[r, 3], now[r, 4]]);
        var drift = Drift.Between(model, before, moved);
        Assert.Equal("f1", drift.Features[0].Name);
        Assert.True(drift.Features[0].Stability > Drift.Moved && drift.Features[1].Stability < Drift.Stable);
        Assert.True(drift.Features[0].OutsideShare > 0.2);
        Assert.True(drift.PValues!.Value.ChanceTooMany < 1e-6);
    }

    [Fact]
    public void RanksAgreeOrDisagree()
    {
        float[] x = [1, 2, 2, 4, 5];
        Assert.Equal(1, RankAgreement.Spearman(x, [10, 20, 20, 40, 1000]), 9);
        Assert.Equal(-1, RankAgreement.Spearman(x, [5, 4, 4, 2, 1]), 9);
        Assert.True(double.IsNaN(RankAgreement.Spearman(x, [1, 1, 1, 1, 1])));
        Assert.Throws<ArgumentException>(() => RankAgreement.Spearman(x, [1]));
    }
}
