using System.Numerics.Tensors;

namespace IoTGuard.Learning.Onnx;

/// <summary>MatMul and Gemm. A matrix of constants stays one array; only values that differ from row to row have lanes.</summary>
internal static class LinearOperators
{
    public static void AddTo(Dictionary<string, Operator> operators)
    {
        operators["MatMul"] = MatMul;
        operators["Gemm"] = Gemm;
    }

    private static void MatMul(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var operands = graph.Operands(node, 2);
        var (x, y) = (operands[0], operands[1]);
        if (y.HasRows)
            throw ModelException.Unsupported("MatMul whose second operand has rows");

        // A row of the batch is one row of the left matrix.
        int[] left = x.HasRows && x.Shape.Length == 1 ? [1, .. x.Shape] : x.Shape.Length == 1 ? [1, .. x.Shape] : x.Shape;
        int[] right = y.Shape.Length == 1 ? [.. y.Shape, 1] : y.Shape;
        if (left.Length < 2 || right.Length < 2 || left[^1] != right[^2])
            throw ModelException.Damaged($"MatMul of {string.Join('×', x.Shape)} and {string.Join('×', y.Shape)} elements");
        if (x.HasRows && (right.Length > 2 || (x.Shape.Length > 1 && y.Shape.Length == 1)))
            throw ModelException.Unsupported("MatMul of rows by more than a matrix");
        var (m, k, n) = (left[^2], left[^1], right[^1]);
        var outer = GraphCompiler.Broadcast(left[..^2], right[..^2], node.OpType);
        int[] shape = [.. outer, m, n];
        if (y.Shape.Length == 1)
            shape = shape[..^1];
        if (x.Shape.Length == 1)
            shape = [.. outer, n];
        if (x.Shape.Length == 1 && y.Shape.Length == 1)
            shape = outer;
        var result = graph.Result(node, shape, x.HasRows, x.Type);
        var batches = GraphValue.CountOf(outer);
        var (leftPlaces, rightPlaces) = (GraphCompiler.Places(left[..^2], outer), GraphCompiler.Places(right[..^2], outer));
        var lanes = graph.Lanes(x);
        for (var b = 0; b < batches; b++)
        {
            for (var i = 0; i < m; i++)
            {
                var from = lanes.AsSpan(((leftPlaces[b] * m) + i) * k, k).ToArray();
                var to = result.Lanes.AsSpan(((b * m) + i) * n, n).ToArray();
                graph.Add(y.Constant is { } weights
                    ? new DenseStep(from, Transposed(weights.AsSpan(rightPlaces[b] * k * n, k * n), k, n), null, to)
                    : new ProductStep(from, [.. graph.Lanes(y).Skip(rightPlaces[b] * k * n).Take(k * n)], to));
            }
        }
    }

