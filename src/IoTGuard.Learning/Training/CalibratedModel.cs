namespace IoTGuard.Learning.Training;

/// <summary>
/// The one way to make a calibrated model of a table: the first two thirds of the rows train, in order of time, and the benign rows of the last third
/// calibrate. An engine that needs no labels is trained on benign rows alone.
/// </summary>
public static class CalibratedModel
{
    /// <summary>Trains and calibrates; null when there are too few rows, or a supervised engine has rows of one kind only.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="table">The rows, in order of time.</param>
    /// <param name="task">Seed and parameters; its rows and labels are not looked at.</param>
    /// <param name="schema">What the rows are.</param>
    /// <param name="fewestRows">Rows that are needed.</param>
    public static AnomalyModel? TryTrain(TrainingEngine engine, TrainingTable table, TrainingTask task, TrainingSchema schema, int fewestRows) =>
        TryTrain(engine, table, task, schema, fewestRows, out _);

    /// <inheritdoc cref="TryTrain(TrainingEngine, TrainingTable, TrainingTask, TrainingSchema, int)"/>
    /// <param name="attachments">Files of the engine's own kind.</param>
    public static AnomalyModel? TryTrain(
        TrainingEngine engine, TrainingTable table, TrainingTask task, TrainingSchema schema, int fewestRows, out IReadOnlyList<ModelAttachment> attachments)
    {
        attachments = [];
        var rows = table.Rows.RowCount;
        var split = (int)((long)rows * 2 / 3);
        int[] training = [.. Enumerable.Range(0, split).Where(r => engine.NeedsLabels || !IsAnomaly(r))];
        int[] calibration = [.. Enumerable.Range(split, rows - split).Where(r => !IsAnomaly(r))];
        if (training.Length + calibration.Length < fewestRows || training.Length < 2 || calibration.Length < 1)
            return null;
        var labels = engine.NeedsLabels && table.Anomalous is not null ? Array.ConvertAll(training, r => table.Anomalous[r]) : null;
        if (engine.NeedsLabels && (labels is null || !labels.Contains(true) || !labels.Contains(false)))
            return null;
        var model = engine.Train(task with { Rows = table.Rows.SelectRows(training), Anomalous = labels }, schema, out attachments);
        var held = table.Rows.SelectRows(calibration);
        var scores = new float[held.RowCount];
        model.Score(held.Values, held.RowCount, scores);
        return model.WithCalibration(Calibration.Fit(scores));

        bool IsAnomaly(int row) => table.Anomalous is { } anomalous && anomalous[row];
    }
}
