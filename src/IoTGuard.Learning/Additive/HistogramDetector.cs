namespace IoTGuard.Learning;

/// <summary>
/// HBOS (Goldstein and Dengel 2012): one histogram per column, and a column adds −log₂ of the height of the bin that a value falls into, over the
/// height of the highest bin. A column with a long tail (bytes, durations) is binned evenly in asinh of its value over its median,
/// so that the tail has bins of its own; values outside all bins are as rare as an empty bin.
/// </summary>
public static class HistogramDetector
{
    /// <summary>A column whose 99 % quantile is so many interquartile ranges above its median has a long tail.</summary>
    private const double LongTail = 10;

    /// <summary>Describes every column.</summary>
    /// <param name="data">At least two rows.</param>
    /// <param name="bins">Bins per column; 0 takes the square root of the rows, between 10 and 50.</param>
    /// <param name="smoothing">Rows that are added to every bin, so that an empty bin is rare and not impossible; above 0.</param>
    /// <exception cref="ArgumentException">Fewer than two rows, or a number out of range.</exception>
    public static IReadOnlyList<AdditiveColumn> Train(FeatureMatrix data, int bins = 0, double smoothing = 0.5)
    {
        if (data.RowCount < 2)
            throw new ArgumentException($"HBOS needs at least 2 rows, there are {data.RowCount}", nameof(data));
        if (bins is not (0 or (>= 2 and < AdditiveColumn.MaxSteps - 2)))
            throw new ArgumentException($"bins must be 0 or 2 to {AdditiveColumn.MaxSteps - 3}, not {bins}", nameof(bins));
        if (smoothing is not (> 0 and <= 1e6))
            throw new ArgumentException($"the smoothing must be above 0 and at most a million rows, not {smoothing}", nameof(smoothing));
        var count = bins == 0 ? Math.Clamp((int)Math.Sqrt(data.RowCount), 10, 50) : bins;
        return [.. data.Columns.Select(name => Describe(data.Column(name), count, smoothing))];
    }

    private static AdditiveColumn Describe(float[] values, int bins, double smoothing)
    {
        var sorted = AdditiveColumn.SortedPresent(values);
        var missing = values.Length - sorted.Length;
        var edges = sorted.Length == 0 ? [] : Edges(sorted, bins);
        var counts = new int[edges.Length + 1];
        foreach (var value in sorted)
        {
            var at = edges.AsSpan().BinarySearch(value);
            counts[at < 0 ? ~at : at]++;
        }

        var highest = Math.Max(counts.Max(), missing) + smoothing;
        double Bits(int count) => -Math.Log2((count + smoothing) / highest);
        return new AdditiveColumn(edges, Array.ConvertAll(counts, Bits), counts, Bits(missing), missing);
    }

    /// <summary>Edges from just below the smallest value to the largest, ascending, each once.</summary>
    private static float[] Edges(float[] sorted, int bins)
    {
        double low = sorted[0], high = sorted[^1], median = sorted[sorted.Length / 2];
        var spread = Math.Max(sorted[sorted.Length * 3 / 4] - (double)sorted[sorted.Length / 4], 1e-3 * Math.Abs(median));
        var tail = sorted[(int)((sorted.Length - 1) * 0.99)] - median;
        var scale = spread > 0 && tail > LongTail * spread ? spread : 0;
        double From(double value) => scale > 0 ? Math.Asinh((value - median) / scale) : value;
        double To(double position) => scale > 0 ? median + (scale * Math.Sinh(position)) : position;

        var edges = new List<float>();
        if (sorted[0] > float.MinValue)
            edges.Add(MathF.BitDecrement(sorted[0]));
        var (first, last) = (From(low), From(high));
        for (var bin = 1; bin < bins; bin++)
        {
            var edge = (float)To(first + ((last - first) * bin / bins));
            if (edge < sorted[^1] && edge >= sorted[0] && (edges.Count == 0 || edge > edges[^1]))
                edges.Add(edge);
        }

        edges.Add(sorted[^1]);
        return [.. edges];
    }
}