    private static void Gemm(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var (alpha, beta) = (attributes.TakeFloat("alpha", 1), attributes.TakeFloat("beta", 1));
        var (leftTurned, rightTurned) = (attributes.TakeInt("transA", 0) != 0, attributes.TakeInt("transB", 0) != 0);
        var (x, y) = (graph.Operand(node, 0), graph.Operand(node, 1));
        if (x.Rank != 2 || y.Shape.Length != 2 || y.HasRows || (x.HasRows && leftTurned))
            throw ModelException.Unsupported("Gemm of anything but rows and a matrix");
        int[] left = x.HasRows ? [1, x.Shape[0]] : x.Shape;
        var (m, k) = leftTurned ? (left[1], left[0]) : (left[0], left[1]);
        var (inner, n) = rightTurned ? (y.Shape[1], y.Shape[0]) : (y.Shape[0], y.Shape[1]);
        if (inner != k)
            throw ModelException.Damaged($"Gemm of {k} columns and {inner} rows");
        int[] shape = x.HasRows ? [n] : [m, n];
        var bias = node.Inputs.Count > 2 && node.Inputs[2].Length > 0 ? graph.Operand(node, 2) : null;
        if (bias is not null && (bias.HasRows || bias.Shape.Length > 2))
            throw ModelException.Unsupported("Gemm with a bias that has rows");
        var biasPlaces = bias is null ? [] : GraphCompiler.Places(bias.Shape is [1, var w] && x.HasRows ? [w] : bias.Shape, shape);
        var result = graph.Result(node, shape, x.HasRows, x.Type);
        var lanes = graph.Lanes(x);
        for (var i = 0; i < m; i++)
        {
            int[] from = [.. Enumerable.Range(0, k).Select(l => lanes[leftTurned ? (l * m) + i : (i * k) + l])];
            var to = result.Lanes.AsSpan(i * n, n).ToArray();
            if (y.Constant is { } weights && (bias is null || bias.Constant is not null))
            {
                var scaled = rightTurned ? (float[])weights.Clone() : Transposed(weights, k, n);
                TensorPrimitives.Multiply(scaled, alpha, scaled);
                var offsets = bias is null ? null : Enumerable.Range(0, n).Select(j => beta * bias.Constant![biasPlaces[(i * n) + j]]).ToArray();
                graph.Add(new DenseStep(from, scaled, offsets, to));
                continue;
            }

            var right = graph.Lanes(y);
            graph.Add(new ProductStep(from, rightTurned ? [.. Enumerable.Range(0, k * n).Select(at => right[(at % n * k) + (at / n)])] : right, to)
            {
                Scale = alpha,
                Offset = bias is null ? null : [.. Enumerable.Range(0, n).Select(j => graph.Lanes(bias)[biasPlaces[(i * n) + j]])],
                OffsetScale = beta,
            });
        }
    }

    /// <summary>From [k, n] to [n, k].</summary>
    private static float[] Transposed(ReadOnlySpan<float> matrix, int k, int n)
    {
        var turned = new float[matrix.Length];
        for (var i = 0; i < k; i++)
        {
            for (var j = 0; j < n; j++)
                turned[(j * k) + i] = matrix[(i * n) + j];
        }

        return turned;
    }
}

/// <summary>Lanes times a matrix of constants, plus constants: what a layer of a network does. Products are added in the order of the columns.</summary>
/// <param name="from">k lanes.</param>
/// <param name="weights">[n, k].</param>
/// <param name="offsets">n constants, or null for none.</param>
/// <param name="results">n lanes.</param>
internal sealed class DenseStep(int[] from, float[] weights, float[]? offsets, int[] results) : Step
{
    public override IEnumerable<int> Reads => from;

    public override IEnumerable<int> Writes => results;

    public override void Run(Span<float> scratch, int rows)
    {
        for (var j = 0; j < results.Length; j++)
        {
            var to = scratch.Slice(results[j], rows);
            to.Fill(offsets is null ? 0 : offsets[j]);
            var row = weights.AsSpan(j * from.Length, from.Length);
            for (var i = 0; i < row.Length; i++)
            {
                // A weight of 0 counts too: 0 times infinity is no number, in every evaluator.
                TensorPrimitives.MultiplyAdd(scratch.Slice(from[i], rows), row[i], to, to);
            }
        }
    }
}

/// <summary>Lanes times a matrix that is itself computed, [k, n].</summary>
internal sealed class ProductStep(int[] from, int[] matrix, int[] results) : Step
{
    public float Scale { get; init; } = 1;

    public int[]? Offset { get; init; }

    public float OffsetScale { get; init; } = 1;

    public override IEnumerable<int> Reads => [.. from, .. matrix, .. Offset ?? []];

    public override IEnumerable<int> Writes => results;

    public override void Run(Span<float> scratch, int rows)
    {
        for (var j = 0; j < results.Length; j++)
        {
            var to = scratch.Slice(results[j], rows);
            to.Clear();
            for (var i = 0; i < from.Length; i++)
                TensorPrimitives.MultiplyAdd(scratch.Slice(from[i], rows), scratch.Slice(matrix[(i * results.Length) + j], rows), to, to);
            TensorPrimitives.Multiply(to, Scale, to);
            if (Offset is not null)
                TensorPrimitives.MultiplyAdd(scratch.Slice(Offset[j], rows), OffsetScale, to, to);
        }
    }
}
