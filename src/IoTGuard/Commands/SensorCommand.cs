using System.CommandLine;
using IoTGuard.Outputs;
using IoTGuard.Outputs.Syslog;
using IoTGuard.Pipeline;
using IoTGuard.Settings;

namespace IoTGuard.Commands;

/// <summary><c>iotguard sensor</c>: the live sensor.</summary>
internal static class SensorCommand
{
    public static Command Create()
    {
        var config = Text("--config", "Configuration file (YAML); options given here come before it", "FILE");
        var networkInterface = Text("--interface", "Interface that the mirror port is connected to", "IF");
        var site = Text("--site", "Learned site (default: the shipped one, which knows no devices)", "DIR");
        var filter = Text("--filter", "What to capture, in the syntax of tcpdump", "EXPRESSION");
        var user = Text("--user", "User to become once the capture rings are open", "NAME");
        var alerts = Text("--alerts", "Append alerts as JSON lines: opened, updated, closed (- = standard output)", "FILE");
        var transactions = Text("--transactions", "Append DICOM and HL7 transactions as JSON lines (- = standard output)", "FILE");
        var syslog = new Option<string[]>("--syslog") { Description = "Send alerts to a receiver: udp://host:514  tcp://host:601  tls://host:6514", HelpName = "URI" };
        var workers = Number("--workers", "Capture rings, each with a thread (default: the processors there are)", "N");
        var ringMegabytes = Number("--ring-megabytes", "Memory of each ring in megabytes (default: 64)", "N");
        var statistics = Number("--statistics-seconds", "Interval of the statistics line on standard error; 0 = only at the end (default: 60)", "N");
        var vlanAware = CommonOptions.VlanAware();
        var command = new Command("sensor", """
            Watches a mirror port until it is ended by SIGTERM or Ctrl-C. It never sends a packet there.

            Examples:
              sudo iotguard sensor --interface eth1 --site /var/lib/iotguard/site --syslog tls://siem.example:6514 --user iotguard
              sudo iotguard sensor --config /etc/iotguard/iotguard.yaml
            """)
        {
            config, networkInterface, site, filter, user, alerts, transactions, syslog, workers, ringMegabytes, statistics, vlanAware,
        };
        command.SetAction((parsed, cancellation) => Task.Run(
            () =>
            {
                var settings = parsed.GetValue(config) is { } file ? SensorSettings.Load(file) : new SensorSettings();
                settings.Interface = parsed.GetValue(networkInterface) ?? settings.Interface;
                settings.Site = parsed.GetValue(site) ?? settings.Site;
                settings.Filter = parsed.GetValue(filter) ?? settings.Filter;
                settings.User = parsed.GetValue(user) ?? settings.User;
                settings.Alerts = parsed.GetValue(alerts) ?? settings.Alerts;
                settings.Transactions = parsed.GetValue(transactions) ?? settings.Transactions;
                settings.Workers = parsed.GetValue(workers) ?? settings.Workers;
                settings.RingMegabytes = parsed.GetValue(ringMegabytes) ?? settings.RingMegabytes;
                settings.StatisticsSeconds = parsed.GetValue(statistics) ?? settings.StatisticsSeconds;
                settings.VlanAware |= parsed.GetValue(vlanAware);
                if (parsed.GetValue(syslog) is { Length: > 0 } receivers)
                    settings.Syslog = [.. receivers];
                settings.Validate("the options");
                using var run = SensorRun.Start(settings);
                return run.Execute(cancellation);
            },
            CancellationToken.None));
        return command;
    }

    private static Option<string?> Text(string name, string description, string value) => new(name) { Description = description, HelpName = value };

    private static Option<int?> Number(string name, string description, string value) => new(name) { Description = description, HelpName = value };
}
