namespace IoTGuard.Learning;

/// <summary>How far two models order the same rows alike.</summary>
public static class RankAgreement
{
    /// <summary>Spearman's rank correlation, −1 … 1; ties share their mean rank. NaN when one of them gives all rows the same score.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double Spearman(float[] x, float[] y)
    {
        if (x.Length != y.Length)
            throw new ArgumentException($"{x.Length} and {y.Length} scores", nameof(y));
        var (a, b) = (Ranks(x), Ranks(y));
        var mean = (x.Length + 1) / 2.0;
        double both = 0, first = 0, second = 0;
        for (var i = 0; i < a.Length; i++)
        {
            both += (a[i] - mean) * (b[i] - mean);
            first += (a[i] - mean) * (a[i] - mean);
            second += (b[i] - mean) * (b[i] - mean);
        }

        return both / Math.Sqrt(first * second);
    }

    private static double[] Ranks(float[] values)
    {
        var sorted = (float[])values.Clone();
        var places = Enumerable.Range(0, values.Length).ToArray();
        Array.Sort(sorted, places);
        var ranks = new double[values.Length];
        for (int start = 0, end; start < sorted.Length; start = end)
        {
            for (end = start + 1; end < sorted.Length && sorted[end] == sorted[start]; end++)
            {
                // Moves to the end of the tie.
            }

            for (var i = start; i < end; i++)
                ranks[places[i]] = (start + end + 1) / 2.0;
        }

        return ranks;
    }
}
