using IoTGuard.Learning.Onnx;
using IoTGuard.Learning.Training;

namespace IoTGuard.Learning;

/// <summary>
/// Gradient-boosted trees for two classes (Friedman 2001; second-order gains and the penalty of Chen and Guestrin 2016; histograms). The score is
/// the logarithm to the base 2 of the odds that a row is an anomaly: one more doubles the odds, and contributions are in the same bits.
/// </summary>
internal static class GradientBoosting
{
    /// <summary>Grows the trees and makes the graph.</summary>
    /// <param name="task">Rows, one label per row, of both kinds, and the parameters of <c>gbt</c> in <see cref="OwnEngines"/>.</param>
    public static TrainedGraph Train(TrainingTask task)
    {
        var (data, anomalous) = (task.Rows, task.Anomalous!);
        var positives = anomalous.AsSpan().Count(true);
        var bins = BinnedMatrix.Of(data);
        var grower = new BoostedTreeGrower(bins, task);
        var prior = Math.Log((double)positives / (anomalous.Length - positives));
        var margins = new double[data.RowCount];
        Array.Fill(margins, prior);
        double[] gradients = new double[margins.Length], curvatures = new double[margins.Length];
        var trees = new TreeNode[task.Whole("trees")][];
        for (var t = 0; t < trees.Length; t++)
        {
            for (var r = 0; r < margins.Length; r++)
            {
                var p = 1 / (1 + Math.Exp(-margins[r]));
                gradients[r] = p - (anomalous[r] ? 1 : 0);
                curvatures[r] = Math.Max(p * (1 - p), 1e-12);
            }

            trees[t] = grower.Grow(gradients, curvatures, margins, new Xoshiro256(task.Seed, (ulong)t + 1000));
            task.Report((t + 1.0) / trees.Length);
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
