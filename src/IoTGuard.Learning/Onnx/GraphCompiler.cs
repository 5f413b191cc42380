namespace IoTGuard.Learning.Onnx;

/// <summary>
/// Turns a graph into steps over lanes. Nodes must stand in topological order, as ONNX asks, so there are no cycles. Only what the score (and
/// the contributions, if there are any) depend on is compiled.
/// </summary>
internal sealed class GraphCompiler(OnnxModel model)
{
    private readonly Dictionary<string, GraphValue> _values = new(StringComparer.Ordinal);
    private readonly List<Step> _steps = [];
    private readonly List<(int Lane, float Value)> _constants = [];
    private readonly List<string> _inputs = [];
    private int _scratchFloats;
    private int _viewed;

    /// <summary>Version of the operators of ai.onnx.</summary>
    public long StandardVersion { get; private set; }

    public CompiledModel Compile()
    {
        CheckOperatorSets();
        CheckNames();
        var (scoreName, isNegated) = GraphOutputs.FindScore(model);
        var contributionsName = model.Graph.Outputs.FirstOrDefault(o => o.Name == GraphOutputs.Contributions)?.Name;
        var needed = Needed([scoreName, .. contributionsName is null ? Array.Empty<string>() : [contributionsName]]);
        foreach (var tensor in model.Graph.Initializers)
            DefineConstant(tensor);
        DefineInputs(needed);
        var columns = _scratchFloats / CompiledModel.BlockRows;
        if (columns == 0)
            throw ModelException.Damaged("no input that the score depends on");
        foreach (var node in model.Graph.Nodes.Where(n => n.Outputs.Any(needed.Contains)))
            CompileNode(node);
        var score = GraphOutputs.LaneOfScore(_values[scoreName], Lanes);
        if (isNegated)
        {
            var lane = Scratch(1);
            Add(new ElementwiseStep(new Unary(System.Numerics.Tensors.TensorPrimitives.Negate), [[score]], lane));
            score = lane[0];
        }

        int[] contributions = [];
        if (contributionsName is not null && _values[contributionsName] is var value && value.Count == columns)
            contributions = Lanes(value);
        var scratch = new float[_scratchFloats];
        foreach (var (lane, constant) in _constants)
            scratch.AsSpan(lane, CompiledModel.BlockRows).Fill(constant);
        return new CompiledModel(NeededSteps([score, .. contributions]), scratch, columns, score, contributions, [.. _constants.Select(c => c.Lane)]);
    }

    /// <summary>One operand of a node.</summary>
    public GraphValue Operand(OnnxNode node, int at) =>
        at < node.Inputs.Count ? _values[node.Inputs[at]] : throw ModelException.Damaged($"{node.OpType}: {node.Inputs.Count} inputs, not {at + 1}");

    /// <summary>All operands of a node.</summary>
    public GraphValue[] Operands(OnnxNode node, int least, int? most = null)
    {
        if (node.Inputs.Count < least || node.Inputs.Count > (most ?? least))
            throw ModelException.Damaged($"{node.OpType}: {node.Inputs.Count} inputs, not {least}{(most is null ? "" : " or more")}");
        return [.. node.Inputs.Select((_, i) => Operand(node, i))];
    }

    /// <summary>The first operand, with the columns of a row along its last axis.</summary>
    public GraphValue Rows(OnnxNode node)
    {
        var x = Operand(node, 0);
        return x.Shape is [.., > 0] && x.Count > 0 ? x : throw ModelException.Damaged($"{node.OpType} of a value without columns");
    }

    /// <summary>An operand that may be left out and must be a constant; null when it is left out.</summary>
    public float[]? OptionalConstant(OnnxNode node, int at)
    {
        if (at >= node.Inputs.Count || node.Inputs[at].Length == 0)
            return null;
        return Operand(node, at).Constant is { } values && (values.Length > 0 || node.OpType.StartsWith("Reduce", StringComparison.Ordinal) || node.OpType == "Reshape")
            ? values
            : throw ModelException.Unsupported($"{node.OpType} whose input {at + 1} is computed");
    }

