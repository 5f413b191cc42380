namespace IoTGuard.Learning.Onnx;

/// <summary>TreeEnsembleRegressor and TreeEnsembleClassifier of ai.onnx.ml 1 to 4.</summary>
internal static class TreeOperators
{
    public static void AddTo(Dictionary<string, Operator> operators)
    {
        operators["TreeEnsembleRegressor"] = Regressor;
        operators["TreeEnsembleClassifier"] = Classifier;
    }

    private static void Regressor(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var x = OneRow(graph, node);
        var builder = new TreeEnsembleBuilder(attributes, node.OpType, "target", graph.Lanes(x));
        var targets = attributes.TakeInt("n_targets", 1);
        if (targets is < 1 or > OnnxLimits.MaxTargets)
            throw ModelException.TooLarge($"{node.OpType}: n_targets", targets, OnnxLimits.MaxTargets);
        if (attributes.TakeString("post_transform", "NONE") is not "NONE" and var transform)
            throw ModelException.Unsupported($"{node.OpType}: post_transform {transform}");
        var aggregate = attributes.TakeString("aggregate_function", "SUM");
        var offsets = attributes.TakeFloats("base_values");
        if (offsets.Length != 0 && offsets.Length != targets)
            throw ModelException.Damaged($"{node.OpType}: {offsets.Length} base_values for {targets} targets");
        builder.CheckTargets((int)targets);
        var result = graph.Result(node, [.. x.Shape[..^1], (int)targets], x.HasRows, OnnxElementType.Float);
        for (var t = 0; t < targets; t++)
            graph.Add(new TreeEnsembleStep(builder.Build(t, offsets.Length == 0 ? 0 : offsets[t], aggregate), result.Lanes[t]));
    }

    private static void Classifier(GraphCompiler graph, OnnxNode node, NodeAttributes attributes)
    {
        var x = OneRow(graph, node);
        var builder = new TreeEnsembleBuilder(attributes, node.OpType, "class", graph.Lanes(x));
        var (ints, strings) = (attributes.TakeInts("classlabels_int64s"), attributes.TakeStrings("classlabels_strings"));
        var classes = Math.Max(ints.Length, strings.Length);
        if (classes is < 2 or > OnnxLimits.MaxTargets)
            throw ModelException.Unsupported($"{node.OpType}: {classes} classes, 2 to {OnnxLimits.MaxTargets} are evaluated");
        var transform = ClassStep.Parse(attributes.TakeString("post_transform", "NONE"), node.OpType);
        var offsets = attributes.TakeFloats("base_values");
        builder.CheckTargets(classes);

        // Of two classes one alone may have weights: they are the score of the second, and the first has what is left.
        var single = classes == 2 && builder.OnlyTarget is >= 0;
        if (single && transform == ClassTransform.Softmax)
            throw ModelException.Unsupported($"{node.OpType}: post_transform SOFTMAX with weights of one class alone");
        var targets = single ? 1 : classes;
        if (offsets.Length != 0 && offsets.Length != targets && !(single && offsets.Length == 2))
            throw ModelException.Damaged($"{node.OpType}: {offsets.Length} base_values for {targets} targets");
        var raw = graph.Scratch(targets);
        for (var t = 0; t < targets; t++)
            graph.Add(new TreeEnsembleStep(builder.Build(single ? builder.OnlyTarget!.Value : t, offsets.Length == 0 ? 0 : offsets[^(targets - t)], "SUM"), raw[t]));
        var scores = graph.ClassScores(node, x, classes, ints);
        if (single || transform == ClassTransform.Softmax)
        {
            graph.Add(new ClassStep(transform, raw, scores.Lanes) { FirstIsRest = transform == ClassTransform.None && builder.WeightsArePositive });
            return;
        }

        // One step per class: the sums of classes that nobody asks for are left out.
        for (var t = 0; t < classes; t++)
            graph.Add(new ClassStep(transform, [raw[t]], [scores.Lanes[t]]));
    }

    private static GraphValue OneRow(GraphCompiler graph, OnnxNode node)
    {
        var x = graph.Rows(node);
        return x.Count == x.Shape[^1] ? x : throw ModelException.Unsupported($"{node.OpType} of more than one row at a time");
    }
}

/// <summary>The sum over the trees of an ensemble.</summary>
internal sealed class TreeEnsembleStep(TreeEnsemble ensemble, int result) : Step
{
    public TreeEnsemble Ensemble => ensemble;

    public override IEnumerable<int> Reads => ensemble.Lanes;

    public override IEnumerable<int> Writes => [result];

    public override void Run(Span<float> scratch, int rows) => ensemble.Evaluate(scratch, scratch.Slice(result, rows));
}
