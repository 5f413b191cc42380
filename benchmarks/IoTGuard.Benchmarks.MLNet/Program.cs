using System.Globalization;
using IoTGuard.Benchmarks.MLNet;
using IoTGuard.Learning;
using IoTGuard.Learning.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.FastTree;

// The same trees scored by ML.NET and by IoTGuard, in one process, one thread, alternating. From the repository's root:
//   dotnet run -c Release --project benchmarks/IoTGuard.Benchmarks.MLNet
const int columns = 40, rows = 20_000, rounds = 7;
var random = new Xoshiro256(1);
var values = new float[rows * columns];
for (var i = 0; i < values.Length; i++)
    values[i] = (float)random.NextDouble();
var data = Enumerable.Range(0, rows).Select(r => new Row
{
    Features = values[(r * columns)..((r + 1) * columns)],
    Label = (float)random.NextDouble(),
}).ToArray();

var ml = new MLContext(seed: 1);
var view = ml.Data.LoadFromEnumerable(data);
var trained = ml.Regression.Trainers.FastTree(new FastTreeRegressionTrainer.Options
{
    NumberOfTrees = 100,
    NumberOfLeaves = 256,
    MinimumExampleCountPerLeaf = 1,
    NumberOfThreads = 1,
}).Fit(view);
var ensemble = trained.Model.TrainedTreeEnsemble;
var ours = CompiledModel.Compile(TreesAsOnnx.Of(ensemble, columns));

var (theirScores, ourScores) = (new float[rows], new float[rows]);
double theirs = double.MaxValue, mine = double.MaxValue;
for (var round = 0; round < rounds; round++)
{
    var start = Environment.CpuUsage.TotalTime;
    var at = 0;
    foreach (var score in trained.Transform(view).GetColumn<float>("Score"))
        theirScores[at++] = score;
    var between = Environment.CpuUsage.TotalTime;
    ours.Score(values, rows, ourScores);
    var end = Environment.CpuUsage.TotalTime;
    theirs = Math.Min(theirs, (between - start).TotalSeconds);
    mine = Math.Min(mine, (end - between).TotalSeconds);
}

var difference = theirScores.Zip(ourScores, (x, y) => Math.Abs(x - y) / (1 + Math.Abs(x))).Max();
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{ensemble.Trees.Count} trees of up to 256 leaves, {columns} columns, {rows} rows; largest relative difference {difference:0.0e0}"));
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ML.NET   {rows / theirs / 1e6:0.00} million rows/s"));
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"IoTGuard {rows / mine / 1e6:0.00} million rows/s, {theirs / mine:0.0} times faster"));
return difference < 1e-4 ? 0 : 1;
