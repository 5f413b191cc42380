namespace IoTGuard.Analysis.Rules;

/// <summary>Rules about management, time and building technology.</summary>
internal static class ManagementRules
{
    public static readonly Rule DefaultCommunity = new()
    {
        Id = "snmp-default-community",
        Title = "SNMP with a default community",
        Category = "misconfiguration",
        Severity = 5,
        Attack = Techniques.Of("T1078.001", "T0812"),
        Condition = "A device answers SNMP version 1 or 2c with the community public, private or none.",
        Template = "{device} answers SNMP with the community {communities}; {peer} asked.",
        Recommendation = "Use SNMPv3, or another community and an access list.",
        FalsePositives = "None about the fact.",
        Traits = RuleTraits.Standing,
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly Rule CommunityGuessing = new()
    {
        Id = "snmp-community-guessing",
        Title = "SNMP communities are guessed",
        Category = "credential-access",
        Severity = 7,
        Attack = Techniques.Of("T1110.001", "T1046"),
        Condition = "A device asks with several different communities that are not answered.",
        Template = "{device} tried {communities} SNMP communities; {peer} was the last it asked.",
        Recommendation = "Find out what runs on the device; isolate it when it is no scanner of the security team.",
        FalsePositives = "Inventory tools with a list of communities.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("communities", 4, "communities"), new("window", 120, "s")],
        QuietSeconds = 900,
    };

    public static readonly Rule KerberosGuessing = new()
    {
        Id = "kerberos-guessing",
        Title = "Passwords or users are guessed at Kerberos",
        Category = "credential-access",
        Severity = 7,
        Attack = Techniques.Of("T1110.001", "T1110.003"),
        Condition = "Many requests of one device fail because of the password, or for users that do not exist.",
        Template = "{device} had {failures} failed log-ins at {peer} for {users} users.",
        Recommendation = "Look for what runs on the device; lock the accounts concerned.",
        FalsePositives = "A service with an old password: then there is one user only.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("failures", 30, "requests"), new("window", 300, "s")],
        QuietSeconds = 900,
    };

    public static readonly Rule Roasting = new()
    {
        Id = "kerberoasting",
        Title = "Tickets are collected to crack them",
        Category = "credential-access",
        Severity = 8,
        Attack = Techniques.Of("T1558.003", "T1558.004"),
        Condition = "A device gets tickets of many services encrypted with RC4, or log-in tickets of many users without a proof of their password.",
        Template = "{device} collected {tickets} tickets of {peer} that can be cracked offline.",
        Recommendation = "Disable RC4 and users without pre-authentication; change the passwords of the services concerned.",
        FalsePositives = "Old devices that know RC4 only and use many services.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("tickets", 10, "tickets"), new("window", 600, "s")],
        QuietSeconds = 3600,
    };

    public static readonly Rule BuildingWrite = new()
    {
        Id = "bacnet-change",
        Title = "Building technology is changed",
        Category = "unauthorized-access",
        Severity = 5,
        Attack = Techniques.Of("T0855", "T0836"),
        Condition = "A device writes properties of a BACnet device, switches its communication off, or restarts it.",
        Template = "{device} sent {peer} {services} ({count} times).",
        Recommendation = "Check whether the sender is the building's management; block BACnet for all others.",
        FalsePositives = "The management itself on the first day; while a site is learned it is learned.",
        Traits = RuleTraits.Standing | RuleTraits.PerPeer,
        QuietSeconds = 3600,
    };

    public static readonly Rule MonitorOutside = new()
    {
        Id = "monitor-data-outside",
        Title = "A patient monitor's data leave the site",
        Category = "exfiltration",
        Severity = 9,
        Attack = Techniques.Of("T1048.003", "T1041"),
        Condition = "The data export protocol of a patient monitor is spoken with an address outside of the site.",
        Template = "{device} exchanges data of a patient monitor with {peer}, outside of the site.",
        Recommendation = "Block it, and find out who set it up.",
        FalsePositives = "A site whose own public addresses are not configured.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        QuietSeconds = 3600,
    };

    public static readonly Rule WrongClock = new()
    {
        Id = "clock-not-synchronised",
        Title = "A time server is wrong",
        Category = "misconfiguration",
        Severity = 4,
        Attack = Techniques.Of("T1565.002"),
        Condition = "A time server's time differs from packet time in several exchanges.",
        Template = "The clock of {device} is {offset} off; {peer} takes its time from it.",
        Recommendation = "Set the server's clock; when many servers are off by the same time, it is the sensor's clock.",
        FalsePositives = "A sensor whose own clock is wrong.",
        Traits = RuleTraits.Standing,
        Thresholds = [new("offset", 60, "s"), new("exchanges", 3, "exchanges")],
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly Rule Hl7Clock = new()
    {
        Id = "hl7-clock-off",
        Title = "Times in HL7 messages are off",
        Category = "misconfiguration",
        Severity = 4,
        Attack = Techniques.Of("T1565.002"),
        Condition = "The time in many messages in a row of one sender differs from packet time by about the same amount.",
        Template = "The clock of {device} is {offset} off in its HL7 messages.",
        Recommendation = "Synchronise the sender's clock: results get wrong times.",
        FalsePositives = "Messages that are sent later on purpose; a sensor whose own clock is wrong.",
        Traits = RuleTraits.Standing,
        Thresholds = [new("offset", 300, "s"), new("spread", 60, "s"), new("messages", 20, "messages")],
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly Rule TftpUse = new()
    {
        Id = "tftp-use",
        Title = "Files are moved by TFTP",
        Category = "misconfiguration",
        Severity = 4,
        Attack = Techniques.Of("T1105", "T0812"),
        Condition = "A file is asked for or written with TFTP, which knows no log-in.",
        Template = "{device} gives or takes files by TFTP ({operations}); {peer} used it.",
        Recommendation = "Let only the maintenance network reach it, or replace it.",
        FalsePositives = "Telephones and network boot.",
        Traits = RuleTraits.Standing,
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly IReadOnlyList<Rule> All =
    [
        DefaultCommunity, CommunityGuessing, KerberosGuessing, Roasting, BuildingWrite, MonitorOutside, WrongClock, Hl7Clock, TftpUse,
    ];
}
