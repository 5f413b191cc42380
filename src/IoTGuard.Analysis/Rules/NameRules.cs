namespace IoTGuard.Analysis.Rules;

/// <summary>Rules about DNS and its relatives.</summary>
internal static class NameRules
{
    public static readonly Rule Tunnel = new()
    {
        Id = "dns-tunnel",
        Title = "Data travel in DNS questions",
        Category = "command-and-control",
        Severity = 8,
        Attack = Techniques.Of("T1071.004", "T1572"),
        Condition = "A device asks for very many different, long names below one domain, or for fewer whose answers are of types that carry anything (TXT, NULL, KEY, private).",
        Template = "{device} asked for {names} different names below {domain}, {length} characters long on average: data travel in them.",
        Recommendation = "Find the program that asks; block the domain at the resolver.",
        FalsePositives = "Reputation services of mail and virus filters put hashes into names: exempt their domains at the resolver's sensor.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("names", 80, "names"), new("opaque_names", 40, "names"), new("length", 45, "characters"), new("opaque_length", 25, "characters"), new("window", 300, "s")],
        QuietSeconds = 3600,
    };

    public static readonly Rule Exfiltration = new()
    {
        Id = "dns-exfiltration",
        Title = "Much is said in DNS",
        Category = "exfiltration",
        Severity = 8,
        Attack = Techniques.Of("T1048.003", "T1071.004"),
        Condition = "The names that a device asks for below one domain add up to more than any resolution needs.",
        Template = "{device} sent {bytes} within names below {domain}.",
        Recommendation = "Find out what was sent; block the domain at the resolver.",
        FalsePositives = "Reputation services that put hashes into names.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("bytes", 50000, "bytes"), new("window", 600, "s")],
        QuietSeconds = 3600,
    };

    public static readonly Rule NoSuchNames = new()
    {
        Id = "nxdomain-burst",
        Title = "Many names that do not exist",
        Category = "command-and-control",
        Severity = 6,
        Attack = Techniques.Of("T1568.002"),
        Condition = "A device asks for names of very many different domains that do not exist, as programs do that compute the name of their controller.",
        Template = "{device} asked for names of {domains} domains that do not exist.",
        Recommendation = "Look for malware on the device.",
        FalsePositives = "Wrong search domains after a change of the network; scanners of mail domains.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("domains", 60, "domains"), new("window", 300, "s")],
        QuietSeconds = 3600,
    };

    public static readonly Rule NewServer = new()
    {
        Id = "new-dns-server",
        Title = "An unknown DNS server is used",
        Category = "interception",
        Severity = 6,
        Attack = Techniques.Of("T1557", "T1071.004"),
        Condition = "A device gets answers of a DNS server that no device used while the site was learned.",
        Template = "{device} asks {peer} for names, which nobody here did before.",
        Recommendation = "Check the device's network settings, and who told it this server.",
        FalsePositives = "A new resolver; a notebook with its own settings.",
        Traits = RuleTraits.Baseline,
        QuietSeconds = 3600,
    };

    public static readonly Rule Poisoning = new()
    {
        Id = "name-poisoning",
        Title = "One host answers for many names",
        Category = "interception",
        Severity = 8,
        Attack = Techniques.Of("T1557.001"),
        Condition = "A host answers questions that were sent to all (LLMNR, NetBIOS) for several different names, or for WPAD or ISATAP, which are asked for to find a proxy or gateway.",
        Template = "{device} answers for {names} names that were asked of everybody ({asked}): it draws the traffic of others to itself.",
        Recommendation = "Isolate the host; switch LLMNR and NetBIOS name resolution off.",
        FalsePositives = "A server with several NetBIOS aliases; a deliberate WPAD host.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("names", 4, "names"), new("window", 900, "s")],
        QuietSeconds = 3600,
    };

    public static readonly IReadOnlyList<Rule> All =
    [
        Tunnel, Exfiltration, NoSuchNames, NewServer, Poisoning,
    ];
}
