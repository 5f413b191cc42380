using IoTGuard.Learning.Onnx;
using Microsoft.ML.Trainers.FastTree;

namespace IoTGuard.Benchmarks.MLNet;

internal static class TreesAsOnnx
{
    /// <summary>ML.NET's trees as a TreeEnsembleRegressor. A child below 0 is the complement of a leaf's number.</summary>
    public static OnnxModel Of(RegressionTreeEnsemble ensemble, int columns)
    {
        List<long> trees = [], nodes = [], features = [], lefts = [], rights = [], leafTrees = [], leafNodes = [];
        List<float> thresholds = [], weights = [];
        List<string> modes = [];
        for (var t = 0; t < ensemble.Trees.Count; t++)
        {
            var tree = ensemble.Trees[t];
            long Id(int child) => child >= 0 ? child : tree.NumberOfNodes + ~child;
            for (var n = 0; n < tree.NumberOfNodes; n++)
                Add(t, n, "BRANCH_LEQ", tree.NumericalSplitFeatureIndexes[n], tree.NumericalSplitThresholds[n], Id(tree.LeftChild[n]), Id(tree.RightChild[n]));
            for (var leaf = 0; leaf < tree.NumberOfLeaves; leaf++)
            {
                Add(t, tree.NumberOfNodes + leaf, "LEAF", 0, 0, 0, 0);
                leafTrees.Add(t);
                leafNodes.Add(tree.NumberOfNodes + leaf);
                weights.Add((float)(tree.LeafValues[leaf] * ensemble.TreeWeights[t]));
            }
        }

        var node = new OnnxNode("TreeEnsembleRegressor", "ai.onnx.ml", "", ["x"], ["score"],
        [
            OnnxAttributeValue.Of("base_values", (float[])[(float)ensemble.Bias]), OnnxAttributeValue.Of("nodes_treeids", [.. trees]), OnnxAttributeValue.Of("nodes_nodeids", [.. nodes]),
            OnnxAttributeValue.Of("nodes_featureids", [.. features]), OnnxAttributeValue.Of("nodes_values", [.. thresholds]), OnnxAttributeValue.Of("nodes_modes", [.. modes]),
            OnnxAttributeValue.Of("nodes_truenodeids", [.. lefts]), OnnxAttributeValue.Of("nodes_falsenodeids", [.. rights]), OnnxAttributeValue.Of("target_treeids", [.. leafTrees]),
            OnnxAttributeValue.Of("target_nodeids", [.. leafNodes]), OnnxAttributeValue.Of("target_ids", new long[leafTrees.Count]), OnnxAttributeValue.Of("target_weights", [.. weights]),
        ]);
        return new OnnxModel(8, "ML.NET", "", OnnxOpset.Ours, new OnnxGraph("trees", [node], [], [OnnxValueInfo.Rows("x", columns)], [OnnxValueInfo.Rows("score", 1)], []), []);

        void Add(long tree, long id, string mode, long feature, float threshold, long left, long right)
        {
            trees.Add(tree);
            nodes.Add(id);
            modes.Add(mode);
            features.Add(feature);
            thresholds.Add(threshold);
            lefts.Add(left);
            rights.Add(right);
        }
    }
}
