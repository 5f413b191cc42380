namespace IoTGuard.Learning.Onnx;

/// <summary>Operators that move elements or give them another type or shape: lanes in another order, no work when rows are scored.</summary>
internal static class ShapeOperators
{
    public static void AddTo(Dictionary<string, Operator> operators)
    {
        operators["Identity"] = (graph, node, _) => graph.Alias(node, graph.Operand(node, 0));
        operators["Constant"] = Constant;
        operators["Cast"] = Cast;
        operators["Reshape"] = Reshape;
        operators["Flatten"] = Flatten;
        operators["Squeeze"] = Squeeze;
        operators["Unsqueeze"] = Unsqueeze;
        operators["Transpose"] = Transpose;
        operators["Concat"] = Concat;
        operators["Gather"] = (graph, node, attributes) => Gather(graph, node, attributes.TakeInt("axis", 0));
        operators["Slice"] = Slice;
    }

    /// <summary>Elements of one axis by constant indices; also ArrayFeatureExtractor of ai.onnx.ml.</summary>
    public static void Gather(GraphCompiler graph, OnnxNode node, long axis)
    {
        var x = graph.Operand(node, 0);
        var indices = graph.Operand(node, 1);
        var list = indices.Constant ?? throw ModelException.Unsupported($"{node.OpType} by indices that are computed");
        var place = x.Axis(axis, node.OpType);
        var (outer, size, inner) = x.Split(place);
        var lanes = graph.View(checked(outer * list.Length * inner));
        var from = graph.Lanes(x);
        for (int o = 0, at = 0; o < outer; o++)
        {
            foreach (var index in list)
            {
                var i = (int)(index < 0 ? index + size : index);
                if (i < 0 || i >= size || index != MathF.Truncate(index))
                    throw ModelException.Damaged($"{node.OpType}: index {index} of {size}");
                for (var rest = 0; rest < inner; rest++)
                    lanes[at++] = from[(((o * size) + i) * inner) + rest];
            }
        }

        graph.Define(node, x with { Shape = [.. x.Shape[..place], .. indices.Shape, .. x.Shape[(place + 1)..]], Lanes = lanes, Constant = null });
    }

    private static void Constant(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var tensor = attributes.TakeTensor("value")
            ?? (attributes.Has("value_float") ? new OnnxTensor("", [], [attributes.TakeFloat("value_float", 0)]) : null)
            ?? (attributes.Has("value_floats") ? Row(attributes.TakeFloats("value_floats")) : null)
            ?? (attributes.Has("value_int") ? new OnnxTensor("", [], [attributes.TakeInt("value_int", 0)]) { ElementType = OnnxElementType.Int64 } : null)
            ?? (attributes.Has("value_ints") ? Row(Array.ConvertAll(attributes.TakeInts("value_ints"), i => (float)i)) with { ElementType = OnnxElementType.Int64 } : null)
            ?? throw ModelException.Unsupported("Constant without a number");
        graph.DefineConstant(tensor with { Name = GraphCompiler.ResultName(node) });

        static OnnxTensor Row(float[] values) => new("", [values.Length], values);
    }

    private static void Cast(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var x = graph.Operand(node, 0);
        var type = (OnnxElementType)attributes.TakeInt("to", 0);
        if (type is not (OnnxElementType.Float or OnnxElementType.Double or OnnxElementType.Int64 or OnnxElementType.Int32 or OnnxElementType.Bool))
            throw ModelException.Unsupported($"Cast to element type {(int)type}");
        if (type == OnnxElementType.Bool && x.Type != OnnxElementType.Bool)
            graph.Elementwise(node, new Unary(static (v, result) => Each(v, result, static e => e != 0 ? 1 : 0)), [x], type);
        else if (type is OnnxElementType.Int64 or OnnxElementType.Int32 && x.Type is OnnxElementType.Float or OnnxElementType.Double)
            graph.Elementwise(node, new Unary(static (v, result) => Each(v, result, MathF.Truncate)), [x], type);
        else
            graph.Alias(node, x with { Type = type });

        static void Each(ReadOnlySpan<float> v, Span<float> result, Func<float, float> function)
        {
            for (var i = 0; i < result.Length; i++)
                result[i] = function(v[i]);
        }
    }

