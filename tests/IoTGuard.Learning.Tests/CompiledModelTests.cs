using IoTGuard.Learning.Onnx;

namespace IoTGuard.Learning.Tests;

public sealed class CompiledModelTests
{
    public static TheoryData<string, float, float> UnaryOperators => new()
    {
        { "Abs", -1.5f, 1.5f }, { "Exp", 1, MathF.E }, { "Identity", 3, 3 }, { "Log", MathF.E, 1 }, { "Neg", 2, -2 }, { "Reciprocal", 4, 0.25f },
        { "Relu", -2, 0 }, { "Relu", 2, 2 }, { "Sigmoid", 0, 0.5f }, { "Sqrt", 9, 3 }, { "Tanh", 1, 0.76159416f },
    };

    public static TheoryData<string, float> BinaryOperators => new()
    {
        { "Add", 10 }, { "Div", 4 }, { "Max", 8 }, { "Min", 2 }, { "Mul", 16 }, { "Pow", 64 }, { "Sub", 6 },
    };

    [Theory]
    [MemberData(nameof(UnaryOperators))]
    public void UnaryOperatorsDoWhatTheirNamesSay(string name, float x, float expected) =>
        Assert.Equal(expected, Score(Graph(1, [new OnnxNode(name, "", "", ["x"], ["y"], [])]), [x]), 1e-6);

    [Theory]
    [MemberData(nameof(BinaryOperators))]
    public void BinaryOperatorsTakeTheirOperandsInOrder(string name, float expected)
    {
        var two = new OnnxTensor("two", [1], [2]);
        Assert.Equal(expected, Score(Graph(1, [new OnnxNode(name, "", "", ["x", "two"], ["y"], [])], two), [8]), 1e-6);
    }

    [Fact]
    public void AConstantPerColumnAndOneForAllAreBothRepeatedOverRows()
    {
        // Tree over (x − mean) · scale: what a scaler before a forest looks like.
        var model = Graph(
            2,
            [
                new OnnxNode("Sub", "", "", ["x", "mean"], ["centred"], []),
                new OnnxNode("Mul", "ai.onnx", "", ["centred", "scale"], ["scaled"], []),
                Stump(input: "scaled", column: 1, "BRANCH_LEQ", 1),
            ],
            new OnnxTensor("mean", [1, 2], [10, 20]),
            new OnnxTensor("scale", [], [0.5f]));
        Assert.Equal(1, Score(model, [0, 22]));
        Assert.Equal(0, Score(model, [0, 22.01f]));
    }

    public static TheoryData<string, long, float, bool> Branches()
    {
        var data = new TheoryData<string, long, float, bool>();
        foreach (var x in (float[])[-3, MathF.BitDecrement(1), 1, MathF.BitIncrement(1), 3, float.NaN, float.PositiveInfinity, float.NegativeInfinity])
        {
            foreach (var tracksTrue in (long[])[0, 1])
            {
                data.Add("BRANCH_LEQ", tracksTrue, x, x <= 1 || (tracksTrue == 1 && float.IsNaN(x)));
                data.Add("BRANCH_LT", tracksTrue, x, x < 1 || (tracksTrue == 1 && float.IsNaN(x)));
                data.Add("BRANCH_GTE", tracksTrue, x, x >= 1 || (tracksTrue == 1 && float.IsNaN(x)));
                data.Add("BRANCH_GT", tracksTrue, x, x > 1 || (tracksTrue == 1 && float.IsNaN(x)));
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Branches))]
    public void EveryBranchModeGoesAsItsNameSaysForMissingValuesToo(string mode, long tracksTrue, float x, bool expected)
    {
        var tracking = OnnxAttributeValue.Of("nodes_missing_value_tracks_true", [tracksTrue, 0, 0]);
        Assert.Equal(expected ? 1 : 0, Score(Graph(1, [Stump("x", 0, mode, 1, tracking)]), [x]));
    }

    [Theory]
    [InlineData("SUM", 7.5f)]
    [InlineData("AVERAGE", 4.5f)]
    public void TreesAreAddedOrAveragedAndTheBaseValueIsAdded(string aggregate, float expected)
    {
        var node = new OnnxNode("TreeEnsembleRegressor", "ai.onnx.ml", "", ["x"], ["y"],
        [
            OnnxAttributeValue.Of("aggregate_function", aggregate), OnnxAttributeValue.Of("base_values", [1.5f]),
            OnnxAttributeValue.Of("nodes_treeids", [0, 1L]), OnnxAttributeValue.Of("nodes_nodeids", [0, 0L]),
            OnnxAttributeValue.Of("nodes_featureids", [0, 0L]), OnnxAttributeValue.Of("nodes_truenodeids", [0, 0L]),
            OnnxAttributeValue.Of("nodes_falsenodeids", [0, 0L]), OnnxAttributeValue.Of("nodes_values", [0, 0f]),
            OnnxAttributeValue.Of("nodes_modes", ["LEAF", "LEAF"]), OnnxAttributeValue.Of("target_treeids", [0, 1L]),
            OnnxAttributeValue.Of("target_nodeids", [0, 0L]), OnnxAttributeValue.Of("target_ids", [0, 0L]), OnnxAttributeValue.Of("target_weights", [2, 4f]),
        ]);
        Assert.Equal(expected, Score(Graph(1, [node]), [0]));
    }

    [Fact]
    public void ForksScoreAtTheSameTimeWithoutDisturbingEachOther()
    {
        var data = Samples.Cloud(3000, 7, seed: 81);
        var model = Samples.Model(data);
        var expected = Samples.Scores(model, data);
        AnomalyModel[] forks = [.. Enumerable.Range(0, 4).Select(_ => model.Fork())];
        var scored = new float[4][];
        Parallel.For(0, 4, i => scored[i] = Samples.Scores(forks[i], data));
        Assert.All(scored, scores => Assert.Equal(expected, scores));
    }

    private static OnnxNode Stump(string input, int column, string mode, float threshold, params OnnxAttributeValue[] more) =>
        new("TreeEnsembleRegressor", "ai.onnx.ml", "", [input], ["y"],
        [
            OnnxAttributeValue.Of("nodes_treeids", [0, 0, 0L]), OnnxAttributeValue.Of("nodes_nodeids", [5, 6, 7L]),
            OnnxAttributeValue.Of("nodes_featureids", [column, 0, 0L]), OnnxAttributeValue.Of("nodes_truenodeids", [7, 0, 0L]),
            OnnxAttributeValue.Of("nodes_falsenodeids", [6, 0, 0L]), OnnxAttributeValue.Of("nodes_values", [threshold, 0, 0]),
            OnnxAttributeValue.Of("nodes_modes", [mode, "LEAF", "LEAF"]), OnnxAttributeValue.Of("target_treeids", [0L]),
            OnnxAttributeValue.Of("target_nodeids", [7L]), OnnxAttributeValue.Of("target_ids", [0L]), OnnxAttributeValue.Of("target_weights", [1f]),
            .. more,
        ]);

    private static OnnxModel Graph(int columns, OnnxNode[] nodes, params OnnxTensor[] constants) => new(
        8,
        "test",
        "",
        [new OnnxOpset("", 13), new OnnxOpset("ai.onnx.ml", 1)],
        new OnnxGraph("g", nodes, constants, [new("x", OnnxElementType.Float, [-1, columns])], [new("y", OnnxElementType.Float, [-1, 1])], []),
        []);

    private static float Score(OnnxModel model, float[] row)
    {
        var score = new float[1];
        CompiledModel.Compile(OnnxModel.Parse(model.ToBytes())).Score(row, 1, score);
        return score[0];
    }
}
