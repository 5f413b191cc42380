using System.Numerics.Tensors;

namespace IoTGuard.Learning.Onnx;

/// <summary>Operators of ai.onnx.ml that scikit-learn's pipelines become, but for trees.</summary>
internal static class ClassicOperators
{
    public static void AddTo(Dictionary<string, Operator> operators)
    {
        operators["Scaler"] = Scaler;
        operators["Imputer"] = Imputer;
        operators["Normalizer"] = Normalizer;
        operators["LinearRegressor"] = LinearRegressor;
        operators["LinearClassifier"] = LinearClassifier;
        operators["LabelEncoder"] = LabelEncoder;
        operators["ArrayFeatureExtractor"] = (graph, node, _) => ShapeOperators.Gather(graph, node, -1);

        // A map from class to probability holds what the tensor before it holds.
        operators["ZipMap"] = (graph, node, attributes) =>
        {
            attributes.TakeRest();
            graph.Alias(node, graph.Operand(node, 0));
        };
    }

    private static void Scaler(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var x = graph.Operand(node, 0);
        var (offsets, scales) = (PerColumn("offset", 0), PerColumn("scale", 1));
        var result = graph.Result(node, x.Shape, x.HasRows, OnnxElementType.Float);
        for (var i = 0; i < x.Count; i++)
            graph.Add(new ColumnStep(new Scale(offsets[i % offsets.Length], scales[i % scales.Length]), graph.Lanes(x)[i], result.Lanes[i]));

        float[] PerColumn(string name, float otherwise) => PerColumnOf(attributes.TakeFloats(name), x, otherwise, $"Scaler: {name}");
    }

    private static void Imputer(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var x = graph.Operand(node, 0);
        if (attributes.Has("imputed_value_int64s") || attributes.Has("replaced_value_int64"))
            throw ModelException.Unsupported("Imputer of whole numbers");
        var replaced = attributes.TakeFloat("replaced_value_float", 0);
        var values = PerColumnOf(attributes.TakeFloats("imputed_value_floats"), x, 0, "Imputer: imputed_value_floats");
        var result = graph.Result(node, x.Shape, x.HasRows, OnnxElementType.Float);
        for (var i = 0; i < x.Count; i++)
            graph.Add(new ColumnStep(new Replace(replaced, values[i % values.Length]), graph.Lanes(x)[i], result.Lanes[i]));
    }

    private static float[] PerColumnOf(float[] values, GraphValue x, float otherwise, string what)
    {
        if (values.Length == 0)
            return [otherwise];
        var columns = x.Shape.Length == 0 ? 1 : x.Shape[^1];
        return values.Length == 1 || values.Length == columns ? values : throw ModelException.Damaged($"{what} has {values.Length} entries for {columns} columns");
    }

    private static void Normalizer(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var x = graph.Operand(node, 0);
        var norm = attributes.TakeString("norm", "MAX");
        if (norm is not ("MAX" or "L1" or "L2"))
            throw ModelException.Unsupported($"Normalizer: norm {norm}");
        if (x.Shape.Length == 0 || x.Shape[^1] == 0)
            throw ModelException.Damaged("Normalizer of no columns");
        var result = graph.Result(node, x.Shape, x.HasRows, OnnxElementType.Float);
        foreach (var (from, to) in graph.Lanes(x).Chunk(x.Shape[^1]).Zip(result.Lanes.Chunk(x.Shape[^1])))
            graph.Add(new NormaliseStep(norm, from, to));
    }

    private static void LinearRegressor(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        if (attributes.TakeString("post_transform", "NONE") is not "NONE" and var transform)
            throw ModelException.Unsupported($"LinearRegressor: post_transform {transform}");
        var x = graph.Rows(node);
        var targets = attributes.TakeInt("targets", 1);
        if (targets is < 1 or > OnnxLimits.MaxColumns)
            throw ModelException.TooLarge("targets", targets, OnnxLimits.MaxColumns);
        var result = graph.Result(node, [.. x.Shape[..^1], (int)targets], x.HasRows, OnnxElementType.Float);
        AddLinear(graph, x, attributes, (int)targets, result.Lanes);
    }

    private static void LinearClassifier(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var x = graph.Rows(node);
        var (ints, strings) = (attributes.TakeInts("classlabels_ints"), attributes.TakeStrings("classlabels_strings"));
        var classes = Math.Max(ints.Length, strings.Length);
        _ = attributes.TakeInt("multi_class", 0);
        var transform = attributes.TakeString("post_transform", "NONE");
        var coefficients = attributes.Peek("coefficients")?.Floats.Length ?? 0;
        var targets = coefficients / x.Shape[^1];
        if (classes < 2 || classes > OnnxLimits.MaxColumns || (targets != classes && !(targets == 1 && classes == 2)))
            throw ModelException.Damaged($"LinearClassifier: {coefficients} coefficients for {classes} classes of {x.Shape[^1]} columns");
        var raw = graph.Scratch(targets * (x.Count / x.Shape[^1]));
        AddLinear(graph, x, attributes, targets, raw);
        var scores = graph.ClassScores(node, x, classes, ints);
        foreach (var (from, to) in raw.Chunk(targets).Zip(scores.Lanes.Chunk(classes)))
            graph.Add(new ClassStep(ClassStep.Parse(transform, node.OpType), from, to));
    }

    private static void AddLinear(GraphCompiler graph, GraphValue x, NodeAttributes attributes, int targets, int[] results)
    {
        var columns = x.Shape[^1];
        var coefficients = attributes.TakeFloats("coefficients");
        var intercepts = attributes.TakeFloats("intercepts");
        if (coefficients.Length != targets * columns || (intercepts.Length != 0 && intercepts.Length != targets))
            throw ModelException.Damaged($"{coefficients.Length} coefficients and {intercepts.Length} intercepts for {targets} targets of {columns} columns");
        foreach (var (from, to) in graph.Lanes(x).Chunk(columns).Zip(results.Chunk(targets)))
            graph.Add(new DenseStep(from, coefficients, intercepts.Length == 0 ? null : intercepts, to));
    }

