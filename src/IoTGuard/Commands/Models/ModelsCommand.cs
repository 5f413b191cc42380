using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using IoTGuard.Analysis.Features;
using IoTGuard.Learning;
using IoTGuard.Models;
using IoTGuard.Outputs;
using IoTGuard.Sites;
using Spectre.Console;

namespace IoTGuard.Commands.Models;

/// <summary><c>iotguard models</c>: the versions of a site's models, side by side; which is used, and how they compare.</summary>
internal static class ModelsCommand
{
    public static Command Create() => new("models", """
        Versions of a site's models: list, look into, compare, choose.

        A version is never changed. One small file says which version is active, which is the shadow (it scores and does not alert) and which was
        active before; promoting and rolling back replace that file in one step, and a running sensor takes the choice up within seconds.

        Examples:
          iotguard models list --site /var/lib/iotguard/site
          iotguard models add model.onnx --site /var/lib/iotguard/site --shadow
          iotguard models compare 0001 0002 --site /var/lib/iotguard/site --data flows.csv
          iotguard models promote 0002 --site /var/lib/iotguard/site
        """)
    {
        List(), Show(), Add(), CompareModels.Create(), DriftOfModel.Create(), Promote(), RollBack(), Shadow(),
    };

    private static Command List()
    {
        var (site, format) = (ListOptions.Site(), ListOptions.Format());
        var command = new Command("list", """
            Lists the versions: which is used how, and what is in it.

            Example:
              iotguard models list --site /var/lib/iotguard/site
            """)
        {
            site, format,
        };
        command.SetAction(parsed =>
        {
            var store = ModelReference.StoreOf(parsed.GetValue(site)!);
            var pointer = store.Pointer();
            var rows = store.Versions().SelectMany(version => store.Load(version).Entries.Select(entry => Describe(version, pointer, entry))).ToList();
            ModelList.Write(parsed.GetValue(format), ["version", "state", "model", "engine", "trained", "calibrated", "seed", "source"], rows);
            if (rows.Count == 0 && parsed.GetValue(format) == ListFormat.Table)
                Terminal.Output.WriteLine($"no versions in {store.Folder}; 'iotguard learn' makes one, 'iotguard models add' takes a trained one");
            return ExitStatus.Done;
        });
        return command;
    }

    private static string[] Describe(string version, ModelPointer pointer, ModelEntry entry)
    {
        var training = entry.Model.Info.Training;
        return
        [
            version, StateOf(version, pointer), Path.GetFileNameWithoutExtension(entry.FileName), training?.Engine ?? "-",
            training?.Rows.ToString(CultureInfo.InvariantCulture) ?? "-", entry.Model.Calibration?.SampleCount.ToString(CultureInfo.InvariantCulture) ?? "-",
            training?.Seed.ToString(CultureInfo.InvariantCulture) ?? "-", training?.Source ?? "-",
        ];
    }

    private static string StateOf(string version, ModelPointer pointer) =>
        version == pointer.Active ? "active" : version == pointer.Shadow ? "shadow" : version == pointer.Previous ? "previous" : "";

    private static Command Show()
    {
        var name = new Argument<string>("MODEL") { Description = "An .onnx file, or a version of the site" };
        var site = ListOptions.Text("--site", "Folder of the site whose version is meant", "DIR");
        var json = new Option<bool>("--json") { Description = "As JSON" };
        var command = new Command("show", """
            Shows what a model says about itself: training, calibration, features with their usual range.

            Examples:
              iotguard models show model.onnx
              iotguard models show 0002 --site /var/lib/iotguard/site
            """)
        {
            name, site, json,
        };
        command.SetAction(parsed =>
        {
            var models = ModelReference.Find(parsed.GetValue(name)!, parsed.GetValue(site));
            foreach (var (title, model) in models)
            {
                var card = ModelCard.Of(model, title, "");
                if (parsed.GetValue(json))
                {
                    using var stream = Console.OpenStandardOutput();
                    card.WriteJson(stream);
                    stream.WriteByte((byte)'\n');
                }
                else
                {
                    Print(title, model);
                }
            }

            return ExitStatus.Done;
        });
        return command;
    }

