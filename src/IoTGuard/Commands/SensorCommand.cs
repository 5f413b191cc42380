using System.CommandLine;
using IoTGuard.Pipeline;

namespace IoTGuard.Commands;

/// <summary><c>iotguard sensor</c>: the live sensor.</summary>
internal static class SensorCommand
{
    public static Command Create()
    {
        var command = new Command("sensor", """
            Watches a mirror port until it is ended by SIGTERM or Ctrl-C. It never sends a packet there. SIGHUP reads the configuration, the
            site, its policy and rules again, without losing a packet; what cannot be used is refused, and the old stays.
            All settings, also those that are no options, stand in the file that 'iotguard config example' prints.

            Examples:
              sudo iotguard sensor --interface eth1 --site /var/lib/iotguard/site --syslog tls://siem.example:6514 --user iotguard
              sudo iotguard sensor --config /etc/iotguard/iotguard.yaml
            """);
        var options = new SettingOptions(command);
        command.SetAction((parsed, cancellation) => Task.Run(
            () =>
            {
                using var run = SensorRun.Start(options.Sources(parsed));
                return run.Execute(cancellation);
            },
            CancellationToken.None));
        return command;
    }
}
