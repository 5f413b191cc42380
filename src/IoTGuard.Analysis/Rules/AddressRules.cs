namespace IoTGuard.Analysis.Rules;

/// <summary>Rules about who gives out addresses and routes.</summary>
internal static class AddressRules
{
    public static readonly Rule RogueDhcp = new()
    {
        Id = "rogue-dhcp-server",
        Title = "Two DHCP servers disagree",
        Category = "interception",
        Severity = 8,
        Attack = Techniques.Of("T1557.003"),
        Condition = "Two servers offer one client of one VLAN different gateways or DNS servers.",
        Template = "{device} offers {clients} clients settings ({offered}) that differ from those of {peer}.",
        Recommendation = "Find the port of the server that is not yours; enable DHCP snooping.",
        FalsePositives = "A change of settings while one of two servers still has the old ones.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("window", 30, "s")],
        QuietSeconds = 3600,
    };

    public static readonly Rule NewDhcp = new()
    {
        Id = "new-dhcp-server",
        Title = "A new device gives out addresses",
        Category = "interception",
        Severity = 7,
        Attack = Techniques.Of("T1557.003"),
        Condition = "A device that was not known while the site was learned offers a client an address.",
        Template = "{device}, which is new at this site, offers {clients} clients an address and settings ({offered}).",
        Recommendation = "Find the port of the server and whose it is; enable DHCP snooping.",
        FalsePositives = "A new DHCP server, or one that nobody asked while the site was learned.",
        Traits = RuleTraits.Hostile | RuleTraits.Baseline,
        QuietSeconds = Rule.NewsSeconds,
    };

    public static readonly Rule OtherFingerprint = new()
    {
        Id = "device-fingerprint-changed",
        Title = "A known device asks for its address as another kind of device",
        Category = "new-device",
        Severity = 5,
        Attack = Techniques.Of("T1200"),
        Condition = "A hardware address asks DHCP for options in another selection or order than while the site was learned, as another operating system or firmware does; asking while it boots from the network does not count.",
        Template = "{device} asks for its address as {fingerprint} does, and not as it did ({before}).",
        Recommendation = "Find out whether the device was set up anew; if nobody did, somebody uses its hardware address.",
        FalsePositives = "A new operating system or firmware on the device; a device that starts two systems by turns.",
        Traits = RuleTraits.Baseline | RuleTraits.Standing,
    };

    public static readonly Rule Starvation = new()
    {
        Id = "dhcp-starvation",
        Title = "DHCP addresses are used up",
        Category = "denial-of-service",
        Severity = 7,
        Attack = Techniques.Of("T1499.002"),
        Condition = "Very many different hardware addresses ask for an address within a minute in one VLAN.",
        Template = "{clients} different hardware addresses asked for an address within {period}, seen last from {mac}.",
        Recommendation = "Find the port they come from; enable DHCP snooping and port security.",
        FalsePositives = "A whole building after a power cut.",
        Thresholds = [new("clients", 200, "clients"), new("window", 60, "s")],
        QuietSeconds = 3600,
    };

    public static readonly Rule RogueRouter = new()
    {
        Id = "rogue-router-advertisement",
        Title = "A second router advertises other networks",
        Category = "interception",
        Severity = 8,
        Attack = Techniques.Of("T1557"),
        Condition = "A router advertisement with a lifetime, in a VLAN in which another router advertises, names a prefix or DNS server that the other does not.",
        Template = "{device} advertises itself as a router with {prefix}; until now {peer} is the router there.",
        Recommendation = "Find the port; enable RA guard.",
        FalsePositives = "Two rightful routers with different prefixes; a notebook with connection sharing.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("active_within", 7200, "s")],
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly IReadOnlyList<Rule> All =
    [
        RogueDhcp, NewDhcp, OtherFingerprint, Starvation, RogueRouter,
    ];
}
