namespace IoTGuard.Learning.Training;

/// <summary>What an engine is given.</summary>
public sealed record TrainingTask
{
    /// <summary>The rows. For an engine that needs no labels they are taken as benign.</summary>
    public required FeatureMatrix Rows { get; init; }

    /// <summary>Per row, whether it is an anomaly; null when the engine needs no labels.</summary>
    public bool[]? Anomalous { get; init; }

    /// <summary>The same seed, rows and parameters give the same model, byte for byte.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>A value for every hyper-parameter of the engine, each within its limits.</summary>
    public required IReadOnlyDictionary<string, double> Parameters { get; init; }

    /// <summary>Is told the share that is done, 0 … 1, from the training thread.</summary>
    public Action<double>? Progress { get; init; }

    /// <summary>Ends the training early with <see cref="OperationCanceledException"/>.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>The value of a hyper-parameter.</summary>
    public double this[string parameter] => Parameters[parameter];

    /// <summary>The value of a hyper-parameter that is a whole number.</summary>
    public int Whole(string parameter) => (int)Parameters[parameter];

    /// <summary>Says how far it is, and ends when that is wanted.</summary>
    public void Report(double share)
    {
        Cancellation.ThrowIfCancellationRequested();
        Progress?.Invoke(share);
    }
}
