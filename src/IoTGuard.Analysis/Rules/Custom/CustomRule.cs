namespace IoTGuard.Analysis.Rules.Custom;

/// <summary>What a site's own rule looks at.</summary>
public enum RuleSource : byte
{
    /// <summary>Protocol events, by the names of <c>--transactions</c>.</summary>
    Transaction,

    /// <summary>Ended flows, by the names of <c>--flows</c>.</summary>
    Flow,

    /// <summary>Devices, by the names of <c>iotguard devices --format json</c>; looked at once a minute of packet time.</summary>
    Device,
}

/// <summary>How a field is compared.</summary>
public enum Comparison : byte
{
    Equal,
    Contains,
    StartsWith,
    EndsWith,
    Greater,
    AtLeast,
    Less,
    AtMost,

    /// <summary>An address lies in a network.</summary>
    InNetwork,

    /// <summary>The field is there at all ("true") or not ("false").</summary>
    Exists,
}

/// <summary>One comparison; several values are alternatives. Texts are compared without regard to case.</summary>
public sealed record FieldTest(string Field, Comparison Comparison, IReadOnlyList<string> Values);

/// <summary>Kinds of nodes of a condition.</summary>
public enum ConditionKind : byte
{
    /// <summary>All tests hold.</summary>
    Tests,
    All,
    OneOf,
    Not,
}

/// <summary>A condition as a tree.</summary>
public sealed record Condition(ConditionKind Kind, IReadOnlyList<FieldTest> Tests, IReadOnlyList<Condition> Parts)
{
    public static Condition Of(IReadOnlyList<FieldTest> tests) => new(ConditionKind.Tests, tests, []);

    public static Condition Of(ConditionKind kind, params IReadOnlyList<Condition> parts) => new(kind, [], parts);
}

/// <summary>Counting over a sliding window of packet time, by group. Events are forgotten half a window at a time.</summary>
/// <param name="DistinctField">Count different values of this field; null = count events.</param>
/// <param name="GroupBy">Fields whose values make a group; none = all together.</param>
/// <param name="WindowNs">Length of the window, ns.</param>
/// <param name="AtLeast">Count from which on the rule fires.</param>
public sealed record WindowCount(string? DistinctField, IReadOnlyList<string> GroupBy, long WindowNs, int AtLeast)
{
    /// <summary>Largest threshold.</summary>
    public const int MaximumThreshold = 100_000;
}

/// <summary>A rule that a site wrote itself.</summary>
/// <param name="Rule">What alerts say.</param>
/// <param name="Source">What it looks at.</param>
/// <param name="Condition">When it holds.</param>
/// <param name="Window">Counting; null = every match is an observation.</param>
/// <param name="AboutServer">The alert is about the server (responder), not about the client (originator).</param>
public sealed record CustomRule(Rule Rule, RuleSource Source, Condition Condition, WindowCount? Window, bool AboutServer)
{
    /// <summary>All fields that the rule names, each once.</summary>
    public IReadOnlyList<string> Fields =>
    [
        .. FieldsOf(Condition).Concat(Window?.GroupBy ?? []).Concat(Window?.DistinctField is { } distinct ? [distinct] : Array.Empty<string>()).Distinct(StringComparer.Ordinal),
    ];

    private static IEnumerable<string> FieldsOf(Condition condition) => condition.Tests.Select(static t => t.Field).Concat(condition.Parts.SelectMany(FieldsOf));
}
