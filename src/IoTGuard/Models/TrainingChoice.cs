using System.Globalization;
using IoTGuard.Learning.Training;
using IoTGuard.Settings;

namespace IoTGuard.Models;

/// <summary>What to train and how: from a file of hyper-parameters and from the command line, which is stronger.</summary>
internal sealed record TrainingChoice(TrainingEngine Engine, IReadOnlyDictionary<string, double> Parameters, ulong Seed, int Folds)
{
    private const string DefaultEngine = "iforest";
    private const int DefaultFolds = 4;
    private const int MaximumFolds = 20;

    /// <summary>Reads the choice; ends the command when something in it is not usable.</summary>
    public static TrainingChoice Read(string? path, string[] settings, string? engineName, ulong? seed, int? folds)
    {
        var file = path is null ? null : YamlFile.Load(path);
        var chosen = FindEngine(engineName ?? file?.Root.Text("engine") ?? DefaultEngine, path);
        if (file is not null && chosen.Name != file.Root.Text("engine") && engineName is not null && file.Root.Find("engine") is not null)
            throw new UserException(ExitStatus.Unusable, $"{path} is for {file.Root.Text("engine")}, --engine says {engineName}; leave one of them out");
        var values = new Dictionary<string, double>(StringComparer.Ordinal);
        if (file is not null)
        {
            seed ??= (ulong?)file.Root.Number("seed", 0, ulong.MaxValue);
            folds ??= (int?)file.Root.Number("folds", 0, MaximumFolds);
            foreach (var parameter in chosen.Parameters)
            {
                if (file.Root.Number(parameter.Name, parameter.Least, parameter.Most) is { } value)
                    values[parameter.Name] = value;
            }

            file.Root.End();
            if (file.Faults.Count > 0)
                throw new UserException(ExitStatus.Unusable, file.Faults[0]);
        }

        foreach (var setting in settings)
        {
            if (setting.Split('=', 2) is not [var name, var text] || !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
                throw new UserException(ExitStatus.Unusable, $"--set takes NAME=VALUE with a number, such as --set {chosen.Parameters[0].Name}={chosen.Parameters[0].Default.ToString(CultureInfo.InvariantCulture)}; not {setting}");
            values[name] = value;
        }

        if (folds is < 0 or > MaximumFolds)
            throw new UserException(ExitStatus.Unusable, $"--folds takes a whole number from 0 to {MaximumFolds}");
        try
        {
            return new TrainingChoice(chosen, chosen.Complete(values), seed ?? 1, folds ?? DefaultFolds);
        }
        catch (ArgumentException e)
        {
            throw new UserException(ExitStatus.Unusable, e.Message.Split(" (Parameter")[0], e);
        }
    }

    private static TrainingEngine FindEngine(string name, string? path) => NamedPackages.Engines.FirstOrDefault(e => e.Name == name)
        ?? throw new UserException(
            ExitStatus.Unusable,
            $"there is no engine {name}{(path is null ? "" : $" ({path})")}; there are {string.Join(", ", NamedPackages.Engines.Select(e => e.Name))}{(name.StartsWith("mlnet-", StringComparison.Ordinal) && NamedPackages.ZipScorer is null ? " (this build has no ML.NET: build/setup-named-packages --again asks the package feed for it)" : "")}");
}
