using System.CommandLine;
using System.Globalization;
using IoTGuard.Analysis.Rules;
using IoTGuard.Outputs;
using IoTGuard.Outputs.Delivery;
using IoTGuard.Settings;
using Spectre.Console;

namespace IoTGuard.Commands;

/// <summary><c>iotguard config</c>: what stands in configuration files, before anything runs with it.</summary>
internal static class ConfigCommand
{
    public static Command Create() => new("config", """
        Checks and shows settings: the sensor's configuration, and the site's policy.yaml and rules.yaml.

        Examples:
          iotguard config check --config /etc/iotguard/iotguard.yaml
          iotguard config show --config /etc/iotguard/iotguard.yaml --workers 4
          iotguard config example > iotguard.yaml
        """)
    {
        Check(), Show(), Example(),
    };

    private static Command Example()
    {
        var command = new Command("example", "Prints a configuration file of the sensor with every setting, its meaning, unit and default, all commented out.");
        command.SetAction(_ =>
        {
            Console.Out.Write(ExampleFile.Text());
            return ExitStatus.Done;
        });
        return command;
    }

    private static Command Check()
    {
        var command = new Command("check", """
            Reads all settings of the sensor and the site's policy and rules, and says everything that is wrong with them: which file, which line,
            what to do. Exit status 2 when something is.

            Examples:
              iotguard config check --config /etc/iotguard/iotguard.yaml
              iotguard config check --site /var/lib/iotguard/site
            """);
        var options = new SettingOptions(command);
        command.SetAction(parsed =>
        {
            var faults = new List<string>();
            var sources = options.Sources(parsed);
            var settings = Try(() => sources.Read(faults), faults) ?? new SensorSettings();
            var own = Try(() => SettingsOf(settings), faults) ?? SiteSettings.None;
            faults.AddRange(own.Faults);
            Try(() => OutputsOf(settings), faults);
            foreach (var note in own.Rules.Notes)
                Console.Out.WriteLine("note: " + note);
            foreach (var fault in faults)
                Console.Error.WriteLine("iotguard: " + fault);
            if (faults.Count > 0)
                return ExitStatus.Unusable;
            if (sources.File is { } read)
                Console.Out.WriteLine($"ok       {read}");
            Tell(own.Policy.Path, PolicyFile.FileName, $"{own.Policy.Policy.Zones.Count} zones, {own.Policy.Policy.Traffic.Count} lines of traffic, {own.Policy.Thresholds.Count} thresholds");
            Tell(own.Rules.Path, RulesFile.FileName, $"{own.Rules.Rules.Count} rules");
            return ExitStatus.Done;
        });
        return command;

        static void Tell(string? path, string name, string text) => Console.Out.WriteLine(path is null ? $"absent   {name}" : $"ok       {path}: {text}");
    }

    private static Command Show()
    {
        var command = new Command("show", """
            Shows every setting that is in force, and where it comes from: default, file with line, environment, command line.

            Example:
              iotguard config show --config /etc/iotguard/iotguard.yaml --workers 4
            """);
        var options = new SettingOptions(command);
        command.SetAction(parsed =>
        {
            var settings = options.Sources(parsed).Load();
            var own = SiteSettings.Load(settings.Site, settings.Policy, settings.Rules);
            var console = Terminal.Output;
            var table = Terminal.Table("Setting", "Value", "From");
            table.Columns[1].NoWrap = table.Columns[2].NoWrap = false;
            foreach (var setting in SettingTable.All)
                Row(setting.Key, setting.Show(settings), settings.OriginOf(setting));
            foreach (var zone in own.Policy.Policy.Zones)
                Row($"zone {zone.Name}", string.Join(' ', zone.Networks), own.Policy.Path!);
            foreach (var traffic in own.Policy.Policy.Traffic)
            {
                Row("traffic", $"{string.Join(',', traffic.From)} to {string.Join(',', traffic.To)}: {(traffic.IsAllowed ? "allow" : "deny")} {(traffic.Services.Count == 0 ? "everything" : string.Join(' ', traffic.Services))}",
                    own.Policy.Path!);
            }

            Row("traffic of other zones", own.Policy.Policy.AllowsByDefault ? "allow" : "deny", own.Policy.Path ?? "default");
            Row("inside networks", string.Join(' ', own.Policy.Inside.Select(n => n.ToString()).Prepend("private addresses")), own.Policy.Path ?? "default");
            Row("scanners", own.Policy.Scanners.Count == 0 ? "none" : string.Join(' ', own.Policy.Scanners), own.Policy.Path ?? "default");
            foreach (var rule in RuleTable.Rules)
            {
                foreach (var threshold in rule.Thresholds)
                {
                    var name = $"{rule.Id}.{threshold.Name}";
                    var unit = threshold.Unit == "1" ? "" : " " + threshold.Unit;
                    if (own.Policy.Thresholds.TryGetValue(name, out var set))
                        Row(name, set.Value.ToString(CultureInfo.InvariantCulture) + unit, $"{own.Policy.Path}, line {set.Line}");
                    else
                        Row(name, threshold.Value.ToString(CultureInfo.InvariantCulture) + unit, "default");
                }
            }

            foreach (var rule in own.Rules.Rules)
                Row($"rule {rule.Rule.Id}", $"{rule.Rule.Title} (severity {rule.Rule.Severity}, over {rule.Source.ToString().ToLowerInvariant()}s)", own.Rules.Path!);
            console.Write(table);
            return ExitStatus.Done;

            void Row(string name, string value, string from) => table.AddRow(new Text(name), new Text(value), new Text(from));
        });
        return command;
    }

    /// <summary>Addresses have their place in the configuration; files that they name are found when all are understood.</summary>
    private static IReadOnlyList<OutputSettings> OutputsOf(SensorSettings settings)
    {
        try
        {
            AlertOutputs.Parse(settings.Syslog, settings.Format);
        }
        catch (UserException e)
        {
            var syslog = SettingTable.All.First(static s => s.Key == "syslog");
            throw new UserException(e.ExitStatus, $"{settings.OriginOf(syslog)}: {e.Message}; docs/outputs.md lists addresses and options", e);
        }

        return AlertOutputs.SettingsOf(settings);
    }

    private static SiteSettings SettingsOf(SensorSettings settings)
    {
        if (settings.Site is not null)
            Sites.SiteFolder.RequireFolder(settings.Site);
        return SiteSettings.Read(settings.Site, settings.Policy, settings.Rules);
    }

    private static T? Try<T>(Func<T> read, List<string> faults)
        where T : class
    {
        try
        {
            return read();
        }
        catch (UserException e)
        {
            faults.Add(e.Message);
            return null;
        }
    }
}
