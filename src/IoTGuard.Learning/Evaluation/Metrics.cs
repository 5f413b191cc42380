namespace IoTGuard.Learning;

/// <summary>How well scores rank anomalies above the rest. Ties count as the definitions say, not as the sort falls.</summary>
public static class Metrics
{
    /// <summary>
    /// Area under the receiver operating characteristic, 0 … 1: the chance that a random anomaly scores above a random benign row,
    /// ties counted half (Mann–Whitney U).
    /// </summary>
    /// <param name="scores">Higher means more anomalous; no NaN.</param>
    /// <param name="anomalous">Per score, whether the row is an anomaly.</param>
    /// <exception cref="ArgumentException">The lengths differ, a score is NaN, or one of the two classes is empty.</exception>
    public static double AreaUnderRoc(ReadOnlySpan<float> scores, ReadOnlySpan<bool> anomalous)
    {
        var (sorted, labels, positives) = SortDescending(scores, anomalous);
        long negatives = sorted.Length - positives;
        double wins = 0;
        long negativesLeft = negatives;
        for (int start = 0, end; start < sorted.Length; start = end)
        {
            long tiedPositives = 0;
            for (end = start; end < sorted.Length && sorted[end] == sorted[start]; end++)
                tiedPositives += labels[end] ? 1 : 0;
            var tiedNegatives = end - start - tiedPositives;
            negativesLeft -= tiedNegatives;
            wins += tiedPositives * (negativesLeft + (0.5 * tiedNegatives));
        }

        return wins / ((double)positives * negatives);
    }

    /// <summary>Average precision, 0 … 1: the sum over thresholds of precision times the gain in recall, without interpolation.</summary>
    /// <inheritdoc cref="AreaUnderRoc"/>
    public static double AveragePrecision(ReadOnlySpan<float> scores, ReadOnlySpan<bool> anomalous)
    {
        var (sorted, labels, positives) = SortDescending(scores, anomalous);
        double sum = 0;
        long found = 0;
        for (int start = 0, end; start < sorted.Length; start = end)
        {
            var before = found;
            for (end = start; end < sorted.Length && sorted[end] == sorted[start]; end++)
                found += labels[end] ? 1 : 0;
            sum += (found - before) * ((double)found / end);
        }

        return sum / positives;
    }

    /// <summary>The share of anomalies that is found while at most a share of the benign rows is called anomalous.</summary>
    /// <param name="falseShare">That share, 0 … 1.</param>
    /// <inheritdoc cref="AreaUnderRoc"/>
    public static double RecallAt(ReadOnlySpan<float> scores, ReadOnlySpan<bool> anomalous, double falseShare)
    {
        var (sorted, labels, positives) = SortDescending(scores, anomalous);
        var allowed = falseShare * (sorted.Length - positives);
        int found = 0, best = 0;
        for (int start = 0, end; start < sorted.Length; start = end)
        {
            for (end = start; end < sorted.Length && sorted[end] == sorted[start]; end++)
                found += labels[end] ? 1 : 0;
            if (end - found > allowed)
                break;
            best = found;
        }

        return (double)best / positives;
    }

    internal static (float[] Scores, bool[] Labels, int Positives) SortDescending(ReadOnlySpan<float> scores, ReadOnlySpan<bool> anomalous)
    {
        if (scores.Length != anomalous.Length)
            throw new ArgumentException($"{scores.Length} scores for {anomalous.Length} labels", nameof(anomalous));
        var positives = anomalous.Count(true);
        if (positives == 0 || positives == scores.Length)
            throw new ArgumentException("both anomalies and benign rows are needed", nameof(anomalous));
        var sorted = scores.ToArray();
        foreach (var score in sorted)
        {
            if (float.IsNaN(score))
                throw new ArgumentException("a score is NaN", nameof(scores));
        }

        var labels = anomalous.ToArray();
        Array.Sort(sorted, labels, Comparer<float>.Create((a, b) => b.CompareTo(a)));
        return (sorted, labels, positives);
    }
}