    /// <summary>Axes, which are an input in newer operator sets and an attribute in older ones; null for the operator's default.</summary>
    public long[]? Axes(OnnxNode node, NodeAttributes attributes)
    {
        if (OptionalConstant(node, 1) is { } given)
            return Array.ConvertAll(given, a => (long)a);
        return attributes.TakeInts("axes") is { Length: > 0 } axes ? axes : null;
    }

    /// <summary>Adds a step.</summary>
    public void Add(Step step)
    {
        if (_steps.Count == OnnxLimits.MaxSteps)
            throw ModelException.TooLarge("steps", _steps.Count + 1, OnnxLimits.MaxSteps);
        _steps.Add(step);
    }

    /// <summary>Room for a list of lanes.</summary>
    public int[] View(int count)
    {
        if (count > OnnxLimits.MaxViewElements - _viewed)
            throw ModelException.TooLarge("elements that are moved", (long)_viewed + count, OnnxLimits.MaxViewElements);
        _viewed += count;
        return new int[count];
    }

    /// <summary>New lanes, one after the other.</summary>
    public int[] Scratch(int count)
    {
        if (count > (OnnxLimits.MaxScratchFloats - _scratchFloats) / CompiledModel.BlockRows)
            throw ModelException.TooLarge("floats in between", _scratchFloats + ((long)count * CompiledModel.BlockRows), OnnxLimits.MaxScratchFloats);
        var lanes = new int[count];
        for (var i = 0; i < count; i++, _scratchFloats += CompiledModel.BlockRows)
            lanes[i] = _scratchFloats;
        return lanes;
    }

    /// <summary>Where the elements of a value lie; those of a constant get lanes when they are first asked for.</summary>
    public int[] Lanes(GraphValue value)
    {
        if (value.Constant is { } constant && value.Lanes.Length == 0)
        {
            value.Lanes = Scratch(constant.Length);
            _constants.AddRange(value.Lanes.Zip(constant));
        }

        return value.Lanes;
    }

    /// <summary>The name of a node's first result.</summary>
    public static string ResultName(OnnxNode node) =>
        node.Outputs.Count > 0 && node.Outputs[0].Length > 0 ? node.Outputs[0] : throw ModelException.Damaged($"{node.OpType}: no output");

    /// <summary>Names a node's first result.</summary>
    public void Define(OnnxNode node, GraphValue value) => _values[ResultName(node)] = value with { Name = ResultName(node) };

    /// <summary>The node's result is the value itself, maybe in another shape or type.</summary>
    public void Alias(OnnxNode node, GraphValue value)
    {
        var lanes = value.Constant is null ? value.Lanes : [];
        Define(node, value with { Lanes = lanes });
    }

    /// <summary>A node's first result, with lanes of its own.</summary>
    public GraphValue Result(OnnxNode node, int[] shape, bool hasRows, OnnxElementType type)
    {
        CheckWidth(ResultName(node), shape);
        var value = new GraphValue(ResultName(node), shape, hasRows, type) { Lanes = Scratch(GraphValue.CountOf(shape)) };
        Define(node, value);
        return value;
    }

    /// <summary>The results of a classifier: the label, which is that of the highest score, and one score per class.</summary>
    public GraphValue ClassScores(OnnxNode node, GraphValue x, int classes, long[] labels)
    {
        if (node.Outputs.Count != 2)
            throw ModelException.Damaged($"{node.OpType}: {node.Outputs.Count} outputs, not 2");
        int[] shape = [.. x.Shape[..^1], classes];
        CheckWidth(node.Outputs[1], shape);
        var scores = new GraphValue(node.Outputs[1], shape, x.HasRows, OnnxElementType.Float) { Lanes = Scratch(GraphValue.CountOf(shape)) };
        _values[scores.Name] = scores;
        if (node.Outputs[0].Length > 0)
        {
            var label = Result(node, x.Shape[..^1], x.HasRows, OnnxElementType.Int64);
            foreach (var (group, to) in scores.Lanes.Chunk(classes).Zip(label.Lanes))
                Add(new GroupStep((lanes, scratch, result, rows) => ReductionOperators.ArgMax(lanes, scratch, result, rows, labels), group, [to]));
        }

        return scores;
    }

