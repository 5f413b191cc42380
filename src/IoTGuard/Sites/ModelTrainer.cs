using System.Reflection;
using IoTGuard.Analysis.Features;
using IoTGuard.Learning;

namespace IoTGuard.Sites;

/// <summary>Trains and calibrates the anomaly model of a site on rows of benign flows.</summary>
internal static class ModelTrainer
{
    /// <summary>Fewest flows that a model is trained on: two samples of a tree for training, as many for calibration.</summary>
    public const int MinimumRows = 1024;

    /// <summary>Seed of the forest: the same rows give the same model.</summary>
    private const ulong Seed = 1;

    /// <summary>A model of the rows; null when they are too few.</summary>
    /// <param name="rows">Features of benign flows in the order of their ends. The first two thirds train, the last third calibrates.</param>
    /// <param name="source">What the rows come from, for the model card.</param>
    public static AnomalyModel? Train(FeatureMatrix rows, string source)
    {
        if (rows.RowCount < MinimumRows)
            return null;
        var split = rows.RowCount * 2 / 3;
        var training = rows.SelectRows([.. Enumerable.Range(0, split)]);
        var heldOut = rows.SelectRows([.. Enumerable.Range(split, rows.RowCount - split)]);
        var options = new IsolationForestOptions { Seed = Seed };
        var forest = IsolationForest.Train(training, options);
        var units = FeatureSchema.Features.ToArray().Select(f => f.Unit).ToList();
        var info = new ModelInfo(
            FeatureSchema.Hash,
            FeatureInfo.Describe(training, units),
            new TrainingInfo(source, split, options.Trees, options.SampleSize, options.Seed),
            Assembly.GetExecutingAssembly().GetName().Version!.ToString(3));
        var model = AnomalyModel.Create(forest, info);
        var scores = new float[heldOut.RowCount];
        model.Score(heldOut.Values, heldOut.RowCount, scores);
        return model.WithCalibration(Calibration.Fit(scores));
    }
}