    private static void Print(string title, AnomalyModel model)
    {
        var console = Terminal.Output;
        console.WriteLine(title);
        console.WriteLine($"  Engine      {ModelTables.Engine(model)}");
        if (model.Info.Training is { } training)
            console.WriteLine(FormattableString.Invariant($"  Trained on  {training.Source}: {training.Rows:N0} rows, seed {training.Seed}"));
        console.WriteLine(model.Calibration is { } calibration
            ? FormattableString.Invariant($"  Calibrated  {calibration.SampleCount:N0} rows; p ≤ 0.01 at {Reached(0.01)}, p ≤ 0.001 at {Reached(0.001)}")
            : "  Calibrated  no: it ranks rows and has no p-values");

        string Reached(double p) => model.Calibration.ScoreAt(p) is var score && float.IsFinite(score) ? ModelTables.Number(score) : "no score";
        console.WriteLine($"  Explains    {(model.CanExplain ? "yes, per feature" : "no")}");
        console.WriteLine($"  Schema      {(model.Info.SchemaHash.Length == 0 ? "not said" : model.Info.SchemaHash)}");
        console.WriteLine($"  Written by  {(model.Info.ProgramVersion.Length == 0 ? "another program" : $"IoTGuard {model.Info.ProgramVersion}")}");
        console.WriteLine();
        var table = Terminal.Table("Feature", "Unit", "1 %", "Median", "99 %");
        foreach (var feature in model.Info.Features)
        {
            table.AddRow(
                new Text(feature.Name), new Text(feature.Unit == "1" ? "" : feature.Unit),
                new Text(ModelTables.Number(feature.Low)).RightJustified(), new Text(ModelTables.Number(feature.Median)).RightJustified(), new Text(ModelTables.Number(feature.High)).RightJustified());
        }

        console.Write(table);
    }

    private static Command Add()
    {
        var files = new Argument<string[]>("MODEL") { Description = "Models of 'iotguard train', or made elsewhere", Arity = ArgumentArity.OneOrMore };
        var site = ListOptions.Site();
        var promote = new Option<bool>("--promote") { Description = "Make the new version the active one" };
        var shadow = new Option<bool>("--shadow") { Description = "Make the new version the shadow: it scores, and its differences are reported, without alerts" };
        var beside = new Option<bool>("--beside") { Description = "One more opinion: a row is rare only when the models of the active version say so too" };
        var command = new Command("add", """
            Takes trained models into a site as a new version. They judge in place of what the active version says about the same rows, flows or windows;
            what it says about the others comes along. With --beside they are one more opinion instead.

            A model must read the features of this program and be calibrated. It is checked, and not used until it is promoted or made the shadow.

            Examples:
              iotguard models add model.onnx --site /var/lib/iotguard/site --shadow
              iotguard models promote 0002 --site /var/lib/iotguard/site
            """)
        {
            files, site, promote, shadow, beside,
        };
        command.SetAction(parsed =>
        {
            var store = ModelReference.StoreOf(parsed.GetValue(site)!);
            if (parsed.GetValue(promote) && parsed.GetValue(shadow))
                throw new UserException(ExitStatus.Unusable, "a version is promoted or made the shadow, not both");
            var paths = parsed.GetValue(files)!;
            var models = paths.Select(p => (Path: p, Model: ModelFiles.Load(p))).ToList();
            List<ModelEntry> added = [.. models.Select(m => EntryOf(m.Path, m.Model))];
            var set = store.Pointer().Active is { } active ? store.Load(active) : ModelSet.Empty;
            if (!parsed.GetValue(beside))
                set = set with { Entries = [.. set.Entries.Where(e => !added.Exists(a => a.Input == e.Input))] };
            foreach (var entry in added)
                set = set.WithForAllRoles(entry);
            set = set with { Source = string.Join(", ", models.Select(m => m.Model.Info.Training?.Source ?? Path.GetFileName(m.Path)).Distinct(StringComparer.Ordinal)) };
            var version = store.Add(set, CardOf(models));
            if (parsed.GetValue(promote))
                store.Promote(version);
            if (parsed.GetValue(shadow))
                store.Shadow(version);
            var state = parsed.GetValue(promote) ? "active" : parsed.GetValue(shadow) ? "the shadow" : "not used yet: promote it, or make it the shadow";
            Terminal.Output.WriteLine($"Version {version}: {string.Join(", ", set.Entries.Select(e => Path.GetFileNameWithoutExtension(e.FileName)))}; {state}");
            return ExitStatus.Done;
        });
        return command;
    }

