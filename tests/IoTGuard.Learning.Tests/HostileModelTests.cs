using System.Diagnostics;
using Google.Protobuf;
using IoTGuard.Learning.Onnx;

namespace IoTGuard.Learning.Tests;

/// <summary>Model files that were cut, changed or made to hurt: refused with a reason, in bounded time and memory.</summary>
public sealed class HostileModelTests
{
    private static readonly FeatureMatrix Data = Samples.Cloud(64, 3, seed: 51);
    private static readonly byte[] Good = SmallCalibratedModel();

    /// <summary>What reading a file may allocate at most: this, and this much per byte of the file.</summary>
    private const long MostBytes = 64 * 1024 * 1024;
    private const long MostBytesPerByte = 64;

    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(20);

    [Fact]
    public void AFileCutAnywhereIsRefusedOrStillACompleteModel()
    {
        var accepted = 0;
        for (var length = 0; length < Good.Length; length++)
        {
            if (TryLoad(Good.AsSpan(0, length)) is { } model)
            {
                accepted++;
                AssertScores(model);
            }
        }

        // Only a cut between the entries after the graph leaves a well-formed file.
        Assert.InRange(accepted, 1, 10);
    }

    [Fact]
    public void AnyByteChangedIsRefusedOrScores()
    {
        var random = new Xoshiro256(52);
        var (refused, scored) = (0, 0);
        for (var at = 0; at < Good.Length; at++)
        {
            var changed = (byte[])Good.Clone();
            changed[at] = (byte)(at % 3 == 0 ? 0xFF : changed[at] ^ (1 << random.Next(8)));
            if (TryLoad(changed) is { } model)
            {
                AssertScores(model);
                scored++;
            }
            else
            {
                refused++;
            }
        }

        Assert.True(refused > 100 && scored > 100, $"{refused} refused, {scored} scored");
    }

    [Fact]
    public void ManyBytesChangedCutAndRepeatedAreRefusedOrScore()
    {
        var random = new Xoshiro256(53);
        for (var round = 0; round < 1500; round++)
        {
            var changed = Good.ToList();
            for (var edits = random.Next(8) + 1; edits > 0 && changed.Count > 1; edits--)
            {
                var at = random.Next(changed.Count);
                switch (random.Next(3))
                {
                    case 0: changed[at] = (byte)random.Next(256); break;
                    case 1: changed.RemoveRange(at, Math.Min(random.Next(30), changed.Count - at)); break;
                    default: changed.InsertRange(at, changed.Slice(at, Math.Min(random.Next(30), changed.Count - at))); break;
                }
            }

            if (TryLoad([.. changed]) is { } model)
                AssertScores(model);
        }
    }

    [Theory]
    [InlineData("autoencoder")]
    [InlineData("pca")]
    public void ANetworkWithBytesChangedCutAndRepeatedIsRefusedOrScores(string engine)
    {
        var good = EngineTests.Train(engine).Save();
        var random = new Xoshiro256(54);
        var (refused, scored) = (0, 0);
        for (var round = 0; round < 1500; round++)
        {
            var changed = good.ToList();
            for (var edits = random.Next(4) + 1; edits > 0; edits--)
            {
                // The graph's structure lies behind the numbers of its weights: half of the edits go there.
                var at = random.Next(2) == 0 ? random.Next(changed.Count) : random.Next(Math.Min(changed.Count, 900));
                switch (random.Next(3))
                {
                    case 0: changed[at] = (byte)random.Next(256); break;
                    case 1: changed.RemoveRange(at, Math.Min(random.Next(30), changed.Count - at)); break;
                    default: changed.InsertRange(at, changed.Slice(at, Math.Min(random.Next(30), changed.Count - at))); break;
                }
            }

            if (TryLoad([.. changed]) is not { } model)
            {
                refused++;
                continue;
            }

            scored++;
            float[] row = new float[model.ColumnCount], score = new float[1];
            model.Score(row, 1, score);
            model.Explain(row, row);
        }

        Assert.True(refused > 100 && scored > 30, $"{refused} refused, {scored} scored");
    }

    /// <summary>A graph over "features" of 3 columns whose last node makes "score".</summary>
    private static byte[] WithNodes(OnnxNode[] nodes, params OnnxTensor[] constants)
    {
        var model = OnnxModel.Parse(Good);
        return (model with { Graph = model.Graph with { Nodes = nodes, Initializers = constants } }).ToBytes();
    }

