using IoTGuard.Learning.Onnx;
using IoTGuard.TestSupport;

namespace IoTGuard.Learning.Tests;

public sealed class AnomalyModelTests
{
    private static readonly FeatureMatrix Data = Samples.Cloud(1000, 7, seed: 21);
    private static readonly FeatureMatrix Fresh = Samples.Cloud(333, 7, seed: 22);

    [Fact]
    public void AFileReadBackScoresTheSameAndSaysTheSame()
    {
        var made = Samples.Model(Data);
        made = made.WithCalibration(Calibration.Fit(Samples.Scores(made, Fresh)));
        var bytes = made.Save();
        var read = AnomalyModel.Load(bytes, Samples.SchemaHash);

        Assert.Equal(Samples.Scores(made, Fresh), Samples.Scores(read, Fresh));
        Assert.Equal(bytes, read.Save());
        Assert.Equal(Data.Columns, read.FeatureNames);
        Assert.Equal(made.Info.Features, read.Info.Features);
        Assert.Equal(made.Info.Training!.Parameters, read.Info.Training!.Parameters);
        Assert.Equal(made.Info.Training, read.Info.Training with { Parameters = made.Info.Training.Parameters });
        Assert.Equal(made.Info.ProgramVersion, read.Info.ProgramVersion);
        for (var score = 0.2f; score < 0.9f; score += 0.01f)
            Assert.Equal(made.PValue(score), read.PValue(score));
    }

    [Fact]
    public void TheScoreIsThatOfTheFormula()
    {
        var forest = IsolationForest.Train(Data, new());
        var scores = Samples.Scores(AnomalyModel.Create(forest, Samples.Info(Data)), Fresh);
        for (var r = 0; r < Fresh.RowCount; r++)
        {
            var mean = forest.Trees.Average(tree => PathLength(tree, Fresh.Row(r)));
            Assert.Equal(Math.Pow(2, -mean / IsolationForest.AveragePathLength(256)), scores[r], 1e-6);
        }

        static double PathLength(TreeNode[] tree, ReadOnlySpan<float> row)
        {
            var (at, depth) = (0, 0);
            while (tree[at].Feature >= 0)
            {
                at = row[tree[at].Feature] <= tree[at].Threshold ? tree[at].Left : tree[at].Right;
                depth++;
            }

            // Stored path lengths are rounded to 2⁻¹³.
            Assert.Equal(depth + IsolationForest.AveragePathLength(tree[at].Samples), tree[at].Value, 1e-4);
            return tree[at].Value;
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(100)]
    public void ARowScoresTheSameAloneInAnyBatchAndInAnyOrder(int trees)
    {
        var model = Samples.Model(Data, trees);
        var together = Samples.Scores(model, Fresh);
        var alone = new float[1];
        for (var r = 0; r < Fresh.RowCount; r++)
        {
            model.Score(Fresh.Row(r), 1, alone);
            Assert.Equal(together[r], alone[0]);
        }

        for (var size = 2; size < 70; size++)
        {
            var batch = new float[size];
            model.Score(Fresh.Values.Slice(7 * 11, 7 * size), size, batch);
            Assert.Equal(together.AsSpan(11, size).ToArray(), batch);
        }

        int[] backwards = [.. Enumerable.Range(0, Fresh.RowCount).Reverse()];
        Assert.Equal(together.Reverse(), Samples.Scores(model, Fresh.SelectRows(backwards)));
    }

    [Fact]
    public void TheOrderOfTreesDoesNotChangeASingleBit()
    {
        var file = OnnxModel.Parse(Samples.Model(Data).Save());
        var node = file.Graph.Nodes[0];
        OnnxAttributeValue[] reversed =
        [
            .. node.Attributes.Select(a => a with
            {
                Ints = [.. a.Ints.Reverse()], Floats = [.. a.Floats.Reverse()], Strings = [.. a.Strings.Reverse()],
            }),
        ];
        var other = file with { Graph = file.Graph with { Nodes = [node with { Attributes = reversed }, .. file.Graph.Nodes.Skip(1)] } };
        Assert.Equal(
            Samples.Scores(AnomalyModel.Load(file.ToBytes(), null), Fresh),
            Samples.Scores(AnomalyModel.Load(other.ToBytes(), null), Fresh));
    }

    [Fact]
    public void AnotherSchemaIsRefusedInOneLine()
    {
        var bytes = Samples.Model(Data).Save();
        var refused = Assert.Throws<ModelException>(() => AnomalyModel.Load(bytes, "another"));
        Assert.Equal(ModelFault.SchemaMismatch, refused.Fault);
        Assert.Equal("the model reads feature schema 5f1e0c4b, this program makes another: train it again with this version", refused.Message);
    }

    [Fact]
    public void ContributionsSumToTheBitsOfTheScoreAndNameTheOddColumn()
    {
        var model = Samples.Model(Data);
        var contributions = new float[7];
        var scores = Samples.Scores(model, Fresh);
        var references = new List<double>();
        for (var r = 0; r < Fresh.RowCount; r++)
        {
            model.Explain(Fresh.Row(r), contributions);
            references.Add(Math.Log2(scores[r]) - contributions.Sum(c => (double)c));
        }

        // Score over contributions leaves the same reference for every row: that of the mean path.
        Assert.All(references, reference => Assert.Equal(references[0], reference, 1e-4));

        for (var odd = 0; odd < 7; odd++)
        {
            var row = new float[7];
            row[4] = 1;
            row[odd] = 9;
            model.Explain(row, contributions);
            Assert.Equal(odd, contributions.AsSpan().IndexOf(contributions.Max()));
        }
    }

    [Fact]
    public void ScoringExplainingAndPValuesAllocateNothing()
    {
        var model = Samples.Model(Data);
        var scores = new float[Fresh.RowCount];
        var contributions = new float[7];
        model = model.WithCalibration(Calibration.Fit(Samples.Scores(model, Fresh)));
        double sum = 0;
        Assert.Equal(0, Allocations.Of(Run));
        Assert.True(sum > 0);

        void Run()
        {
            for (var i = 0; i < 10; i++)
            {
                model.Score(Fresh.Values, Fresh.RowCount, scores);
                model.Explain(Fresh.Row(i), contributions);
                sum += model.PValue(scores[i]) + model.PValue(0.99f);
            }
        }
    }

    [Fact]
    public void WrongLengthsAreRefused()
    {
        var model = Samples.Model(Data, trees: 2);
        Assert.Throws<ArgumentException>(() => model.Score(new float[13], 2, new float[2]));
        Assert.Throws<ArgumentException>(() => model.Score(new float[14], 2, new float[1]));
        Assert.Throws<ArgumentException>(() => model.Explain(new float[7], new float[6]));
        Assert.Throws<InvalidOperationException>(() => model.PValue(0.5f));
    }
}
