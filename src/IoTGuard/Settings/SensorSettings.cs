using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace IoTGuard.Settings;

/// <summary>Settings of the live sensor as they stand in its configuration file; options of the command line come before them.</summary>
internal sealed class SensorSettings
{
    /// <summary>Interface that the mirror port is connected to.</summary>
    public string? Interface { get; set; }

    /// <summary>Folder of the learned site.</summary>
    public string? Site { get; set; }

    /// <summary>Policy file instead of the site's policy.yaml.</summary>
    public string? Policy { get; set; }

    /// <summary>Rules file instead of the site's rules.yaml.</summary>
    public string? Rules { get; set; }

    /// <summary>Capture rings and the threads behind them; 0 = the processors there are.</summary>
    public int Workers { get; set; }

    /// <summary>Memory of each ring in megabytes.</summary>
    public int RingMegabytes { get; set; } = 64;

    /// <summary>Capture filter in the syntax of tcpdump; empty = everything.</summary>
    public string? Filter { get; set; }

    /// <summary>User to become once the rings are open; empty = stay who started it.</summary>
    public string? User { get; set; }

    /// <summary>Keep the same addresses and ports in two VLANs apart.</summary>
    public bool VlanAware { get; set; }

    /// <summary>File that alerts are appended to as JSON lines, at opening, updates and closing.</summary>
    public string? Alerts { get; set; }

    /// <summary>File that DICOM and HL7 transactions are appended to as JSON lines.</summary>
    public string? Transactions { get; set; }

    /// <summary>Syslog receivers.</summary>
    public List<string> Syslog { get; set; } = [];

    /// <summary>A line of statistics is logged this often, seconds; 0 = only at the end.</summary>
    public int StatisticsSeconds { get; set; } = 60;

    /// <summary>Reads a configuration file; unknown keys and wrong values are named with their line.</summary>
    public static SensorSettings Load(string path)
    {
        try
        {
            var reader = new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).WithDuplicateKeyChecking().Build();
            var settings = reader.Deserialize<SensorSettings?>(File.ReadAllText(path)) ?? new SensorSettings();
            settings.Validate(path);
            return settings;
        }
        catch (YamlException e)
        {
            var reason = (e.InnerException ?? e).Message.TrimEnd('.');
            throw new UserException(ExitStatus.Unusable, $"{path}, line {e.Start.Line}: {reason}; the keys are listed in docs/sensors.md", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitStatus.Unusable, $"cannot read the configuration {path}: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <summary>All settings by their keys, for people.</summary>
    public IEnumerable<(string Name, string Value)> Values() =>
    [
        ("interface", Interface ?? "none"),
        ("site", Site ?? "the shipped one"),
        ("policy", Policy ?? "policy.yaml of the site"),
        ("rules", Rules ?? "rules.yaml of the site"),
        ("workers", Workers == 0 ? $"{Environment.ProcessorCount} (the processors there are)" : $"{Workers}"),
        ("ring_megabytes", $"{RingMegabytes} MB"),
        ("filter", Filter ?? "none"),
        ("user", User ?? "who starts it"),
        ("vlan_aware", VlanAware ? "true" : "false"),
        ("alerts", Alerts ?? "none"),
        ("transactions", Transactions ?? "none"),
        ("syslog", Syslog.Count == 0 ? "none" : string.Join(' ', Syslog)),
        ("statistics_seconds", $"{StatisticsSeconds} s"),
    ];

    /// <summary>Refuses values out of range.</summary>
    /// <param name="path">Where they come from, for the message.</param>
    public void Validate(string path)
    {
        Check(Workers is >= 0 and <= 64, "workers is a number from 0 (the processors there are) to 64");
        Check(RingMegabytes is >= 1 and <= 4096, "ring_megabytes is a number from 1 to 4096");
        Check(StatisticsSeconds is >= 0 and <= 86_400, "statistics_seconds is a number from 0 to 86400");

        void Check(bool good, string rule)
        {
            if (!good)
                throw new UserException(ExitStatus.Unusable, $"{path}: {rule}");
        }
    }
}