    /// <summary>An element-wise operation over operands of any shapes that broadcast.</summary>
    public void Elementwise(OnnxNode node, ElementKernel kernel, GraphValue[] operands, OnnxElementType? type = null)
    {
        var rank = operands.Max(o => o.Rank);
        var hasRows = operands.Any(o => o.HasRows);
        var shapes = new int[operands.Length][];
        for (var i = 0; i < operands.Length; i++)
        {
            var operand = operands[i];
            shapes[i] = operand.Shape;
            if (!hasRows || operand.Rank < rank)
            {
                if (operand.HasRows)
                    throw ModelException.Unsupported($"{node.OpType}: the rows of '{operand.Name}' meet another axis");
                continue;
            }

            // The first axis of a value without rows meets that of the rows.
            if (!operand.HasRows && operand.Shape[0] != 1)
                throw ModelException.Unsupported($"{node.OpType}: '{operand.Name}' has one value per row of a fixed number of rows");
            if (!operand.HasRows)
                shapes[i] = operand.Shape[1..];
        }

        var shape = shapes.Aggregate((a, b) => Broadcast(a, b, node.OpType));
        var result = Result(node, shape, hasRows, type ?? operands[0].Type);
        var lanes = new int[operands.Length][];
        for (var i = 0; i < operands.Length; i++)
        {
            lanes[i] = Lanes(operands[i]);
            if (shapes[i].AsSpan().SequenceEqual(shape))
                continue;
            var (from, places, to) = (lanes[i], Places(shapes[i], shape), View(result.Count));
            for (var e = 0; e < to.Length; e++)
                to[e] = from[places[e]];
            lanes[i] = to;
        }

        if (result.Count > 0)
            Add(new ElementwiseStep(kernel, lanes, result.Lanes));
    }

    /// <summary>The shape that two shapes broadcast to.</summary>
    public static int[] Broadcast(int[] x, int[] y, string user)
    {
        var shape = new int[Math.Max(x.Length, y.Length)];
        for (var i = 1; i <= shape.Length; i++)
        {
            var (a, b) = (i <= x.Length ? x[^i] : 1, i <= y.Length ? y[^i] : 1);
            shape[^i] = a == b || b == 1 ? a : a == 1 ? b : throw ModelException.Damaged($"{user}: {a} and {b} columns");
        }

        return shape;
    }

    /// <summary>For each element of a broadcast shape, the element of the shape it comes from.</summary>
    public static int[] Places(int[] from, int[] to)
    {
        if (Broadcast(from, to, "broadcasting") is var both && !both.AsSpan().SequenceEqual(to))
            throw ModelException.Damaged("broadcasting to a smaller shape");
        var places = new int[GraphValue.CountOf(to)];
        for (var at = 0; at < places.Length; at++)
        {
            var (place, stride) = (0, 1);
            for (int i = 1, rest = at; i <= from.Length; i++)
            {
                if (from[^i] != 1)
                    place += rest % to[^i] * stride;
                stride *= from[^i];
                rest /= to[^i];
            }

            places[at] = place;
        }

        return places;
    }

    /// <summary>Defines a constant. A large one, such as a matrix of weights, gets lanes only when an operator needs them.</summary>
    public void DefineConstant(OnnxTensor tensor)
    {
        int[] shape = [.. tensor.Dimensions.Select(d => (int)d)];
        _values[tensor.Name] = new GraphValue(tensor.Name, shape, HasRows: false, tensor.ElementType) { Constant = tensor.Values };
    }

    private void CheckOperatorSets()
    {
        foreach (var opset in model.Opsets)
        {
            var (lowest, highest) = opset.Domain switch
            {
                "" or "ai.onnx" => (7, 24),
                Operators.MachineLearningDomain => (1, 4),
                _ => (long.MinValue, long.MaxValue),
            };
            if (opset.Version < lowest || opset.Version > highest)
                throw ModelException.Unsupported($"operator set '{opset.Domain}' version {opset.Version}, known are {lowest} to {highest}");
            if (opset.Domain is "" or "ai.onnx")
                StandardVersion = opset.Version;
        }
    }

