namespace IoTGuard.Learning;

/// <summary>
/// ECOD (Li, Zhao, Hu, Botta, Ionescu and Chen 2022): per column, how far out a value lies in the training data's own distribution. A column
/// adds −log₂ of the smaller of the two tails, the share of training values at or below it and the share at or above it; a value
/// outside all that was seen has a tail of 1 / (n + 1). No parameters of the distribution are assumed, and single columns do not mix.
/// </summary>
public static class TailDetector
{
    /// <summary>Describes every column.</summary>
    /// <param name="data">At least two rows.</param>
    /// <param name="resolution">Bits by which the values of one step may differ; above 0.</param>
    /// <exception cref="ArgumentException">Fewer than two rows, or a resolution out of range.</exception>
    public static IReadOnlyList<AdditiveColumn> Train(FeatureMatrix data, double resolution = 0.1)
    {
        if (data.RowCount < 2)
            throw new ArgumentException($"ECOD needs at least 2 rows, there are {data.RowCount}", nameof(data));
        if (resolution is not (>= 0.05 and <= 4))
            throw new ArgumentException($"the resolution must be 0.05 to 4 bits, not {resolution}", nameof(resolution));
        return [.. data.Columns.Select(name => Describe(data.Column(name), resolution))];
    }

    private static AdditiveColumn Describe(float[] values, double resolution)
    {
        var sorted = AdditiveColumn.SortedPresent(values);
        var missing = values.Length - sorted.Length;
        var unseen = Math.Log2(values.Length + 1.0);
        var missingBits = -Math.Log2((missing + 1.0) / (values.Length + 1.0));
        if (sorted.Length == 0)
            return new AdditiveColumn([], [unseen], [0], missingBits, missing);

        var edges = new List<float>();
        var bits = new List<double>();
        var samples = new List<int>();
        if (sorted[0] > float.MinValue)
            Add(MathF.BitDecrement(sorted[0]), unseen, 0);
        for (int start = 0, end; start < sorted.Length; start = end)
        {
            end = start + 1;
            while (end < sorted.Length && sorted[end] == sorted[start])
                end++;
            var tail = Math.Min(end, sorted.Length - start);
            var here = -Math.Log2((tail + 1.0) / (sorted.Length + 1.0));

            // Values that are alike go into one step, whose edge moves up.
            if (samples.Count > 0 && samples[^1] > 0 && Math.Abs(bits[^1] - here) < resolution)
            {
                edges[^1] = sorted[start];
                samples[^1] += end - start;
            }
            else
            {
                Add(sorted[start], here, end - start);
            }
        }

        bits.Add(unseen);
        samples.Add(0);
        return new AdditiveColumn([.. edges], [.. bits], [.. samples], missingBits, missing);

        void Add(float edge, double here, int count)
        {
            edges.Add(edge);
            bits.Add(here);
            samples.Add(count);
        }
    }
}
