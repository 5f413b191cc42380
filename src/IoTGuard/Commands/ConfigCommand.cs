using System.CommandLine;
using System.Globalization;
using IoTGuard.Analysis.Rules;
using IoTGuard.Outputs;
using IoTGuard.Settings;
using Spectre.Console;

namespace IoTGuard.Commands;

/// <summary><c>iotguard config</c>: what stands in configuration files, before anything runs with it.</summary>
internal static class ConfigCommand
{
    public static Command Create() => new("config", """
        Checks and shows settings: the sensor's configuration, and the site's policy.yaml and rules.yaml.

        Examples:
          iotguard config check --site /var/lib/iotguard/site --config /etc/iotguard/iotguard.yaml
          iotguard config show --site /var/lib/iotguard/site
        """)
    {
        Check(), Show(),
    };

    private static Option<string?> SiteOption() => ListOptions.Text("--site", "Folder of the site, whose policy.yaml and rules.yaml are read", "DIR");

    private static Option<string?> ConfigOption() => ListOptions.Text("--config", "Configuration file of the sensor", "FILE");

    private static Command Check()
    {
        var (site, config) = (SiteOption(), ConfigOption());
        var command = new Command("check", """
            Reads all settings and says everything that is wrong with them: which file, which line, what to do. Exit status 2 when something is.

            Example:
              iotguard config check --site /var/lib/iotguard/site
            """)
        {
            site, config,
        };
        command.SetAction(parsed =>
        {
            var faults = new List<string>();
            var settings = parsed.GetValue(config) is { } file ? Try(() => SensorSettings.Load(file), faults) : null;
            var own = Try(() => SettingsOf(parsed.GetValue(site), settings), faults) ?? SiteSettings.None;
            faults.AddRange(own.Faults);
            if (settings is not null)
                Try(() => new Outputs.Syslog.SyslogReceivers(settings.Syslog).Complete(), faults);
            foreach (var note in own.Rules.Notes)
                Console.Out.WriteLine("note: " + note);
            foreach (var fault in faults)
                Console.Error.WriteLine("iotguard: " + fault);
            if (faults.Count > 0)
                return ExitStatus.Unusable;
            if (parsed.GetValue(config) is { } read)
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
        var (site, config) = (SiteOption(), ConfigOption());
        var command = new Command("show", """
            Shows every setting that is in force, and where it comes from.

            Example:
              iotguard config show --site /var/lib/iotguard/site --config /etc/iotguard/iotguard.yaml
            """)
        {
            site, config,
        };
        command.SetAction(parsed =>
        {
            var file = parsed.GetValue(config);
            var settings = file is null ? new SensorSettings() : SensorSettings.Load(file);
            settings.Site = parsed.GetValue(site) ?? settings.Site;
            var own = SiteSettings.Load(settings.Site, settings.Policy, settings.Rules);
            var console = Terminal.Output;
            var table = Terminal.Table("Setting", "Value", "From");
            table.Columns[1].NoWrap = table.Columns[2].NoWrap = false;
            var lines = file is null ? null : YamlFile.Load(file).Root;
            foreach (var (name, value) in settings.Values())
            {
                var from = name == "site" && parsed.GetValue(site) is not null ? "--site" : lines?.LineOf(name) is > 0 and var line ? $"{file}, line {line}" : "default";
                Row(name, value, from);
            }

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

    private static SiteSettings SettingsOf(string? folder, SensorSettings? settings)
    {
        folder ??= settings?.Site;
        if (folder is not null)
            Sites.SiteFolder.RequireFolder(folder);
        return SiteSettings.Read(folder, settings?.Policy, settings?.Rules);
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