    private static void Reshape(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var x = graph.Operand(node, 0);
        var wanted = graph.OptionalConstant(node, 1) ?? throw ModelException.Unsupported("Reshape to a shape that is computed");
        var keepsZero = attributes.TakeInt("allowzero", 0) != 0;
        var sizes = new List<long>();
        for (var i = 0; i < wanted.Length; i++)
        {
            // 0 copies the size of the same axis. The axis of the rows is open: it stays −1, or is copied.
            if (wanted[i] != 0 || keepsZero)
                sizes.Add((long)wanted[i]);
            else if (i >= x.Rank)
                throw ModelException.Damaged($"Reshape copies axis {i} of a value of {x.Rank} axes");
            else
                sizes.Add(x.HasRows && i == 0 ? -1 : x.Shape[i - (x.HasRows ? 1 : 0)]);
        }

        if (x.HasRows)
        {
            if (sizes.Count == 0 || sizes[0] is not -1)
                throw ModelException.Unsupported("Reshape that does not keep the rows apart");
            sizes.RemoveAt(0);
            if (sizes.Any(s => s < 0) || Product(sizes) != x.Count)
                throw ModelException.Unsupported("Reshape that does not keep the rows apart");
        }
        else if (sizes.IndexOf(-1) is >= 0 and var open)
        {
            sizes[open] = 1;
            var rest = Product(sizes);
            sizes[open] = rest > 0 ? x.Count / rest : 0;
        }

        if (sizes.Any(s => s < 0) || Product(sizes) != x.Count)
            throw ModelException.Damaged($"Reshape of {x.Count} elements to {string.Join('×', sizes)}");
        graph.Alias(node, x with { Shape = [.. sizes.Select(s => (int)s)] });
    }

    private static void Flatten(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var x = graph.Operand(node, 0);
        var axis = attributes.TakeInt("axis", 1);
        axis = axis < 0 ? axis + x.Rank : axis;
        if (axis < 0 || axis > x.Rank)
            throw ModelException.Damaged($"Flatten: axis {axis} of a value of {x.Rank} axes");
        if (x.HasRows && axis != 1)
            throw ModelException.Unsupported("Flatten that does not keep the rows apart");
        graph.Alias(node, x.HasRows
            ? x with { Shape = [x.Count] }
            : x with { Shape = [GraphValue.CountOf(x.Shape.AsSpan(0, (int)axis)), GraphValue.CountOf(x.Shape.AsSpan((int)axis))] });
    }

    private static void Squeeze(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var x = graph.Operand(node, 0);
        var axes = graph.Axes(node, attributes);
        var places = axes is null ? [.. Enumerable.Range(0, x.Shape.Length).Where(i => x.Shape[i] == 1)] : axes.Select(a => x.Axis(a, "Squeeze")).ToHashSet();
        if (places.Any(p => x.Shape[p] != 1))
            throw ModelException.Damaged("Squeeze of an axis that is longer than 1");
        graph.Alias(node, x with { Shape = [.. x.Shape.Where((_, i) => !places.Contains(i))] });
    }

    private static void Unsqueeze(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var x = graph.Operand(node, 0);
        var axes = graph.Axes(node, attributes) ?? throw ModelException.Damaged("Unsqueeze without axes");
        var rank = x.Rank + axes.Length;
        if (rank > OnnxLimits.MaxDimensions)
            throw ModelException.TooLarge("dimensions", rank, OnnxLimits.MaxDimensions);
        var places = axes.Select(a => a < 0 ? a + rank : a).ToHashSet();
        if (places.Count != axes.Length || places.Any(p => p < 0 || p >= rank))
            throw ModelException.Damaged("Unsqueeze: axes out of range or twice");
        if (x.HasRows && places.Contains(0))
            throw ModelException.Unsupported("Unsqueeze before the axis of the rows");
        var shape = new List<int>();
        var from = 0;
        for (var axis = x.HasRows ? 1 : 0; axis < rank; axis++)
            shape.Add(places.Contains(axis) ? 1 : x.Shape[from++]);
        graph.Alias(node, x with { Shape = [.. shape] });
    }

    private static void Transpose(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var x = graph.Operand(node, 0);
        var order = attributes.TakeInts("perm");
        if (order.Length == 0)
            order = [.. Enumerable.Range(0, x.Rank).Reverse().Select(i => (long)i)];
        if (!order.Order().SequenceEqual(Enumerable.Range(0, x.Rank).Select(i => (long)i)))
            throw ModelException.Damaged("Transpose: perm is no order of the axes");
        if (x.HasRows && order[0] != 0)
            throw ModelException.Unsupported("Transpose that moves the axis of the rows");
        var places = order.Skip(x.HasRows ? 1 : 0).Select(a => x.Axis(a, "Transpose")).ToArray();
        int[] shape = [.. places.Select(p => x.Shape[p])];
        var lanes = graph.View(x.Count);
        var from = graph.Lanes(x);
        var position = new int[shape.Length];
        for (var at = 0; at < lanes.Length; at++)
        {
            var source = 0;
            for (int axis = 0, rest = at, i = shape.Length - 1; i >= 0; i--, axis++)
            {
                position[places[i]] = rest % shape[i];
                rest /= shape[i];
            }

            for (var i = 0; i < position.Length; i++)
                source = (source * x.Shape[i]) + position[i];
            lanes[at] = from[source];
        }

        graph.Define(node, x with { Shape = shape, Lanes = lanes, Constant = null });
    }

