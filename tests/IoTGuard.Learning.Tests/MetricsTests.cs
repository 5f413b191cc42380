namespace IoTGuard.Learning.Tests;

public sealed class MetricsTests
{
    private static readonly bool[] Labels = [true, false, true, false, true];

    // Expected values: sklearn.metrics.roc_auc_score and average_precision_score.
    [Theory]
    [InlineData(new float[] { 5, 4, 3, 2, 1 }, 0.5, 0.75555556)]
    [InlineData(new float[] { 5, 1, 4, 2, 3 }, 1, 1)]
    [InlineData(new float[] { 1, 5, 2, 4, 3 }, 0, 0.47777778)]
    [InlineData(new float[] { 1, 1, 1, 1, 1 }, 0.5, 0.6)]
    [InlineData(new float[] { 2, 2, 1, 1, 2 }, 0.58333333, 0.64444444)]
    public void RankingsAreJudgedAsScikitLearnDoes(float[] scores, double areaUnderRoc, double averagePrecision)
    {
        Assert.Equal(areaUnderRoc, Metrics.AreaUnderRoc(scores, Labels), 1e-8);
        Assert.Equal(averagePrecision, Metrics.AveragePrecision(scores, Labels), 1e-8);
    }

    [Fact]
    public void OneClassAloneOrNaNIsRefused()
    {
        Assert.Throws<ArgumentException>(() => Metrics.AreaUnderRoc([1, 2], [true, true]));
        Assert.Throws<ArgumentException>(() => Metrics.AreaUnderRoc([1, 2], [false, false]));
        Assert.Throws<ArgumentException>(() => Metrics.AreaUnderRoc([1, float.NaN], [true, false]));
        Assert.Throws<ArgumentException>(() => Metrics.AveragePrecision([1, 2], [true]));
    }
}
