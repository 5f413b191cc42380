using System.CommandLine;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Outputs;
using IoTGuard.Outputs.Delivery;
using IoTGuard.Outputs.Tables;
using IoTGuard.Pipeline;
using IoTGuard.Settings;
using IoTGuard.Sites;
using IoTGuard.Sites.State;
using IoTGuard.Wire.Network;

namespace IoTGuard.Commands;

/// <summary><c>iotguard learn</c>: builds or extends a site from benign captures.</summary>
internal static class LearnCommand
{
    /// <summary>Most flows, and windows, kept for training, a uniform sample beyond that; 250 bytes each.</summary>
    private const int TrainingRows = 50_000;

    public static Command Create()
    {
        var captures = CommonOptions.Captures(required: false);
        var site = new Option<string>("--site") { Description = "Folder of the site; made when it is missing, extended when it is there", HelpName = "DIR", Required = true };
        var modelOnly = new Option<bool>("--model-only") { Description = "Keep the models, nothing about devices: they help sites that have seen little yet" };
        var shadow = new Option<bool>("--shadow") { Description = "Let the new models look on beside those in use, without raising alerts, until they are promoted" };
        var report = new Option<bool>("--report") { Description = "Print what the site knows as Markdown, to be read and corrected; with captures, after learning from them" };
        var forget = new Option<string[]>("--forget") { Description = "Take back what the report lists: an address of a device, or the number of a line", HelpName = "WHAT" };
        var budget = CommonOptions.AlertBudget();
        var workers = CommonOptions.Workers();
        var vlanAware = CommonOptions.VlanAware();
        var command = new Command("learn", """
            Learns what is normal at a site: devices and roles, who talks to whom and how, and the model's calibration.
            From tables of 'iotguard analyze --flows' and '--windows' (.csv, .csv.gz) it learns models and calibration only.

            Examples:
              iotguard learn captures/hospital-benign.pcapng --site /var/lib/iotguard/site
              iotguard learn flows.csv.gz windows.csv.gz --site /var/lib/iotguard/site
              iotguard learn --site /var/lib/iotguard/site --report > learned.md
              iotguard learn --site /var/lib/iotguard/site --forget 10.20.30.99 --forget 5f3a01c2
            """)
        {
            captures, site, modelOnly, shadow, report, forget, budget, workers, vlanAware,
        };
        command.SetAction((parsed, cancellation) => Task.Run(
            () =>
            {
                Capture.Privileges.RestrictNewFiles();
                var folder = new SiteFolder(parsed.GetValue(site)!);
                var paths = parsed.GetValue(captures)!;
                if (parsed.GetValue(forget) is { Length: > 0 } unwanted)
                    return Forget(folder, unwanted, paths);
                if (paths.Length == 0 && parsed.GetValue(report))
                {
                    Console.Out.Write(LearnReport.Write(folder.Load(), folder));
                    return ExitStatus.Done;
                }

                if (paths.Length == 0)
                    throw new UserException(ExitStatus.Unusable, "learn needs captures to learn from, or --report or --forget; see 'iotguard learn --help'");
                var budgetPerDay = parsed.GetValue(budget) ?? DetectorOptions.DefaultAlertBudgetPerDay;
                if (paths.Any(LearnedTables.IsTable))
                    return FromTables(paths, folder, budgetPerDay, parsed.GetValue(shadow));
                var own = SiteSettings.Load(folder.Exists ? folder.Path : null);
                var (threads, byVlan, onlyModel) = (parsed.GetValue(workers), parsed.GetValue(vlanAware), parsed.GetValue(modelOnly));
                using var setup = onlyModel ? RunSetup.ForModel(paths, threads, byVlan) : RunSetup.ForLearning(paths, folder, threads, byVlan);
                using var outputs = new RunOutputs(null, FeatureTables.None, null, setup.WithPseudonyms, AlertOutputs.ForCaptures([]));
                var run = new AnalysisRun(setup, outputs, own.Apply(new DetectorOptions { TrainingRows = TrainingRows }));
                run.Execute(cancellation);
                var console = parsed.GetValue(report) ? Terminal.Error : Terminal.Output;
                new RunSummary(run, outputs.Alerts).PrintRead(console);

                var taught = run.Detector.Learn();
                var learned = onlyModel
                    ? new Site { ScoredFlowsPerHour = taught.ScoredFlowsPerHour, ScoredWindowsPerHour = taught.ScoredWindowsPerHour }
                    : setup.Site.Merge(taught);
                if (!onlyModel)
                    folder.Save(learned);
                Func<IpAddress, DeviceRole> roleOf = onlyModel ? static _ => DeviceRole.Unknown : run.Detector.RoleOf;
                var models = LearnedModels.Make(run.Detector.TrainingRows(), learned, folder, paths, roleOf, budgetPerDay, parsed.GetValue(shadow));
                var losses = onlyModel ? null : Remember(folder.Path, run);
                LearnSummary.Print(console, learned, folder.Path, models);
                if (parsed.GetValue(report))
                    Console.Out.Write(LearnReport.Write(learned, folder));
                return outputs.Status(run, losses is null ? [] : [losses]);
            },
            CancellationToken.None));
        return command;
    }

    private static int FromTables(string[] paths, SiteFolder folder, double budgetPerDay, bool asShadow)
    {
        if (paths.FirstOrDefault(static p => !LearnedTables.IsTable(p)) is { } capture)
            throw new UserException(ExitStatus.Unusable, $"{capture} is no table; learn from captures and from tables in commands of their own");
        var (inputs, taught) = LearnedTables.Read(paths, TrainingRows);
        var learned = folder.Exists ? folder.Load().Merge(taught) : taught;
        folder.Save(learned);
        var models = LearnedModels.Make(inputs, learned, folder, paths, static _ => DeviceRole.Unknown, budgetPerDay, asShadow);
        LearnSummary.Print(Terminal.Output, learned, folder.Path, learned.IsLearned ? models : $"{models}. They speak once the site has learned its devices from captures");
        return ExitStatus.Done;
    }

    private static int Forget(SiteFolder folder, string[] unwanted, string[] paths)
    {
        if (paths.Length > 0)
            throw new UserException(ExitStatus.Unusable, "--forget works on a site as it is; learn from captures in a command of its own");
        var site = folder.Load();
        foreach (var what in unwanted)
            site = LearnReport.Without(site, what) ?? throw new UserException(ExitStatus.Unusable, $"the site {folder.Path} knows no device or line {what}; 'iotguard learn --site {folder.Path} --report' lists them");
        folder.Save(site);
        Console.Out.WriteLine($"Forgotten: {string.Join(", ", unwanted)}. The site knows {RunSummary.Number(site.Devices.Count)} devices and {RunSummary.Number(site.Facts.Count)} facts.");
        return ExitStatus.Done;
    }

    /// <summary>Takes the devices into the state of the site. What was found while learning is no news and stays out.</summary>
    private static string? Remember(string folder, AnalysisRun run)
    {
        using var state = RunState.Open(folder);
        return state.Save([], run.Detector.Devices.Devices, run.FirstNs);
    }
}