    [Fact]
    public void OperatorsThatBlowUpAreRefusedBeforeAnythingIsAllocated()
    {
        static OnnxTensor Whole(string name, params float[] values) => new(name, [values.Length], values) { ElementType = OnnxElementType.Int64 };
        var last = new OnnxNode("ReduceSum", "", "", ["wide", "axis"], ["score"], []);

        // Broadcasting to a product of axes, gathering one column a million times, and doubling by Concat.
        Assert.Equal(ModelFault.TooLarge, Refused(WithNodes(
            [new("Reshape", "", "", ["features", "tall"], ["t"], []), new("Add", "", "", ["t", "long"], ["wide"], []), last],
            Whole("tall", -1, 3, 1), new OnnxTensor("long", [3000], new float[3000]), Whole("axis", 1))).Fault);
        Assert.Equal(ModelFault.TooLarge, Refused(WithNodes(
            [new("Gather", "", "", ["features", "many"], ["g"], [OnnxAttributeValue.Of("axis", 1)]), new("Neg", "", "", ["g"], ["wide"], []), last],
            Whole("many", new float[1 << 20]), Whole("axis", 1))).Fault);
        var doubling = Enumerable.Range(0, 40).Select(i => new OnnxNode("Concat", "", "", [i == 0 ? "features" : $"v{i}", i == 0 ? "features" : $"v{i}"], [i == 39 ? "wide" : $"v{i + 1}"], [OnnxAttributeValue.Of("axis", 1)]));
        Assert.Equal(ModelFault.TooLarge, Refused(WithNodes([.. doubling, last], Whole("axis", 1))).Fault);
        Assert.Equal(ModelFault.TooLarge, Refused(WithNodes(
            [new("MatMul", "", "", ["features", "matrix"], ["wide"], []), last], new OnnxTensor("matrix", [3, 5000], new float[15_000]), Whole("axis", 1))).Fault);
    }

