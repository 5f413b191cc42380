using System.Reflection;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Features;
using IoTGuard.Learning;

namespace IoTGuard.Sites;

/// <summary>Trains and calibrates the anomaly model of a site on rows of benign flows.</summary>
internal static class ModelTrainer
{
    /// <summary>Fewest flows that a model is trained on: a tree's sample of 256 for training, 128 for calibration.</summary>
    public const int MinimumRows = 384;

    /// <summary>Most flows kept for training, a uniform sample beyond that.</summary>
    public const int MaximumRows = 50_000;

    /// <summary>Seed of the forest: the same rows give the same model.</summary>
    private const ulong Seed = 1;

    /// <summary>A model of the rows; null when they are too few.</summary>
    /// <param name="sample">Benign flows in the order of their ends. The first two thirds train, the last third calibrates.</param>
    /// <param name="source">What the rows come from, for the model card.</param>
    public static AnomalyModel? Train(FlowSample sample, string source)
    {
        if (sample.Count < MinimumRows)
            return null;
        var rows = new FeatureMatrix(FeatureSchema.Features.ToArray().Select(f => f.Name));
        foreach (var row in sample.Rows())
            rows.AddRow(row);
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

    /// <summary>What became of the model, for people.</summary>
    public static string Describe(AnomalyModel? model, FlowSample sample) => model is null
        ? $"not trained: {sample.Count:N0} flows were seen and {MinimumRows:N0} are needed; the model that was there before is kept"
        : $"isolation forest of {model.Info.Training!.Trees} trees, trained on {model.Info.Training.Rows:N0} flows, calibrated on {sample.Count - model.Info.Training.Rows:N0} later ones";

    /// <summary>The model's card as Markdown.</summary>
    public static string Card(AnomalyModel model, double flowsPerHour)
    {
        using var text = new StringWriter { NewLine = "\n" };
        var card = ModelCard.Of(model, "flow-anomaly", "Finds flows that are unlike the benign flows of the site it was trained at.") with
        {
            Budget = new AlertBudget(new DetectorOptions().AlertBudgetPerDay, Math.Max(1, flowsPerHour * 24)),
            Limits =
            [
                "It knows the site it was trained at; elsewhere its p-values are not calibrated until that site has learned.",
                "It sees flows, not contents: what an attack does within normal volumes and rhythms is for the rules.",
            ],
        };
        card.WriteMarkdown(text);
        return text.ToString();
    }
}