    /// <summary>Every value is made once, before it is used.</summary>
    private void CheckNames()
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var tensor in model.Graph.Initializers)
            Make(tensor.Name);
        foreach (var input in model.Graph.Inputs)
            known.Add(input.Name);
        foreach (var node in model.Graph.Nodes)
        {
            foreach (var input in node.Inputs)
            {
                if (input.Length > 0 && !known.Contains(input))
                    throw ModelException.Damaged($"{node.OpType} uses value '{input}', which nothing before it makes");
            }

            foreach (var output in node.Outputs)
            {
                if (output.Length > 0)
                    Make(output);
            }
        }

        foreach (var output in model.Graph.Outputs)
        {
            if (!known.Contains(output.Name))
                throw ModelException.Damaged($"the output uses value '{output.Name}', which nothing before it makes");
        }

        void Make(string name)
        {
            if (!known.Add(name))
                throw ModelException.Damaged($"value '{name}' is made twice");
        }
    }

    /// <summary>All values that some values depend on.</summary>
    private HashSet<string> Needed(IEnumerable<string> outputs)
    {
        var needed = outputs.ToHashSet(StringComparer.Ordinal);
        foreach (var node in model.Graph.Nodes.Reverse())
        {
            if (node.Outputs.Any(needed.Contains))
                needed.UnionWith(node.Inputs.Where(i => i.Length > 0));
        }

        return needed;
    }

    /// <summary>Defines the inputs that the score depends on. Several are the columns of one row, in their order.</summary>
    private void DefineInputs(HashSet<string> needed)
    {
        foreach (var input in model.Graph.Inputs)
        {
            if (_values.ContainsKey(input.Name) || !needed.Contains(input.Name))
                continue;
            if (input.ElementType is not (OnnxElementType.Float or OnnxElementType.Double or OnnxElementType.Int64 or OnnxElementType.Int32 or OnnxElementType.Bool))
                throw ModelException.Unsupported($"input '{input.Name}' has element type {(int)input.ElementType}, not a number");
            var dimensions = input.Dimensions;
            var hasRows = dimensions.Count > 0 && dimensions[0] < 1;
            var shape = dimensions.Skip(hasRows ? 1 : 0).ToArray();
            foreach (var size in shape)
            {
                if (size < 1)
                    throw ModelException.Unsupported($"input '{input.Name}' does not say how many columns it has");
                if (size > OnnxLimits.MaxColumns)
                    throw ModelException.TooLarge($"columns of '{input.Name}'", size, OnnxLimits.MaxColumns);
            }

            CheckWidth(input.Name, shape);
            int[] sizes = [.. shape.Select(s => (int)s)];
            _values.Add(input.Name, new GraphValue(input.Name, sizes, hasRows, input.ElementType) { Lanes = Scratch(GraphValue.CountOf(sizes)) });
            _inputs.Add(input.Name);
        }
    }

    private void CompileNode(OnnxNode node)
    {
        var compile = Operators.Find(node)
            ?? throw ModelException.Unsupported($"operator {node.OpType} of {(node.Domain.Length == 0 ? "ai.onnx" : node.Domain)} is not evaluated");
        var attributes = new NodeAttributes(node);
        try
        {
            compile(this, node, attributes);
        }
        catch (OverflowException e)
        {
            throw ModelException.Damaged($"{node.OpType}: a size passes 2³¹", e);
        }

        attributes.RefuseRest();
    }

    /// <summary>Steps whose lanes nobody reads are left out.</summary>
    private Step[] NeededSteps(int[] outputs)
    {
        var needed = outputs.ToHashSet();
        var kept = new List<Step>();
        foreach (var step in Enumerable.Reverse(_steps))
        {
            if (!step.Writes.Any(needed.Contains))
                continue;
            needed.UnionWith(step.Reads);
            kept.Add(step);
        }

        kept.Reverse();
        return [.. kept];
    }

    private static void CheckWidth<T>(string name, T[] shape)
        where T : System.Numerics.INumber<T>
    {
        long count = 1;
        foreach (var size in shape)
            count = Math.Min(int.MaxValue, count * long.CreateSaturating(size));
        if (count > OnnxLimits.MaxColumns)
            throw ModelException.TooLarge($"columns of '{name}'", count, OnnxLimits.MaxColumns);
        if (shape.Length > OnnxLimits.MaxDimensions)
            throw ModelException.TooLarge($"dimensions of '{name}'", shape.Length, OnnxLimits.MaxDimensions);
    }
}
