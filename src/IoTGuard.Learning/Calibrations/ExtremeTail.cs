namespace IoTGuard.Learning;

/// <summary>
/// Generalised Pareto tail of the scores above a threshold u (peaks over threshold): P(S &gt; s | S &gt; u) = (1 + ξ(s − u)/σ)^(−1/ξ),
/// for ξ = 0 exp(−(s − u)/σ).
/// </summary>
/// <param name="Threshold">u.</param>
/// <param name="Scale">σ, in units of the score.</param>
/// <param name="Shape">
/// ξ, from 0 to <see cref="LargestShape"/>. A negative estimate (a tail that ends) is taken as 0: an end that was estimated from a few
/// hundred exceedances would call every score beyond it impossible, and the alert budget would not be kept.
/// </param>
/// <param name="Exceedances">Scores above u that it was fitted on.</param>
public readonly record struct ExtremeTail(float Threshold, double Scale, double Shape, int Exceedances)
{
    /// <summary>Exceedances that a fit needs.</summary>
    public const int FewestExceedances = 50;

    /// <summary>Above it the variance of a tail is infinite and the estimate means nothing.</summary>
    public const double LargestShape = 0.5;

    /// <summary>The part of the scores that is taken as tail.</summary>
    public const double TailShare = 0.02;

    /// <summary>The probability that a score above the threshold is above <paramref name="score"/>.</summary>
    public double Survival(float score)
    {
        var excess = Math.Max(0, ((double)score - Threshold) / Scale);
        return Shape < 1e-9 ? Math.Exp(-excess) : Math.Pow(1 + (Shape * excess), -1 / Shape);
    }

    /// <summary>Fits by probability-weighted moments (Hosking and Wallis 1987): closed form, steady for small samples.</summary>
    /// <param name="sorted">All scores, ascending.</param>
    internal static ExtremeTail? Fit(ReadOnlySpan<float> sorted)
    {
        var wanted = Math.Max(FewestExceedances, (int)(sorted.Length * TailShare));
        if (sorted.Length < wanted * 4)
            return null;
        var threshold = sorted[^(wanted + 1)];
        var start = sorted.Length - wanted;
        while (start < sorted.Length && sorted[start] <= threshold)
            start++;
        var excesses = sorted[start..];
        var n = excesses.Length;
        if (n < FewestExceedances)
            return null;
        double mean = 0, weighted = 0;
        for (var i = 0; i < n; i++)
        {
            var excess = (double)excesses[i] - threshold;
            mean += excess / n;
            weighted += excess * (n - 1 - i) / (n - 1) / n;
        }

        var shape = 2 - (mean / (mean - (2 * weighted)));
        if (!(shape > 0))
            return new ExtremeTail(threshold, mean, 0, n);
        shape = Math.Min(shape, LargestShape);
        return new ExtremeTail(threshold, mean * (1 - shape), shape, n);
    }
}
