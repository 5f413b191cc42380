namespace IoTGuard.Learning;

/// <summary>How far rows have moved away from what a model was trained on.</summary>
/// <param name="PValues">Whether p-values are still uniform; null for a model without calibration.</param>
/// <param name="Features">Per feature, most moved first.</param>
public sealed record Drift(Uniformity? PValues, IReadOnlyList<FeatureDrift> Features)
{
    /// <summary>Population stability below which nothing has moved to speak of, by convention.</summary>
    public const double Stable = 0.1;

    /// <summary>Population stability above which a model should be trained again, by convention.</summary>
    public const double Moved = 0.25;

    /// <summary>Compares rows with those that came before.</summary>
    /// <param name="model">The model.</param>
    /// <param name="before">Rows that it was trained on, or that were judged sound; null when there are none.</param>
    /// <param name="now">Rows of today, mostly benign.</param>
    public static Drift Between(AnomalyModel model, FeatureMatrix? before, FeatureMatrix now)
    {
        Uniformity? uniformity = null;
        if (model.Calibration is { } calibration && now.RowCount > 0)
        {
            var scores = new float[now.RowCount];
            model.Score(now.Values, now.RowCount, scores);
            uniformity = Uniformity.Check(Array.ConvertAll(scores, s => calibration.PValue(s)), calibration.SampleCount);
        }

        var features = now.Columns.Select((name, c) => FeatureDrift.Of(model.Info.Features[c], before?.Column(name), now.Column(name)));
        return new Drift(uniformity, [.. features.OrderByDescending(f => f.Stability).ThenBy(f => f.Name, StringComparer.Ordinal)]);
    }
}

/// <summary>How far one feature has moved.</summary>
/// <param name="Name">Name of the feature.</param>
/// <param name="Stability">
/// Population stability index: the sum over ten bins of (share now − share before) · ln(share now / share before); bins hold a tenth of the values before
/// each. NaN without rows from before.
/// </param>
/// <param name="MedianBefore">Median in the training data.</param>
/// <param name="MedianNow">Median of today.</param>
/// <param name="OutsideShare">Share of today's values outside the 1 % to 99 % of the training data: 2 % are due.</param>
public sealed record FeatureDrift(string Name, double Stability, float MedianBefore, float MedianNow, double OutsideShare)
{
    private const int Bins = 10;

    /// <summary>Compares one column.</summary>
    public static FeatureDrift Of(FeatureInfo usual, float[]? before, float[] now)
    {
        var sorted = AdditiveColumn.SortedPresent(now);
        var outside = now.Length == 0 ? double.NaN : now.Count(v => v < usual.Low || v > usual.High) / (double)now.Length;
        return new FeatureDrift(
            usual.Name,
            before is null || before.Length == 0 || now.Length == 0 ? double.NaN : StabilityOf(before, now),
            usual.Median,
            sorted.Length == 0 ? float.NaN : sorted[sorted.Length / 2],
            outside);
    }

    private static double StabilityOf(float[] before, float[] now)
    {
        var sorted = AdditiveColumn.SortedPresent(before);
        var edges = Enumerable.Range(1, Bins - 1).Where(_ => sorted.Length > 0).Select(b => sorted[sorted.Length * b / Bins]).Distinct().ToArray();
        var (was, isNow) = (Shares(before, edges), Shares(now, edges));
        double sum = 0;
        for (var b = 0; b < was.Length; b++)
            sum += (isNow[b] - was[b]) * Math.Log(isNow[b] / was[b]);
        return sum;
    }

    /// <summary>Shares of the bins and of missing values; half a row is added to each, so that none is empty.</summary>
    private static double[] Shares(float[] values, float[] edges)
    {
        var counts = new double[edges.Length + 2];
        Array.Fill(counts, 0.5);
        foreach (var value in values)
        {
            var at = edges.AsSpan().BinarySearch(value);
            counts[float.IsNaN(value) ? ^1 : at < 0 ? ~at : at]++;
        }

        var total = counts.Sum();
        return Array.ConvertAll(counts, c => c / total);
    }
}
