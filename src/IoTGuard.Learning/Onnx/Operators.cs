using System.Numerics.Tensors;

namespace IoTGuard.Learning.Onnx;

internal delegate void UnaryKernel(ReadOnlySpan<float> x, Span<float> result);

internal delegate void BinaryKernel(ReadOnlySpan<float> x, ReadOnlySpan<float> y, Span<float> result);

/// <summary>
/// The operators that are evaluated, by their ONNX names. An element-wise operator is one line here. Those that IEEE 754 does not
/// round exactly are taken in double precision and rounded once, so that a row scores the same in any batch on any processor.
/// </summary>
internal static class Operators
{
    public const string MachineLearningDomain = "ai.onnx.ml";

    /// <summary>Element by element, one operand.</summary>
    public static readonly IReadOnlyDictionary<string, UnaryKernel> Unary = new Dictionary<string, UnaryKernel>(StringComparer.Ordinal)
    {
        ["Abs"] = TensorPrimitives.Abs,
        ["Exp"] = Each(v => Math.Exp(v)),
        ["Identity"] = (x, result) => x.CopyTo(result),
        ["Log"] = Each(v => Math.Log(v)),
        ["Neg"] = TensorPrimitives.Negate,
        ["Reciprocal"] = TensorPrimitives.Reciprocal,
        ["Relu"] = (x, result) => TensorPrimitives.Max(x, 0, result),
        ["Sigmoid"] = Each(v => 1 / (1 + Math.Exp(-v))),
        ["Sqrt"] = TensorPrimitives.Sqrt,
        ["Tanh"] = Each(v => Math.Tanh(v)),
    };

    /// <summary>Element by element, two operands; an operand of one column is repeated over the other's columns.</summary>
    public static readonly IReadOnlyDictionary<string, BinaryKernel> Binary = new Dictionary<string, BinaryKernel>(StringComparer.Ordinal)
    {
        ["Add"] = TensorPrimitives.Add,
        ["Div"] = TensorPrimitives.Divide,
        ["Max"] = TensorPrimitives.Max,
        ["Min"] = TensorPrimitives.Min,
        ["Mul"] = TensorPrimitives.Multiply,
        ["Pow"] = Power,
        ["Sub"] = TensorPrimitives.Subtract,
    };

    private static UnaryKernel Each(Func<double, double> function) => (x, result) =>
    {
        for (var i = 0; i < result.Length; i++)
            result[i] = (float)function(x[i]);
    };

    private static void Power(ReadOnlySpan<float> x, ReadOnlySpan<float> y, Span<float> result)
    {
        for (var i = 0; i < result.Length; i++)
            result[i] = (float)Math.Pow(x[i], y[i]);
    }
}

/// <summary>A value of the graph in the scratch memory: <paramref name="Width"/> columns of <see cref="CompiledModel.BlockRows"/> rows.</summary>
internal readonly record struct Register(int Start, int Width)
{
    public Span<float> Column(Span<float> scratch, int column, int rows) =>
        scratch.Slice(Start + (column * CompiledModel.BlockRows), rows);
}

/// <summary>One step of a compiled graph.</summary>
internal abstract record Step
{
    public abstract void Run(Span<float> scratch, int rows);
}

internal sealed record UnaryStep(UnaryKernel Kernel, Register X, Register Result) : Step
{
    public override void Run(Span<float> scratch, int rows)
    {
        for (var column = 0; column < Result.Width; column++)
            Kernel(X.Column(scratch, column, rows), Result.Column(scratch, column, rows));
    }
}

internal sealed record BinaryStep(BinaryKernel Kernel, Register X, Register Y, Register Result) : Step
{
    public override void Run(Span<float> scratch, int rows)
    {
        for (var column = 0; column < Result.Width; column++)
        {
            var x = X.Column(scratch, X.Width == 1 ? 0 : column, rows);
            var y = Y.Column(scratch, Y.Width == 1 ? 0 : column, rows);
            Kernel(x, y, Result.Column(scratch, column, rows));
        }
    }
}

internal sealed record TreeEnsembleStep(TreeEnsemble Ensemble, Register X, Register Result) : Step
{
    public override void Run(Span<float> scratch, int rows)
    {
        var columns = scratch.Slice(X.Start, X.Width * CompiledModel.BlockRows);
        Ensemble.Evaluate(columns, Result.Column(scratch, 0, CompiledModel.BlockRows), rows);
    }
}
