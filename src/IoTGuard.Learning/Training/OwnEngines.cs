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
        new("pca", "principal components: what the directions in which usual rows vary do not explain of a row", NeedsLabels: false,
            [
                new("variance", "1", 0.5, 0.01, 0.999, IsWhole: false, "share of the variance that the components hold"),
                new("limit", "deviations", 10, 1, 1e6, IsWhole: false, "standard deviations at which a value is cut"),
            ],
            static task => PrincipalComponents.Train(task.Rows, task["variance"], task["limit"])),
        new("autoencoder", "a small network that gives back usual rows through a narrow middle, and others badly", NeedsLabels: false,
            [
                new("hidden", "units", 24, 1, 512, IsWhole: true, "units of the outer layers"),
                new("code", "units", 8, 1, 512, IsWhole: true, "units of the narrowest layer"),
                new("epochs", "epochs", 30, 1, 10_000, IsWhole: true, "how often all rows are seen"),
                new("learning_rate", "1", 0.003, 1e-6, 1, IsWhole: false, "step size at the start; it falls to a tenth"),
                new("limit", "deviations", 10, 1, 1e6, IsWhole: false, "standard deviations at which a value is cut"),
            ],
            Autoencoder.Train),
        new("gbt", "gradient-boosted trees, learned from labelled anomalies", NeedsLabels: true,
            [
                new("trees", "trees", 100, 1, 5000, IsWhole: true, "trees, one after the other"),
                new("depth", "splits", 5, 1, 10, IsWhole: true, "splits between root and leaf at most"),
                new("learning_rate", "1", 0.1, 0.001, 1, IsWhole: false, "the part of each tree's answer that is used"),
                new("least_weight", "1", 1, 0, 1e6, IsWhole: false, "sum of second derivatives that a leaf needs"),
                new("penalty", "1", 1, 0, 1e6, IsWhole: false, "penalty on large leaves"),
                new("row_share", "1", 0.8, 0.01, 1, IsWhole: false, "part of the rows that each tree sees"),
                new("column_share", "1", 0.8, 0.01, 1, IsWhole: false, "part of the columns that each tree sees"),
            ],
            GradientBoosting.Train),
    ];
}
