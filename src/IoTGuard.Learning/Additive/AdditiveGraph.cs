using IoTGuard.Learning.Onnx;

namespace IoTGuard.Learning;

/// <summary>
/// An additive detector as an ONNX graph: one TreeEnsembleRegressor with one tree per column, each a balanced search for the step that the
/// column's value lies in. The score is the sum of the bits. Since a tree looks at one column only, the path attribution of
/// <see cref="AnomalyModel.Explain"/> gives exactly what that column adds above its mean.
/// </summary>
internal static class AdditiveGraph
{
    public static OnnxGraph Build(string name, IReadOnlyList<AdditiveColumn> columns)
    {
        var quantum = TreeEnsembleNode.ExactQuantum(1 + columns.Sum(c => Math.Max(c.MissingBits, c.Bits.Max())));
        var trees = columns.Select((column, feature) => Tree(column, feature, quantum)).ToArray();
        return new OnnxGraph(
            name,
            [TreeEnsembleNode.Of("columns", trees, "features", "score")],
            [],
            [OnnxValueInfo.Rows("features", columns.Count)],
            [OnnxValueInfo.Rows("score", 1)],
            []);
    }

    private static TreeNode[] Tree(AdditiveColumn column, int feature, double quantum)
    {
        // Every value but NaN is at or below infinity.
        var nodes = new List<TreeNode> { default };
        var present = Grow(0, column.Bits.Length);
        nodes.Add(TreeNode.Leaf(column.MissingSamples, Rounded(column.MissingBits)));
        nodes[0] = new TreeNode(feature, float.PositiveInfinity, present, nodes.Count - 1, nodes[present].Samples + column.MissingSamples, 0);
        return [.. nodes];

        int Grow(int first, int end)
        {
            var at = nodes.Count;
            if (end - first == 1)
            {
                nodes.Add(TreeNode.Leaf(column.Samples[first], Rounded(column.Bits[first])));
                return at;
            }

            nodes.Add(default);
            var middle = (first + end) / 2;
            var (left, right) = (Grow(first, middle), Grow(middle, end));
            nodes[at] = new TreeNode(feature, column.Edges[middle - 1], left, right, nodes[left].Samples + nodes[right].Samples, 0);
            return at;
        }

        float Rounded(double bits) => (float)(Math.Round(bits / quantum) * quantum);
    }
}