    private static void Concat(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var parts = graph.Operands(node, 1, int.MaxValue);
        var first = parts[0];
        var place = first.Axis(attributes.TakeInt("axis", 1), "Concat");
        foreach (var part in parts)
        {
            if (part.HasRows != first.HasRows || part.Shape.Length != first.Shape.Length || part.Shape.Where((s, i) => i != place && s != first.Shape[i]).Any())
                throw ModelException.Damaged($"Concat of '{first.Name}' and '{part.Name}', whose other axes differ");
        }

        var (outer, _, inner) = first.Split(place);
        var size = parts.Sum(p => p.Shape[place]);
        var lanes = graph.View(checked(outer * size * inner));
        var at = 0;
        for (var o = 0; o < outer; o++)
        {
            foreach (var part in parts)
            {
                var run = part.Shape[place] * inner;
                graph.Lanes(part).AsSpan(o * run, run).CopyTo(lanes.AsSpan(at));
                at += run;
            }
        }

        var shape = (int[])first.Shape.Clone();
        shape[place] = size;
        graph.Define(node, first with { Shape = shape, Lanes = lanes, Constant = null });
    }

    private static void Slice(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var x = graph.Operand(node, 0);
        var starts = Limits(1, "starts");
        var ends = Limits(2, "ends");
        var axes = graph.OptionalConstant(node, 3) ?? (attributes.TakeInts("axes") is { Length: > 0 } a ? Array.ConvertAll(a, i => (float)i) : [.. Enumerable.Range(0, starts.Length).Select(i => (float)i)]);
        var steps = graph.OptionalConstant(node, 4) ?? [.. starts.Select(_ => 1f)];
        if (ends.Length != starts.Length || axes.Length != starts.Length || steps.Length != starts.Length)
            throw ModelException.Damaged("Slice: its lists have different lengths");
        var (shape, lanes) = (x.Shape, graph.Lanes(x));
        for (var i = 0; i < starts.Length; i++)
        {
            var place = x.Axis((long)axes[i], "Slice");
            var picked = Positions(shape[place], starts[i], ends[i], steps[i]);
            var outer = GraphValue.CountOf(shape.AsSpan(0, place));
            var inner = GraphValue.CountOf(shape.AsSpan(place + 1));
            var next = graph.View(outer * picked.Count * inner);
            for (int o = 0, at = 0; o < outer; o++)
            {
                foreach (var p in picked)
                {
                    lanes.AsSpan(((o * shape[place]) + p) * inner, inner).CopyTo(next.AsSpan(at));
                    at += inner;
                }
            }

            shape = [.. shape[..place], picked.Count, .. shape[(place + 1)..]];
            lanes = next;
        }

        graph.Define(node, x with { Shape = shape, Lanes = lanes, Constant = null });

        float[] Limits(int input, string attribute) => graph.OptionalConstant(node, input)
            ?? (attributes.TakeInts(attribute) is { Length: > 0 } given ? Array.ConvertAll(given, i => (float)i) : throw ModelException.Unsupported($"Slice by {attribute} that are computed"));
    }

    private static List<int> Positions(int size, double start, double end, double step)
    {
        if (step == 0)
            throw ModelException.Damaged("Slice: a step of 0");
        start = Math.Clamp(start < 0 ? start + size : start, step > 0 ? 0 : -1, step > 0 ? size : size - 1);
        end = Math.Clamp(end < 0 ? end + size : end, -1, size);
        var positions = new List<int>();
        for (var at = start; step > 0 ? at < end : at > end; at += step)
        {
            if (at >= 0 && at < size)
                positions.Add((int)at);
        }

        return positions;
    }

    private static long Product(List<long> sizes)
    {
        long product = 1;
        foreach (var size in sizes)
            product = Math.Min(int.MaxValue, product * Math.Min(Math.Max(size, 0), int.MaxValue));
        return product;
    }
}
