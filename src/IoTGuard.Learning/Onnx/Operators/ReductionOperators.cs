using System.Numerics.Tensors;

namespace IoTGuard.Learning.Onnx;

/// <summary>Operators that make one element of many along axes.</summary>
internal static class ReductionOperators
{
    public static void AddTo(Dictionary<string, Operator> operators)
    {
        operators["ReduceSum"] = (graph, node, attributes) => Reduce(graph, node, attributes, static (lanes, scratch, result, rows) => Sum(lanes, scratch, result, rows));
        operators["ReduceMean"] = (graph, node, attributes) => Reduce(graph, node, attributes, static (lanes, scratch, result, rows) =>
        {
            Sum(lanes, scratch, result, rows);
            var to = scratch.Slice(result, rows);
            TensorPrimitives.Divide(to, lanes.Length, to);
        });
        operators["ReduceSumSquare"] = (graph, node, attributes) => Reduce(graph, node, attributes, static (lanes, scratch, result, rows) => SumSquare(lanes, scratch, result, rows));
        operators["ReduceL2"] = (graph, node, attributes) => Reduce(graph, node, attributes, static (lanes, scratch, result, rows) =>
        {
            SumSquare(lanes, scratch, result, rows);
            var to = scratch.Slice(result, rows);
            TensorPrimitives.Sqrt(to, to);
        });
        operators["ReduceMax"] = (graph, node, attributes) => Reduce(graph, node, attributes, static (lanes, scratch, result, rows) =>
        {
            var to = scratch.Slice(result, rows);
            scratch.Slice(lanes[0], rows).CopyTo(to);
            foreach (var lane in lanes.AsSpan(1))
                TensorPrimitives.Max(to, scratch.Slice(lane, rows), to);
        });
        operators["ArgMax"] = ArgMax;
        operators["Softmax"] = Softmax;
    }

    private static void Reduce(GraphCompiler graph, OnnxNode node, NodeAttributes attributes, GroupKernel kernel)
    {
        var x = graph.Operand(node, 0);
        var keeps = attributes.TakeInt("keepdims", 1) != 0;
        var axes = graph.Axes(node, attributes);
        if (attributes.TakeInt("noop_with_empty_axes", 0) != 0 && axes is null or { Length: 0 })
        {
            if (node.OpType is not ("ReduceSum" or "ReduceMean" or "ReduceMax"))
                throw ModelException.Unsupported($"{node.OpType} over no axes");
            graph.Alias(node, x);
            return;
        }

        if (axes is null or { Length: 0 })
        {
            if (x.HasRows)
                throw ModelException.Unsupported($"{node.OpType} over the axis of the rows");
            axes = [.. Enumerable.Range(0, x.Rank).Select(i => (long)i)];
        }

        var places = axes.Select(a => x.Axis(a, node.OpType)).ToHashSet();
        if (places.Any(p => x.Shape[p] == 0))
            throw ModelException.Unsupported($"{node.OpType} over no elements");
        int[] kept = [.. x.Shape.Select((s, i) => places.Contains(i) ? 1 : s)];
        var groups = new List<int>[GraphValue.CountOf(kept)];
        var lanes = graph.Lanes(x);
        for (var at = 0; at < lanes.Length; at++)
        {
            var (group, stride) = (0, 1);
            for (int i = x.Shape.Length - 1, rest = at; i >= 0; i--)
            {
                if (!places.Contains(i))
                {
                    group += rest % x.Shape[i] * stride;
                    stride *= x.Shape[i];
                }

                rest /= x.Shape[i];
            }

            (groups[group] ??= []).Add(lanes[at]);
        }

        int[] shape = keeps ? kept : [.. x.Shape.Where((_, i) => !places.Contains(i))];
        var result = graph.Result(node, shape, x.HasRows, x.Type);
        for (var i = 0; i < groups.Length; i++)
            graph.Add(new GroupStep(kernel, [.. groups[i]], [result.Lanes[i]]));
    }

