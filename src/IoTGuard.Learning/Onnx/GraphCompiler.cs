namespace IoTGuard.Learning.Onnx;

/// <summary>Turns a graph into steps. Nodes must stand in topological order, as ONNX asks, so there are no cycles.</summary>
internal sealed class GraphCompiler(OnnxModel model)
{
    private readonly Dictionary<string, Register> _values = new(StringComparer.Ordinal);
    private readonly List<Step> _steps = [];
    private readonly List<(Register Register, float[] Values)> _constants = [];
    private int _scratchFloats;

    public CompiledModel Compile()
    {
        CheckOperatorSets();
        foreach (var tensor in model.Graph.Initializers)
            DefineConstant(tensor);
        var input = DefineInput();
        foreach (var node in model.Graph.Nodes)
            CompileNode(node);
        var output = FindOutput();
        var scratch = new float[_scratchFloats];
        foreach (var (register, values) in _constants)
        {
            for (var column = 0; column < values.Length; column++)
                register.Column(scratch, column, CompiledModel.BlockRows).Fill(values[column]);
        }

        return new CompiledModel([.. _steps], scratch, input, output);
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
        }
    }

    private Register DefineInput()
    {
        OnnxValueInfo? input = null;
        foreach (var candidate in model.Graph.Inputs)
        {
            if (_values.ContainsKey(candidate.Name))
                continue;
            if (input is not null)
                throw ModelException.Unsupported($"two inputs ('{input.Name}' and '{candidate.Name}'), one is evaluated");
            input = candidate;
        }

        if (input is null)
            throw ModelException.Damaged("no input");
        if (input.ElementType != OnnxElementType.Float)
            throw ModelException.Unsupported($"input '{input.Name}' has element type {(int)input.ElementType}, not float");
        if (input.Dimensions.Count != 2)
            throw ModelException.Unsupported($"input '{input.Name}' has {input.Dimensions.Count} dimensions, not rows and columns");
        if (input.Dimensions[1] < 1)
            throw ModelException.Unsupported($"input '{input.Name}' does not say how many columns it has");
        return Define(input.Name, input.Dimensions[1]);
    }

    private Register FindOutput()
    {
        var outputs = model.Graph.Outputs;
        var output = outputs.Count == 1 ? outputs[0] : outputs.FirstOrDefault(o => o.Name == "score")
            ?? throw ModelException.Damaged(outputs.Count == 0 ? "no output" : "several outputs and none named 'score'");
        var value = Value(output.Name, "the output");
        return value.Width == 1 ? value : throw ModelException.Unsupported($"output '{output.Name}' has {value.Width} columns, not 1");
    }

    private void CompileNode(OnnxNode node)
    {
        var attributes = new NodeAttributes(node);
        var standard = node.Domain is "" or "ai.onnx";
        if (standard && Operators.Unary.TryGetValue(node.OpType, out var unary))
        {
            var x = Operands(node, 1)[0];
            _steps.Add(new UnaryStep(unary, x, DefineResult(node, x.Width)));
        }
        else if (standard && Operators.Binary.TryGetValue(node.OpType, out var binary))
        {
            var operands = Operands(node, 2);
            var (x, y) = (operands[0], operands[1]);
            if (x.Width != y.Width && x.Width != 1 && y.Width != 1)
                throw ModelException.Damaged($"{node.OpType}: {x.Width} and {y.Width} columns");
            _steps.Add(new BinaryStep(binary, x, y, DefineResult(node, Math.Max(x.Width, y.Width))));
        }
        else if (node is { Domain: Operators.MachineLearningDomain, OpType: "TreeEnsembleRegressor" })
        {
            var x = Operands(node, 1)[0];
            var ensemble = TreeEnsembleBuilder.Build(attributes, x.Width);
            _steps.Add(new TreeEnsembleStep(ensemble, x, DefineResult(node, 1)));
        }
        else
        {
            var domain = standard ? "ai.onnx" : node.Domain;
            throw ModelException.Unsupported($"operator {node.OpType} of {domain} is not evaluated");
        }

        attributes.RefuseRest();
    }

    private Register[] Operands(OnnxNode node, int count)
    {
        if (node.Inputs.Count != count)
            throw ModelException.Damaged($"{node.OpType}: {node.Inputs.Count} inputs, not {count}");
        return [.. node.Inputs.Select(name => Value(name, node.OpType))];
    }

    private Register Value(string name, string user) =>
        _values.TryGetValue(name, out var register)
            ? register
            : throw ModelException.Damaged($"{user} uses value '{name}', which nothing before it makes");

    private Register DefineResult(OnnxNode node, int width)
    {
        if (node.Outputs.Count != 1)
            throw ModelException.Damaged($"{node.OpType}: {node.Outputs.Count} outputs, not 1");
        return Define(node.Outputs[0], width);
    }

    /// <summary>A constant is a scalar or one value per column: shape [], [1], [w] or [1, w].</summary>
    private void DefineConstant(OnnxTensor tensor)
    {
        for (var i = 0; i < tensor.Dimensions.Count - 1; i++)
        {
            if (tensor.Dimensions[i] != 1)
                throw ModelException.Unsupported($"constant '{tensor.Name}' has more than one row");
        }

        if (tensor.Values.Length == 0)
            throw ModelException.Damaged($"constant '{tensor.Name}' is empty");
        _constants.Add((Define(tensor.Name, tensor.Values.Length), tensor.Values));
    }

    private Register Define(string name, long width)
    {
        if (width > OnnxLimits.MaxColumns)
            throw ModelException.TooLarge($"columns of '{name}'", width, OnnxLimits.MaxColumns);
        var register = new Register(_scratchFloats, (int)width);
        if (!_values.TryAdd(name, register))
            throw ModelException.Damaged($"value '{name}' is made twice");
        _scratchFloats += (int)width * CompiledModel.BlockRows;
        if (_scratchFloats > OnnxLimits.MaxScratchFloats)
            throw ModelException.TooLarge("floats in between", _scratchFloats, OnnxLimits.MaxScratchFloats);
        return register;
    }
}
