namespace IoTGuard.Benchmarks.Stages;

/// <summary>One stage of the program over prepared input: measured for time by BenchmarkDotNet, for allocation by the gate.</summary>
internal abstract class Stage
{
    /// <summary>Name in tables and in budgets.json.</summary>
    public abstract string Name { get; }

    /// <summary>What one operation is.</summary>
    public abstract string Unit { get; }

    /// <summary>Operations that one <see cref="Run"/> does.</summary>
    public abstract int Operations { get; }

    public abstract void Run();

    /// <summary>All stages, in the way of a packet.</summary>
    public static IEnumerable<Func<Stage>> All { get; } =
    [
        () => new DecodeStage(),
        () => new FlowStage(),
        () => new StreamStage(),
        () => SessionStage.DicomStore(),
        () => SessionStage.DicomFind(),
        () => SessionStage.Hl7(),
        .. NewSessionStage.Protocols,
        () => new FeatureStage(),
        () => new ScoringStage(rows: 1),
        () => new ScoringStage(rows: 64),
        () => new TransactionJsonStage(),
        () => new AlertJsonStage(),
        () => new SyslogStage(),
    ];
}
