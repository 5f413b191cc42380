using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace IoTGuard.Settings;

/// <summary>
/// A YAML file that is read node by node, so that every fault is said with file, line and remedy. A file is a mapping; keys that nobody asked
/// for are faults. All faults of a file are gathered: the reader gives a default and goes on.
/// </summary>
internal sealed class YamlFile
{
    /// <summary>Largest file, bytes.</summary>
    private const long MaximumBytes = 1 << 20;

    private readonly List<string> _faults = [];

    private YamlFile(string path, YamlMap root)
    {
        Path = path;
        Root = root;
    }

    public string Path { get; }

    /// <summary>What stands in it.</summary>
    public string Text { get; private set; } = "";

    public YamlMap Root { get; private set; }

    /// <summary>What is wrong, one line each: file, line, fault, remedy.</summary>
    public IReadOnlyList<string> Faults => _faults;

    public static YamlFile Load(string path)
    {
        var file = new YamlFile(path, null!);
        try
        {
            if (new FileInfo(path).Length > MaximumBytes)
                throw new IOException($"it has more than {MaximumBytes:N0} bytes");
            file.Text = File.ReadAllText(path);
            var stream = new YamlStream();
            stream.Load(new StringReader(file.Text));
            var root = stream.Documents.Count == 0 ? new YamlMappingNode() : stream.Documents[0].RootNode;
            file.Root = new YamlMap(file, root is YamlScalarNode { Value: "" or null } ? new YamlMappingNode() : root, "the file");
        }
        catch (YamlException e)
        {
            throw new UserException(ExitStatus.Unusable, $"{path}, line {e.Start.Line}: {(e.InnerException ?? e).Message.TrimEnd('.')}; correct the YAML there", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitStatus.Unusable, $"cannot read {path}: {e.Message.TrimEnd('.')}; name a file that exists and that this user may read", e);
        }

        return file;
    }

    public void Fault(YamlNode at, string what, string remedy) => _faults.Add($"{Path}, line {at.Start.Line}: {what}; {remedy}");

}

/// <summary>A mapping of a <see cref="YamlFile"/>. Ask for all keys, then <see cref="End"/>.</summary>
internal sealed class YamlMap
{
    private readonly YamlFile _file;
    private readonly YamlMappingNode _node;
    private readonly string _name;
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    public YamlMap(YamlFile file, YamlNode node, string name)
    {
        _file = file;
        _name = name;
        if (node is YamlMappingNode mapping)
        {
            _node = mapping;
        }
        else
        {
            file.Fault(node, $"{name} is not a mapping of keys to values", "write 'key: value' lines");
            _node = new YamlMappingNode();
        }
    }

    public YamlNode Node => _node;

    /// <summary>Line of a key; 0 when it is not there.</summary>
    public long LineOf(string key) => Find(key)?.Start.Line ?? 0;

    public YamlNode? Find(string key)
    {
        _asked.Add(key);
        return _node.Children.FirstOrDefault(c => c.Key is YamlScalarNode { Value: { } name } && name == key).Value;
    }

    /// <summary>All keys with their values, in the order of the file.</summary>
    public IEnumerable<(string Key, YamlNode KeyNode, YamlNode Value)> Entries()
    {
        foreach (var (key, value) in _node.Children)
        {
            if (key is YamlScalarNode { Value: { } name })
            {
                _asked.Add(name);
                yield return (name, key, value);
            }
        }
    }

    public string? Text(string key)
    {
        switch (Find(key))
        {
            case null:
                return null;
            case YamlScalarNode { Value: { Length: > 0 } text }:
                return text;
            case var node:
                _file.Fault(node, $"{key} of {_name} is not a text", $"write '{key}: ...'");
                return null;
        }
    }

    public string RequiredText(string key, string remedy)
    {
        if (Find(key) is null)
            _file.Fault(_node, $"{_name} has no {key}", remedy);
        return Text(key) ?? "";
    }

    public double? Number(string key, double least, double most)
    {
        if (Text(key) is not { } text)
            return null;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
            return number;
        _file.Fault(Find(key)!, $"{key} of {_name} is {text}", string.Create(CultureInfo.InvariantCulture, $"write a number from {least} to {most}"));
        return null;
    }

    /// <summary>A text or a list of texts as a list; empty when it is not there.</summary>
    public IReadOnlyList<(string Text, YamlNode At)> Texts(string key) => Find(key) is { } node ? TextsOf(_file, node, $"{key} of {_name}") : [];

    public static IReadOnlyList<(string Text, YamlNode At)> TextsOf(YamlFile file, YamlNode node, string name)
    {
        switch (node)
        {
            case YamlScalarNode { Value: { } one }:
                return [(one, node)];
            case YamlSequenceNode many when many.Children.All(static c => c is YamlScalarNode):
                return [.. many.Children.Select(static c => (((YamlScalarNode)c).Value ?? "", c))];
            default:
                file.Fault(node, $"{name} is not a text or a list of texts", "write one value, or [one, other]");
                return [];
        }
    }

    /// <summary>Keys that nobody asked for are faults.</summary>
    public void End()
    {
        foreach (var (key, _) in _node.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "?";
            if (!_asked.Contains(name))
                _file.Fault(key, $"{_name} has no key {name}", $"keys are {string.Join(", ", _asked.Order(StringComparer.Ordinal))}");
        }
    }
}
