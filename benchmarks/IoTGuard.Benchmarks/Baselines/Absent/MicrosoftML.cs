namespace IoTGuard.Benchmarks.Baselines;

/// <summary>Stands in where Microsoft.ML could not be restored.</summary>
internal static class MLNetTrees
{
    public static int Run(int rows) => Absence.Say($"{rows} rows", "Microsoft.ML");
}
