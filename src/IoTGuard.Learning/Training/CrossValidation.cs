namespace IoTGuard.Learning.Training;

/// <summary>
/// Cross-validation as a sensor meets the world: a model is trained on earlier rows of some devices and tested on later rows of others. Scores of
/// different models do not compare, so each fold calibrates on the last third of its own benign training rows, and folds are pooled by p-values.
/// </summary>
public sealed class CrossValidation
{
    /// <summary>Rows that a fold needs to train and calibrate.</summary>
    private const int FewestRows = 60;

    private CrossValidation(int folds, int devices, float[] surprise, double[] pValues, bool[]? anomalous)
    {
        Folds = folds;
        HeldOutDevices = devices;
        Surprise = surprise;
        PValues = pValues;
        Anomalous = anomalous;
    }

    /// <summary>Folds that had enough rows.</summary>
    public int Folds { get; }

    /// <summary>Devices that were held out, over all folds; 0 when the table names too few to hold some out.</summary>
    public int HeldOutDevices { get; }

    /// <summary>−log₁₀ of the p-values of all tested rows, which rank them.</summary>
    public float[] Surprise { get; }

    /// <summary>P-values of all tested rows.</summary>
    public double[] PValues { get; }

    /// <summary>Labels of all tested rows; null without labels.</summary>
    public bool[]? Anomalous { get; }

    /// <summary>How it was done, in words.</summary>
    public string Description =>
        $"{PValues.Length} rows held out in {Folds} folds in time order{(HeldOutDevices > 0 ? $", {HeldOutDevices} devices held out" : "")}";

    /// <summary>Runs it; null when there are too few rows for any fold.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="table">The rows, in order of time.</param>
    /// <param name="task">Seed and parameters; its rows and labels are not looked at.</param>
    /// <param name="schema">What the rows are.</param>
    /// <param name="folds">Folds, at least 1.</param>
    public static CrossValidation? Run(TrainingEngine engine, TrainingTable table, TrainingTask task, TrainingSchema schema, int folds)
    {
        var rows = table.Rows.RowCount;
        var devices = table.Devices is null ? 0 : table.Devices.Distinct().Count();
        var holdsOut = devices >= 2 * folds;
        List<double> pValues = [];
        List<bool> labels = [];
        var heldOut = new HashSet<int>();
        var done = 0;
        for (var fold = 1; fold <= folds; fold++)
        {
            var (start, end) = ((int)((long)rows * fold / (folds + 1)), (int)((long)rows * (fold + 1) / (folds + 1)));
            var now = fold;
            bool IsHeldOut(int r) => holdsOut && table.Devices![r] % folds == now - 1;
            int[] train = [.. Enumerable.Range(0, start).Where(r => !IsHeldOut(r))];
            int[] test = [.. Enumerable.Range(start, end - start).Where(r => !holdsOut || IsHeldOut(r))];
            if (test.Length == 0)
                continue;
            var foldTask = task with { Progress = task.Progress is { } report ? share => report((now - 1 + share) / folds) : null };
            if (CalibratedModel.TryTrain(engine, table.Select(train), foldTask, schema, FewestRows) is not { } model)
                continue;
            var tested = table.Select(test);
            var scores = new float[test.Length];
            model.Score(tested.Rows.Values, test.Length, scores);
            pValues.AddRange(scores.Select(s => model.PValue(s)));
            labels.AddRange(tested.Anomalous ?? []);
            if (holdsOut)
                heldOut.UnionWith(tested.Devices!);
            done++;
        }

        return done == 0 ? null : new CrossValidation(
            done,
            heldOut.Count,
            [.. pValues.Select(p => (float)-Math.Log10(p))],
            [.. pValues],
            table.Anomalous is null ? null : [.. labels]);
    }
}
