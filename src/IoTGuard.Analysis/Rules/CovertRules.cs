namespace IoTGuard.Analysis.Rules;

/// <summary>Rules about channels that hide.</summary>
internal static class CovertRules
{
    public static readonly Rule Beacon = new()
    {
        Id = "beaconing",
        Title = "Periodic calls to the outside",
        Category = "command-and-control",
        Severity = 5,
        Attack = Techniques.Of("T1071", "T1573"),
        Condition = "A device opens small flows to one outside address, which hardly anybody else uses, at nearly the same interval again and again.",
        Template = "{device} calls {peer} every {interval} (jitter {jitter}), {flows} times so far.",
        Recommendation = "Find the program that calls; medical devices have no business outside.",
        FalsePositives = "Update checks and telemetry: exempt their destinations; with a learned site those that stood are not reported.",
        Thresholds = [new("flows", 12, "flows"), new("interval", 10, "s"), new("flows_new", 6, "flows"), new("interval_new", 2, "s"), new("jitter", 0.25, "1"), new("bytes", 50000, "bytes"), new("users", 2, "devices")],
        QuietSeconds = 7200,
    };

    public static readonly Rule IcmpTunnel = new()
    {
        Id = "icmp-tunnel",
        Title = "Data travel in ICMP echo",
        Category = "command-and-control",
        Severity = 7,
        Attack = Techniques.Of("T1095", "T1572", "T1048.003"),
        Condition = "Echo requests and replies carry much data in sizes that change, or, to the outside, one after the other without the pauses of a test.",
        Template = "{device} exchanged {bytes} with {peer} in ICMP echo messages ({manner}).",
        Recommendation = "Look for a tunnel program; allow only small echo messages.",
        FalsePositives = "Tests of the largest packet size; network monitors that vary sizes.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("bytes", 50000, "bytes"), new("deviation", 40, "bytes"), new("packets", 40, "packets"), new("outside_rate", 4, "packets/s"), new("outside_size", 128, "bytes/packet")],
        QuietSeconds = 3600,
    };

    public static readonly IReadOnlyList<Rule> All =
    [
        Beacon, IcmpTunnel,
    ];
}
