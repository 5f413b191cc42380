using System.Globalization;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Rules;
using IoTGuard.Analysis.Rules.Custom;
using IoTGuard.Commands;
using YamlDotNet.RepresentationModel;

namespace IoTGuard.Settings;

/// <summary>rules.yaml: the site's own rules, in the manner of Sigma.</summary>
internal sealed class RulesFile
{
    public const string FileName = "rules.yaml";

    /// <summary>Most rules of a site.</summary>
    private const int MaximumRules = 500;

    private readonly YamlFile _file;
    private readonly List<CustomRule> _rules = [];
    private readonly List<string> _notes = [];

    private RulesFile(YamlFile file) => _file = file;

    public static RulesFile Empty { get; } = new(null!);

    public IReadOnlyList<CustomRule> Rules => _rules;

    public IReadOnlyList<string> Faults => _file?.Faults ?? [];

    /// <summary>What is no fault but looks like one.</summary>
    public IReadOnlyList<string> Notes => _notes;

    public string? Path => _file?.Path;

    /// <summary>What stands in it.</summary>
    public string Text => _file?.Text ?? "";

    public static RulesFile Load(string path)
    {
        var rules = new RulesFile(YamlFile.Load(path));
        rules.Read();
        return rules;
    }

    private void Read()
    {
        if (_file.Root.Find("rules") is { } node)
        {
            if (node is not YamlSequenceNode list)
                _file.Fault(node, "rules is not a list", "begin each rule with '- id:'");
            else if (list.Children.Count > MaximumRules)
                _file.Fault(node, $"there are {list.Children.Count} rules", $"write at most {MaximumRules}");
            else
                foreach (var item in list)
                    ReadRule(item);
        }

        _file.Root.End();
    }

