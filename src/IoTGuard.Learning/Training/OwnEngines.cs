namespace IoTGuard.Learning.Training;

/// <summary>The engines of this assembly. The program adds those of its adapters (NamedPackages).</summary>
public static class OwnEngines
{
    /// <summary>One row per engine.</summary>
    public static IReadOnlyList<TrainingEngine> All { get; } =
    [
        new("iforest", "isolation forest: unusual rows are cut off from the others after few random splits", NeedsLabels: false,
            [
                new("trees", "trees", 100, 1, 10_000, IsWhole: true, "trees of the forest"),
                new("sample_size", "rows", 256, 2, 65_536, IsWhole: true, "rows drawn for each tree"),
            ],
            static task => IsolationForest.Train(task.Rows, new()
            {
                Trees = task.Whole("trees"),
                SampleSize = task.Whole("sample_size"),
                Seed = task.Seed,
            }).ToGraph()),
        new("hbos", "histograms: a row is as unusual as the bins that its values fall into; each column explains itself", NeedsLabels: false,
            [
                new("bins", "bins", 0, 0, 1000, IsWhole: true, "bins per column; 0 takes the square root of the rows, 10 to 50"),
                new("smoothing", "rows", 0.5, 0.001, 1000, IsWhole: false, "rows added to every bin"),
            ],
            static task => new(AdditiveGraph.Build("hbos", HistogramDetector.Train(task.Rows, task.Whole("bins"), task["smoothing"])))),
        new("ecod", "tails: a row is as unusual as its values are far out in their columns; each column explains itself", NeedsLabels: false,
            [
                new("resolution", "bits", 0.1, 0.05, 4, IsWhole: false, "by how much values of one step may differ"),
            ],
            static task => new(AdditiveGraph.Build("ecod", TailDetector.Train(task.Rows, task["resolution"])))),
    ];
}
