using IoTGuard.Learning;

namespace IoTGuard.Analysis.Features;

/// <summary>Makes a site's models of a sample of its benign flows: an isolation forest, calibrated on flows that it was not trained on.</summary>
public static class FlowModel
{
    /// <summary>Fewest rows from which a model is made: a tree's sample of 256 for training, and 128 for calibration.</summary>
    public const int MinimumRows = 384;

    /// <summary>Trains and calibrates; null when there are too few rows.</summary>
    /// <param name="rows">Rows of <see cref="FlowFeatures"/>, in the order in which the flows ended: the first two thirds train, the last third calibrates.</param>
    /// <param name="source">What they come from, in words.</param>
    /// <param name="programVersion">Version that the model names.</param>
    public static ModelSet? Train(IReadOnlyList<float[]> rows, string source, string programVersion)
    {
        if (rows.Count < MinimumRows)
            return null;
        string[] names = [.. FlowFeatures.Schema.Columns.Select(static f => f.Name)];
        string[] units = [.. FlowFeatures.Schema.Columns.Select(static f => f.Unit)];
        var training = new FeatureMatrix(names);
        var held = new FeatureMatrix(names);
        var split = rows.Count * 2 / 3;
        for (var i = 0; i < rows.Count; i++)
            (i < split ? training : held).AddRow(rows[i]);
        var options = new IsolationForestOptions();
        var forest = IsolationForest.Train(training, options);
        var info = new ModelInfo(
            FlowFeatures.Schema.Hash,
            FeatureInfo.Describe(training, units),
            new TrainingInfo(source, training.RowCount, "iforest", new Dictionary<string, double>(StringComparer.Ordinal) { ["trees"] = options.Trees, ["sample_size"] = options.SampleSize }, options.Seed),
            programVersion);
        var model = AnomalyModel.Create(forest, info);
        var scores = new float[held.RowCount];
        model.Score(held.Values, held.RowCount, scores);
        return new ModelSet
        {
            Source = source,
            Entries = [new ModelEntry(ModelInput.Flows, null, "iforest", model.WithCalibration(Calibration.Fit(scores)))],
        };
    }
}
