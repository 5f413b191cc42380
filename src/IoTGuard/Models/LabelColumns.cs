using IoTGuard.Evaluation;
using IoTGuard.Learning.Training;

namespace IoTGuard.Models;

/// <summary>How the rows of a table get labels: from a column of it, or from a file of scenarios by time and addresses.</summary>
internal static class LabelColumns
{
    /// <summary>The columns that are no features, with the label in a column of the user's choice.</summary>
    public static TableColumns Of(string? label) => label is null ? TableColumns.Usual : TableColumns.Usual with { Labels = [label] };

    /// <summary>Says of a row, by its time and addresses, whether it belongs to a scenario; null when no file is given.</summary>
    public static Func<double, string, string, bool>? Labeller(string? path)
    {
        if (path is null)
            return null;
        var labels = EvaluationFiles.ReadLabels(path).Select(l => (l.Start, l.End, Addresses: l.Addresses.ToHashSet(StringComparer.Ordinal), l.Attackers)).ToList();
        return (time, device, peer) => labels.Exists(l => time >= l.Start - 1 && time <= l.End + 1 && IsPart(l.Addresses, l.Attackers, device, peer));
    }

    /// <summary>A row with two ends belongs to a scenario by both of them, unless the scenario names no victims; a row of one device by that device.</summary>
    private static bool IsPart(HashSet<string> addresses, IReadOnlyList<string> attackers, string device, string peer) =>
        attackers.Contains(device, StringComparer.Ordinal) || attackers.Contains(peer, StringComparer.Ordinal) || (peer.Length == 0 && addresses.Contains(device));
}
