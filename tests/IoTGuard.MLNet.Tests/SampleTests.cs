using System.Diagnostics;
using IoTGuard.Learning;
using IoTGuard.TestSupport;

namespace IoTGuard.MLNet.Tests;

/// <summary>The way of docs/samples: flows out, a pipeline trained on them, and the program that judges by it, from either file.</summary>
public sealed class SampleTests
{
    [Fact]
    public void RetrainedModelJudgesTheSameFromEitherFile()
    {
        var folder = Directory.CreateTempSubdirectory("iotguard");
        try
        {
            string flows = Path.Combine(folder.FullName, "flows.csv"), onnx = Path.Combine(folder.FullName, "model.onnx");
            Run("IoTGuard/release/iotguard.dll", "analyze", Repository.PathOf("captures", "hospital-benign.pcapng"), "--flows", flows);
            Assert.Contains("calibrated on", Run("RetrainWithMLNet/release/RetrainWithMLNet.dll", flows, onnx));

            var zip = Path.ChangeExtension(onnx, ".zip");
            var model = AnomalyModel.Load(File.ReadAllBytes(onnx), expectedSchemaHash: null);
            using var table = File.OpenRead(flows);
            var rows = FeatureCsv.Read(table, model.FeatureNames);
            float[] ours = new float[rows.RowCount], theirs = new float[rows.RowCount];
            model.Score(rows.Values, rows.RowCount, ours);
            using var file = File.OpenRead(zip);
            model.ScoredBy(ZipScorer.Load(file)).Score(rows.Values, rows.RowCount, theirs);
            Assert.True(rows.RowCount > 1000);
            Assert.All(ours.Zip(theirs), pair => Assert.Equal(pair.First, pair.Second, 1e-3 * Math.Max(1, pair.First)));

            var site = Path.Combine(folder.FullName, "site");
            Run("IoTGuard/release/iotguard.dll", "learn", Repository.PathOf("captures", "hospital-benign.pcapng"), "--site", site);
            var alerts = new List<string>();
            foreach (var path in (string[])[onnx, zip])
            {
                var found = Path.Combine(folder.FullName, "alerts.jsonl");
                Run("IoTGuard/release/iotguard.dll", "analyze", Repository.PathOf("captures", "hospital-attacks.pcapng"), "--site", site, "--model", path, "--alert-budget-per-day", "5000", "--alerts", found);
                alerts.Add(File.ReadAllText(found));
            }

            Assert.Contains("\"score\":{", alerts[0]);
            Assert.Equal(alerts[0], alerts[1]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine([Repository.Root, "artifacts", "bin", .. program.Split('/')]), .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error.GetAwaiter().GetResult());
        return output;
    }
}