    private static ModelEntry EntryOf(string path, AnomalyModel model)
    {
        var inputs = Enum.GetValues<ModelInput>();
        if (inputs.Where(i => ModelInputs.SchemaOf(i).Hash == model.Info.SchemaHash).Take(1).ToList() is not [var input])
        {
            throw new UserException(
                ExitStatus.Unusable,
                $"{path} reads feature schema {(model.Info.SchemaHash.Length == 0 ? "that it does not name" : model.Info.SchemaHash[..Math.Min(12, model.Info.SchemaHash.Length)])}; this program makes {string.Join(", ", inputs.Select(i => $"{ModelInputs.SchemaOf(i).Name} {ModelInputs.SchemaOf(i).Hash[..12]}"))}: train it on a table of this version");
        }

        if (model.Calibration is null)
            throw new UserException(ExitStatus.Unusable, $"{path} is not calibrated, so nobody knows which scores are rare; train it with 'iotguard train'");
        var opinion = string.Concat((model.Info.Training?.Engine is { Length: > 0 } engine ? engine : Path.GetFileNameWithoutExtension(path)).Select(c => char.IsAsciiLetterOrDigit(c) || c == '-' ? c : '-'));
        return new ModelEntry(input, null, opinion, model);
    }

    /// <summary>The cards that lie beside the models, or what the models say about themselves.</summary>
    private static string CardOf(IEnumerable<(string Path, AnomalyModel Model)> models)
    {
        using var text = new StringWriter { NewLine = "\n" };
        foreach (var (path, model) in models)
        {
            var card = Path.ChangeExtension(path, ".card.md");
            if (File.Exists(card))
                text.Write(File.ReadAllText(card) + "\n");
            else
                ModelCard.Of(model, Path.GetFileNameWithoutExtension(path), "Made elsewhere.").WriteMarkdown(text);
        }

        return text.ToString();
    }

    private static Command Promote()
    {
        var (version, site) = (new Argument<string>("VERSION") { Description = "Version of 'iotguard models list'" }, ListOptions.Site());
        var command = new Command("promote", """
            Makes a version the active one, in one step. 'iotguard models rollback' takes it back.

            Example:
              iotguard models promote 0002 --site /var/lib/iotguard/site
            """)
        {
            version, site,
        };
        command.SetAction(parsed => Say(ModelReference.StoreOf(parsed.GetValue(site)!).Promote(parsed.GetValue(version)!)));
        return command;
    }

    private static Command RollBack()
    {
        var site = ListOptions.Site();
        var command = new Command("rollback", """
            Makes the version active that was it before, in one step.

            Example:
              iotguard models rollback --site /var/lib/iotguard/site
            """)
        {
            site,
        };
        command.SetAction(parsed => Say(ModelReference.StoreOf(parsed.GetValue(site)!).RollBack()));
        return command;
    }

    private static Command Shadow()
    {
        var (version, site) = (new Argument<string>("VERSION") { Description = "Version of 'iotguard models list'; none = no shadow" }, ListOptions.Site());
        var command = new Command("shadow", """
            Makes a version the shadow: the sensor scores with it too, reports where it differs, and raises no alerts for it.

            Examples:
              iotguard models shadow 0002 --site /var/lib/iotguard/site
              iotguard models shadow none --site /var/lib/iotguard/site
            """)
        {
            version, site,
        };
        command.SetAction(parsed =>
        {
            var name = parsed.GetValue(version)!;
            return Say(ModelReference.StoreOf(parsed.GetValue(site)!).Shadow(name == "none" ? null : name));
        });
        return command;
    }

    private static int Say(ModelPointer pointer)
    {
        Terminal.Output.WriteLine($"active {pointer.Active ?? "none"}, shadow {pointer.Shadow ?? "none"}, previous {pointer.Previous ?? "none"}");
        return ExitStatus.Done;
    }
}
