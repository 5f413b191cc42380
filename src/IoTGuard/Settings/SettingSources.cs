using YamlDotNet.RepresentationModel;

namespace IoTGuard.Settings;

/// <summary>
/// Where the sensor's settings come from: a configuration file, the environment, and options of the command line; the later come before
/// the earlier. They can be read again and again, as a reload does.
/// </summary>
/// <param name="File">Configuration file, or null.</param>
/// <param name="Options">Options given, with their values.</param>
internal sealed record SettingSources(string? File, IReadOnlyList<(Setting Setting, IReadOnlyList<string> Values)> Options)
{
    /// <summary>Reads all settings; the first fault ends the command.</summary>
    public SensorSettings Load()
    {
        var faults = new List<string>();
        var settings = Read(faults);
        return faults.Count == 0
            ? settings
            : throw new UserException(ExitStatus.Unusable, faults[0] + (faults.Count > 1 ? $" (and {faults.Count - 1} more; 'iotguard config check' lists all)" : ""));
    }

    /// <summary>Reads all settings. Each fault, with its place and remedy, is added to a list; what is at fault keeps its default.</summary>
    /// <exception cref="UserException">The file cannot be read, or is no YAML.</exception>
    public SensorSettings Read(List<string> faults)
    {
        var settings = new SensorSettings();
        if (File is not null)
            ReadFile(File, settings, faults);
        foreach (var setting in SettingTable.All)
        {
            if (Environment.GetEnvironmentVariable(setting.Variable) is { Length: > 0 } value)
                Take(settings, setting, setting.Form == SettingForm.Values ? value.Split(' ', StringSplitOptions.RemoveEmptyEntries) : [value], setting.Variable, "environment, " + setting.Variable, faults);
        }

        foreach (var (setting, values) in Options)
            Take(settings, setting, values, setting.Option, "command line, " + setting.Option, faults);
        return settings;
    }

    private static void ReadFile(string path, SensorSettings settings, List<string> faults)
    {
        var file = YamlFile.Load(path);
        foreach (var setting in SettingTable.All)
        {
            if (file.Root.Find(setting.Key) is not { } node)
                continue;
            settings.SetOrigin(setting, $"{path}, line {node.Start.Line}");
            if (setting.Read is { } read)
                read(settings, file, node);
            else if (ValuesOf(node, setting.Form) is not { } values)
                file.Fault(node, $"{setting.Key} is not {(setting.Form == SettingForm.Values ? "a text or a list of texts" : "one value")}", $"write '{setting.Key}: {setting.Example}'");
            else if (setting.Take(settings, values) is { } remedy)
                file.Fault(node, $"{setting.Key} is {(values is [""] ? "empty" : string.Join(' ', values))}", remedy);
        }

        file.Root.End();
        faults.AddRange(file.Faults);
    }

    private static IReadOnlyList<string>? ValuesOf(YamlNode node, SettingForm form) => node switch
    {
        YamlScalarNode scalar => [scalar.Value ?? ""],
        YamlSequenceNode list when form == SettingForm.Values && list.All(static n => n is YamlScalarNode) => [.. list.Select(static n => ((YamlScalarNode)n).Value ?? "")],
        _ => null,
    };

    private static void Take(SensorSettings settings, Setting setting, IReadOnlyList<string> values, string name, string origin, List<string> faults)
    {
        if (setting.Take(settings, values) is { } remedy)
            faults.Add($"{name} is {string.Join(' ', values)}; {remedy}");
        else
            settings.SetOrigin(setting, origin);
    }
}
