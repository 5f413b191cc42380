using IoTGuard.Learning.Onnx;

namespace IoTGuard.Learning;

/// <summary>
/// An isolation forest as an ONNX graph: TreeEnsembleRegressor gives the sum of the path lengths over all trees, then
/// score = exp(sum · −ln 2 / (trees · c(ψ))), which is 2^(−E[h] / c(ψ)).
/// </summary>
internal static class IsolationForestGraph
{
    public static OnnxGraph Build(IsolationForest forest) => new(
        "isolation_forest",
        [
            TreeEnsembleNode.Of("trees", forest.Trees, "features", "path_length_sum"),
            new OnnxNode("Mul", "", "normalise", ["path_length_sum", "normaliser"], ["log_score"], []),
            new OnnxNode("Exp", "", "to_score", ["log_score"], ["score"], []),
        ],
        [new OnnxTensor("normaliser", [1], [(float)(-Math.Log(2) / forest.PathNormaliser)])],
        [OnnxValueInfo.Rows("features", forest.Columns.Count)],
        [OnnxValueInfo.Rows("score", 1)],
        [OnnxValueInfo.Rows("path_length_sum", 1), OnnxValueInfo.Rows("log_score", 1)]);
}
