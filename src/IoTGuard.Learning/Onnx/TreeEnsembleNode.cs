namespace IoTGuard.Learning.Onnx;

/// <summary>Trees as a node TreeEnsembleRegressor of ai.onnx.ml, which gives the sum of the leaves that a row meets.</summary>
internal static class TreeEnsembleNode
{
    /// <param name="name">Name of the node.</param>
    /// <param name="trees">The trees; the first node of each is its root.</param>
    /// <param name="input">Value that is read, of shape [N, columns].</param>
    /// <param name="output">Value that is made, of shape [N, 1].</param>
    /// <param name="offset">Added to every sum.</param>
    public static OnnxNode Of(string name, IReadOnlyList<TreeNode[]> trees, string input, string output, float offset = 0) =>
        new("TreeEnsembleRegressor", Operators.MachineLearningDomain, name, [input], [output], Attributes(trees, offset));

    /// <summary>
    /// The power of two whose multiples add up exactly in single precision up to a sum: leaves rounded to it have the same sum in
    /// every evaluator, in any order of adding.
    /// </summary>
    public static double ExactQuantum(double largestSum) => Math.ScaleB(1, Math.Max(-16, (int)Math.Ceiling(Math.Log2(largestSum)) - 24));

    private static List<OnnxAttributeValue> Attributes(IReadOnlyList<TreeNode[]> trees, float offset)
    {
        var count = trees.Sum(t => t.Length);
        long[] treeIds = new long[count], nodeIds = new long[count], features = new long[count], lefts = new long[count], rights = new long[count];
        float[] thresholds = new float[count], samples = new float[count];
        var modes = new string[count];
        List<long> leafTrees = [], leafNodes = [];
        List<float> leafValues = [];
        var at = 0;
        for (var t = 0; t < trees.Count; t++)
        {
            for (var n = 0; n < trees[t].Length; n++, at++)
            {
                var node = trees[t][n];
                (treeIds[at], nodeIds[at], samples[at]) = (t, n, node.Samples);
                var leaf = node.Feature < 0;
                modes[at] = leaf ? "LEAF" : "BRANCH_LEQ";
                if (leaf)
                {
                    leafTrees.Add(t);
                    leafNodes.Add(n);
                    leafValues.Add(node.Value);
                }
                else
                {
                    (features[at], thresholds[at], lefts[at], rights[at]) = (node.Feature, node.Threshold, node.Left, node.Right);
                }
            }
        }

        List<OnnxAttributeValue> attributes =
        [
            OnnxAttributeValue.Of("aggregate_function", "SUM"),
            OnnxAttributeValue.Of("n_targets", 1),
            OnnxAttributeValue.Of("nodes_falsenodeids", rights),
            OnnxAttributeValue.Of("nodes_featureids", features),
            OnnxAttributeValue.Of("nodes_hitrates", samples),
            OnnxAttributeValue.Of("nodes_modes", modes),
            OnnxAttributeValue.Of("nodes_nodeids", nodeIds),
            OnnxAttributeValue.Of("nodes_treeids", treeIds),
            OnnxAttributeValue.Of("nodes_truenodeids", lefts),
            OnnxAttributeValue.Of("nodes_values", thresholds),
            OnnxAttributeValue.Of("post_transform", "NONE"),
            OnnxAttributeValue.Of("target_ids", new long[leafTrees.Count]),
            OnnxAttributeValue.Of("target_nodeids", [.. leafNodes]),
            OnnxAttributeValue.Of("target_treeids", [.. leafTrees]),
            OnnxAttributeValue.Of("target_weights", [.. leafValues]),
        ];
        if (offset != 0)
            attributes.Insert(1, OnnxAttributeValue.Of("base_values", (float[])[offset]));
        return attributes;
    }
}
