using IoTGuard.Learning.Onnx;

namespace IoTGuard.Learning;

/// <summary>
/// The part that detectors by reconstruction share: what each column's squared error is ("contributions"), and their sum ("score"). Dividing a
/// row's error by its size, as some do, would hide just those anomalies that are large.
/// </summary>
internal static class ResidualGraph
{
    /// <param name="name">Name of the graph.</param>
    /// <param name="standardiser">Gives "standardised".</param>
    /// <param name="layers">Nodes that turn "standardised" into "reconstructed".</param>
    /// <param name="weights">Their constants.</param>
    public static OnnxGraph Build(string name, Standardiser standardiser, IEnumerable<OnnxNode> layers, IEnumerable<OnnxTensor> weights) => new(
        name,
        [
            .. standardiser.Nodes(),
            .. layers,
            new OnnxNode("Sub", "", "residual", ["standardised", "reconstructed"], ["difference"], []),
            new OnnxNode("Mul", "", "square", ["difference", "difference"], ["contributions"], []),
            new OnnxNode("ReduceSum", "", "sum", ["contributions", "columns"], ["score"], [OnnxAttributeValue.Of("keepdims", 1)]),
        ],
        [.. standardiser.Constants(), .. weights, new OnnxTensor("columns", [1], [1]) { ElementType = OnnxElementType.Int64 }],
        [OnnxValueInfo.Rows("features", standardiser.Columns)],
        [OnnxValueInfo.Rows("score", 1), OnnxValueInfo.Rows(GraphOutputs.Contributions, standardiser.Columns)],
        standardiser.Intermediates());
}
