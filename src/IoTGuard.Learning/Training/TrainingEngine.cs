using System.Collections.Frozen;

namespace IoTGuard.Learning.Training;

/// <summary>A way to make a model of rows: one row of the table of engines.</summary>
/// <param name="Name">Name on the command line.</param>
/// <param name="Description">What it finds and how, in a clause.</param>
/// <param name="NeedsLabels">Whether it learns from labelled anomalies; otherwise it learns from benign rows alone.</param>
/// <param name="Parameters">What may be chosen.</param>
/// <param name="Trainer">Trains; called with a complete task.</param>
public sealed record TrainingEngine(
    string Name, string Description, bool NeedsLabels, IReadOnlyList<HyperParameter> Parameters, Func<TrainingTask, TrainedGraph> Trainer)
{
    /// <summary>Values for all parameters: those given, and the defaults of the rest.</summary>
    /// <exception cref="ArgumentException">A name is unknown, or a value out of range; the message says which and what is allowed.</exception>
    public IReadOnlyDictionary<string, double> Complete(IReadOnlyDictionary<string, double>? given = null)
    {
        var values = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var parameter in Parameters)
            values[parameter.Name] = parameter.Default;
        foreach (var (name, value) in given ?? FrozenDictionary<string, double>.Empty)
        {
            var parameter = Parameters.FirstOrDefault(p => p.Name == name)
                ?? throw new ArgumentException($"{Name} has no parameter '{name}'; it has {string.Join(", ", Parameters.Select(p => p.Name))}", nameof(given));
            if (!parameter.Allows(value))
            {
                throw new ArgumentException(
                    $"{name} of {Name} must be {(parameter.IsWhole ? "a whole number " : "")}from {parameter.Least} to {parameter.Most}, not {value}", nameof(given));
            }

            values[name] = value;
        }

        return values;
    }

    /// <summary>Trains a model that says all about itself but its calibration.</summary>
    /// <param name="task">Rows, seed and parameters.</param>
    /// <param name="schema">What the rows are.</param>
    /// <param name="attachments">Files of the engine's own kind.</param>
    /// <exception cref="ArgumentException">The rows do not suffice, or labels are missing or of one kind only.</exception>
    public AnomalyModel Train(TrainingTask task, TrainingSchema schema, out IReadOnlyList<ModelAttachment> attachments)
    {
        if (NeedsLabels && task.Anomalous is null)
            throw new ArgumentException($"{Name} learns from labels, and there are none", nameof(task));
        if (NeedsLabels && (task.Anomalous!.Length != task.Rows.RowCount || !task.Anomalous.Contains(true) || !task.Anomalous.Contains(false)))
            throw new ArgumentException($"{Name} needs one label per row, and both anomalies and benign rows", nameof(task));
        var complete = task with { Parameters = Complete(task.Parameters) };
        var trained = Trainer(complete);
        attachments = trained.Attachments;
        var info = new ModelInfo(
            schema.Hash,
            FeatureInfo.Describe(task.Rows, schema.Units),
            new TrainingInfo(schema.Source, task.Rows.RowCount, Name, complete.Parameters, task.Seed),
            schema.ProgramVersion);
        return AnomalyModel.Create(trained, info);
    }

    /// <inheritdoc cref="Train(TrainingTask, TrainingSchema, out IReadOnlyList{ModelAttachment})"/>
    public AnomalyModel Train(TrainingTask task, TrainingSchema schema) => Train(task, schema, out _);
}

/// <summary>What rows are and where they come from: a model says it about itself.</summary>
/// <param name="Hash">Hash of the feature schema.</param>
/// <param name="Units">One unit per column.</param>
/// <param name="Source">Captures or sites, in words: no paths, no names of patients.</param>
/// <param name="ProgramVersion">The IoTGuard version that trains.</param>
public sealed record TrainingSchema(string Hash, IReadOnlyList<string> Units, string Source, string ProgramVersion);
