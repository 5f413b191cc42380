namespace IoTGuard.Learning;

/// <summary>
/// Turns scores into p-values: the share of benign traffic that scores as high or higher. Within the calibration scores this is
/// the split-conformal p-value (1 + #{calibration ≥ s}) / (n + 1), valid whatever the model is as long as benign rows are
/// exchangeable with the calibration rows. Above the highest of them, where that stays at 1 / (n + 1), it falls on along an
/// extreme-value tail (SPOT, Siffer 2017) when enough exceedances were there to fit one.
/// <para>
/// The scores are kept as a sketch of at most <see cref="BodyPoints"/> + <see cref="TailPoints"/> points: every score among the
/// highest <see cref="TailPoints"/>, evenly spaced ranks below; between two of these the larger p-value is given.
/// </para>
/// </summary>
public sealed class Calibration
{
    /// <summary>Highest scores that are all kept.</summary>
    public const int TailPoints = 1024;

    /// <summary>Evenly spaced ranks that are kept of the rest.</summary>
    public const int BodyPoints = 1024;

    /// <summary>The smallest p-value that is given: one in 10¹².</summary>
    public const double SmallestPValue = 1e-12;

    private readonly float[] _scores;
    private readonly int[] _atOrAbove;

    private Calibration(float[] scores, int[] atOrAbove, int sampleCount, ExtremeTail? tail)
    {
        _scores = scores;
        _atOrAbove = atOrAbove;
        SampleCount = sampleCount;
        Tail = tail;
    }

    /// <summary>Scores it was fitted on.</summary>
    public int SampleCount { get; }

    /// <summary>Scores of the sketch, ascending, each once.</summary>
    public ReadOnlySpan<float> Scores => _scores;

    /// <summary>For each score of the sketch, how many calibration scores are at or above it.</summary>
    public ReadOnlySpan<int> AtOrAbove => _atOrAbove;

    /// <summary>The tail beyond the highest score; null when there were too few exceedances.</summary>
    public ExtremeTail? Tail { get; }

    /// <summary>The smallest p-value that the samples alone can give: 1 / (n + 1).</summary>
    public double SampleResolution => 1.0 / (SampleCount + 1.0);

    /// <summary>Fits a calibration on the scores of benign rows that the model was not trained on.</summary>
    /// <exception cref="ArgumentException">No scores, or one that is not finite.</exception>
    public static Calibration Fit(ReadOnlySpan<float> benignScores)
    {
        if (benignScores.IsEmpty)
            throw new ArgumentException("no calibration scores", nameof(benignScores));
        var sorted = benignScores.ToArray();
        foreach (var score in sorted)
        {
            if (!float.IsFinite(score))
                throw new ArgumentException("a calibration score is not finite", nameof(benignScores));
        }

        Array.Sort(sorted);
        var scores = new List<float>();
        var atOrAbove = new List<int>();
        var body = Math.Max(0, sorted.Length - TailPoints);
        var spacing = Math.Max(1, (double)body / BodyPoints);
        for (double rank = 0; (int)rank < body; rank += spacing)
            Add((int)rank);
        for (var rank = body; rank < sorted.Length; rank++)
            Add(rank);
        return new Calibration([.. scores], [.. atOrAbove], sorted.Length, ExtremeTail.Fit(sorted));

        void Add(int rank)
        {
            var score = sorted[rank];
            if (scores.Count > 0 && scores[^1] == score)
                return;
            while (rank > 0 && sorted[rank - 1] == score)
                rank--;
            scores.Add(score);
            atOrAbove.Add(sorted.Length - rank);
        }
    }

    /// <summary>Puts a stored calibration together again.</summary>
    /// <exception cref="ArgumentException">The parts are not what <see cref="Fit"/> gives.</exception>
    public static Calibration Restore(float[] scores, int[] atOrAbove, int sampleCount, ExtremeTail? tail)
    {
        if (scores.Length == 0 || scores.Length != atOrAbove.Length || scores.Length > BodyPoints + TailPoints + 1)
            throw new ArgumentException($"{scores.Length} scores and {atOrAbove.Length} counts", nameof(scores));
        for (var i = 0; i < scores.Length; i++)
        {
            if (!float.IsFinite(scores[i]) || (i > 0 && scores[i] <= scores[i - 1]))
                throw new ArgumentException("scores are not finite and ascending", nameof(scores));
            if (atOrAbove[i] < 1 || atOrAbove[i] > sampleCount || (i > 0 && atOrAbove[i] >= atOrAbove[i - 1]))
                throw new ArgumentException("counts do not fall from the number of samples", nameof(atOrAbove));
        }

        if (tail is { } t && !(t.Scale > 0 && double.IsFinite(t.Scale) && t.Shape is >= 0 and <= ExtremeTail.LargestShape && float.IsFinite(t.Threshold)
            && t.Threshold <= scores[^1]))
            throw new ArgumentException("the tail is not one that is fitted", nameof(tail));
        return new Calibration([.. scores], [.. atOrAbove], sampleCount, tail);
    }

    /// <summary>The p-value of a score, in (0, 1]; it never rises with the score. NaN, which no model here gives, has p-value 1.</summary>
    public double PValue(float score)
    {
        if (score > _scores[^1])
        {
            var tail = Tail is { } t ? t.Survival(score) / t.Survival(_scores[^1]) : 1;
            return Math.Max(SampleResolution * tail, SmallestPValue);
        }

        var at = _scores.AsSpan().BinarySearch(score);
        if (at < 0)
        {
            // Among the tail points no sample lies between two points; in the body some may, and they are counted as above.
            var below = ~at - 1;
            if (below < 0)
                return 1;
            at = _atOrAbove[below] <= TailPoints ? below + 1 : below;
        }

        return (1.0 + _atOrAbove[at]) / (SampleCount + 1.0);
    }

    /// <summary>The lowest score whose p-value is at or below a threshold; positive infinity when no score reaches it.</summary>
    public float ScoreAt(double pThreshold)
    {
        if (PValue(float.MaxValue) > pThreshold)
            return float.PositiveInfinity;

        // Floats of one sign are ordered as their bits are; from the sketch's first score upwards 32 halvings find the boundary.
        int low = ToOrdered(float.MinValue), high = ToOrdered(float.MaxValue);
        while (low < high)
        {
            var middle = (int)(((long)low + high) >> 1);
            if (PValue(FromOrdered(middle)) <= pThreshold)
                high = middle;
            else
                low = middle + 1;
        }

        return FromOrdered(low);
    }

    private static int ToOrdered(float value)
    {
        var bits = BitConverter.SingleToInt32Bits(value);
        return bits < 0 ? int.MinValue - bits : bits;
    }

    private static float FromOrdered(int ordered) =>
        BitConverter.Int32BitsToSingle(ordered < 0 ? int.MinValue - ordered : ordered);
}
