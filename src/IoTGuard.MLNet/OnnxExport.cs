using IoTGuard.Learning.Onnx;
using IoTGuard.Learning.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;

namespace IoTGuard.MLNet;

/// <summary>A trained pipeline as a graph that the sensor evaluates: the features in, one score out.</summary>
internal static class OnnxExport
{
    private const string Input = "features";
    private const string Output = "score";

    public static TrainedGraph Of(MLContext ml, ITransformer model, IDataView input)
    {
        if (Find<PcaModelParameters>(model) is { } pca)
        {
            // ML.NET does not convert it; what stands before it does.
            var before = new TransformerChain<ITransformer>([.. ((IEnumerable<ITransformer>)model).SkipLast(1)]);
            var prepared = Convert(ml, before, input);
            return Graph("mlnet", prepared, PcaGraph.Nodes(pca, EndOf(prepared, FeatureRow.Column + ".output"), Output), PcaGraph.Constants(pca));
        }

        var onnx = Convert(ml, model, input);
        var score = EndOf(onnx, "Score.output");
        return Find<KMeansModelParameters>(model) is null
            ? Graph("mlnet", onnx, [Node("Identity", [score], Output)], [])
            : Graph("mlnet", onnx, [.. NearestCentre(score)], []);
    }

    /// <summary>The predictor of a model, when it is of a kind.</summary>
    public static T? Find<T>(ITransformer model)
        where T : class =>
        (model is IEnumerable<ITransformer> chain ? chain.LastOrDefault() : model) is ISingleFeaturePredictionTransformer<object> { Model: T found } ? found : null;

    public static OnnxNode Node(string type, IReadOnlyList<string> inputs, string output, params OnnxAttributeValue[] attributes) =>
        new(type, "", output, inputs, [output], attributes);

    /// <summary>The smallest of the squared distances, which rounding may put below 0, and its root.</summary>
    private static IEnumerable<OnnxNode> NearestCentre(string squares) =>
    [
        Node("Neg", [squares], "nearness"),
        Node("ReduceMax", ["nearness"], "most_near", OnnxAttributeValue.Of("axes", (long[])[1]), OnnxAttributeValue.Of("keepdims", 1)),
        Node("Neg", ["most_near"], "least_square"),
        Node("Relu", ["least_square"], "least_square_positive"),
        Node("Sqrt", ["least_square_positive"], Output),
    ];

    private static OnnxModel Convert(MLContext ml, ITransformer model, IDataView input)
    {
        using var stream = new MemoryStream();
        ml.Model.ConvertToOnnx(model, input, stream);
        return OnnxModel.Parse(stream.ToArray());
    }

    /// <summary>The value behind an output of ML.NET's graph.</summary>
    private static string EndOf(OnnxModel onnx, string output) => onnx.Graph.Nodes.First(node => node.Outputs[0] == output).Inputs[0];

    /// <summary>What of ML.NET's graph leads to the nodes added; copies (Identity) are taken out, so that trees read the features themselves.</summary>
    private static TrainedGraph Graph(string name, OnnxModel onnx, IReadOnlyList<OnnxNode> added, IReadOnlyList<OnnxTensor> constants)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal) { [FeatureRow.Column] = Input };
        var nodes = new List<OnnxNode>();
        foreach (var node in onnx.Graph.Nodes)
        {
            if (node.OpType == "Identity")
                names[node.Outputs[0]] = Named(node.Inputs[0]);
            else
                nodes.Add(node with { Inputs = [.. node.Inputs.Select(Named)] });
        }

        nodes.AddRange(added.Select(node => node with { Inputs = [.. node.Inputs.Select(Named)] }));
        if (nodes[^1] is { OpType: "Identity" } last)
        {
            nodes.RemoveAt(nodes.Count - 1);
            var at = nodes.FindLastIndex(node => node.Outputs[0] == last.Inputs[0]);
            nodes[at] = nodes[at] with { Outputs = [Output] };
            nodes.RemoveRange(at + 1, nodes.Count - at - 1);
        }

        var needed = new HashSet<string>(StringComparer.Ordinal) { Output };
        for (var i = nodes.Count - 1; i >= 0; i--)
        {
            if (nodes[i].Outputs.Any(needed.Contains))
                needed.UnionWith(nodes[i].Inputs);
            else
                nodes.RemoveAt(i);
        }

        var width = onnx.Graph.Inputs.First(input => input.Name == FeatureRow.Column).Dimensions[^1];
        return new TrainedGraph(new OnnxGraph(
            name,
            nodes,
            [.. onnx.Graph.Initializers.Where(tensor => needed.Contains(tensor.Name)), .. constants],
            [OnnxValueInfo.Rows(Input, (int)width)],
            [OnnxValueInfo.Rows(Output, 1)],
            [.. nodes.SkipLast(1).Where(static node => node.Domain.Length > 0).Select(node => OnnxValueInfo.Rows(node.Outputs[0], node.OpType is "Imputer" or "Scaler" ? (int)width : 1))]))
        {
            Opsets = onnx.Opsets,
        };

        string Named(string value) => names.GetValueOrDefault(value, value);
    }
}
