using System.CommandLine;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Features;
using IoTGuard.Outputs;
using IoTGuard.Outputs.Syslog;
using IoTGuard.Pipeline;
using IoTGuard.Sites;
using IoTGuard.Sites.State;

namespace IoTGuard.Commands;

/// <summary><c>iotguard learn</c>: builds or extends a site from benign captures.</summary>
internal static class LearnCommand
{
    /// <summary>Most flows kept for training, a uniform sample beyond that; 200 bytes each.</summary>
    private const int TrainingRows = 50_000;

    public static Command Create()
    {
        var captures = CommonOptions.Captures();
        var site = new Option<string>("--site") { Description = "Folder of the site; made when it is missing, extended when it is there", HelpName = "DIR", Required = true };
        var modelOnly = new Option<bool>("--model-only") { Description = "Keep the model and its calibration, nothing about devices: for sites that have learned nothing yet" };
        var workers = CommonOptions.Workers();
        var vlanAware = CommonOptions.VlanAware();
        var command = new Command("learn", """
            Learns what is normal at a site: devices and roles, who talks to whom and how, and the model's calibration.

            Examples:
              iotguard learn captures/hospital-benign.pcapng --site /var/lib/iotguard/site
              iotguard analyze captures/hospital-attacks.pcapng --site /var/lib/iotguard/site
            """)
        {
            captures, site, modelOnly, workers, vlanAware,
        };
        command.SetAction((parsed, cancellation) => Task.Run(
            () =>
            {
                var folder = new SiteFolder(parsed.GetValue(site)!);
                var paths = parsed.GetValue(captures)!;
                var (threads, byVlan, onlyModel) = (parsed.GetValue(workers), parsed.GetValue(vlanAware), parsed.GetValue(modelOnly));
                using var setup = onlyModel ? RunSetup.ForModel(paths, threads, byVlan) : RunSetup.ForLearning(paths, folder, threads, byVlan);
                using var outputs = new RunOutputs(null, null, null, setup.WithPseudonyms, new SyslogReceivers([]));
                var run = new AnalysisRun(setup, outputs, new DetectorOptions { TrainingRows = TrainingRows });
                run.Execute(cancellation);
                new RunSummary(run, outputs.Alerts).PrintRead(Terminal.Output);

                var taught = run.Detector.Learn();
                var learned = onlyModel ? new Site { ScoredFlowsPerHour = taught.ScoredFlowsPerHour } : setup.Site.Merge(taught);
                var sample = run.Detector.Sample;
                var model = FlowModel.Train(sample.Rows(), string.Join(", ", paths.Select(Path.GetFileName)), ProgramVersion.Text);
                if (model is not null)
                    learned = learned.WithModel(model.Save());
                folder.Save(learned);
                var losses = onlyModel ? null : Remember(folder.Path, run);
                if (model is not null)
                    folder.SaveText("model.md", ModelReport.Card(model, learned.ScoredFlowsPerHour));
                LearnSummary.Print(Terminal.Output, learned, folder.Path, ModelReport.Describe(model, sample));
                return outputs.Status(run, losses is null ? [] : [losses]);
            },
            CancellationToken.None));
        return command;
    }

    /// <summary>Takes the devices into the state of the site. What was found while learning is no news and stays out.</summary>
    private static string? Remember(string folder, AnalysisRun run)
    {
        using var state = RunState.Open(folder);
        return state.Save([], run.Detector.Devices.Devices, run.FirstNs);
    }
}
