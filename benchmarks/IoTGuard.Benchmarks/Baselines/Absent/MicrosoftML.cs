using IoTGuard.Learning;

namespace IoTGuard.Benchmarks.Baselines;

/// <summary>Stands in where Microsoft.ML could not be restored.</summary>
internal static class MLNetTrees
{
    public static int Run(FeatureMatrix training, bool[] labels, FeatureMatrix rows) => Absence.Say($"{rows.RowCount} rows", "Microsoft.ML");
}
