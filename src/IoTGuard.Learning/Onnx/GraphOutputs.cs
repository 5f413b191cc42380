namespace IoTGuard.Learning.Onnx;

/// <summary>Which output of a graph is the score, also in graphs that other tools made.</summary>
internal static class GraphOutputs
{
    /// <summary>An output of this name, as wide as the features, says what each of them adds to the score.</summary>
    public const string Contributions = "contributions";

    /// <summary>Names of the score: ours first, then ML.NET's, then those of classifiers made by skl2onnx and others.</summary>
    private static readonly string[] Scores = ["score", "Score", "Score.output", "probabilities", "output_probability"];

    /// <summary>
    /// Names under which skl2onnx gives what scikit-learn's outlier detectors say. They say how normal a row is, so it is taken with the
    /// other sign.
    /// </summary>
    private static readonly string[] Normality = ["score_samples", "scores"];

    /// <summary>Finds the score.</summary>
    /// <exception cref="ModelException">There is none, or several outputs and none with a known name.</exception>
    public static (string Name, bool IsNegated) FindScore(OnnxModel model)
    {
        var outputs = model.Graph.Outputs.Where(o => o.Name != Contributions).ToList();
        if (outputs.Count == 0)
            throw ModelException.Damaged("no output");
        foreach (var name in Scores)
        {
            if (outputs.Any(o => o.Name == name))
                return (name, false);
        }

        foreach (var name in Normality)
        {
            if (model.Producer == "skl2onnx" && outputs.Any(o => o.Name == name))
                return (name, true);
        }

        return outputs.Count == 1 ? (outputs[0].Name, false) : throw ModelException.Damaged("several outputs and none named 'score'");
    }

    /// <summary>The lane of the score: a single element, or the second of the two probabilities of a classifier.</summary>
    public static int LaneOfScore(GraphValue value, Func<GraphValue, int[]> lanes) => value.Count switch
    {
        1 => lanes(value)[0],
        2 when value.Name.Contains("probabilit", StringComparison.Ordinal) => lanes(value)[1],
        var count => throw ModelException.Unsupported($"output '{value.Name}' has {count} columns, not 1"),
    };
}
