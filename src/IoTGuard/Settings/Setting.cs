using System.Globalization;

namespace IoTGuard.Settings;

/// <summary>How a setting stands in a configuration file.</summary>
internal enum SettingForm
{
    /// <summary>One value.</summary>
    Value,

    /// <summary>true or false.</summary>
    Flag,

    /// <summary>One value or several.</summary>
    Values,

    /// <summary>A mapping or a list with keys of its own; in the file only.</summary>
    Section,
}

/// <summary>
/// One setting of the live sensor: the one row that the configuration file, the environment, the command line, the example file and the
/// documentation share. Rows are listed in <see cref="SettingTable"/>.
/// </summary>
internal sealed record Setting
{
    /// <summary>Key in the configuration file, in snake case.</summary>
    public required string Key { get; init; }

    /// <summary>What it means, with the default in words where that is not a value; one sentence without a full stop.</summary>
    public required string Description { get; init; }

    /// <summary>What stands for its value in <c>--help</c>: IF, N, FILE.</summary>
    public string Placeholder { get; init; } = "";

    /// <summary>Unit of the value; empty where it has none.</summary>
    public string Unit { get; init; } = "";

    /// <summary>What stands behind the key in the example file, where the setting is commented out: the default, or an example where that is none.</summary>
    public required string Example { get; init; }

    /// <summary>The default, in its unit or in words.</summary>
    public string Default { get; init; } = "none";

    public SettingForm Form { get; init; }

    /// <summary>True when the command line has the setting too, as <c>--key-with-hyphens</c>.</summary>
    public bool HasOption { get; init; }

    /// <summary>True when a reload (SIGHUP) puts a change into force; others wait for a restart.</summary>
    public bool Reloads { get; init; }

    /// <summary>Takes the value, or says what to write instead.</summary>
    public Func<SensorSettings, IReadOnlyList<string>, string?> Take { get; init; } = static (_, _) => "write it in the configuration file";

    /// <summary>Reads a section; faults are said to the file.</summary>
    public Action<SensorSettings, YamlFile, YamlDotNet.RepresentationModel.YamlNode>? Read { get; init; }

    /// <summary>The value in force, for people.</summary>
    public required Func<SensorSettings, string> Show { get; init; }

    public string Option => "--" + Key.Replace('_', '-');

    /// <summary>Environment variable that sets it.</summary>
    public string Variable => "IOTGUARD_" + Key.ToUpperInvariant();

    public static Setting Text(string key, string placeholder, string example, string absent, Func<SensorSettings, string?> get, Action<SensorSettings, string> set, string description) => new()
    {
        Key = key,
        Placeholder = placeholder,
        Example = example,
        Description = description,
        Default = absent,
        Show = settings => get(settings) ?? absent,
        Take = (settings, values) =>
        {
            if (values is not [{ Length: > 0 } value])
                return "write one text, or leave the key out";
            set(settings, value);
            return null;
        },
    };

    public static Setting Whole(string key, string unit, int least, int most, Func<SensorSettings, int> get, Action<SensorSettings, int> set, string description, string? zero = null) => new()
    {
        Key = key,
        Placeholder = "N",
        Unit = unit,
        Example = get(new SensorSettings()).ToString(CultureInfo.InvariantCulture),
        Default = get(new SensorSettings()).ToString(CultureInfo.InvariantCulture),
        Description = description,
        Show = settings => get(settings) == 0 && zero is not null ? zero : string.Create(CultureInfo.InvariantCulture, $"{get(settings)} {unit}").TrimEnd(),
        Take = (settings, values) =>
        {
            if (values is not [var text] || !int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) || number < least || number > most)
                return string.Create(CultureInfo.InvariantCulture, $"write a whole number from {least} to {most}{(unit.Length > 0 ? $" ({unit})" : "")}");
            set(settings, number);
            return null;
        },
    };

    public static Setting Number(string key, string unit, double least, double most, Func<SensorSettings, double> get, Action<SensorSettings, double> set, string description) => new()
    {
        Key = key,
        Placeholder = "N",
        Unit = unit,
        Example = get(new SensorSettings()).ToString(CultureInfo.InvariantCulture),
        Default = get(new SensorSettings()).ToString(CultureInfo.InvariantCulture),
        Description = description,
        Show = settings => string.Create(CultureInfo.InvariantCulture, $"{get(settings)} {unit}").TrimEnd(),
        Take = (settings, values) =>
        {
            if (values is not [var text] || !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !(number >= least && number <= most))
                return string.Create(CultureInfo.InvariantCulture, $"write a number from {least} to {most}{(unit.Length > 0 ? $" ({unit})" : "")}");
            set(settings, number);
            return null;
        },
    };

    public static Setting Flag(string key, Func<SensorSettings, bool> get, Action<SensorSettings, bool> set, string description) => new()
    {
        Key = key,
        Form = SettingForm.Flag,
        Example = get(new SensorSettings()) ? "true" : "false",
        Default = get(new SensorSettings()) ? "true" : "false",
        Description = description,
        Show = settings => get(settings) ? "true" : "false",
        Take = (settings, values) =>
        {
            if (values is not ["true" or "false"])
                return "write true or false";
            set(settings, values[0] == "true");
            return null;
        },
    };

    public static Setting Texts(string key, string placeholder, string example, Func<SensorSettings, IReadOnlyList<string>> get, Action<SensorSettings, IReadOnlyList<string>> set, string description) => new()
    {
        Key = key,
        Form = SettingForm.Values,
        Placeholder = placeholder,
        Example = example,
        Description = description,
        Show = settings => get(settings) is { Count: > 0 } values ? string.Join(' ', values) : "none",
        Take = (settings, values) =>
        {
            if (values.Any(string.IsNullOrWhiteSpace))
                return "write one text, or several as [one, other]";
            set(settings, values);
            return null;
        },
    };
}
