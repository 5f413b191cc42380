using IoTGuard.Learning.Training;
using Microsoft.ML;
using Microsoft.ML.Trainers;
using Microsoft.ML.Trainers.FastTree;

namespace IoTGuard.MLNet;

/// <summary>
/// The trainers of ML.NET as engines of <c>iotguard train</c>, one row each. All learn on one thread from the seed, so that the same rows give the
/// same model. Each writes ML.NET's own <c>.zip</c> beside the ONNX file; both give the same scores (<see cref="ZipScorer"/>).
/// </summary>
public static class MLNetEngines
{
    private static readonly HyperParameter Trees = new("trees", "trees", 100, 1, 10_000, IsWhole: true, "trees");
    private static readonly HyperParameter Leaves = new("leaves", "leaves", 20, 2, 1024, IsWhole: true, "leaves of a tree at most");
    private static readonly HyperParameter LeafRows = new("leaf_rows", "rows", 10, 1, 1_000_000, IsWhole: true, "rows of a leaf at least");

    /// <summary>One row per engine.</summary>
    public static IReadOnlyList<TrainingEngine> All { get; } =
    [
        new("mlnet-fasttree", "ML.NET FastTree: gradient-boosted trees; the score is the log-odds", NeedsLabels: true,
            [Trees, Leaves, LeafRows, new("learning_rate", "1", 0.2, 0.001, 1, IsWhole: false, "how much each tree corrects")],
            static task => Pipeline.Train(task, static (ml, task) => ml.BinaryClassification.Trainers.FastTree(new FastTreeBinaryTrainer.Options
            {
                NumberOfTrees = task.Whole("trees"),
                NumberOfLeaves = task.Whole("leaves"),
                MinimumExampleCountPerLeaf = task.Whole("leaf_rows"),
                LearningRate = task["learning_rate"],
                NumberOfThreads = 1,
                Seed = Pipeline.SeedOf(task),
            }))),
        new("mlnet-fastforest", "ML.NET FastForest: a random forest; the score is the mean vote of its trees", NeedsLabels: true,
            [Trees, Leaves, LeafRows],
            static task => Pipeline.Train(task, static (ml, task) => ml.BinaryClassification.Trainers.FastForest(new FastForestBinaryTrainer.Options
            {
                NumberOfTrees = task.Whole("trees"),
                NumberOfLeaves = task.Whole("leaves"),
                MinimumExampleCountPerLeaf = task.Whole("leaf_rows"),
                NumberOfThreads = 1,
                Seed = Pipeline.SeedOf(task),
            }))),
        new("mlnet-logistic", "ML.NET logistic regression over standardised features; the score is the log-odds", NeedsLabels: true,
            [
                new("l1", "1", 1, 0, 1000, IsWhole: false, "weight of the penalty that leaves features out"),
                new("l2", "1", 1, 0, 1000, IsWhole: false, "weight of the penalty that keeps coefficients small"),
            ],
            static task => Pipeline.Train(task, static (ml, task) => Pipeline.Standardised(ml).Append(ml.BinaryClassification.Trainers.LbfgsLogisticRegression(new LbfgsLogisticRegressionBinaryTrainer.Options
            {
                L1Regularization = (float)task["l1"],
                L2Regularization = (float)task["l2"],
                NumberOfThreads = 1,
            })))),
        new("mlnet-kmeans", "ML.NET k-means over standardised features; the score is the distance from the nearest centre", NeedsLabels: false,
            [new("clusters", "clusters", 8, 1, 1000, IsWhole: true, "clusters")],
            static task => Pipeline.Train(task, static (ml, task) => Pipeline.Standardised(ml).Append(ml.Clustering.Trainers.KMeans(new KMeansTrainer.Options
            {
                NumberOfClusters = task.Whole("clusters"),
                NumberOfThreads = 1,
            })))),
        new("mlnet-pca", "ML.NET randomized PCA over standardised features; the score is the distance from the subspace that benign rows fill", NeedsLabels: false,
            [
                new("rank", "components", 10, 1, 1000, IsWhole: true, "components at most; never more than half the columns"),
                new("oversampling", "components", 20, 0, 1000, IsWhole: true, "components more that are tried"),
            ],
            static task => Pipeline.Train(task, static (ml, task) => Pipeline.Standardised(ml).Append(ml.AnomalyDetection.Trainers.RandomizedPca(new RandomizedPcaTrainer.Options
            {
                Rank = Math.Min(task.Whole("rank"), Math.Max(1, task.Rows.ColumnCount / 2)),
                Oversampling = task.Whole("oversampling"),
                EnsureZeroMean = true,
                Seed = Pipeline.SeedOf(task),
            })))),
    ];
}
