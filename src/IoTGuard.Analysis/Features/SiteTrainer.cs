using IoTGuard.Analysis.Inventory;
using IoTGuard.Learning;
using IoTGuard.Learning.Training;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Features;

/// <summary>Rows of one input, in the order of the run.</summary>
/// <param name="Input">What they are.</param>
/// <param name="Rows">The rows.</param>
public sealed record TrainingRows(ModelInput Input, IReadOnlyList<SampledRow> Rows);

/// <summary>How well a trained pair of opinions kept its word on rows that neither training nor calibration saw.</summary>
/// <param name="Input">What it scores.</param>
/// <param name="RoleName">Whose rows.</param>
/// <param name="Rows">Rows that were judged.</param>
/// <param name="AtOnePercent">Share of them with p ≤ 0.01; at most 0.01 is due.</param>
/// <param name="AtBudget">Number of them at or below the budget's level.</param>
/// <param name="Due">Number that is due there at most.</param>
public sealed record HeldOutFigure(ModelInput Input, string RoleName, int Rows, double AtOnePercent, int AtBudget, double Due);

/// <summary>
/// Makes a site's models of samples of its benign rows. Two opinions about each kind of row: an isolation forest, which sees unusual combinations,
/// and ECOD, which sees unusual values. Each role with enough rows has a pair of its own; the rows of all others are judged by the site's pair,
/// trained on everything and calibrated on what it will judge. The first two thirds of the rows train, the last third calibrates.
/// </summary>
public static class SiteTrainer
{
    /// <summary>Fewest rows of which a pair is made: a tree's sample of 256 for training, and 128 for calibration.</summary>
    public const int MinimumRows = 384;

    /// <summary>
    /// Fewest rows from which a role has a pair of its own: with fewer, its own calibration would be too coarse to find anything within a budget, and
    /// the site's, which has more rows, says more.
    /// </summary>
    public const int MinimumRoleRows = 1500;

    /// <summary>Fewest rows that calibrate anew what was trained elsewhere: a tail needs them.</summary>
    public const int MinimumCalibrationRows = 200;

    private static readonly TrainingEngine[] Opinions = [.. OwnEngines.All.Where(static e => e.Name is "iforest" or "ecod")];

    /// <summary>Trains and calibrates; null when there are too few rows for any model.</summary>
    /// <param name="inputs">Rows by input.</param>
    /// <param name="roleOf">Role of a device, as it is known when learning ends.</param>
    /// <param name="source">What they come from, in words.</param>
    /// <param name="programVersion">Version that the models name.</param>
    /// <param name="fallback">Models trained elsewhere: with too few rows to train on, they are calibrated on those there are.</param>
    public static ModelSet? Train(
        IReadOnlyList<TrainingRows> inputs, Func<IpAddress, DeviceRole> roleOf, string source, string programVersion, ModelSet fallback)
    {
        var entries = inputs.SelectMany(input => Train(input, roleOf, source, programVersion, fallback)).ToList();
        return entries.Count == 0 ? null : new ModelSet { Source = source, Entries = entries };
    }

    /// <summary>
    /// How the models judge rows that they were not calibrated on: the last third is halved in time, each half is judged by a calibration on the other.
    /// </summary>
    /// <param name="set">The models.</param>
    /// <param name="inputs">The rows that they were trained on.</param>
    /// <param name="roleOf">As in training.</param>
    /// <param name="levelOf">Level at which rows of an input become alerts.</param>
    public static IReadOnlyList<HeldOutFigure> Measure(
        ModelSet set, IReadOnlyList<TrainingRows> inputs, Func<IpAddress, DeviceRole> roleOf, Func<ModelInput, double> levelOf)
    {
        var figures = new List<HeldOutFigure>();
        foreach (var (input, rows) in inputs)
        {
            foreach (var group in set.Entries.Where(e => e.Input == input).GroupBy(static e => e.Role))
            {
                var others = set.Entries.Where(e => e.Input == input && e.Role is not null).Select(static e => e.Role!.Value).ToHashSet();
                var held = Later(rows.Where(r => group.Key is { } role ? roleOf(r.Device) == role : !others.Contains(roleOf(r.Device))).ToList());
                if (held.Count < 2)
                    continue;
                var joint = CrossFitted([.. group.Select(static e => e.Model)], held);
                var level = levelOf(input);
                figures.Add(new HeldOutFigure(
                    input, group.First().RoleName, held.Count, joint.Count(static p => p <= 0.01) / (double)held.Count, joint.Count(p => p <= level), level * held.Count));
            }
        }

        return figures;
    }

