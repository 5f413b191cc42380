using System.Globalization;
using IoTGuard.Analysis.Features;
using IoTGuard.Outputs;

namespace IoTGuard.Sites;

/// <summary>What learning says about the models that it made, or did not make.</summary>
internal static class ModelReport
{
    /// <summary>What became of the models, for people.</summary>
    /// <param name="version">Their version; null when none were made.</param>
    /// <param name="set">The models.</param>
    /// <param name="inputs">The rows that there were.</param>
    /// <param name="reason">Why none were made.</param>
    public static string Describe(string? version, ModelSet? set, IReadOnlyList<TrainingRows> inputs, string reason)
    {
        var rows = string.Join(" and ", inputs.Select(i => $"{RunSummary.Number(i.Rows.Count)} {ModelInputs.SchemaOf(i.Input).Name}"));
        if (set is null)
            return $"{reason} ({rows} were seen)";
        var roles = set.Entries.Where(e => e.Role is not null).Select(e => $"{e.RoleName} ({ModelInputs.SchemaOf(e.Input).Name})").Distinct(StringComparer.Ordinal).ToList();
        return $"version {version}, {set.Entries.Count} models of {rows}; of their own: {(roles.Count == 0 ? "no role yet" : string.Join(", ", roles))}";
    }

    /// <summary>Whether the calibration is long enough for the budget, for people.</summary>
    public static string Reach(ModelSet set, AlertLevels levels, double budgetPerDay)
    {
        var shortOf = set.Entries.Select(static e => e.Input).Distinct()
            .Select(input => (Input: input, Rows: set.Entries.Where(e => e.Input == input).Max(static e => e.Model.Calibration?.SampleCount ?? 0), Wanted: Math.Ceiling(1 / levels.Of(input))))
            .Where(static r => r.Rows + 1 < r.Wanted).ToList();
        if (budgetPerDay <= 0 || shortOf.Count == 0)
            return "";
        var wanted = string.Join(" and ", shortOf.Select(r => $"{RunSummary.Number((long)r.Wanted)} {ModelInputs.SchemaOf(r.Input).Name} ({RunSummary.Number(r.Rows)} so far)"));
        return string.Create(CultureInfo.InvariantCulture, $". At {budgetPerDay:0.###} alerts a day, {wanted} of benign calibration are wanted; before, models tell only what is far outside");
    }

    /// <summary>The card of a set as Markdown.</summary>
    /// <param name="set">The models.</param>
    /// <param name="figures">What was measured on held-out rows.</param>
    /// <param name="levels">Levels of alerts.</param>
    /// <param name="budgetPerDay">Alerts a day.</param>
    /// <param name="flowsPerDay">Flows that are judged in a day.</param>
    /// <param name="windowsPerDay">Windows that are judged in a day.</param>
    public static string Card(ModelSet set, IReadOnlyList<HeldOutFigure> figures, AlertLevels levels, double budgetPerDay, double flowsPerDay, double windowsPerDay)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        text.WriteLine("# Models of a site");
        text.WriteLine();
        text.WriteLine("They find flows, and minutes of devices, that are unlike the benign traffic of the site they were calibrated at. A row is rare only when all");
        text.WriteLine("opinions about its device's role say so: its p-value is the largest of theirs.");
        text.WriteLine();
        text.WriteLine($"- Made of {set.Source}");
        text.WriteLine($"- Written by IoTGuard {set.Entries[0].Model.Info.ProgramVersion}");
        text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"- Alert budget: {budgetPerDay:G4} a day. Flows: {flowsPerDay:F0} a day, p ≤ {levels.Flows:G3}. Windows: {windowsPerDay:F0} a day, p ≤ {levels.Windows:G3}"));
        Table(text, "Models", ["File", "Trained on (rows)", "Calibrated on (rows)", "Smallest p of the samples", "Tail"], set.Entries.OrderBy(e => e.FileName, StringComparer.Ordinal).Select(Model));
        Table(
            text,
            "Measured on rows that neither training nor calibration saw",
            ["Input", "Role", "Rows", "p ≤ 0.01 (1 % is due at most)", "Rare enough for an alert", "Due at most"],
            figures.Select(f => (string[])[
                ModelInputs.SchemaOf(f.Input).Name, f.RoleName, RunSummary.Number(f.Rows), $"{(f.AtOnePercent * 100).ToString("F2", CultureInfo.InvariantCulture)} %",
                RunSummary.Number(f.AtBudget), f.Due.ToString("G3", CultureInfo.InvariantCulture)]));
        text.WriteLine();
        text.WriteLine("## Limits");
        text.WriteLine();
        text.WriteLine("- They know the site that they were calibrated at. Elsewhere their p-values mean nothing, and a sensor does not use them until that site has learned.");
        text.WriteLine("- They see flows and sums, not contents: what an attack does within normal volumes and rhythms is for the rules.");
        foreach (var entry in set.Entries.Where(e => e.Role is null).DistinctBy(e => e.Input))
        {
            Table(text, $"Features of {ModelInputs.SchemaOf(entry.Input).Name}, any role", ["Feature", "Unit", "1 %", "Median", "99 %"],
                entry.Model.Info.Features.Select(f => (string[])[f.Name, f.Unit, Number(f.Low), Number(f.Median), Number(f.High)]));
        }

        return text.ToString();
    }

    private static string[] Model(ModelEntry entry)
    {
        var calibration = entry.Model.Calibration;
        return
        [
            $"`{entry.FileName}`", RunSummary.Number(entry.Model.Info.Training?.Rows ?? 0), RunSummary.Number(calibration?.SampleCount ?? 0),
            calibration is null ? "–" : Number(calibration.SampleResolution), calibration?.Tail is { } tail ? $"{RunSummary.Number(tail.Exceedances)} exceedances, shape {Number(tail.Shape)}" : "none",
        ];
    }

    private static void Table(TextWriter text, string title, string[] header, IEnumerable<string[]> rows)
    {
        text.WriteLine();
        text.WriteLine($"## {title}");
        text.WriteLine();
        text.WriteLine($"| {string.Join(" | ", header)} |");
        text.WriteLine($"|{string.Concat(header.Select(_ => "---|"))}");
        foreach (var row in rows)
            text.WriteLine($"| {string.Join(" | ", row)} |");
    }

    private static string Number(double value) => double.IsNaN(value) ? "–" : value.ToString("G4", CultureInfo.InvariantCulture);
}
