using IoTGuard.Learning.Onnx;
using IoTGuard.Learning.Training;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace IoTGuard.Learning.Tests.Oracles;

/// <summary>onnxruntime gives the same scores: for every engine, and for operators that the ONNX node tests do not reach.</summary>
public sealed class OnnxRuntimeTests
{
    private static readonly FeatureMatrix Rows = Samples.Cloud(300, 9, seed: 101, shift: 0.7f);

    public static TheoryData<string> Engines => [.. OwnEngines.All.Select(e => e.Name)];

    [Theory]
    [MemberData(nameof(Engines))]
    public void AnEnginesModelScoresTheSame(string name)
    {
        var model = EngineTests.Train(name);
        var rows = Rows.SelectRows([.. Enumerable.Range(0, Rows.RowCount)]);
        rows.AddRow([.. Enumerable.Repeat(float.NaN, 9)]);
        rows.AddRow([float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.MinValue, float.NaN, 0, -0f, float.Epsilon, 1e30f]);
        var theirs = Run(model.Save(), rows, "score");
        var ours = Samples.Scores(model, rows);

        // Sums of leaves are exact. Products of a network are added in another order there.
        if (name is "hbos" or "ecod" or "gbt")
            Assert.Equal(theirs, ours);
        else
            Assert.Equal(theirs, ours, Near);
    }

    [Fact]
    public void EveryFileThatIsWrittenPassesTheOnnxChecker()
    {
        using var oracle = new Oracle("onnx");
        oracle.Ask(["check", .. OwnEngines.All.Select(e => oracle.Write(e.Name + ".onnx", EngineTests.Train(e.Name).Save()))]);
    }

    public static TheoryData<string> Graphs => [.. Nodes().Keys];

    [Theory]
    [MemberData(nameof(Graphs))]
    public void AnOperatorOfMachineLearningDoesTheSame(string name)
    {
        var (nodes, initializers, output, width) = Nodes()[name];
        for (var column = 0; column < width; column++)
        {
            // One column of the result is the score.
            OnnxNode[] picked = [.. nodes, new("Gather", "", "", [output, "column"], ["score"], [OnnxAttributeValue.Of("axis", 1)])];
            var model = new OnnxModel(
                8,
                "test",
                "",
                [new("", 13), new("ai.onnx.ml", name.StartsWith("encode", StringComparison.Ordinal) ? 2 : 1)],
                new OnnxGraph(
                    "g",
                    picked,
                    [.. initializers, new OnnxTensor("column", [1], [column]) { ElementType = OnnxElementType.Int64 }],
                    [OnnxValueInfo.Rows("x", 9)],
                    [OnnxValueInfo.Rows("score", 1)],
                    []),
                []);
            var bytes = model.ToBytes();
            var scores = new float[Rows.RowCount];
            CompiledModel.Compile(OnnxModel.Parse(bytes)).Score(Rows.Values, Rows.RowCount, scores);
            Assert.Equal(Run(bytes, Rows, "score"), scores, Near);
        }
    }

