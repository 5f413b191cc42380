namespace IoTGuard.Learning;

/// <summary>
/// What one column adds to the score of an additive detector: a step function of its value. The unit is bits of surprise, −log₂ of how
/// usual a value is; an infinite value counts as the largest float.
/// </summary>
/// <param name="Edges">Upper ends of the steps, ascending; a value belongs to the first step whose edge is at or above it.</param>
/// <param name="Bits">One per step and one for the values above all edges.</param>
/// <param name="Samples">Training rows in each step.</param>
/// <param name="MissingBits">For a missing value (NaN).</param>
/// <param name="MissingSamples">Training rows where the value is missing.</param>
public sealed record AdditiveColumn(float[] Edges, double[] Bits, int[] Samples, double MissingBits, int MissingSamples)
{
    /// <summary>Steps that one column may have.</summary>
    public const int MaxSteps = 1024;

    /// <summary>The values that are there, ascending; infinities are the largest floats.</summary>
    internal static float[] SortedPresent(ReadOnlySpan<float> values)
    {
        var present = new float[values.Length];
        var count = 0;
        foreach (var value in values)
        {
            if (!float.IsNaN(value))
                present[count++] = Math.Clamp(value, float.MinValue, float.MaxValue);
        }

        Array.Resize(ref present, count);
        Array.Sort(present);
        return present;
    }
}