    [Theory]
    [InlineData("MatMul", "MatMul of 3 and 2×2 elements")]
    [InlineData("Gemm", "Gemm of 3 columns and 2 rows")]
    [InlineData("Add", "is not")]
    [InlineData("Concat", "whose other axes differ")]
    public void ShapesThatDoNotFitAreSaid(string op, string reason)
    {
        var refused = Refused(WithNodes([new(op, "", "", ["features", "m"], ["score"], op == "Concat" ? [OnnxAttributeValue.Of("axis", 1)] : [])], new OnnxTensor("m", [2, 2], [1, 2, 3, 4])));
        if (op != "Add")
            Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatMixesRowsIsRefused()
    {
        Assert.Contains("over the axis of the rows", Refused(WithNodes([new("ReduceSum", "", "", ["features"], ["score"], [])])).Message, StringComparison.Ordinal);
        Assert.Contains("one value per row of a fixed number of rows", Refused(WithNodes([new("Add", "", "", ["features", "m"], ["score"], [])], new OnnxTensor("m", [2, 3], new float[6]))).Message, StringComparison.Ordinal);
        Assert.Contains("does not keep the rows apart", Refused(WithNodes([new("Reshape", "", "", ["features", "flat"], ["score"], [])], new OnnxTensor("flat", [1], [-1]) { ElementType = OnnxElementType.Int64 })).Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> DamagedTrees => new()
    {
        { "child out of range", "has child 999, which is not there" },
        { "own child", "are not reached from a root (a cycle)" },
        { "two parents", "has two parents" },
        { "two roots", "has two roots" },
        { "node twice", "has node 0 twice" },
        { "column out of range", "tests column 3 of 3" },
        { "negative column", "tests column -1 of 3" },
        { "NaN threshold", "is NaN" },
        { "infinite weight", "is not finite" },
        { "weight on a split", "which is no leaf" },
        { "weight of nothing", "which is not there" },
        { "list too short", "nodes_values has" },
        { "wrong type", "attribute 'nodes_modes' has type" },
        { "no nodes", "no nodes" },
        { "unknown mode", "node mode BRANCH_EQ" },
        { "two targets", "has 2 columns, not 1" },
        { "unknown attribute", "attribute 'surprise'" },
        { "attribute twice", "attribute 'n_targets' stands twice" },
        { "unknown aggregate", "aggregate_function MEDIAN" },
        { "unknown transform", "post_transform LOGISTIC" },
    };

    [Theory]
    [MemberData(nameof(DamagedTrees))]
    public void ATreeThatIsNoneIsRefusedWithTheReason(string damage, string reason)
    {
        var model = OnnxModel.Parse(Good);
        var node = model.Graph.Nodes[0];
        var attributes = node.Attributes.ToDictionary(a => a.Name, StringComparer.Ordinal);
        var extra = new List<OnnxAttributeValue>();
        void Ints(string name, int at, long value) => attributes[name].Ints[at] = value;
        switch (damage)
        {
            case "child out of range": Ints("nodes_truenodeids", 0, 999); break;
            case "own child":
                attributes["nodes_treeids"] = OnnxAttributeValue.Of("nodes_treeids", [0, 0, 0, 0, 0]);
                attributes["nodes_nodeids"] = OnnxAttributeValue.Of("nodes_nodeids", [0, 1, 2, 3, 4]);
                attributes["nodes_featureids"] = OnnxAttributeValue.Of("nodes_featureids", [0, 0, 0, 0, 0]);
                attributes["nodes_truenodeids"] = OnnxAttributeValue.Of("nodes_truenodeids", [0, 2, 1, 0, 0]);
                attributes["nodes_falsenodeids"] = OnnxAttributeValue.Of("nodes_falsenodeids", [0, 3, 4, 0, 0]);
                attributes["nodes_values"] = OnnxAttributeValue.Of("nodes_values", new float[5]);
                attributes["nodes_modes"] = OnnxAttributeValue.Of("nodes_modes", ["LEAF", "BRANCH_LEQ", "BRANCH_LEQ", "LEAF", "LEAF"]);
                attributes.Remove("nodes_hitrates");
                foreach (var name in (string[])["target_treeids", "target_nodeids", "target_ids"])
                    attributes[name] = OnnxAttributeValue.Of(name, [0L]);
                attributes["target_weights"] = OnnxAttributeValue.Of("target_weights", [1f]);
                break;
            case "two parents": Ints("nodes_truenodeids", 0, attributes["nodes_falsenodeids"].Ints[0]); break;
            case "two roots": MakeRootALeaf(); break;
            case "node twice": Ints("nodes_nodeids", 1, 0); break;
            case "column out of range": Ints("nodes_featureids", 0, 3); break;
            case "negative column": Ints("nodes_featureids", 0, -1); break;
            case "NaN threshold": attributes["nodes_values"].Floats[0] = float.NaN; break;
            case "infinite weight": attributes["target_weights"].Floats[0] = float.PositiveInfinity; break;
            case "weight on a split": Ints("target_nodeids", 0, 0); break;
            case "weight of nothing": Ints("target_nodeids", 0, 12345); break;
            case "list too short": attributes["nodes_values"] = OnnxAttributeValue.Of("nodes_values", [1f]); break;
            case "wrong type": attributes["nodes_modes"] = OnnxAttributeValue.Of("nodes_modes", [1f]); break;
            case "no nodes": attributes["nodes_treeids"] = OnnxAttributeValue.Of("nodes_treeids", Array.Empty<long>()); break;
            case "unknown mode": attributes["nodes_modes"].Strings[0] = "BRANCH_EQ"; break;
            case "two targets": attributes["n_targets"] = OnnxAttributeValue.Of("n_targets", 2); break;
            case "unknown attribute": extra.Add(OnnxAttributeValue.Of("surprise", 1)); break;
            case "attribute twice": extra.Add(OnnxAttributeValue.Of("n_targets", 1)); break;
            case "unknown aggregate": attributes["aggregate_function"] = OnnxAttributeValue.Of("aggregate_function", "MEDIAN"); break;
            case "unknown transform": attributes["post_transform"] = OnnxAttributeValue.Of("post_transform", "LOGISTIC"); break;
            default: Assert.Fail(damage); break;
        }

        node = node with { Attributes = [.. attributes.Values, .. extra] };
        var damaged = model with { Graph = model.Graph with { Nodes = [node, .. model.Graph.Nodes.Skip(1)] } };
        var refused = Assert.Throws<ModelException>(() => AnomalyModel.Load(damaged.ToBytes(), null));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);

        void MakeRootALeaf() => attributes["nodes_modes"].Strings[0] = "LEAF";
    }

    [Fact]
    public void AnUnknownOperatorIsNamed()
    {
        var model = OnnxModel.Parse(Good);
        foreach (var (domain, name) in ((string, string)[])[("", "Loop"), ("com.example", "Exp"), ("ai.onnx.ml", "SVMRegressor")])
        {
            var other = model with
            {
                Graph = model.Graph with
                {
                    Nodes = [.. model.Graph.Nodes.SkipLast(1), new OnnxNode(name, domain, "", ["log_score"], ["score"], [])],
                },
            };
            var refused = Assert.Throws<ModelException>(() => AnomalyModel.Load(other.ToBytes(), null));
            Assert.Equal(ModelFault.Unsupported, refused.Fault);
            Assert.Equal($"unsupported model: operator {name} of {(domain.Length == 0 ? "ai.onnx" : domain)} is not evaluated", refused.Message);
        }
    }

    [Fact]
    public void AGraphThatEatsItsOwnTailIsRefused()
    {
        var model = OnnxModel.Parse(Good);
        var loop = model with { Graph = model.Graph with { Nodes = [.. model.Graph.Nodes.Reverse()] } };
        Assert.Contains("which nothing before it makes", Assert.Throws<ModelException>(() => AnomalyModel.Load(loop.ToBytes(), null)).Message, StringComparison.Ordinal);
        var twice = model with { Graph = model.Graph with { Nodes = [.. model.Graph.Nodes, model.Graph.Nodes[^1]] } };
        Assert.Contains("is made twice", Assert.Throws<ModelException>(() => AnomalyModel.Load(twice.ToBytes(), null)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(5000)]
    [InlineData(0)]
    [InlineData(-1)]
    public void HugeOrAbsentDimensionsAreRefusedBeforeAnythingIsAllocated(long columns)
    {
        var model = OnnxModel.Parse(Good);
        var input = new OnnxValueInfo("features", OnnxElementType.Float, [-1, columns]);
        Refused((model with { Graph = model.Graph with { Inputs = [input] } }).ToBytes());
        var tensor = new OnnxTensor("normaliser", [columns, columns], [1]);
        Refused((model with { Graph = model.Graph with { Initializers = [tensor] } }).ToBytes());
    }

    [Fact]
    public void ManyWideValuesPassTheScratchLimit()
    {
        var model = OnnxModel.Parse(Good);
        var nodes = Enumerable.Range(0, 100).Select(i => new OnnxNode("Neg", "", "", [i == 0 ? "features" : $"v{i}"], [i == 99 ? "score" : $"v{i + 1}"], []));
        var wide = model with
        {
            Graph = model.Graph with { Inputs = [new("features", OnnxElementType.Float, [-1, 4096])], Nodes = [.. nodes] },
        };
        Assert.Equal(ModelFault.TooLarge, Refused(wide.ToBytes()).Fault);
    }

    [Fact]
    public void RepeatedMessagesPassTheirNamedLimits()
    {
        // A graph of empty nodes, two bytes each; a list of one-byte integers; and a length that promises 2 GiB.
        Assert.Equal(ModelFault.TooLarge, Refused(Graph([.. Enumerable.Range(0, 500_000).SelectMany(_ => (byte[])[0x0A, 0])])).Fault);
        byte[] ints = Field(8, new byte[OnnxLimits.MaxListLength + 1]);
        Assert.Equal(ModelFault.TooLarge, Refused(Graph(Field(1, Field(5, ints)))).Fault);

        // 2.7 million one-letter strings, no two neighbours alike, in six attributes.
        byte[] letters = [.. Enumerable.Range(0, 450_000).SelectMany(i => (byte[])[0x4A, 1, (byte)('a' + (i % 3))])];
        byte[] attribute = Field(5, letters);
        Assert.Equal(ModelFault.Damaged, Refused(Graph(Field(1, [.. attribute, .. attribute, .. attribute, .. attribute, .. attribute, .. attribute]))).Fault);
        Assert.Equal(ModelFault.Damaged, Refused([0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 1, 2]).Fault);
        Assert.Equal(ModelFault.TooLarge, Refused(new byte[OnnxLimits.MaxModelBytes + 1]).Fault);
    }

    [Fact]
    public void ATreeDeeperThanTheLimitIsRefused()
    {
        const int depth = OnnxLimits.MaxTreeDepth + 1;
        const int count = (2 * depth) + 1;
        long[] zeros = new long[count], left = new long[count], right = new long[count];
        var modes = new string[count];
        for (var i = 0; i < count; i++)
        {
            var split = i % 2 == 0 && i < count - 1;
            modes[i] = split ? "BRANCH_LEQ" : "LEAF";
            (left[i], right[i]) = split ? (i + 1, i + 2) : (0, 0);
        }

        var model = OnnxModel.Parse(Good);
        var node = model.Graph.Nodes[0] with
        {
            Attributes =
            [
                OnnxAttributeValue.Of("nodes_treeids", zeros), OnnxAttributeValue.Of("nodes_nodeids", [.. Enumerable.Range(0, count).Select(i => (long)i)]),
                OnnxAttributeValue.Of("nodes_featureids", zeros), OnnxAttributeValue.Of("nodes_truenodeids", left),
                OnnxAttributeValue.Of("nodes_falsenodeids", right), OnnxAttributeValue.Of("nodes_values", new float[count]),
                OnnxAttributeValue.Of("nodes_modes", modes),
            ],
        };
        var deep = model with { Graph = model.Graph with { Nodes = [node, .. model.Graph.Nodes.Skip(1)] } };
        Assert.Contains("depth of tree 0 513, the limit is 512", Refused(deep.ToBytes()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MetadataThatIsNotOursOrNotTrueIsRefused()
    {
        var model = OnnxModel.Parse(Good);
        foreach (var (key, value) in ((string, string)[])
        [
            ("iotguard.features", "[]"), ("iotguard.features", "{"), ("iotguard.features", "[1,2,3]"), ("iotguard.features", "\"x\""),
            ("iotguard.calibration", "{\"samples\":1}"), ("iotguard.calibration", "{\"samples\":1,\"scores\":[1e99],\"at_or_above\":[1]}"),
            ("iotguard.calibration", "{\"samples\":1,\"scores\":[],\"at_or_above\":[]}"), ("iotguard.training", "7"),
            ("iotguard.path_normaliser", "-1"), ("iotguard.path_normaliser", "NaN"), ("iotguard.calibration", new string('[', 100_000)),
        ])
        {
            var other = model with { Metadata = [.. model.Metadata.Where(m => m.Key != key), new(key, value)] };
            Assert.Contains(key == "iotguard.features" && value == "[]" ? "names 0 features" : key, Refused(other.ToBytes()).Message, StringComparison.Ordinal);
        }

        Assert.Contains("stands twice", Refused((model with { Metadata = [.. model.Metadata, .. model.Metadata] }).ToBytes()).Message, StringComparison.Ordinal);
    }

    private static byte[] SmallCalibratedModel()
    {
        var model = AnomalyModel.Create(IsolationForest.Train(Data, new() { Trees = 2, SampleSize = 16 }), Samples.Info(Data));
        return model.WithCalibration(Calibration.Fit(Samples.Scores(model, Data))).Save();
    }

    /// <summary>Loads; null when refused. Anything but <see cref="ModelException"/> fails the test, and so do time and memory.</summary>
    private static AnomalyModel? TryLoad(ReadOnlySpan<byte> bytes)
    {
        var clock = Stopwatch.StartNew();
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            return AnomalyModel.Load(bytes, null);
        }
        catch (ModelException e)
        {
            Assert.DoesNotContain(e.Message, char.IsControl);
            Assert.InRange(e.Message.Length, 10, ModelException.MaxMessage + 1);
            return null;
        }
        finally
        {
            Assert.True(clock.Elapsed < MostTime, $"took {clock.Elapsed}");
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < MostBytes + (MostBytesPerByte * bytes.Length), $"allocated {allocated} bytes for a file of {bytes.Length}");
        }
    }

    private static ModelException Refused(byte[] bytes)
    {
        Assert.Null(TryLoad(bytes));
        return Assert.Throws<ModelException>(() => AnomalyModel.Load(bytes, null));
    }

    private static void AssertScores(AnomalyModel model)
    {
        var scores = new float[Data.RowCount];
        var rows = new float[Data.RowCount * model.ColumnCount];
        model.Score(rows, Data.RowCount, scores);
        model.Explain(rows.AsSpan(0, model.ColumnCount), new float[model.ColumnCount]);
        if (model.Calibration is not null)
            Assert.InRange(model.PValue(scores[0]), 0, 1);
    }

    private static byte[] Graph(byte[] fields) => Field(7, fields);

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
