using IoTGuard.Learning.Onnx;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using static IoTGuard.MLNet.OnnxExport;

namespace IoTGuard.MLNet;

/// <summary>
/// The distance of a row from the subspace of a PCA: ‖z − UUᵀz‖ with z = x − mean, U the eigenvectors as columns. ML.NET's own score is that distance over ‖z‖,
/// which says nothing of how far out a row lies and is NaN at the mean and where rounding makes the difference negative.
/// </summary>
internal static class PcaGraph
{
    /// <summary>Standard deviations beyond which a value counts as so many: the square of a row of them is still a float.</summary>
    private const float Most = 1e15f;

    public static IReadOnlyList<OnnxNode> Nodes(PcaModelParameters pca, string input, string output) =>
    [
        Node("Min", [input, "pca_most"], "pca_not_above"),
        Node("Max", ["pca_not_above", "pca_least"], "pca_finite"),
        Node("Sub", ["pca_finite", "pca_mean"], "pca_centred"),
        Node("MatMul", ["pca_centred", "pca_vectors"], "pca_components"),
        Node("MatMul", ["pca_components", "pca_vectors_transposed"], "pca_projection"),
        Node("Sub", ["pca_centred", "pca_projection"], "pca_residual"),
        Node("ReduceSumSquare", ["pca_residual"], "pca_residual_square", OnnxAttributeValue.Of("axes", (long[])[1]), OnnxAttributeValue.Of("keepdims", 1)),
        Node("Sqrt", ["pca_residual_square"], output),
    ];

    public static IReadOnlyList<OnnxTensor> Constants(PcaModelParameters pca)
    {
        var (mean, vectors) = Parameters(pca);
        int columns = mean.Length, rank = vectors.Length;
        var down = new float[columns * rank];
        for (var column = 0; column < columns; column++)
        {
            for (var component = 0; component < rank; component++)
                down[(column * rank) + component] = vectors[component][column];
        }

        return
        [
            new OnnxTensor("pca_most", [1], [Most]),
            new OnnxTensor("pca_least", [1], [-Most]),
            new OnnxTensor("pca_mean", [1, columns], mean),
            new OnnxTensor("pca_vectors", [columns, rank], down),
            new OnnxTensor("pca_vectors_transposed", [rank, columns], [.. vectors.SelectMany(static v => v)]),
        ];
    }

    /// <summary>The same distance of one prepared row.</summary>
    public static float Residual(ReadOnlySpan<float> row, float[] mean, float[][] vectors)
    {
        var centred = new double[mean.Length];
        for (var i = 0; i < centred.Length; i++)
            centred[i] = Math.Clamp(row[i], -Most, Most) - mean[i];
        double[] residual = [.. centred];
        foreach (var vector in vectors)
            Subtract(residual, Array.ConvertAll(vector, static x => (double)x));
        return (float)Math.Sqrt(residual.Sum(static x => x * x));
    }

    /// <summary>
    /// Mean and eigenvectors, made orthonormal: where the rows have fewer dimensions than components were asked for, ML.NET's vectors are neither of
    /// length 1 nor at right angles. What is left of a vector when it is at right angles to those before it counts, if it is something.
    /// </summary>
    public static (float[] Mean, float[][] Vectors) Parameters(PcaModelParameters pca)
    {
        VBuffer<float>[]? raw = null;
        pca.GetEigenVectors(ref raw, out var rank);
        var mean = default(VBuffer<float>);
        pca.GetMean(ref mean);
        var vectors = new List<double[]>(rank);
        foreach (var vector in raw!.Take(rank))
        {
            var left = Normalised([.. vector.DenseValues().Select(static x => (double)x)], out _);
            foreach (var before in vectors)
                Subtract(left, before);
            left = Normalised(left, out var length);
            // Again: what rounding left of those before is small now, and at right angles after that.
            foreach (var before in vectors)
                Subtract(left, before);
            if (length > 1e-3)
                vectors.Add(Normalised(left, out _));
        }

        // Without a mean the model was trained on centred rows.
        var columns = raw![0].Length;
        return (mean.Length == 0 ? new float[columns] : mean.DenseValues().ToArray(), [.. vectors.Select(static v => Array.ConvertAll(v, static x => (float)x))]);
    }

    private static double[] Normalised(double[] vector, out double length)
    {
        var norm = length = Math.Sqrt(vector.Sum(static x => x * x));
        return norm > 0 ? Array.ConvertAll(vector, x => x / norm) : vector;
    }

    private static void Subtract(double[] vector, double[] direction)
    {
        var component = vector.Zip(direction, static (a, b) => a * b).Sum();
        for (var i = 0; i < vector.Length; i++)
            vector[i] -= component * direction[i];
    }
}
