using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using IoTGuard.Learning;
using IoTGuard.Learning.Training;

namespace IoTGuard.Benchmarks.Baselines;

/// <summary>
/// Trees on 40 features, one thread, processor time, in one run: an isolation forest of 100 trees of 256 rows beside scikit-learn's, trained and scored;
/// then the same trees scored by us and by ML.NET.
/// </summary>
internal static class TreeScoring
{
    public const int Columns = 40;
    private const int TrainingRows = 20_000;
    private const int Rounds = 5;

    private const string ScikitLearn = """
        import sys, time, numpy
        from sklearn.ensemble import IsolationForest
        columns = int(sys.argv[3])
        train, rows = (numpy.fromfile(path, numpy.float32).reshape(-1, columns) for path in sys.argv[1:3])
        start = time.process_time()
        forest = IsolationForest(n_estimators=100, max_samples=256, random_state=1, n_jobs=1).fit(train)
        fitted = time.process_time()
        forest.score_samples(rows)
        print(fitted - start, time.process_time() - fitted)
        """;

    public static int Run(int rowCount)
    {
        var (training, labels) = Make(TrainingRows, seed: 1);
        var (rows, _) = Make(rowCount, seed: 2);
        var folder = Directory.CreateTempSubdirectory("iotguard-trees-");
        try
        {
            string[] files = [Path.Combine(folder.FullName, "train"), Path.Combine(folder.FullName, "rows")];
            File.WriteAllBytes(files[0], MemoryMarshal.AsBytes(training.Values));
            File.WriteAllBytes(files[1], MemoryMarshal.AsBytes(rows.Values));
            Forests(training, rows, files);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return MLNetTrees.Run(training, labels, rows);
    }

    private static void Forests(FeatureMatrix training, FeatureMatrix rows, string[] files)
    {
        // As scikit-learn's fit: ready to score, without what a model says about its features.
        var info = new ModelInfo("", FeatureInfo.Describe(training, Schema.Units), null, "");
        var scores = new float[rows.RowCount];
        (double Train, double Score) ours = (double.MaxValue, double.MaxValue), theirs = ours;
        for (var round = 0; round < Rounds; round++)
        {
            AnomalyModel? model = null;
            ours.Train = Math.Min(ours.Train, Seconds(() => model = AnomalyModel.Create(IsolationForest.Train(training, new() { Seed = 1 }), info)));
            ours.Score = Math.Min(ours.Score, Seconds(() => model!.Score(rows.Values, rows.RowCount, scores)));
            if (AskScikitLearn(files) is not { } said)
            {
                theirs = (double.NaN, double.NaN);
                continue;
            }

            theirs = (Math.Min(theirs.Train, said.Train), Math.Min(theirs.Score, said.Score));
        }

        Say($"""
            isolation forest of 100 trees of 256 rows, {Columns} features, trained on {training.RowCount} rows, {rows.RowCount} scored; best of {Rounds} rounds in turns
            ours          trains in {ours.Train * 1e3,7:F1} ms, scores {rows.RowCount / ours.Score / 1e6,6:F2} million rows/s
            scikit-learn  trains in {theirs.Train * 1e3,7:F1} ms, scores {rows.RowCount / theirs.Score / 1e6,6:F2} million rows/s   ours trains {theirs.Train / ours.Train:F1} and scores {theirs.Score / ours.Score:F1} times as fast
            """);
    }

    /// <summary>Seconds of processor time; null without scikit-learn.</summary>
    private static (double Train, double Score)? AskScikitLearn(string[] files)
    {
        var start = new ProcessStartInfo("/usr/bin/python3", ["-c", ScikitLearn, .. files, $"{Columns}"]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["OMP_NUM_THREADS"] = "1";
        using var python = Process.Start(start)!;
        var error = python.StandardError.ReadToEndAsync();
        var numbers = python.StandardOutput.ReadToEnd().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        python.WaitForExit();
        if (python.ExitCode == 0)
            return (double.Parse(numbers[0], CultureInfo.InvariantCulture), double.Parse(numbers[1], CultureInfo.InvariantCulture));
        Console.Error.WriteLine($"scikit-learn is not measured: {error.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault()}");
        return null;
    }

    public static TrainingSchema Schema { get; } = new("benchmark", [.. Enumerable.Repeat("1", Columns)], "synthetic", "benchmark");

    /// <summary>Processor time of this process.</summary>
    public static double Seconds(Action work)
    {
        var before = Environment.CpuUsage.TotalTime;
        work();
        return (Environment.CpuUsage.TotalTime - before).TotalSeconds;
    }

    public static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private static (FeatureMatrix Rows, bool[] Labels) Make(int count, int seed)
    {
        var random = new Random(seed);
        var matrix = new FeatureMatrix(Enumerable.Range(0, Columns).Select(static i => $"f{i}"));
        var labels = new bool[count];
        var row = new float[Columns];
        for (var i = 0; i < count; i++)
        {
            labels[i] = random.NextDouble() < 0.2;
            for (var column = 0; column < Columns; column++)
                row[column] = (float)(random.NextDouble() + random.NextDouble() + (labels[i] && column % 3 == 0 ? 0.3 : 0));
            matrix.AddRow(row);
        }

        return (matrix, labels);
    }
}
