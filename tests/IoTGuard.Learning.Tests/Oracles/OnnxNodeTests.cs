using Google.Protobuf;
using IoTGuard.Learning.Onnx;

namespace IoTGuard.Learning.Tests.Oracles;

/// <summary>The node tests of the ONNX standard (Debian's libonnx-testdata) for every operator that is evaluated here.</summary>
public sealed class OnnxNodeTests
{
    private const string Folder = "/usr/share/libonnx-testdata/data/node";

    /// <summary>Elements of an output that are compared at most, evenly spread.</summary>
    private const int MostElements = 64;

    /// <summary>Operators whose later inputs say how to compute rather than what: a model has them as constants.</summary>
    private static readonly HashSet<string> Configured = new(StringComparer.Ordinal) { "Clip", "Gather", "ReduceSum", "Reshape", "Slice", "Squeeze", "Unsqueeze" };

    /// <summary>What of the claimed operators is refused, by the reason that the refusal gives.</summary>
    private static readonly string[] Refusals =
    [
        "element type", // 8- and 16-bit numbers, half floats and strings are not held
        "operator set", // version 1 of Not
        "no input that the score depends on", // a constant alone
    ];

    [Fact]
    public void EveryClaimedOperatorPassesItsNodeTests()
    {
        Assert.SkipUnless(Directory.Exists(Folder), "Debian package libonnx-testdata is absent");
        var claimed = Operators.Names.ToHashSet(StringComparer.Ordinal);
        var passed = new Dictionary<string, int>(StringComparer.Ordinal);
        var failures = new List<string>();
        foreach (var folder in Directory.EnumerateDirectories(Folder).Order(StringComparer.Ordinal))
        {
            try
            {
                var model = OnnxModel.Parse(File.ReadAllBytes(Path.Combine(folder, "model.onnx")));
                if (!model.Graph.Nodes.All(n => claimed.Contains(n.OpType)) || model.Graph.Outputs.Count != 1 || folder.Contains("sequence", StringComparison.Ordinal) || folder.EndsWith("identity_opt", StringComparison.Ordinal))
                    continue;
                Check(model, Path.Combine(folder, "test_data_set_0"));
                foreach (var op in model.Graph.Nodes.Select(n => n.OpType).Distinct())
                    passed[op] = passed.GetValueOrDefault(op) + 1;
            }
            catch (ModelException e) when (Refusals.Any(r => e.Message.Contains(r, StringComparison.Ordinal)))
            {
                // Said in the reason.
            }
            catch (Exception e) when (e is ModelException or ArgumentException or Xunit.Sdk.XunitException)
            {
                failures.Add($"{Path.GetFileName(folder)}: {e.Message.ReplaceLineEndings(" ")}");
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", passed.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key} {p.Value}")));
        Assert.Empty(failures);
        string[] must = ["Abs", "Add", "ArgMax", "Cast", "Concat", "Div", "Gemm", "Identity", "MatMul", "Mul", "Pow", "ReduceMean", "ReduceSum", "ReduceSumSquare", "Relu", "Reshape", "Sigmoid", "Sqrt", "Sub", "Tanh"];
        Assert.All(must, op => Assert.True(passed.ContainsKey(op), $"no node test of {op} passed"));
        Assert.True(passed.Values.Sum() > 150, $"{passed.Values.Sum()} passed");
    }

    private static void Check(OnnxModel model, string data)
    {
        var graph = model.Graph;
        var configured = graph.Nodes.Count == 1 && Configured.Contains(graph.Nodes[0].OpType);
        var inputs = graph.Inputs.Select((info, i) => (Info: info, Tensor: Read(Path.Combine(data, $"input_{i}.pb")) with { Name = info.Name })).ToList();
        var constants = inputs.Where((_, i) => configured && i > 0).Select(i => i.Tensor).ToList();
        var used = graph.Nodes.SelectMany(n => n.Inputs).ToHashSet(StringComparer.Ordinal);
        var live = inputs.Where(i => used.Contains(i.Info.Name) && !constants.Contains(i.Tensor)).ToList();
        float[] row = [.. live.SelectMany(i => i.Tensor.Values)];
        var expected = Read(Path.Combine(data, "output_0.pb"));
        var step = Math.Max(1, expected.Values.Length / MostElements);
        for (var e = 0; e < expected.Values.Length; e += step)
        {
            // One element of the output is the score.
            var one = model with
            {
                Graph = graph with
                {
                    Inputs = [.. live.Select(i => i.Info)],
                    Initializers = [.. graph.Initializers, .. constants, new OnnxTensor("to_list", [1], [-1]), new OnnxTensor("element", [], [e])],
                    Nodes =
                    [
                        .. graph.Nodes,
                        new OnnxNode("Reshape", "", "", [graph.Outputs[0].Name, "to_list"], ["list"], []),
                        new OnnxNode("Gather", "", "", ["list", "element"], ["score"], []),
                    ],
                    Outputs = [new OnnxValueInfo("score", OnnxElementType.Float, [])],
                },
            };
            var score = new float[1];
            CompiledModel.Compile(one).Score(row, 1, score);
            Assert.Equal(expected.Values[e], score[0], (x, y) => x.Equals(y) || Math.Abs(x - y) <= 1e-5f + (1e-5f * Math.Abs(x)));
        }
    }

    /// <summary>A file of one TensorProto, read as the initializer of a graph.</summary>
    private static OnnxTensor Read(string path) => OnnxModel.Parse(Field(7, Field(5, File.ReadAllBytes(path)))).Graph.Initializers[0];

    private static byte[] Field(int field, byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(bytes));
        }

        return stream.ToArray();
    }
}
