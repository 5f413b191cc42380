using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Wire.Network;

namespace IoTGuard.Sites;

/// <summary>The step of learning that makes models and puts them into the site's folder.</summary>
internal static class LearnedModels
{
    /// <summary>Makes a version of benign rows and uses it. Returns what became of it, for people.</summary>
    /// <param name="inputs">The rows: of flows, then of windows.</param>
    /// <param name="site">The site as it is learned now.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="paths">The captures or tables that they come from.</param>
    /// <param name="roleOf">Role of a device; where none has one, all share the same models.</param>
    /// <param name="budgetPerDay">Alerts a day that the card is written for.</param>
    /// <param name="asShadow">Whether the new models only look on.</param>
    public static string Make(IReadOnlyList<TrainingRows> inputs, Site site, SiteFolder folder, string[] paths, Func<IpAddress, DeviceRole> roleOf, double budgetPerDay, bool asShadow)
    {
        var store = folder.Models;
        var (current, own) = InUse(store);
        if (own is not null && RowsBehind(own) > 2 * inputs[0].Rows.Count)
            return ModelReport.Describe(null, null, inputs, $"version {current} is kept: it was made of more than twice as much");
        var source = string.Join(", ", paths.Select(Path.GetFileName));
        var set = SiteTrainer.Train(inputs, roleOf, source, ProgramVersion.Text, own ?? InUse(ShippedSite.Store).Set ?? ModelSet.Empty);
        if (set is null)
        {
            var reason = own is null ? "none, so that models are silent" : $"version {current} is kept";
            return ModelReport.Describe(null, null, inputs, $"{reason}: {SiteTrainer.MinimumRows} flows or windows are needed to train, {SiteTrainer.MinimumCalibrationRows} to calibrate");
        }

        // What this run saw too little of to train on keeps the models that there are.
        if (own is not null)
            set = set with { Entries = [.. set.Entries, .. own.Entries.Where(e => set.Entries.All(s => s.Input != e.Input))] };
        var budget = Math.Max(budgetPerDay, 1e-6);
        var levels = AlertLevels.Of(budget, site, set.Entries.Any(static e => e.Input == ModelInput.Windows));
        var figures = SiteTrainer.Measure(set, inputs, roleOf, levels.Of);
        var version = store.Add(set, ModelReport.Card(set, figures, levels, budgetPerDay, site.ScoredFlowsPerHour * 24, site.ScoredWindowsPerHour * 24));
        if (asShadow && own is not null)
            store.Shadow(version);
        else
            store.Promote(version);
        return ModelReport.Describe(version, set, inputs, "") + ModelReport.Reach(set, levels, budgetPerDay) + (asShadow && own is not null ? $"; looks on beside version {current}" : "");
    }

    /// <summary>The version in use and its models; none when they cannot be used, such as those of an earlier schema: then new ones take their place.</summary>
    private static (string? Version, ModelSet? Set) InUse(ModelStore store)
    {
        try
        {
            return store.Pointer().Active is { } version ? (version, store.Load(version)) : (null, null);
        }
        catch (UserException)
        {
            return (null, null);
        }
    }

    /// <summary>Flows that the models were trained on and calibrated with.</summary>
    private static int RowsBehind(ModelSet set) =>
        set.Entries.Where(static e => e.Input == ModelInput.Flows && e.Role is null).Select(static e => (e.Model.Info.Training?.Rows ?? 0) + (e.Model.Calibration?.SampleCount ?? 0)).DefaultIfEmpty().Max();
}
