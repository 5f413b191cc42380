using IoTGuard.Learning.Onnx;
using IoTGuard.Learning.Training;

namespace IoTGuard.Learning;

/// <summary>How boosted trees are grown.</summary>
public sealed record GradientBoostingOptions
{
    /// <summary>Trees, one after the other.</summary>
    public int Trees { get; init; } = 100;

    /// <summary>Splits between root and leaf at most.</summary>
    public int Depth { get; init; } = 5;

    /// <summary>The part of each tree's answer that is used.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>Sum of second derivatives that a leaf needs at least.</summary>
    public double LeastWeight { get; init; } = 1;

    /// <summary>Penalty on large leaves (λ).</summary>
    public double Penalty { get; init; } = 1;

    /// <summary>Part of the rows that each tree sees.</summary>
    public double RowShare { get; init; } = 0.8;

    /// <summary>Part of the columns that each tree sees.</summary>
    public double ColumnShare { get; init; } = 0.8;

    /// <summary>The same seed, data and options give the same trees.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>
/// Gradient-boosted trees for two classes (Friedman 2001; second-order gains and the penalty of Chen and Guestrin 2016; histograms). The score is
/// the logarithm to the base 2 of the odds that a row is an anomaly: one more doubles the odds, and contributions are in the same bits.
/// </summary>
public static class GradientBoosting
{
    /// <summary>Grows the trees and makes the graph.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="anomalous">One label per row, of both kinds.</param>
    /// <param name="options">Trees, depth, step size, seed.</param>
    /// <param name="report">Is told the share that is done; may end the training by an exception.</param>
    /// <exception cref="ArgumentException">Labels are missing or all alike.</exception>
    public static TrainedGraph Train(FeatureMatrix data, bool[] anomalous, GradientBoostingOptions options, Action<double>? report = null)
    {
        var positives = anomalous.Count(a => a);
        if (anomalous.Length != data.RowCount || positives == 0 || positives == anomalous.Length)
            throw new ArgumentException("gradient boosting needs one label per row, and both anomalies and benign rows", nameof(anomalous));
        var bins = BinnedMatrix.Of(data);
        var grower = new BoostedTreeGrower(bins, data.RowCount, options);
        var prior = Math.Log((double)positives / (anomalous.Length - positives));
        var margins = new double[data.RowCount];
        Array.Fill(margins, prior);
        double[] gradients = new double[margins.Length], curvatures = new double[margins.Length];
        var trees = new TreeNode[options.Trees][];
        for (var t = 0; t < trees.Length; t++)
        {
            for (var r = 0; r < margins.Length; r++)
            {
                var p = 1 / (1 + Math.Exp(-margins[r]));
                gradients[r] = p - (anomalous[r] ? 1 : 0);
                curvatures[r] = Math.Max(p * (1 - p), 1e-12);
            }

            trees[t] = grower.Grow(gradients, curvatures, margins, new Xoshiro256(options.Seed, (ulong)t + 1000));
            report?.Invoke((t + 1.0) / trees.Length);
        }

        return new TrainedGraph(Graph(trees, prior / Math.Log(2), data.ColumnCount));
    }

    /// <summary>Leaves hold natural logarithms; the graph's are bits, rounded so that their sum is exact.</summary>
    private static OnnxGraph Graph(TreeNode[][] trees, double priorBits, int columns)
    {
        var quantum = TreeEnsembleNode.ExactQuantum(1 + Math.Abs(priorBits) + trees.Sum(t => t.Max(n => Math.Abs(n.Value) / Math.Log(2))));
        float Rounded(double bits) => (float)(Math.Round(bits / quantum) * quantum);
        TreeNode[][] inBits = [.. trees.Select(t => Array.ConvertAll(t, n => n.Feature < 0 ? n with { Value = Rounded(n.Value / Math.Log(2)) } : n))];
        return new OnnxGraph(
            "gradient_boosting",
            [TreeEnsembleNode.Of("trees", inBits, "features", "score", Rounded(priorBits))],
            [],
            [OnnxValueInfo.Rows("features", columns)],
            [OnnxValueInfo.Rows("score", 1)],
            []);
    }
}
