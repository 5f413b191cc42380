using System.Numerics.Tensors;

namespace IoTGuard.Learning.Onnx;

/// <summary>
/// Operators that work element by element, with broadcasting. One of them is one line here. Those that IEEE 754 does not round exactly are taken
/// in double precision and rounded once, so that a row scores the same in any batch on any processor.
/// </summary>
internal static class ElementwiseOperators
{
    private static readonly Dictionary<string, UnaryKernel> UnaryKernels = new(StringComparer.Ordinal)
    {
        ["Abs"] = TensorPrimitives.Abs,
        ["Exp"] = Each(v => Math.Exp(v)),
        ["Log"] = Each(v => Math.Log(v)),
        ["Neg"] = TensorPrimitives.Negate,
        ["Reciprocal"] = TensorPrimitives.Reciprocal,
        ["Relu"] = (x, result) => TensorPrimitives.Max(x, 0, result),
        ["Sigmoid"] = Each(v => 1 / (1 + Math.Exp(-v))),
        ["Sqrt"] = TensorPrimitives.Sqrt,
        ["Tanh"] = Each(v => Math.Tanh(v)),
        ["Floor"] = TensorPrimitives.Floor,
        ["Ceil"] = TensorPrimitives.Ceiling,
    };

    private static readonly Dictionary<string, UnaryKernel> UnaryTests = new(StringComparer.Ordinal)
    {
        ["IsNaN"] = Each(v => double.IsNaN(v) ? 1 : 0),
        ["Not"] = Each(v => v == 0 ? 1 : 0),
    };

    private static readonly Dictionary<string, BinaryKernel> BinaryKernels = new(StringComparer.Ordinal)
    {
        ["Add"] = TensorPrimitives.Add,
        ["Div"] = TensorPrimitives.Divide,
        ["Mul"] = TensorPrimitives.Multiply,
        ["Pow"] = Pairs(Math.Pow),
        ["Sub"] = TensorPrimitives.Subtract,
    };

    private static readonly Dictionary<string, BinaryKernel> BinaryTests = new(StringComparer.Ordinal)
    {
        ["And"] = Pairs((x, y) => x != 0 && y != 0 ? 1 : 0),
        ["Equal"] = Pairs((x, y) => x == y ? 1 : 0),
        ["Greater"] = Pairs((x, y) => x > y ? 1 : 0),
        ["GreaterOrEqual"] = Pairs((x, y) => x >= y ? 1 : 0),
        ["Less"] = Pairs((x, y) => x < y ? 1 : 0),
        ["LessOrEqual"] = Pairs((x, y) => x <= y ? 1 : 0),
        ["Or"] = Pairs((x, y) => x != 0 || y != 0 ? 1 : 0),
    };

    private static readonly Dictionary<string, BinaryKernel> Variadic = new(StringComparer.Ordinal)
    {
        ["Max"] = TensorPrimitives.Max,
        ["Mean"] = TensorPrimitives.Add,
        ["Min"] = TensorPrimitives.Min,
        ["Sum"] = TensorPrimitives.Add,
    };

    public static void AddTo(Dictionary<string, Operator> operators)
    {
        foreach (var (name, kernel) in UnaryKernels)
            operators[name] = (graph, node, _) => graph.Elementwise(node, new Unary(kernel), graph.Operands(node, 1));
        foreach (var (name, kernel) in UnaryTests)
            operators[name] = (graph, node, _) => graph.Elementwise(node, new Unary(kernel), graph.Operands(node, 1), OnnxElementType.Bool);
        foreach (var (name, kernel) in BinaryKernels)
        {
            operators[name] = (graph, node, _) =>
            {
                var operands = graph.Operands(node, 2);
                var truncates = name == "Div" && operands.All(IsWhole);
                graph.Elementwise(node, new Binary(truncates ? WholeDivide : kernel), operands);
            };
        }

        foreach (var (name, kernel) in BinaryTests)
            operators[name] = (graph, node, _) => graph.Elementwise(node, new Binary(kernel), graph.Operands(node, 2), OnnxElementType.Bool);
        foreach (var (name, kernel) in Variadic)
        {
            operators[name] = (graph, node, _) =>
            {
                var operands = graph.Operands(node, 1, int.MaxValue);
                graph.Elementwise(node, new Fold(kernel, name == "Mean" ? 1f / operands.Length : 1), operands);
            };
        }

        operators["Clip"] = Clip;
        operators["Where"] = (graph, node, _) =>
        {
            var operands = graph.Operands(node, 3);
            graph.Elementwise(node, new Choose(), operands, operands[1].Type);
        };
    }

    private static void Clip(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        // Limits are attributes before version 11 of the operators and inputs since.
        var low = graph.OptionalConstant(node, 1)?[0] ?? attributes.TakeFloat("min", float.MinValue);
        var high = graph.OptionalConstant(node, 2)?[0] ?? attributes.TakeFloat("max", float.MaxValue);
        graph.Elementwise(
            node,
            new Unary((x, result) =>
            {
                TensorPrimitives.Max(x, low, result);
                TensorPrimitives.Min(result, high, result);
            }),
            [graph.Operand(node, 0)]);
    }

    private static void WholeDivide(ReadOnlySpan<float> x, ReadOnlySpan<float> y, Span<float> result)
    {
        for (var i = 0; i < result.Length; i++)
            result[i] = MathF.Truncate(x[i] / y[i]);
    }

    private static bool IsWhole(GraphValue value) => value.Type is OnnxElementType.Int64 or OnnxElementType.Int32;

    private static UnaryKernel Each(Func<double, double> function) => (x, result) =>
    {
        for (var i = 0; i < result.Length; i++)
            result[i] = (float)function(x[i]);
    };

    private static BinaryKernel Pairs(Func<double, double, double> function) => (x, y, result) =>
    {
        for (var i = 0; i < result.Length; i++)
            result[i] = (float)function(x[i], y[i]);
    };
}
