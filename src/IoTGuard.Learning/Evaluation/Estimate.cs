namespace IoTGuard.Learning;

/// <summary>A figure with the interval that holds it in 95 of 100 samples of such data.</summary>
/// <param name="Value">The figure.</param>
/// <param name="Low">Lower end; NaN when there is no interval.</param>
/// <param name="High">Upper end.</param>
public readonly record struct Estimate(double Value, double Low, double High)
{
    /// <summary>Samples that an interval is taken from.</summary>
    private const int Samples = 200;

    /// <summary>Rows of each class that a sample holds at most, so that large tables stay quick; the interval is then a little too wide.</summary>
    private const int MostRows = 20_000;

    /// <summary>A figure of scores, its interval by drawing rows of each class with replacement (Efron's percentile bootstrap).</summary>
    /// <param name="scores">Higher means more anomalous.</param>
    /// <param name="anomalous">Per score, whether the row is an anomaly.</param>
    /// <param name="figure">The figure.</param>
    /// <param name="seed">The same seed gives the same interval.</param>
    public static Estimate Of(float[] scores, bool[] anomalous, Func<float[], bool[], double> figure, ulong seed = 1)
    {
        var random = new Xoshiro256(seed, stream: 11);
        int[] positives = [.. Enumerable.Range(0, scores.Length).Where(i => anomalous[i])];
        int[] negatives = [.. Enumerable.Range(0, scores.Length).Where(i => !anomalous[i])];
        var (p, n) = (Math.Min(positives.Length, MostRows), Math.Min(negatives.Length, MostRows));
        var drawn = new float[p + n];
        var labels = new bool[p + n];
        labels.AsSpan(0, p).Fill(true);
        var figures = new double[Samples];
        for (var s = 0; s < Samples; s++)
        {
            for (var i = 0; i < drawn.Length; i++)
                drawn[i] = scores[i < p ? positives[random.Next(positives.Length)] : negatives[random.Next(negatives.Length)]];
            figures[s] = figure(drawn, labels);
        }

        Array.Sort(figures);
        return new Estimate(figure(scores, anomalous), figures[Samples / 40], figures[Samples - 1 - (Samples / 40)]);
    }

    /// <summary>A share of a count, with Wilson's interval (1927).</summary>
    public static Estimate Share(long some, long all)
    {
        if (all == 0)
            return new Estimate(double.NaN, double.NaN, double.NaN);
        const double z = 1.959964;
        var share = (double)some / all;
        var middle = (share + (z * z / (2 * all))) / (1 + (z * z / all));
        var half = z / (1 + (z * z / all)) * Math.Sqrt((share * (1 - share) / all) + (z * z / (4.0 * all * all)));
        return new Estimate(share, some == 0 ? 0 : middle - half, some == all ? 1 : middle + half);
    }
}