    private static void ArgMax(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var x = graph.Operand(node, 0);
        var place = x.Axis(attributes.TakeInt("axis", 0), "ArgMax");
        var keeps = attributes.TakeInt("keepdims", 1) != 0;
        var last = attributes.TakeInt("select_last_index", 0) != 0;
        var (outer, size, inner) = x.Split(place);
        if (size == 0)
            throw ModelException.Unsupported("ArgMax over no elements");
        int[] shape = keeps ? [.. x.Shape[..place], 1, .. x.Shape[(place + 1)..]] : [.. x.Shape[..place], .. x.Shape[(place + 1)..]];
        var result = graph.Result(node, shape, x.HasRows, OnnxElementType.Int64);
        foreach (var (i, group) in Groups(graph.Lanes(x), outer, size, inner).Index())
            graph.Add(new GroupStep((lanes, scratch, to, rows) => ArgMax(lanes, scratch, to, rows, [], last), group, [result.Lanes[i]]));
    }

    /// <summary>The number, or the label, of the highest of some lanes.</summary>
    internal static void ArgMax(int[] lanes, Span<float> scratch, int result, int rows, long[] labels, bool last = false)
    {
        for (var row = 0; row < rows; row++)
        {
            var best = 0;
            for (var i = 1; i < lanes.Length; i++)
            {
                var (value, highest) = (scratch[lanes[i] + row], scratch[lanes[best] + row]);
                if (value > highest || (last && value == highest))
                    best = i;
            }

            scratch[result + row] = labels.Length > 0 ? labels[best] : best;
        }
    }

    private static void Softmax(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var x = graph.Operand(node, 0);
        var axis = attributes.TakeInt("axis", graph.StandardVersion >= 13 ? -1 : 1);
        if (graph.StandardVersion < 13 && x.Rank != 2)
            throw ModelException.Unsupported($"Softmax of operator set {graph.StandardVersion} over {x.Rank} axes");
        var place = x.Axis(axis, "Softmax");
        var (outer, size, inner) = x.Split(place);
        var result = graph.Result(node, x.Shape, x.HasRows, x.Type);
        var from = Groups(graph.Lanes(x), outer, size, inner);
        var to = Groups(result.Lanes, outer, size, inner);
        for (var i = 0; i < from.Length; i++)
            graph.Add(new SoftmaxStep(from[i], to[i]));
    }

    private static int[][] Groups(int[] lanes, int outer, int size, int inner)
    {
        var groups = new int[outer * inner][];
        for (var o = 0; o < outer; o++)
        {
            for (var rest = 0; rest < inner; rest++)
                groups[(o * inner) + rest] = [.. Enumerable.Range(0, size).Select(i => lanes[(((o * size) + i) * inner) + rest])];
        }

        return groups;
    }

    internal static void Sum(int[] lanes, Span<float> scratch, int result, int rows)
    {
        var to = scratch.Slice(result, rows);
        scratch.Slice(lanes[0], rows).CopyTo(to);
        foreach (var lane in lanes.AsSpan(1))
            TensorPrimitives.Add(to, scratch.Slice(lane, rows), to);
    }

    private static void SumSquare(int[] lanes, Span<float> scratch, int result, int rows)
    {
        var to = scratch.Slice(result, rows);
        to.Clear();
        foreach (var lane in lanes)
        {
            var x = scratch.Slice(lane, rows);
            TensorPrimitives.MultiplyAdd(x, x, to, to);
        }
    }
}

/// <summary>Makes one lane of a group of lanes.</summary>
internal delegate void GroupKernel(int[] lanes, Span<float> scratch, int result, int rows);

internal sealed class GroupStep(GroupKernel kernel, int[] lanes, int[] result) : Step
{
    public override IEnumerable<int> Reads => lanes;

    public override IEnumerable<int> Writes => result;

    public override void Run(Span<float> scratch, int rows) => kernel(lanes, scratch, result[0], rows);
}

/// <summary>exp(x − max) over its sum, row by row.</summary>
internal sealed class SoftmaxStep(int[] lanes, int[] results) : Step
{
    public override IEnumerable<int> Reads => lanes;

    public override IEnumerable<int> Writes => results;

    public override void Run(Span<float> scratch, int rows)
    {
        for (var row = 0; row < rows; row++)
        {
            var highest = float.NegativeInfinity;
            foreach (var lane in lanes)
                highest = Math.Max(highest, scratch[lane + row]);
            double sum = 0;
            foreach (var lane in lanes)
                sum += Math.Exp(scratch[lane + row] - highest);
            for (var i = 0; i < lanes.Length; i++)
                scratch[results[i] + row] = (float)(Math.Exp(scratch[lanes[i] + row] - highest) / sum);
        }
    }
}
