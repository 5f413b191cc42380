using System.CommandLine;
using IoTGuard.Settings;

namespace IoTGuard.Commands;

/// <summary>The configuration file and the options of the command line that <see cref="SettingTable"/> lists, for commands that take the sensor's settings.</summary>
internal sealed class SettingOptions
{
    private readonly Option<string?> _config = ListOptions.Text("--config", "Configuration file (YAML); environment variables and options given here come before it", "FILE");
    private readonly List<(Setting Setting, Option Option)> _options = [];

    public SettingOptions(Command command)
    {
        command.Add(_config);
        foreach (var setting in SettingTable.All.Where(static s => s.HasOption))
        {
            var description = setting.Unit.Length > 0 ? $"{setting.Description} (default: {setting.Default} {setting.Unit})" : setting.Description;
            Option option = setting.Form switch
            {
                SettingForm.Flag => new Option<bool>(setting.Option) { Description = description },
                SettingForm.Values => new Option<string[]>(setting.Option) { Description = description, HelpName = setting.Placeholder },
                _ => new Option<string?>(setting.Option) { Description = description, HelpName = setting.Placeholder },
            };
            command.Add(option);
            _options.Add((setting, option));
        }
    }

    /// <summary>What was given.</summary>
    public SettingSources Sources(ParseResult parsed)
    {
        var given = new List<(Setting, IReadOnlyList<string>)>();
        foreach (var (setting, option) in _options)
        {
            if (parsed.GetResult(option) is not { Implicit: false } result)
                continue;
            given.Add((setting, setting.Form == SettingForm.Flag ? [result.GetValueOrDefault<bool>() ? "true" : "false"] : [.. result.Tokens.Select(static t => t.Value)]));
        }

        return new SettingSources(parsed.GetValue(_config), given);
    }
}
