using System.Diagnostics;
using IoTGuard.Learning;
using IoTGuard.Learning.Onnx;
using IoTGuard.Learning.Training;
using Microsoft.ML;
using Microsoft.ML.Trainers;

namespace IoTGuard.MLNet.Tests;

/// <summary>Every engine of ML.NET: what it finds, and that the ONNX file and ML.NET's own give the same scores.</summary>
public sealed class EngineTests
{
    /// <summary>Relative difference of two scores that single precision allows over a few dozen columns and a hundred trees.</summary>
    private const double FloatError = 2e-4;

    public static TheoryData<string> Engines => [.. MLNetEngines.All.Select(static engine => engine.Name)];

    [Theory]
    [MemberData(nameof(Engines))]
    public void FindsAnomaliesAndScoresBothWaysAlike(string name)
    {
        var (model, zip) = Train(name);
        var (rows, labels) = Rows.Make(600, seed: 9);
        foreach (var odd in Rows.Odd(rows))
            rows.AddRow(odd);
        float[] onnx = new float[rows.RowCount], mlnet = new float[rows.RowCount];

        model.Score(rows.Values, rows.RowCount, onnx);
        ZipScorer.Load(new MemoryStream(zip)).Score(rows.Values, rows.RowCount, mlnet);

        var scale = onnx.Take(600).Max(MathF.Abs);
        for (var i = 0; i < onnx.Length; i++)
        {
            Assert.True(float.IsFinite(onnx[i]) && float.IsFinite(mlnet[i]), $"row {i}: ONNX {onnx[i]}, ML.NET {mlnet[i]}");
            Assert.True(Math.Abs(onnx[i] - mlnet[i]) <= FloatError * Math.Max(scale, Math.Abs(onnx[i])), $"row {i}: ONNX {onnx[i]}, ML.NET {mlnet[i]}");
        }

        Assert.InRange(Metrics.AreaUnderRoc(onnx.AsSpan(0, 600), labels), 0.9, 1);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void SameSeedGivesTheSameModel(string name) => Assert.Equal(Train(name).Model.Save(), Train(name).Model.Save());

    [Theory]
    [MemberData(nameof(Engines))]
    public void OnnxCheckerAccepts(string name)
    {
        var (model, _) = Train(name);
        var file = Path.Combine(Path.GetTempPath(), $"iotguard-{Guid.NewGuid():N}.onnx");
        File.WriteAllBytes(file, model.Save());
        try
        {
            using var python = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", "import sys\ntry:\n import onnx\nexcept ImportError:\n sys.exit(77)\nonnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)", file])
            {
                UseShellExecute = false,
                RedirectStandardError = true,
            });
            Assert.SkipWhen(python is null, "python3 is not installed (Debian: python3-onnx)");
            var error = python.StandardError.ReadToEnd();
            python.WaitForExit();
            Assert.SkipWhen(python.ExitCode == 77, "the ONNX checker is not installed (Debian: python3-onnx)");
            Assert.True(python.ExitCode == 0, error);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("python3 is not installed (Debian: python3-onnx)");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void TreesExplainThemselves()
    {
        var (model, _) = Train("mlnet-fasttree");
        var (rows, labels) = Rows.Make(600, seed: 9);
        var anomalous = rows.Row(Array.IndexOf(labels, true));
        var contributions = new float[rows.ColumnCount];
        model.Explain(anomalous, contributions);
        Assert.True(model.CanExplain);
        Assert.True(contributions[Rows.Telling] > 0);
        Assert.Equal(contributions.Max(), contributions[Rows.Telling]);
    }

    [Fact]
    public void PcaKnowsMagnitudeAndTheMean()
    {
        var (model, zip) = Train("mlnet-pca");
        var scorer = ZipScorer.Load(new MemoryStream(zip));
        var (rows, labels) = Rows.Make(600, seed: 1);
        int[] benign = [.. Enumerable.Range(0, 600).Where(row => !labels[row])];
        var mean = Enumerable.Range(0, Rows.Columns).Select(column => (float)benign.Average(row => (double)rows[row, column])).ToArray();
        float[] near = [.. mean], far = [.. mean];
        near[Rows.Telling] += 10;
        far[Rows.Telling] += 1000;
        float[] infinite = [.. mean];
        infinite[Rows.Telling] = float.PositiveInfinity;
        float[] all = [.. mean, .. near, .. far, .. infinite];
        float[] onnx = new float[4], mlnet = new float[4];

        model.Score(all, 4, onnx);
        scorer.Score(all, 4, mlnet);

        foreach (var scores in (float[][])[onnx, mlnet])
        {
            Assert.InRange(scores[0], 0, 0.2);
            Assert.InRange(scores[2] / scores[1], 50, 200);
            Assert.InRange(scores[3], scores[2], float.MaxValue);
        }
    }

    /// <summary>More components than the rows have dimensions: ML.NET's own vectors have lengths up to some hundred then.</summary>
    [Fact]
    public void PcaVectorsAreOrthonormal()
    {
        var ml = new MLContext();
        var (_, zip) = Train("mlnet-pca");
        var (_, vectors) = PcaGraph.Parameters(OnnxExport.Find<PcaModelParameters>(ml.Model.Load(new MemoryStream(zip), out _))!);
        Assert.InRange(vectors.Length, 3, Rows.Columns / 2);
        for (var i = 0; i < vectors.Length; i++)
        {
            for (var j = 0; j <= i; j++)
                Assert.Equal(i == j ? 1 : 0, vectors[i].Zip(vectors[j], static (a, b) => (double)a * b).Sum(), 1e-5);
        }
    }

    [Fact]
    public async Task EachThreadHasAnEngineOfItsOwn()
    {
        var (_, zip) = Train("mlnet-fasttree");
        var scorer = ZipScorer.Load(new MemoryStream(zip));
        var (rows, _) = Rows.Make(2000, seed: 3);
        var alone = new float[rows.RowCount];
        scorer.Score(rows.Values, rows.RowCount, alone);

        var together = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            var scores = new float[rows.RowCount];
            scorer.Fork().Score(rows.Values, rows.RowCount, scores);
            return scores;
        })));

        Assert.All(together, scores => Assert.Equal(alone, scores));
    }

    [Fact]
    public void RowsThatCannotTeachAreRefusedInALine()
    {
        var engine = MLNetEngines.All.Single(static e => e.Name == "mlnet-fasttree");
        var (rows, _) = Rows.Make(50, seed: 1);
        Assert.Throws<ArgumentException>(() => engine.Train(new TrainingTask { Rows = rows, Parameters = engine.Complete() }, Rows.Schema));
        var cancelled = new TrainingTask { Rows = rows, Anomalous = [true, .. new bool[49]], Parameters = engine.Complete(), Cancellation = new CancellationToken(canceled: true) };
        Assert.ThrowsAny<OperationCanceledException>(() => engine.Train(cancelled, Rows.Schema));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a zip file")]
    public void WhatIsNoModelIsRefused(string content) =>
        Assert.Throws<ModelException>(() => ZipScorer.Load(new MemoryStream(System.Text.Encoding.ASCII.GetBytes(content))));

    private static (AnomalyModel Model, byte[] Zip) Train(string name)
    {
        var engine = MLNetEngines.All.Single(e => e.Name == name);
        var (rows, labels) = Rows.Make(600, seed: 1);
        if (!engine.NeedsLabels)
            (rows, labels) = (rows.SelectRows([.. Enumerable.Range(0, 600).Where(i => !labels[i])]), []);
        var parameters = engine.Parameters.Any(static p => p.Name == "trees") ? new Dictionary<string, double> { ["trees"] = 20 } : [];
        var task = new TrainingTask { Rows = rows, Anomalous = engine.NeedsLabels ? labels : null, Seed = 7, Parameters = engine.Complete(parameters) };
        var model = engine.Train(task, Rows.Schema, out var attachments);
        var zip = Assert.Single(attachments);
        Assert.Equal(".zip", zip.Extension);
        return (model, zip.Content);
    }
}
