using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Features;
using IoTGuard.Learning.Training;
using IoTGuard.Models;
using IoTGuard.Outputs;

namespace IoTGuard.Sites;

/// <summary>
/// Learning from tables of features in place of captures: models and their calibration. A table says which flows and windows are usual, and nothing about
/// devices that the inventory or the baselines could keep.
/// </summary>
internal static class LearnedTables
{
    /// <summary>True for what <c>analyze --flows</c> and <c>--windows</c> write, by its name.</summary>
    public static bool IsTable(string path) => path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".csv.gz", StringComparison.OrdinalIgnoreCase);

    /// <summary>The benign rows of tables, by input, and how many of them an hour has.</summary>
    /// <param name="paths">Tables of flows, of windows, or both.</param>
    /// <param name="maximumRows">Most rows kept of an input: evenly spread over time.</param>
    public static (IReadOnlyList<TrainingRows> Inputs, Site Taught) Read(string[] paths, int maximumRows)
    {
        using var progress = new TaskProgress();
        var known = Enum.GetValues<ModelInput>().ToDictionary(static input => ModelInputs.SchemaOf(input).Hash, StringComparer.Ordinal);
        foreach (var path in paths)
        {
            if (!File.Exists(path))
                throw new UserException(ExitStatus.UnreadableInput, $"cannot read {path}: there is no such file");
            if (FeatureTable.SchemaHashOf(path) is not { } hash || !known.ContainsKey(hash))
                throw new UserException(ExitStatus.Unusable, $"{path} does not have the features of this version; write it again with 'iotguard analyze --flows' or '--windows'");
        }

        var tables = known.Values.ToDictionary(
            static input => input,
            input => paths.Where(p => known[FeatureTable.SchemaHashOf(p)!] == input).ToList() is { Count: > 0 } own ? FeatureTable.Load(own, TableColumns.Usual, null, progress) : null);
        return (
            [.. tables.Select(t => new TrainingRows(t.Key, t.Value is null ? [] : Sample(BenignRows(t.Value), maximumRows)))],
            new Site { ScoredFlowsPerHour = PerHour(tables[ModelInput.Flows]), ScoredWindowsPerHour = PerHour(tables[ModelInput.Windows]) });
    }

    private static List<SampledRow> BenignRows(FeatureTable table) =>
    [
        .. Enumerable.Range(0, table.Table.Rows.RowCount)
            .Where(i => table.Table.Anomalous?[i] != true)
            .Select(i => new SampledRow(i, default, default, table.Table.Rows.Row(i).ToArray())),
    ];

    private static List<SampledRow> Sample(List<SampledRow> rows, int maximumRows)
    {
        if (rows.Count <= maximumRows)
            return rows;
        return [.. Enumerable.Range(0, maximumRows).Select(i => rows[(int)((long)i * rows.Count / maximumRows)])];
    }

    private static double PerHour(FeatureTable? table) => table is { Hours: > 0 } ? BenignCount(table) / table.Hours : 0;

    private static double BenignCount(FeatureTable table) => table.Table.Rows.RowCount - (table.Table.Anomalous?.Count(static a => a) ?? 0);
}