    private static Dictionary<string, (OnnxNode[] Nodes, OnnxTensor[] Initializers, string Output, int Width)> Nodes()
    {
        var random = new Xoshiro256(7);
        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((2 * random.NextDouble()) - 1))];
        var graphs = new Dictionary<string, (OnnxNode[], OnnxTensor[], string, int)>(StringComparer.Ordinal)
        {
            ["scaler"] = One("Scaler", 9, OnnxAttributeValue.Of("offset", Numbers(9)), OnnxAttributeValue.Of("scale", Numbers(9))),
            ["scaler of one"] = One("Scaler", 9, OnnxAttributeValue.Of("offset", (float[])[0.5f]), OnnxAttributeValue.Of("scale", (float[])[3f])),
            ["imputer"] = One("Imputer", 9, OnnxAttributeValue.Of("imputed_value_floats", Numbers(9)), OnnxAttributeValue.Of("replaced_value_float", float.NaN)),
            ["regressor"] = One("LinearRegressor", 3, OnnxAttributeValue.Of("coefficients", Numbers(27)), OnnxAttributeValue.Of("intercepts", Numbers(3)), OnnxAttributeValue.Of("targets", 3)),
            ["feature extractor"] = (
                [new("ArrayFeatureExtractor", "ai.onnx.ml", "", ["x", "places"], ["y"], [])],
                [new OnnxTensor("places", [3], [7, 0, 4]) { ElementType = OnnxElementType.Int64 }],
                "y",
                3),
            ["encode"] = (
                [
                    new("Floor", "", "", ["x"], ["floor"], []),
                    new("LabelEncoder", "ai.onnx.ml", "", ["floor"], ["y"], [OnnxAttributeValue.Of("keys_floats", (float[])[-1, 0, 1]), OnnxAttributeValue.Of("values_floats", (float[])[5, 6, 7]), OnnxAttributeValue.Of("default_float", -2f)]),
                ],
                [],
                "y",
                9),
        };
        foreach (var norm in (string[])["MAX", "L1", "L2"])
            graphs[$"normalizer {norm}"] = One("Normalizer", 9, OnnxAttributeValue.Of("norm", norm));
        foreach (var transform in (string[])["NONE", "LOGISTIC", "SOFTMAX"])
        {
            graphs[$"linear classifier of three, {transform}"] = Classifier("LinearClassifier", 3,
                OnnxAttributeValue.Of("coefficients", Numbers(27)), OnnxAttributeValue.Of("intercepts", Numbers(3)),
                OnnxAttributeValue.Of("classlabels_ints", [0, 1, 2L]), OnnxAttributeValue.Of("post_transform", transform));
            graphs[$"trees of three classes, {transform}"] = Classifier("TreeEnsembleClassifier", 3,
                [.. Stump(), OnnxAttributeValue.Of("class_ids", [0, 1, 2, 0L]), OnnxAttributeValue.Of("class_treeids", [0, 0, 0, 0L]), OnnxAttributeValue.Of("class_nodeids", [1, 1, 2, 2L]),
                    OnnxAttributeValue.Of("class_weights", [0.3f, 0.9f, 0.2f, -1.5f]), OnnxAttributeValue.Of("classlabels_int64s", [0, 1, 2L]), OnnxAttributeValue.Of("post_transform", transform)]);
            graphs[$"trees of two classes, {transform}"] = Classifier("TreeEnsembleClassifier", 2,
                [.. Stump(), OnnxAttributeValue.Of("class_ids", [0, 1, 0, 1L]), OnnxAttributeValue.Of("class_treeids", [0, 0, 0, 0L]), OnnxAttributeValue.Of("class_nodeids", [1, 1, 2, 2L]),
                    OnnxAttributeValue.Of("class_weights", [0.25f, 0.75f, 0.9f, 0.1f]), OnnxAttributeValue.Of("classlabels_int64s", [0, 1L]), OnnxAttributeValue.Of("post_transform", transform)]);

            // Refused: onnxruntime does something of its own there.
            if (transform == "SOFTMAX")
                continue;
            graphs[$"trees of one class of two, {transform}"] = Classifier("TreeEnsembleClassifier", 2,
                [.. Stump(), OnnxAttributeValue.Of("class_ids", [0, 0L]), OnnxAttributeValue.Of("class_treeids", [0, 0L]), OnnxAttributeValue.Of("class_nodeids", [1, 2L]),
                    OnnxAttributeValue.Of("class_weights", [0.3f, 0.9f]), OnnxAttributeValue.Of("classlabels_int64s", [0, 1L]), OnnxAttributeValue.Of("post_transform", transform)]);
            graphs[$"trees of one class of two with negative weights, {transform}"] = Classifier("TreeEnsembleClassifier", 2,
                [.. Stump(), OnnxAttributeValue.Of("class_ids", [0, 0L]), OnnxAttributeValue.Of("class_treeids", [0, 0L]), OnnxAttributeValue.Of("class_nodeids", [1, 2L]),
                    OnnxAttributeValue.Of("class_weights", [-0.3f, 0.9f]), OnnxAttributeValue.Of("classlabels_int64s", [0, 1L]), OnnxAttributeValue.Of("post_transform", transform)]);
        }

        return graphs;
    }

    private static (OnnxNode[] Nodes, OnnxTensor[] Initializers, string Output, int Width) One(string op, int width, params OnnxAttributeValue[] attributes) =>
        ([new OnnxNode(op, "ai.onnx.ml", "", ["x"], ["y"], attributes)], [], "y", width);

    private static (OnnxNode[] Nodes, OnnxTensor[] Initializers, string Output, int Width) Classifier(string op, int classes, params OnnxAttributeValue[] attributes) =>
        ([new OnnxNode(op, "ai.onnx.ml", "", ["x"], ["label", "y"], attributes)], [], "y", classes);

    private static OnnxAttributeValue[] Stump() =>
    [
        OnnxAttributeValue.Of("nodes_treeids", [0, 0, 0L]), OnnxAttributeValue.Of("nodes_nodeids", [0, 1, 2L]), OnnxAttributeValue.Of("nodes_featureids", [3, 0, 0L]),
        OnnxAttributeValue.Of("nodes_truenodeids", [1, 0, 0L]), OnnxAttributeValue.Of("nodes_falsenodeids", [2, 0, 0L]), OnnxAttributeValue.Of("nodes_values", [0.5f, 0, 0]),
        OnnxAttributeValue.Of("nodes_modes", ["BRANCH_LEQ", "LEAF", "LEAF"]),
    ];

    private static float[] Run(byte[] model, FeatureMatrix rows, string output)
    {
        using var session = new InferenceSession(model);
        var tensor = new DenseTensor<float>(rows.Values.ToArray(), [rows.RowCount, rows.ColumnCount]);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor(session.InputNames[0], tensor)], [output]);
        return [.. results[0].AsEnumerable<float>()];
    }

    private static bool Near(float x, float y) => x.Equals(y) || Math.Abs(x - y) <= 2e-5f * (1 + Math.Abs(x));
}
