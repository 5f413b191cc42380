namespace IoTGuard.Analysis.Rules;

/// <summary>Rules about directories, brokers, controllers, databases, and what leaves or falls silent.</summary>
internal static class ServiceRules
{
    public static readonly Rule SimpleBind = new()
    {
        Id = "ldap-simple-bind",
        Title = "Passwords go to a directory in the clear",
        Category = "misconfiguration",
        Severity = 4,
        Attack = Techniques.Of("T1040", "T1078"),
        Condition = "A client sends an LDAP simple bind with a password without TLS.",
        Template = "{device} sends a password in the clear to the directory {peer}.",
        Recommendation = "Use LDAPS or StartTLS, and have the directory refuse simple binds without it.",
        FalsePositives = "None about the fact.",
        Traits = RuleTraits.Standing,
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly Rule DirectoryHarvesting = new()
    {
        Id = "ldap-harvesting",
        Title = "A directory is read in bulk",
        Category = "reconnaissance",
        Severity = 5,
        Attack = Techniques.Of("T1087", "T1018"),
        Condition = "One client gets very many entries from a directory in a short time.",
        Template = "{device} got {entries} entries from the directory {peer} within {period}.",
        Recommendation = "Check whether the device has to read the whole directory.",
        FalsePositives = "Synchronisation of address books and identity management.",
        Traits = RuleTraits.PerPeer,
        Thresholds = [new("entries", 5000, "entries"), new("window", 300, "s")],
    };

    public static readonly Rule OpenBroker = new()
    {
        Id = "mqtt-open",
        Title = "A message broker lets everybody in",
        Category = "misconfiguration",
        Severity = 4,
        Attack = Techniques.Of("T1078.001", "T0812"),
        Condition = "An MQTT broker accepts a connection without user name and password, and without TLS.",
        Template = "The broker on {device} accepts clients without credentials, {peer} among them.",
        Recommendation = "Require credentials or certificates, and TLS.",
        FalsePositives = "None about the fact.",
        Traits = RuleTraits.Standing,
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly Rule Eavesdropping = new()
    {
        Id = "mqtt-everything",
        Title = "A client subscribes to everything",
        Category = "data-collection",
        Severity = 5,
        Attack = Techniques.Of("T1119", "T0802"),
        Condition = "An MQTT client subscribes to the topic filter #, which it did not do while the site was learned, and the broker grants it.",
        Template = "{device} reads all messages of the broker {peer}.",
        Recommendation = "Check whether the client has to; give it only its topics.",
        FalsePositives = "Gateways, loggers and bridges, each told once.",
        Traits = RuleTraits.Standing | RuleTraits.PerPeer,
        QuietSeconds = 3600,
    };

    public static readonly Rule ControllerWrite = new()
    {
        Id = "modbus-write",
        Title = "A controller is written to by a new peer",
        Category = "integrity",
        Severity = 6,
        Attack = Techniques.Of("T0855", "T0836"),
        Condition = "A client writes coils or registers of a Modbus device to which it did not write while the site was learned.",
        Template = "{device} writes to the controller {peer} ({functions}).",
        Recommendation = "Check with building technology whether this is a control station.",
        FalsePositives = "A new control station or gateway, told once.",
        Traits = RuleTraits.Standing | RuleTraits.PerPeer,
        QuietSeconds = 3600,
    };

    public static readonly Rule ControllerScan = new()
    {
        Id = "modbus-scan",
        Title = "A controller is being explored",
        Category = "reconnaissance",
        Severity = 6,
        Attack = Techniques.Of("T0846", "T0888"),
        Condition = "One client tries many Modbus units or functions that are refused.",
        Template = "{device} tried {tries} units and functions of {peer} that were refused.",
        Recommendation = "Find out what runs on the device; isolate it when it is no engineering station.",
        FalsePositives = "Engineering tools that look for devices behind a gateway.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("tries", 8, "tries"), new("window", 120, "s")],
    };

    public static readonly Rule BackdoorTraffic = new()
    {
        Id = "file-services-outside",
        Title = "A device mounts or prints outside of the site",
        Category = "exfiltration",
        Severity = 8,
        Attack = Techniques.Of("T1195", "T1041"),
        Condition = "An inside device tries TCP port 515 (LPD), 111 or 2049 (NFS) of a public address, answered or not. The firmware of a patient monitor does so: it mounts a share (CVE-2025-0626) and sends patient data (CVE-2025-0683).",
        Template = "{device} tries {services} of {peer}, outside of the site.",
        Recommendation = "Take the device off the network, ask its vendor, and block these ports to the outside.",
        FalsePositives = "A branch whose public addresses are not named as inside networks.",
        Traits = RuleTraits.PerPeer,
        QuietSeconds = 3600,
    };

    public static readonly Rule OpenDatabase = new()
    {
        Id = "database-open",
        Title = "A database lets everybody in",
        Category = "misconfiguration",
        Severity = 6,
        Attack = Techniques.Of("T1078.001", "T1213"),
        Condition = "A database answers a client that did not prove who it is.",
        Template = "The database {kind} on {device} needs no password; {peer} used it.",
        Recommendation = "Require authentication; let only the application's hosts reach it.",
        FalsePositives = "Caches that hold nothing worth protecting.",
        Traits = RuleTraits.Standing,
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly Rule OutsideVolume = new()
    {
        Id = "outside-volume",
        Title = "Very much data leaves the site",
        Category = "exfiltration",
        Severity = 7,
        Attack = Techniques.Of("T1041", "T1048"),
        Condition = "A device sends far more to the outside within ten minutes than it ever did while the site was learned; a device that was not learned, more than a large amount.",
        Template = "{device} sent {sent} to the outside within {period}, most lately to {peer}.",
        Recommendation = "Find out what was sent and by which program; block the destination until that is known.",
        FalsePositives = "Off-site backups, video calls, and the upload of studies that were never seen while learning.",
        Thresholds = [new("bytes", 2_000_000_000, "bytes"), new("learned_bytes", 50_000_000, "bytes"), new("factor", 5, "1")],
        QuietSeconds = 3600,
    };

    public static readonly Rule SilentService = new()
    {
        Id = "service-silent",
        Title = "A service stopped answering",
        Category = "availability",
        Severity = 5,
        Attack = Techniques.Of("T0815", "T0814"),
        Condition = "A service that answered many connections answers none any more, though several clients go on trying.",
        Template = "{service} of {device} answered before, but none of the last {tries} connections; {peer} tried too.",
        Recommendation = "Check the service and its host.",
        FalsePositives = "Maintenance; a service that was moved.",
        Thresholds = [new("answered", 20, "connections"), new("tries", 5, "connections"), new("clients", 2, "clients"), new("silence", 40, "s")],
        QuietSeconds = 1800,
    };

    public static readonly Rule SilentDevice = new()
    {
        Id = "device-silent",
        Title = "A device fell silent",
        Category = "availability",
        Severity = 5,
        Attack = Techniques.Of("T0815"),
        Condition = "A device that was heard all the time while the site was learned, with short pauses only, and was heard since, says nothing for many times its longest pause. It is judged "
            + "in hours of the day (and, when it rests at times, on days of the week) in which it was heard then; after less than a day of learning, in the hours next to the ones learned.",
        Template = "{device} said nothing for {silence}; while the site was learned it was never silent for longer than {rhythm}.",
        Recommendation = "Check the device and its network port.",
        FalsePositives = "Devices that are switched off by hand at a time when they never were before.",
        Traits = RuleTraits.Baseline,
        Thresholds = [new("heard", 20, "times"), new("pause", 120, "s"), new("factor", 6, "1"), new("silence", 60, "s")],
        QuietSeconds = 86_400,
    };

    public static readonly IReadOnlyList<Rule> All =
    [
        SimpleBind, DirectoryHarvesting, OpenBroker, Eavesdropping, ControllerWrite, ControllerScan, BackdoorTraffic, OpenDatabase, OutsideVolume, SilentService, SilentDevice,
    ];
}
