using System.Globalization;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Policies;
using IoTGuard.Analysis.Rules;
using YamlDotNet.RepresentationModel;

namespace IoTGuard.Settings;

/// <summary>policy.yaml: zones, what may talk to what, inside networks, thresholds, the site's own scanners.</summary>
internal sealed class PolicyFile
{
    public const string FileName = "policy.yaml";

    /// <summary>Where the keys are explained.</summary>
    private const string Guide = "docs/policy.md says how";

    private readonly YamlFile _file;
    private readonly List<Zone> _zones = [];

    private PolicyFile(YamlFile file) => _file = file;

    public static PolicyFile Empty { get; } = new(null!);

    public ZonePolicy Policy { get; private set; } = ZonePolicy.Empty;

    /// <summary>Networks that belong to the site besides the private ones; those of zones among them.</summary>
    public IReadOnlyList<AddressPrefix> Inside { get; private set; } = [];

    public IReadOnlyList<AddressPrefix> Scanners { get; private set; } = [];

    /// <summary>By "rule-id.threshold", each with its line.</summary>
    public IReadOnlyDictionary<string, (double Value, long Line)> Thresholds { get; private set; } = new Dictionary<string, (double, long)>(StringComparer.Ordinal);

    public IReadOnlyList<string> Faults => _file?.Faults ?? [];

    /// <summary>Path of the file; null when there is none.</summary>
    public string? Path => _file?.Path;

    /// <summary>What stands in it.</summary>
    public string Text => _file?.Text ?? "";

    /// <summary>Reads a file; its faults are gathered.</summary>
    public static PolicyFile Load(string path)
    {
        var policy = new PolicyFile(YamlFile.Load(path));
        policy.Read();
        return policy;
    }

    private void Read()
    {
        var root = _file.Root;
        ReadZones(root);
        Inside = [.. Networks(root.Texts("inside")), .. _zones.SelectMany(static z => z.Networks)];
        Scanners = [.. Networks(root.Texts("scanners"))];
        var standing = root.Text("default");
        if (standing is not (null or "allow" or "deny"))
            _file.Fault(root.Find("default")!, $"default is {standing}", "write 'default: allow' or 'default: deny'");
        Policy = new ZonePolicy { Zones = _zones, Traffic = [.. ReadTraffic(root)], AllowsByDefault = standing != "deny" };
        ReadThresholds(root);
        root.End();
    }

    private void ReadZones(YamlMap root)
    {
        if (root.Find("zones") is not { } node)
            return;
        foreach (var (name, at, value) in new YamlMap(_file, node, "zones").Entries())
        {
            if (name is ZonePolicy.Any or ZonePolicy.Outside)
                _file.Fault(at, $"no zone can be named {name}", "it means every zone, or what is outside of the site; choose another name");
            _zones.Add(new Zone(name, [.. Networks(YamlMap.TextsOf(_file, value, $"zone {name}"))]));
        }
    }

    private IEnumerable<ZoneTraffic> ReadTraffic(YamlMap root)
    {
        if (root.Find("traffic") is not { } node)
            yield break;
        if (node is not YamlSequenceNode lines)
        {
            _file.Fault(node, "traffic is not a list", "begin each line with '- from:'");
            yield break;
        }

        foreach (var item in lines)
        {
            var line = new YamlMap(_file, item, "the line of traffic");
            var action = line.Text("action") ?? "allow";
            if (action is not ("allow" or "deny"))
                _file.Fault(line.Find("action")!, $"action is {action}", "write allow or deny");
            yield return new ZoneTraffic(ZonesOf(line, "from"), ZonesOf(line, "to"), [.. ServicesOf(line)], action == "allow");
            line.End();
        }
    }

    private List<string> ZonesOf(YamlMap line, string key)
    {
        var zones = line.Texts(key);
        if (zones.Count == 0)
            _file.Fault(line.Node, $"a line of traffic has no {key}", $"write '{key}: ZONE', or '{key}: \"*\"' for every zone");
        foreach (var (zone, at) in zones)
        {
            if (zone is not (ZonePolicy.Any or ZonePolicy.Outside) && !_zones.Exists(z => z.Name == zone))
                _file.Fault(at, $"there is no zone {zone}", $"zones are {string.Join(", ", _zones.Select(static z => z.Name).Append(ZonePolicy.Outside))}, and \"*\" for every zone");
        }

        return [.. zones.Select(static z => z.Text)];
    }

    private IEnumerable<ZoneService> ServicesOf(YamlMap line)
    {
        foreach (var (text, at) in line.Texts("services"))
        {
            if (ZoneService.TryParse(text, out var service))
                yield return service;
            else
                _file.Fault(at, $"{text} is no service", "write tcp/104, udp/5000-5010, or the name of a protocol such as dicom or hl7");
        }
    }

    private void ReadThresholds(YamlMap root)
    {
        if (root.Find("thresholds") is not { } node)
            return;
        var found = new Dictionary<string, (double, long)>(StringComparer.Ordinal);
        foreach (var (name, at, value) in new YamlMap(_file, node, "thresholds").Entries())
        {
            var rule = RuleTable.Rules.FirstOrDefault(r => name.StartsWith(r.Id + ".", StringComparison.Ordinal) && r.Thresholds.Any(t => $"{r.Id}.{t.Name}" == name));
            if (rule is null)
                _file.Fault(at, $"no rule has the threshold {name}", "docs/detections.md lists them; write rule-id.threshold, such as port-scan.ports");
            else if (!double.TryParse((value as YamlScalarNode)?.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !(number >= 0))
                _file.Fault(value, $"{name} is not a number from 0 on", Guide);
            else
                found[name] = (number, at.Start.Line);
        }

        Thresholds = found;
    }

    private IEnumerable<AddressPrefix> Networks(IEnumerable<(string Text, YamlNode At)> texts)
    {
        foreach (var (text, at) in texts)
        {
            if (AddressPrefix.TryParse(text, out var network))
                yield return network;
            else
                _file.Fault(at, $"{text} is no address or network", "write 10.20.0.0/16, fd00:1::/64 or a single address");
        }
    }
}