    private static IEnumerable<ModelEntry> Train(TrainingRows input, Func<IpAddress, DeviceRole> roleOf, string source, string programVersion, ModelSet fallback)
    {
        var roles = input.Rows.GroupBy(r => roleOf(r.Device)).Where(static g => g.Key != DeviceRole.Unknown && g.Count() >= MinimumRoleRows).ToDictionary(static g => g.Key, static g => g.ToList());
        var rest = input.Rows.Where(r => !roles.ContainsKey(roleOf(r.Device))).ToList();
        foreach (var (role, rows) in roles.OrderBy(static r => r.Key))
        {
            foreach (var entry in Pair(input.Input, role, Earlier(rows), Later(rows), source, programVersion))
                yield return entry;
        }

        if (input.Rows.Count >= MinimumRows)
        {
            foreach (var entry in Pair(input.Input, null, Earlier(input.Rows), Later(rest.Count > 0 ? rest : input.Rows), source, programVersion))
                yield return entry;
        }
        else if (input.Rows.Count >= MinimumCalibrationRows)
        {
            foreach (var entry in fallback.Entries.Where(e => e.Input == input.Input && e.Role is null))
                yield return entry with { Model = Calibrated(entry.Model, input.Rows) };
        }
    }

    private static IEnumerable<ModelEntry> Pair(
        ModelInput input, DeviceRole? role, IReadOnlyList<SampledRow> earlier, IReadOnlyList<SampledRow> later, string source, string programVersion)
    {
        var schema = ModelInputs.SchemaOf(input);
        var training = new FeatureMatrix(schema.Columns.Select(static c => c.Name));
        foreach (var row in earlier)
            training.AddRow(row.Values);
        var about = new TrainingSchema(schema.Hash, [.. schema.Columns.Select(static c => c.Unit)], source, programVersion);
        foreach (var engine in Opinions)
        {
            var model = engine.Train(new TrainingTask { Rows = training, Parameters = engine.Complete() }, about);
            yield return new ModelEntry(input, role, engine.Name, Calibrated(model, later));
        }
    }

    private static AnomalyModel Calibrated(AnomalyModel model, IReadOnlyList<SampledRow> rows) => model.WithCalibration(Calibration.Fit(Scores(model, rows)));

    private static float[] Scores(AnomalyModel model, IReadOnlyList<SampledRow> rows)
    {
        var scores = new float[rows.Count];
        var values = new float[rows.Count * model.ColumnCount];
        for (var i = 0; i < rows.Count; i++)
            rows[i].Values.CopyTo(values, i * model.ColumnCount);
        model.Score(values, rows.Count, scores);
        return scores;
    }

    /// <summary>The joint p-values of rows, each half by a calibration on the other half.</summary>
    private static double[] CrossFitted(AnomalyModel[] opinions, IReadOnlyList<SampledRow> rows)
    {
        var joint = new double[rows.Count];
        var half = rows.Count / 2;
        foreach (var model in opinions)
        {
            var scores = Scores(model, rows);
            var (first, second) = (Calibration.Fit(scores.AsSpan(0, half)), Calibration.Fit(scores.AsSpan(half)));
            for (var i = 0; i < scores.Length; i++)
                joint[i] = Math.Max(joint[i], (i < half ? second : first).PValue(scores[i]));
        }

        return joint;
    }

    private static IReadOnlyList<SampledRow> Earlier(IReadOnlyList<SampledRow> rows) => [.. rows.Take(rows.Count * 2 / 3)];

    private static IReadOnlyList<SampledRow> Later(IReadOnlyList<SampledRow> rows) => [.. rows.Skip(rows.Count * 2 / 3)];
}
