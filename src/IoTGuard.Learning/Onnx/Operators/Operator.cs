namespace IoTGuard.Learning.Onnx;

/// <summary>Turns one node of the graph into steps, and defines its results.</summary>
internal delegate void Operator(GraphCompiler graph, OnnxNode node, NodeAttributes attributes);

/// <summary>All operators that are evaluated, by domain and name.</summary>
internal static class Operators
{
    public const string MachineLearningDomain = "ai.onnx.ml";

    private static readonly Dictionary<string, Operator> Standard = new(StringComparer.Ordinal);
    private static readonly Dictionary<string, Operator> MachineLearning = new(StringComparer.Ordinal);

    static Operators()
    {
        ElementwiseOperators.AddTo(Standard);
        ShapeOperators.AddTo(Standard);
        ReductionOperators.AddTo(Standard);
        LinearOperators.AddTo(Standard);
        TreeOperators.AddTo(MachineLearning);
        ClassicOperators.AddTo(MachineLearning);
    }

    /// <summary>Names of the operators of ai.onnx and of ai.onnx.ml.</summary>
    public static IEnumerable<string> Names => Standard.Keys.Concat(MachineLearning.Keys).Order(StringComparer.Ordinal);

    public static Operator? Find(OnnxNode node) => node.Domain switch
    {
        "" or "ai.onnx" => Standard.GetValueOrDefault(node.OpType),
        MachineLearningDomain => MachineLearning.GetValueOrDefault(node.OpType),
        _ => null,
    };
}
