namespace IoTGuard.Learning.Tests;

public sealed class CalibrationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(50_000)]
    public void PValuesNeverRiseWithTheScoreAndStayInRange(int samples)
    {
        var calibration = Calibration.Fit(Exponential(samples, seed: 1));
        var before = 1.0;
        for (var score = -0.1f; score < 40; score += 0.003f)
        {
            var p = calibration.PValue(score);
            Assert.InRange(p, Calibration.SmallestPValue, before);
            before = p;
        }

        Assert.Equal(1, calibration.PValue(-1));
        Assert.Equal(1, calibration.PValue(float.NaN));
        Assert.InRange(calibration.Scores.Length, 1, Calibration.BodyPoints + Calibration.TailPoints + 1);
    }

    [Fact]
    public void WithinTheSketchTheConformalPValueIsExactOrTheNextLarger()
    {
        var scores = Exponential(20_000, seed: 2);
        var calibration = Calibration.Fit(scores);
        Array.Sort(scores);
        for (var rank = 0; rank < scores.Length; rank += 7)
        {
            var exact = (1.0 + scores.Length - rank) / (scores.Length + 1.0);
            var p = calibration.PValue(scores[rank]);
            if (rank >= scores.Length - Calibration.TailPoints)
                Assert.Equal(exact, p, 1e-12);
            else
                Assert.InRange(p - exact, -1e-12, 1.0 / Calibration.BodyPoints);
        }
    }

    [Fact]
    public void HeldOutPValuesAreUniformAndDriftIsSeen()
    {
        var calibration = Calibration.Fit(Exponential(20_000, seed: 3));
        var same = Uniformity.Check(PValues(calibration, Exponential(20_000, seed: 4)), calibration.SampleCount);
        Assert.True(same.TooMany < 0.015, same.ToString());
        Assert.True(same.ChanceTooMany > 0.01 && same.ChanceEither > 0.01, same.ToString());

        var shifted = Exponential(20_000, seed: 5);
        foreach (ref var score in shifted.AsSpan())
            score += 0.05f;
        var drift = Uniformity.Check(PValues(calibration, shifted), calibration.SampleCount);
        Assert.True(drift.ChanceTooMany < 1e-6, drift.ToString());
    }

    [Fact]
    public void RepeatedSplitsKeepTheLevelOnAverage()
    {
        // P(p ≤ α) ≤ α over calibration and test draws is what split-conformal promises, here for 40 calibration scores and α = 0.1.
        var alarms = 0;
        for (var split = 0; split < 2000; split++)
        {
            var drawn = Exponential(41, seed: (ulong)(100 + split));
            alarms += Calibration.Fit(drawn.AsSpan(0, 40)).PValue(drawn[40]) <= 0.1 ? 1 : 0;
        }

        Assert.InRange(alarms / 2000.0, 0.075, 0.12);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.25)]
    public void TheTailFindsTheShapeItWasDrawnFromAndExtrapolatesTenfold(double shape)
    {
        double alarms = 0, shapes = 0;
        const double budget = 1e-4 / 5;
        for (ulong seed = 0; seed < 20; seed++)
        {
            var calibration = Calibration.Fit(Pareto(5000, shape, seed));
            shapes += calibration.Tail!.Value.Shape / 20;
            var threshold = calibration.ScoreAt(budget);
            // The true probability above the threshold, of the distribution that was drawn from.
            alarms += Survival(threshold, shape) / 20;
        }

        Assert.InRange(shapes, shape - 0.1, shape + 0.15);
        Assert.InRange(alarms / budget, 0.1, 10);
    }

    [Fact]
    public void FewScoresHaveNoTailAndNeverPassTheirResolution()
    {
        var calibration = Calibration.Fit(Exponential(150, seed: 6));
        Assert.Null(calibration.Tail);
        Assert.Equal(1 / 151.0, calibration.PValue(float.MaxValue), 1e-12);
        Assert.Equal(float.PositiveInfinity, calibration.ScoreAt(1e-4));
    }

    [Fact]
    public void TiedScoresAreCountedTogether()
    {
        var calibration = Calibration.Fit([0.5f, 0.5f, 0.5f, 0.7f]);
        Assert.Equal([1, 1, 2 / 5.0, 2 / 5.0, 1 / 5.0], Array.ConvertAll([0.4f, 0.5f, 0.6f, 0.7f, 0.8f], calibration.PValue));
        var all = Calibration.Fit(new float[10_000]);
        Assert.Equal(1, all.PValue(0));
        Assert.Null(all.Tail);
    }

    [Fact]
    public void TheThresholdScoreIsTheLowestThatReachesThePValue()
    {
        var calibration = Calibration.Fit(Exponential(5000, seed: 7));
        foreach (var p in (double[])[0.9, 0.5, 0.01, 1e-3, 1e-4, 1e-6])
        {
            var score = calibration.ScoreAt(p);
            Assert.True(calibration.PValue(score) <= p);
            Assert.True(calibration.PValue(MathF.BitDecrement(score)) > p);
        }
    }

    [Fact]
    public void ABudgetIsAlertsOverFlows()
    {
        Assert.Equal(5e-6, new AlertBudget(10, 2e6).PThreshold, 1e-18);
        Assert.Equal(1, new AlertBudget(10, 5).PThreshold);
        Assert.Throws<InvalidOperationException>(() => new AlertBudget(0, 5).PThreshold);
    }

    [Fact]
    public void DamagedPartsAreRefused()
    {
        Assert.Throws<ArgumentException>(() => Calibration.Fit([]));
        Assert.Throws<ArgumentException>(() => Calibration.Fit([1, float.NaN]));
        Assert.Throws<ArgumentException>(() => Calibration.Restore([2, 1], [2, 1], 2, null));
        Assert.Throws<ArgumentException>(() => Calibration.Restore([1, 2], [1, 2], 2, null));
        Assert.Throws<ArgumentException>(() => Calibration.Restore([1, 2], [3, 1], 2, null));
        Assert.Throws<ArgumentException>(() => Calibration.Restore([1], [1], 1, new ExtremeTail(0, double.NaN, 0, 50)));
    }

    private static double[] PValues(Calibration calibration, float[] scores) => Array.ConvertAll(scores, calibration.PValue);

    private static float[] Exponential(int count, ulong seed) => Pareto(count, 0, seed);

    private static float[] Pareto(int count, double shape, ulong seed)
    {
        var random = new Xoshiro256(seed, 77);
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            var u = 1 - random.NextDouble();
            values[i] = (float)(shape == 0 ? -Math.Log(u) : (Math.Pow(u, -shape) - 1) / shape);
        }

        return values;
    }

    private static double Survival(double x, double shape) => shape == 0 ? Math.Exp(-x) : Math.Pow(1 + (shape * x), -1 / shape);
}
