using System.CommandLine;
using IoTGuard.Outputs;
using IoTGuard.Outputs.Syslog;
using IoTGuard.Pipeline;
using IoTGuard.Sites;

namespace IoTGuard.Commands;

/// <summary><c>iotguard learn</c>: builds or extends a site from benign captures.</summary>
internal static class LearnCommand
{
    public static Command Create()
    {
        var captures = CommonOptions.Captures();
        var site = new Option<string>("--site") { Description = "Folder of the site; made when it is missing, extended when it is there", HelpName = "DIR", Required = true };
        var workers = CommonOptions.Workers();
        var vlanAware = CommonOptions.VlanAware();
        var command = new Command("learn", """
            Learns what is normal at a site: devices and roles, who talks to whom and how, and the model's calibration.

            Examples:
              iotguard learn captures/hospital-benign.pcapng --site /var/lib/iotguard/site
              iotguard analyze captures/hospital-attacks.pcapng --site /var/lib/iotguard/site
            """)
        {
            captures, site, workers, vlanAware,
        };
        command.SetAction((parsed, cancellation) => Task.Run(
            () =>
            {
                var folder = new SiteFolder(parsed.GetValue(site)!);
                using var setup = RunSetup.ForLearning(parsed.GetValue(captures)!, folder, parsed.GetValue(workers), parsed.GetValue(vlanAware));
                using var outputs = new RunOutputs(null, null, null, setup.WithPseudonyms, new SyslogReceivers([]));
                var run = new AnalysisRun(setup, outputs);
                run.Execute(cancellation);
                new RunSummary(run, outputs.Alerts).PrintRead(Terminal.Output);
                var learned = setup.Site.Merge(run.Detector.Learn());
                folder.Save(learned);
                LearnSummary.Print(Terminal.Output, learned, folder.Path, "none");
                return outputs.Status(run, []);
            },
            CancellationToken.None));
        return command;
    }
}
