namespace IoTGuard.Learning;

/// <summary>One point of a curve.</summary>
/// <param name="Threshold">Rows that score at or above it are called anomalies.</param>
/// <param name="FalseShare">Share of benign rows that are called so.</param>
/// <param name="Recall">Share of anomalies that are called so.</param>
/// <param name="Precision">Share of anomalies among the rows that are called so.</param>
public readonly record struct CurvePoint(float Threshold, double FalseShare, double Recall, double Precision);

/// <summary>What every threshold would give: the receiver operating characteristic and precision over recall in one.</summary>
public static class Curve
{
    /// <summary>Points that are kept of a curve.</summary>
    public const int MaxPoints = 512;

    /// <summary>The curve, from the highest threshold to the lowest.</summary>
    /// <inheritdoc cref="Metrics.AreaUnderRoc"/>
    public static IReadOnlyList<CurvePoint> Of(ReadOnlySpan<float> scores, ReadOnlySpan<bool> anomalous)
    {
        var (sorted, labels, positives) = Metrics.SortDescending(scores, anomalous);
        var negatives = sorted.Length - positives;
        var points = new List<CurvePoint> { new(float.PositiveInfinity, 0, 0, 1) };
        var found = 0;
        for (int start = 0, end; start < sorted.Length; start = end)
        {
            for (end = start; end < sorted.Length && sorted[end] == sorted[start]; end++)
                found += labels[end] ? 1 : 0;
            points.Add(new(sorted[start], (double)(end - found) / negatives, (double)found / positives, (double)found / end));
        }

        return Thin(points);
    }

    /// <summary>Keeps the ends, and points that are apart from the last kept one in one of the three shares.</summary>
    private static List<CurvePoint> Thin(List<CurvePoint> points)
    {
        if (points.Count <= MaxPoints)
            return points;
        const double step = 3.0 / MaxPoints;
        var kept = new List<CurvePoint> { points[0] };
        foreach (var point in points.Skip(1).SkipLast(1))
        {
            var last = kept[^1];
            if (point.FalseShare - last.FalseShare + point.Recall - last.Recall + Math.Abs(point.Precision - last.Precision) >= step)
                kept.Add(point);
        }

        kept.Add(points[^1]);
        return kept;
    }
}