    private static void LabelEncoder(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        float[] keys = attributes.Has("keys_int64s") ? Array.ConvertAll(attributes.TakeInts("keys_int64s"), k => (float)k) : attributes.TakeFloats("keys_floats");
        var whole = attributes.Has("values_int64s");
        float[] values = whole ? Array.ConvertAll(attributes.TakeInts("values_int64s"), v => (float)v) : attributes.TakeFloats("values_floats");
        var otherwise = whole ? attributes.TakeInt("default_int64", -1) : attributes.TakeFloat("default_float", 0);
        attributes.Drop("default_int64", "default_float", "default_string");
        if (keys.Length == 0 || keys.Length != values.Length)
            throw ModelException.Unsupported($"LabelEncoder of anything but numbers to numbers ({keys.Length} keys, {values.Length} values)");
        Array.Sort(keys, values);
        graph.Elementwise(
            node,
            new Unary((x, result) =>
            {
                for (var i = 0; i < result.Length; i++)
                {
                    var at = keys.AsSpan().BinarySearch(x[i]);
                    result[i] = at >= 0 ? values[at] : otherwise;
                }
            }),
            [graph.Operand(node, 0)],
            whole ? OnnxElementType.Int64 : OnnxElementType.Float);
    }
}

/// <summary>One lane from one lane, with numbers of that column.</summary>
internal sealed class ColumnStep(ColumnFunction function, int from, int to) : Step
{
    public override IEnumerable<int> Reads => [from];

    public override IEnumerable<int> Writes => [to];

    public override void Run(Span<float> scratch, int rows) => function.Apply(scratch.Slice(from, rows), scratch.Slice(to, rows));
}

internal abstract record ColumnFunction
{
    public abstract void Apply(ReadOnlySpan<float> x, Span<float> result);
}

internal sealed record Scale(float Offset, float Factor) : ColumnFunction
{
    public override void Apply(ReadOnlySpan<float> x, Span<float> result)
    {
        TensorPrimitives.Subtract(x, Offset, result);
        TensorPrimitives.Multiply(result, Factor, result);
    }
}

internal sealed record Replace(float Replaced, float Value) : ColumnFunction
{
    public override void Apply(ReadOnlySpan<float> x, Span<float> result)
    {
        var missing = float.IsNaN(Replaced);
        for (var i = 0; i < result.Length; i++)
            result[i] = (missing ? float.IsNaN(x[i]) : x[i] == Replaced) ? Value : x[i];
    }
}

/// <summary>Divides a row by its norm; a row whose norm is 0 stays.</summary>
internal sealed class NormaliseStep(string norm, int[] from, int[] to) : Step
{
    public override IEnumerable<int> Reads => from;

    public override IEnumerable<int> Writes => to;

    public override void Run(Span<float> scratch, int rows)
    {
        for (var row = 0; row < rows; row++)
        {
            var size = norm == "MAX" ? float.NegativeInfinity : 0;
            foreach (var lane in from)
            {
                var x = scratch[lane + row];
                size = norm switch { "MAX" => Math.Max(size, x), "L1" => size + MathF.Abs(x), _ => size + (x * x) };
            }

            if (norm == "L2")
                size = MathF.Sqrt(size);
            for (var i = 0; i < from.Length; i++)
                scratch[to[i] + row] = size != 0 ? scratch[from[i] + row] / size : scratch[from[i] + row];
        }
    }
}

/// <summary>What a classifier does to the sums of its classes.</summary>
internal enum ClassTransform
{
    None,
    Logistic,
    Softmax,
}

/// <summary>From one sum per class to one score per class; a single sum is that of the second of two classes.</summary>
internal sealed class ClassStep(ClassTransform transform, int[] from, int[] to) : Step
{
    /// <summary>Whether the first class has what is left of 1, rather than the negative.</summary>
    public bool FirstIsRest { get; init; }

    public override IEnumerable<int> Reads => from;

    public override IEnumerable<int> Writes => to;

    public static ClassTransform Parse(string name, string user) => name switch
    {
        "NONE" => ClassTransform.None,
        "LOGISTIC" => ClassTransform.Logistic,
        "SOFTMAX" => ClassTransform.Softmax,
        _ => throw ModelException.Unsupported($"{user}: post_transform {name}"),
    };

    public override void Run(Span<float> scratch, int rows)
    {
        for (var row = 0; row < rows; row++)
        {
            double highest = float.NegativeInfinity, sum = 0;
            if (transform == ClassTransform.Softmax)
            {
                for (var i = 0; i < to.Length; i++)
                    highest = Math.Max(highest, Raw(scratch, i, row));
                for (var i = 0; i < to.Length; i++)
                    sum += Math.Exp(Raw(scratch, i, row) - highest);
            }

            for (var i = 0; i < to.Length; i++)
            {
                var raw = Raw(scratch, i, row);
                scratch[to[i] + row] = (float)(transform switch
                {
                    ClassTransform.Logistic => 1 / (1 + Math.Exp(-raw)),
                    ClassTransform.Softmax => Math.Exp(raw - highest) / sum,
                    _ => raw,
                });
            }
        }
    }

    private double Raw(Span<float> scratch, int i, int row) =>
        from.Length == to.Length ? scratch[from[i] + row]
        : i == 1 ? scratch[from[0] + row]
        : FirstIsRest ? 1 - scratch[from[0] + row] : -scratch[from[0] + row];
}
