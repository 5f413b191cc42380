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
        var inputs = paths.ToLookup(InputOf);
        var tables = Enum.GetValues<ModelInput>().ToDictionary(
            static input => input,
            input => inputs[input].ToList() is { Count: > 0 } own ? FeatureTable.Load(own, TableColumns.Usual, null, progress) : null);
        return (
            [.. tables.Select(t => new TrainingRows(t.Key, t.Value is null ? [] : Sample(BenignRows(t.Value), maximumRows)))],
            new Site { ScoredFlowsPerHour = PerHour(tables[ModelInput.Flows]), ScoredWindowsPerHour = PerHour(tables[ModelInput.Windows]) });
    }

    /// <summary>What a table holds, by the hash of its features.</summary>
    private static ModelInput InputOf(string path)
    {
        if (!File.Exists(path))
            throw new UserException(ExitStatus.UnreadableInput, $"cannot read {path}: there is no such file");
        var hash = FeatureTable.SchemaHashOf(path);
        foreach (var input in Enum.GetValues<ModelInput>())
        {
            if (ModelInputs.SchemaOf(input).Hash == hash)
                return input;
        }

        throw new UserException(ExitStatus.Unusable, $"{path} does not have the features of this version; write it again with 'iotguard analyze --flows' or '--windows'");
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

    private static double PerHour(FeatureTable? table) => table is { Hours: > 0 } ? table.Table.BenignCount / table.Hours : 0;
}
