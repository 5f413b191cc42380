using System.CommandLine;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Features;
using IoTGuard.Outputs;
using IoTGuard.Outputs.Delivery;
using IoTGuard.Outputs.Packets;
using IoTGuard.Outputs.Tables;
using IoTGuard.Pipeline;
using IoTGuard.Settings;
using IoTGuard.Sites.State;

namespace IoTGuard.Commands;

/// <summary><c>iotguard analyze</c>: captures → alerts, with a summary.</summary>
internal static class AnalyzeCommand
{
    public static Command Create()
    {
        var captures = CommonOptions.Captures();
        var site = new Option<string?>("--site") { Description = "Learned site (default: the shipped one, which knows no devices)", HelpName = "DIR" };
        var config = FileOption("--config", "Configuration file of the sensor: its site, policy, rules, vlan_aware, community_id_seed and evidence are taken; options given here come before it");
        var alerts = FileOption("--alerts", "Alerts, JSON lines (- = standard output)");
        var flows = FileOption("--flows", "One line per flow, all features, CSV with header; gzip when the name ends in .gz (- = standard output)");
        var windows = FileOption("--windows", "One line per device and window of time, all features, CSV with header (- = standard output)");
        var windowSeconds = WindowSeconds();
        var labels = FileOption("--labels", "What really happened, JSON lines: adds the scenario of each row to --flows and --windows");
        var transactions = FileOption("--transactions", "DICOM and HL7 transactions, JSON lines (- = standard output)");
        var syslog = CommonOptions.Syslog();
        var format = CommonOptions.Format();
        var (evidence, redact) = (CommonOptions.Evidence(), CommonOptions.Redact());
        var budget = CommonOptions.AlertBudget();
        var model = CommonOptions.Model();
        var capture = CommonOptions.Capture();
        var workers = CommonOptions.Workers();
        var vlanAware = CommonOptions.VlanAware();
        var communityIdSeed = CommonOptions.CommunityIdSeed();
        var command = new Command("analyze", """
            Reads captures (pcap, pcapng, gzip of either; - = standard input) and reports what was found.

            Examples:
              iotguard analyze captures/hospital-attacks.pcapng
              iotguard analyze captures/hospital-attacks.pcapng --flows flows.csv.gz --windows windows.csv.gz --labels captures/hospital-attacks.labels.jsonl
              iotguard analyze monday.pcapng.gz tuesday.pcapng.gz --site /var/lib/iotguard/site --alerts alerts.jsonl
              tcpdump -i eth1 -w - | iotguard analyze - --syslog tls://siem.example:6514
            """)
        {
            captures, site, config, alerts, flows, windows, windowSeconds, labels, transactions, syslog, format, evidence, redact, budget, model, capture, workers, vlanAware, communityIdSeed,
        };
        command.SetAction((parsed, cancellation) => Task.Run(
            () =>
            {
                string?[] toStandardOutput = [parsed.GetValue(alerts), parsed.GetValue(flows), parsed.GetValue(windows), parsed.GetValue(transactions)];
                if (toStandardOutput.Count(p => p == "-") > 1)
                    throw new UserException(ExitStatus.Unusable, "only one of --alerts, --flows, --windows and --transactions can be - (standard output); name a file for the others");
                var receivers = AlertOutputs.Checked(AlertOutputs.Parse(parsed.GetValue(syslog) ?? [], parsed.GetValue(format)));
                var settings = parsed.GetValue(config) is { } file ? new SettingSources(file, []).Load() : new SensorSettings();
                settings.CommunityIdSeed = parsed.GetValue(communityIdSeed) ?? settings.CommunityIdSeed;
                var seed = (ushort)settings.CommunityIdSeed;
                var folder = parsed.GetValue(site) ?? settings.Site;
                var own = SiteSettings.Load(folder, settings.Policy, settings.Rules);
                using var setup = RunSetup.ForCaptures(
                    parsed.GetValue(captures)!, CaptureLibrary.Find(parsed.GetValue(capture)), folder, parsed.GetValue(model) ?? settings.Model, parsed.GetValue(workers), parsed.GetValue(vlanAware) || settings.VlanAware, seed);
                var tables = new FeatureTables(new FeatureTableOptions(parsed.GetValue(flows), parsed.GetValue(windows), parsed.GetValue(windowSeconds), parsed.GetValue(labels), seed));
                var kept = settings.Evidence with { Directory = parsed.GetValue(evidence) ?? settings.Evidence.Directory, Redact = parsed.GetValue(redact) || settings.Evidence.Redact };
                using var collector = kept.Directory is null ? null : new EvidenceCollector(kept, setup.SensorOptions, sources: 1, isLive: false);
                using var outputs = new RunOutputs(
                    parsed.GetValue(alerts), tables, parsed.GetValue(transactions), setup.WithPseudonyms, AlertOutputs.ForCaptures(receivers), RunState.Open(folder), seed)
                {
                    Evidence = collector,
                };
                var detection = own.Apply(SensorConfiguration.DetectionOf(settings));
                if (parsed.GetValue(budget) is { } perDay)
                    detection = detection with { AlertBudgetPerDay = perDay };
                var run = new AnalysisRun(setup, outputs, detection);
                run.Execute(cancellation);
                return outputs.Finish(run);
            },
            CancellationToken.None));
        return command;
    }

    private static Option<int> WindowSeconds()
    {
        var option = new Option<int>("--window-seconds")
        {
            Description = "Length of the windows of --windows in seconds of packet time (default: 60)",
            HelpName = "N",
            DefaultValueFactory = _ => DeviceWindow.DefaultSeconds,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(int.TryParse(result.Tokens[^1].Value, out var seconds) && seconds is >= 1 and <= 86_400))
                result.AddError("--window-seconds takes a whole number from 1 to 86400");
        });
        return option;
    }

    private static Option<string?> FileOption(string name, string description) => new(name) { Description = description, HelpName = "FILE" };
}