    private void ReadRule(YamlNode node)
    {
        var map = new YamlMap(_file, node, "the rule");
        var id = map.RequiredText("id", "write 'id: some-name'");
        if (!id.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') || RuleTable.Rules.Any(r => r.Id == id) || _rules.Exists(r => r.Rule.Id == id))
            _file.Fault(map.Find("id") ?? node, $"the id {id} cannot be used", "ids are lower-case letters, digits and hyphens, and no other rule's");
        var source = map.Text("source") switch
        {
            "transaction" or null => RuleSource.Transaction,
            "flow" => RuleSource.Flow,
            "device" => RuleSource.Device,
            var other => Refuse(map, "source", other, "write transaction, flow or device", RuleSource.Transaction),
        };
        var about = map.Text("about");
        string[] sides = source == RuleSource.Flow ? ["originator", "responder"] : ["client", "server"];
        if (about is not null && (source == RuleSource.Device || !sides.Contains(about, StringComparer.Ordinal)))
            Refuse(map, "about", about, source == RuleSource.Device ? "leave it out: the rule is about devices" : $"write {sides[0]} or {sides[1]}", 0);
        var condition = map.Find("detection") is { } detection ? new SelectionReader(_file, detection).Read() : null;
        if (condition is null && map.Find("detection") is null)
            _file.Fault(node, $"the rule {id} has no detection", "write 'detection:' with a selection and a condition");
        var window = map.Find("correlation") is { } correlation ? ReadWindow(correlation) : null;
        if (window is not null && source == RuleSource.Device)
            _file.Fault(map.Find("correlation")!, "devices are not counted", "leave correlation out, or use source: transaction or flow");
        var pairs = map.Text("alert-per") switch
        {
            "device" => false,
            "pair" => true,
            null => source != RuleSource.Device && window is null,
            var other => Refuse(map, "alert-per", other, "write device or pair", false),
        };
        var severity = map.Number("severity", 0, 10);
        if (map.Find("severity") is null)
            _file.Fault(node, $"the rule {id} has no severity", "write 'severity:' and a number from 0 to 10");
        var quiet = map.Text("quiet") is { } text ? Duration(map.Find("quiet")!, text) / 1e9 : source == RuleSource.Device ? double.PositiveInfinity : 900;
        var rule = new Rule
        {
            Id = id,
            Title = map.RequiredText("title", "write 'title:' and a few words"),
            Category = map.Text("category") ?? "site-rule",
            Severity = (int)(severity ?? 0),
            Attack = [.. map.Texts("attack").Select(TechniqueOf)],
            Condition = map.Text("condition-in-words") ?? "A rule of this site's rules.yaml.",
            Template = map.RequiredText("description", "write 'description:' and a sentence; {device}, {peer}, {count} and field names in braces are replaced"),
            Recommendation = map.RequiredText("recommendation", "write 'recommendation:' and what an analyst should do"),
            FalsePositives = map.Text("false-positives") ?? "",
            Traits = pairs ? RuleTraits.PerPeer : RuleTraits.None,
            QuietSeconds = quiet,
        };
        map.End();
        if (condition is null)
            return;
        var custom = new CustomRule(rule, source, condition, window, about is "server" or "responder");
        CheckFields(custom, node);
        _rules.Add(custom);
    }

    private void CheckFields(CustomRule rule, YamlNode node)
    {
        var known = CustomFields.Known(rule.Source);
        foreach (var field in rule.Fields.Where(f => !known.Contains(f)))
        {
            var near = known.Where(k => k.Contains(field, StringComparison.OrdinalIgnoreCase) || field.Contains(k, StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal).Take(4).ToList();
            var hint = near.Count > 0 ? $"did you mean {string.Join(", ", near)}" : "docs/rules.md says where the names stand";
            if (rule.Source == RuleSource.Transaction)
                _notes.Add($"{_file.Path}, line {node.Start.Line}: the rule {rule.Rule.Id} asks for {field}, which no protocol is known to write always; {hint}");
            else
                _file.Fault(node, $"the rule {rule.Rule.Id} asks for {field}, which a {rule.Source.ToString().ToLowerInvariant()} does not have", hint);
        }
    }

    private WindowCount? ReadWindow(YamlNode node)
    {
        var map = new YamlMap(_file, node, "correlation");
        var type = map.RequiredText("type", "write 'type: event_count' or 'type: value_count'");
        if (type is not ("event_count" or "value_count" or ""))
            Refuse(map, "type", type, "write event_count or value_count", 0);
        var field = map.Text("field");
        if (type == "value_count" && field is null)
            _file.Fault(node, "value_count has no field", "write 'field:' and whose different values are counted");
        if (type == "event_count" && field is not null)
            _file.Fault(map.Find("field")!, "event_count counts no field", "leave it out, or write 'type: value_count'");
        var groups = map.Texts("group-by").Select(static g => g.Text).ToList();
        var span = map.RequiredText("timespan", "write 'timespan:' and a duration such as 10m");
        var window = span.Length > 0 ? Duration(map.Find("timespan")!, span) : 1;
        var least = 1.0;
        if (map.Find("condition") is not { } condition)
        {
            _file.Fault(node, "correlation has no condition", "write 'condition: {gte: 10}'");
        }
        else
        {
            var comparison = new YamlMap(_file, condition, "condition");
            least = comparison.Number("gte", 1, WindowCount.MaximumThreshold) ?? (comparison.Number("gt", 0, WindowCount.MaximumThreshold - 1) + 1) ?? 1;
            if (comparison.Find("gte") is null && comparison.Find("gt") is null)
                _file.Fault(condition, "the condition has neither gte nor gt", "write 'condition: {gte: 10}'");
            comparison.End();
        }

        map.End();
        return new WindowCount(field, groups, window, (int)least);
    }

    private long Duration(YamlNode at, string text)
    {
        if (ListOptions.TryDuration(text, out var duration) && duration is > 0 and <= 7 * 86_400_000_000_000)
            return duration;
        _file.Fault(at, $"{text} is no duration", "write 30s, 10m, 12h, or up to 7d");
        return 1;
    }

    private AttackTechnique TechniqueOf((string Text, YamlNode At) id)
    {
        var plain = id.Text.StartsWith("attack.", StringComparison.OrdinalIgnoreCase) ? id.Text[7..].ToUpperInvariant() : id.Text;
        if (plain.Length is not (5 or 9) || plain[0] != 'T' || !plain.AsSpan(1, 4).ContainsAnyInRange('0', '9'))
            _file.Fault(id.At, $"{id.Text} is no ATT&CK technique", "write T1046 or T1048.003");
        return new AttackTechnique(plain, RuleTable.Rules.SelectMany(static r => r.Attack).FirstOrDefault(t => t.Id == plain)?.Name ?? plain);
    }

    private T Refuse<T>(YamlMap map, string key, string? value, string remedy, T instead)
    {
        _file.Fault(map.Find(key)!, $"{key} is {value}", remedy);
        return instead;
    }
}

/// <summary>The detection part of a rule: named selections, and a condition over their names.</summary>
internal sealed class SelectionReader(YamlFile file, YamlNode node)
{
    private readonly Dictionary<string, Condition> _selections = new(StringComparer.Ordinal);
    private readonly Queue<string> _words = [];
    private YamlNode? _at;

    public Condition? Read()
    {
        var map = new YamlMap(file, node, "detection");
        _at = node;
        string? expression = null;
        foreach (var (name, _, value) in map.Entries())
        {
            if (name == "condition")
                (expression, _at) = ((value as YamlScalarNode)?.Value ?? "", value);
            else
                _selections[name] = ReadSelection(value, name);
        }

        if (expression is null && _selections.Count == 1)
            expression = _selections.Keys.First();
        if (expression is null)
        {
            file.Fault(node, "detection has no condition", "write 'condition: selection', with and, or, not and parentheses between names of selections");
            return null;
        }

        foreach (var word in expression.Replace("(", " ( ", StringComparison.Ordinal).Replace(")", " ) ", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries))
            _words.Enqueue(word);
        var condition = ReadOr();
        if (_words.Count > 0)
            file.Fault(_at!, $"the condition cannot be read from '{_words.Peek()}' on", "write names of selections with and, or, not and parentheses between them");
        return condition;
    }

    private Condition ReadOr()
    {
        var parts = new List<Condition> { ReadAnd() };
        while (_words.TryPeek(out var word) && word == "or")
        {
            _words.Dequeue();
            parts.Add(ReadAnd());
        }

        return parts.Count == 1 ? parts[0] : Condition.Of(ConditionKind.OneOf, parts);
    }

    private Condition ReadAnd()
    {
        var parts = new List<Condition> { ReadOne() };
        while (_words.TryPeek(out var word) && word == "and")
        {
            _words.Dequeue();
            parts.Add(ReadOne());
        }

        return parts.Count == 1 ? parts[0] : Condition.Of(ConditionKind.All, parts);
    }

    private Condition ReadOne()
    {
        if (!_words.TryDequeue(out var word))
        {
            file.Fault(_at!, "the condition ends too early", "write names of selections with and, or, not and parentheses between them");
            return Condition.Of([]);
        }

        if (word == "not")
            return Condition.Of(ConditionKind.Not, [ReadOne()]);
        if (word == "(")
        {
            var inner = ReadOr();
            if (!_words.TryDequeue(out var end) || end != ")")
                file.Fault(_at!, "a parenthesis is not closed", "write ')'");
            return inner;
        }

        if (_selections.TryGetValue(word, out var selection))
            return selection;
        file.Fault(_at!, $"there is no selection {word}", $"selections are {string.Join(", ", _selections.Keys)}");
        return Condition.Of([]);
    }

    private Condition ReadSelection(YamlNode value, string name)
    {
        if (value is YamlSequenceNode alternatives)
            return Condition.Of(ConditionKind.OneOf, [.. alternatives.Children.Select(a => ReadSelection(a, name))]);
        var tests = new List<FieldTest>();
        foreach (var (key, at, values) in new YamlMap(file, value, $"the selection {name}").Entries())
        {
            var parts = key.Split('|');
            Comparison? comparison = parts is [_] ? Comparison.Equal : parts is [_, var modifier] ? ComparisonOf(modifier) : null;
            if (comparison is null)
            {
                file.Fault(at, $"{key} has a modifier that is not known", "modifiers are contains, startswith, endswith, gt, gte, lt, lte, cidr, exists");
                continue;
            }

            var texts = YamlMap.TextsOf(file, values, key);
            foreach (var (text, where) in texts)
            {
                if (comparison is >= Comparison.Greater and <= Comparison.AtMost && !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
                    file.Fault(where, $"{text} is not a number", $"{key} compares numbers");
                if (comparison == Comparison.InNetwork && !AddressPrefix.TryParse(text, out _))
                    file.Fault(where, $"{text} is no network", "write 10.20.0.0/16");
                if (comparison == Comparison.Exists && text is not ("true" or "false"))
                    file.Fault(where, $"{text} is neither true nor false", $"write '{key}: true' or '{key}: false'");
            }

            if (texts.Count > 0)
                tests.Add(new FieldTest(parts[0], comparison.Value, [.. texts.Select(static t => t.Text)]));
        }

        return Condition.Of(tests);
    }

    private static Comparison? ComparisonOf(string modifier) => modifier switch
    {
        "contains" => Comparison.Contains,
        "startswith" => Comparison.StartsWith,
        "endswith" => Comparison.EndsWith,
        "gt" => Comparison.Greater,
        "gte" => Comparison.AtLeast,
        "lt" => Comparison.Less,
        "lte" => Comparison.AtMost,
        "cidr" => Comparison.InNetwork,
        "exists" => Comparison.Exists,
        _ => null,
    };
}
