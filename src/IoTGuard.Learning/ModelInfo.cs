namespace IoTGuard.Learning;

/// <summary>A feature as the model knows it: its name and unit, and what is usual in the training data.</summary>
/// <param name="Name">Column name.</param>
/// <param name="Unit">Unit, such as "bytes" or "s"; empty for a plain number.</param>
/// <param name="Low">1 % quantile of the training values; NaN when all are missing.</param>
/// <param name="Median">Median of the training values.</param>
/// <param name="High">99 % quantile of the training values.</param>
public sealed record FeatureInfo(string Name, string Unit, float Low, float Median, float High)
{
    /// <summary>The features of training data.</summary>
    /// <param name="data">The training rows.</param>
    /// <param name="units">One unit per column.</param>
    /// <exception cref="ArgumentException">Not one unit per column.</exception>
    public static IReadOnlyList<FeatureInfo> Describe(FeatureMatrix data, IReadOnlyList<string> units)
    {
        if (units.Count != data.ColumnCount)
            throw new ArgumentException($"{units.Count} units for {data.ColumnCount} columns", nameof(units));
        var features = new FeatureInfo[data.ColumnCount];
        for (var i = 0; i < features.Length; i++)
        {
            var name = data.Columns[i];
            var present = Array.FindAll(data.Column(name), v => !float.IsNaN(v));
            Array.Sort(present);
            features[i] = new(name, units[i], Quantile(present, 0.01), Quantile(present, 0.5), Quantile(present, 0.99));
        }

        return features;
    }

    private static float Quantile(float[] sorted, double share) =>
        sorted.Length == 0 ? float.NaN : sorted[(int)Math.Round(share * (sorted.Length - 1))];
}

/// <summary>How a model came to be.</summary>
/// <param name="Source">What it was trained on, in words: captures or sites. No paths, no names of patients.</param>
/// <param name="Rows">Training rows.</param>
/// <param name="Engine">Name of the training engine; empty when a model made elsewhere does not say.</param>
/// <param name="Parameters">Its hyper-parameters.</param>
/// <param name="Seed">The seed of the training.</param>
public sealed record TrainingInfo(string Source, int Rows, string Engine, IReadOnlyDictionary<string, double> Parameters, ulong Seed);

/// <summary>What a model file says about itself, in its metadata.</summary>
/// <param name="SchemaHash">Hash of the feature schema it reads: names, units and extractors.</param>
/// <param name="Features">Its columns, in order.</param>
/// <param name="Training">How it was trained; null for a model made elsewhere that does not say.</param>
/// <param name="ProgramVersion">The IoTGuard version that wrote it.</param>
public sealed record ModelInfo(string SchemaHash, IReadOnlyList<FeatureInfo> Features, TrainingInfo? Training, string ProgramVersion);
