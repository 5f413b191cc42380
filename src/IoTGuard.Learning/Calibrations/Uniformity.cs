namespace IoTGuard.Learning;

/// <summary>
/// Are the p-values of new traffic still uniform? When they are not, the traffic has drifted from what the calibration saw.
/// Kolmogorov–Smirnov distances; the chances count the calibration's own sampling error (two-sample effective size).
/// </summary>
/// <param name="Count">P-values that were looked at.</param>
/// <param name="TooMany">Largest excess of small p-values over what is due: more alerts than the budget.</param>
/// <param name="TooFew">Largest lack of small p-values; tied scores alone can cause it, and it is harmless.</param>
/// <param name="ChanceTooMany">The chance of at least that excess without drift.</param>
/// <param name="ChanceEither">The chance of at least the larger of the two distances without drift.</param>
public readonly record struct Uniformity(int Count, double TooMany, double TooFew, double ChanceTooMany, double ChanceEither)
{
    /// <summary>Checks p-values.</summary>
    /// <param name="pValues">P-values of rows that should be benign.</param>
    /// <param name="calibrationCount">Scores that the calibration was fitted on.</param>
    /// <exception cref="ArgumentException">No p-values, or no calibration.</exception>
    public static Uniformity Check(ReadOnlySpan<double> pValues, int calibrationCount)
    {
        if (pValues.IsEmpty)
            throw new ArgumentException("no p-values", nameof(pValues));
        ArgumentOutOfRangeException.ThrowIfLessThan(calibrationCount, 1);
        var sorted = pValues.ToArray();
        Array.Sort(sorted);
        double tooMany = 0, tooFew = 0;
        for (var i = 0; i < sorted.Length; i++)
        {
            tooMany = Math.Max(tooMany, ((i + 1.0) / sorted.Length) - sorted[i]);
            tooFew = Math.Max(tooFew, sorted[i] - ((double)i / sorted.Length));
        }

        var size = (double)sorted.Length * calibrationCount / ((double)sorted.Length + calibrationCount);
        return new Uniformity(
            sorted.Length,
            tooMany,
            tooFew,
            Math.Exp(-2 * size * tooMany * tooMany),
            Kolmogorov(Math.Sqrt(size) * Math.Max(tooMany, tooFew)));
    }

    /// <summary>P(K &gt; x) of the Kolmogorov distribution.</summary>
    private static double Kolmogorov(double x)
    {
        if (x < 0.2)
            return 1;
        double sum = 0;
        for (var k = 1; k <= 100; k++)
            sum += (k % 2 == 1 ? 2 : -2) * Math.Exp(-2.0 * k * k * x * x);
        return Math.Clamp(sum, 0, 1);
    }
}
