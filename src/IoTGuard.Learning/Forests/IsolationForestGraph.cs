using IoTGuard.Learning.Onnx;

namespace IoTGuard.Learning;

/// <summary>
/// An isolation forest as an ONNX graph: TreeEnsembleRegressor gives the sum of the path lengths over all trees, then
/// score = exp(sum · −ln 2 / (trees · c(ψ))), which is 2^(−E[h] / c(ψ)).
/// </summary>
internal static class IsolationForestGraph
{
    public static OnnxGraph Build(IsolationForest forest)
    {
        var perBit = forest.Trees.Count * IsolationForest.AveragePathLength(forest.SampleSize);
        return new OnnxGraph(
            "isolation_forest",
            [
                new OnnxNode("TreeEnsembleRegressor", Operators.MachineLearningDomain, "trees", ["features"], ["path_length_sum"], Attributes(forest)),
                new OnnxNode("Mul", "", "normalise", ["path_length_sum", "normaliser"], ["log_score"], []),
                new OnnxNode("Exp", "", "to_score", ["log_score"], ["score"], []),
            ],
            [new OnnxTensor("normaliser", [1], [(float)(-Math.Log(2) / perBit)])],
            [new OnnxValueInfo("features", OnnxElementType.Float, [-1, forest.Columns.Count])],
            [PerRow("score")],
            [PerRow("path_length_sum"), PerRow("log_score")]);
    }

    private static OnnxValueInfo PerRow(string name) => new(name, OnnxElementType.Float, [-1, 1]);

    private static List<OnnxAttributeValue> Attributes(IsolationForest forest)
    {
        var count = forest.Trees.Sum(t => t.Length);
        long[] treeIds = new long[count], nodeIds = new long[count], features = new long[count], lefts = new long[count], rights = new long[count];
        float[] thresholds = new float[count], samples = new float[count];
        var modes = new string[count];
        List<long> leafTrees = [], leafNodes = [];
        List<float> leafValues = [];
        var at = 0;
        for (var t = 0; t < forest.Trees.Count; t++)
        {
            for (var n = 0; n < forest.Trees[t].Length; n++, at++)
            {
                var node = forest.Trees[t][n];
                (treeIds[at], nodeIds[at], samples[at]) = (t, n, node.Samples);
                var leaf = node.Feature < 0;
                modes[at] = leaf ? "LEAF" : "BRANCH_LEQ";
                if (leaf)
                {
                    leafTrees.Add(t);
                    leafNodes.Add(n);
                    leafValues.Add(node.PathLength);
                }
                else
                {
                    (features[at], thresholds[at], lefts[at], rights[at]) = (node.Feature, node.Threshold, node.Left, node.Right);
                }
            }
        }

        return
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
    }
}
