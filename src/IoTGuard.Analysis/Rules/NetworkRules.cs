namespace IoTGuard.Analysis.Rules;

/// <summary>Rules about the network as such, the baseline of peers and services, and the model.</summary>
internal static class NetworkRules
{
    public static readonly Rule NewDevice = new()
    {
        Id = "new-device",
        Title = "A new device",
        Category = "new-device",
        Severity = 5,
        Attack = Techniques.Of("T1200"),
        Condition = "An inside address whose hardware address, or itself when it is behind a router, was never seen while the site was learned.",
        Template = "{device} is new at this site.",
        Recommendation = "Find out what it is and who connected it; take it off the network when nobody knows.",
        FalsePositives = "New equipment; a device that was off while the site was learned; visitors' devices.",
        Traits = RuleTraits.Baseline,
        Thresholds = [new("confidence", 0.3, "1")],
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly Rule NewPeer = new()
    {
        Id = "new-peer",
        Title = "A device talks to a service it never used",
        Category = "lateral-movement",
        Severity = 5,
        Attack = Techniques.Of("T1021", "T1210"),
        Condition = "A device exchanges data with a service of another device that it never used while the site was learned. It weighs less where its neighbours use the service or it uses the like of other hosts.",
        Template = "{device} uses {services} of {hosts}, which it never did before.[ So do others: {others}.]",
        Recommendation = "Check whether the two have business with each other; block the path when they have not.",
        FalsePositives = "Maintenance; rare tasks that a short learning period did not see.",
        Traits = RuleTraits.Baseline,
        Thresholds = [new("confidence", 0.35, "1")],
        QuietSeconds = 3600,
    };

    public static readonly Rule NewService = new()
    {
        Id = "new-service",
        Title = "A device offers a new service",
        Category = "new-service",
        Severity = 6,
        Attack = Techniques.Of("T1571", "T1133"),
        Condition = "A known device answers on a port on which it never answered while the site was learned.",
        Template = "{device} now answers on {services}; {peer} used it.[ So did others: {others}.]",
        Recommendation = "Find out what was installed or started on the device.",
        FalsePositives = "Software updates; dynamic ports of file transfers.",
        Traits = RuleTraits.Baseline,
        Thresholds = [new("confidence", 0.35, "1")],
        QuietSeconds = 3600,
    };

    public static readonly Rule NewOutsideUse = new()
    {
        Id = "new-outside-use",
        Title = "A device talks to the outside, or to a new place there",
        Category = "exfiltration",
        Severity = 6,
        Attack = Techniques.Of("T1071", "T1041"),
        Condition = "A device that exchanged no data with public addresses while the site was learned does so; or one that knew few networks outside uses another, which no other device used.",
        Template = "{device} exchanges data with {peer}, outside of the site, on {services}; while the site was learned it talked to {before}.[ So do others: {others}.]",
        Recommendation = "Medical devices have no business outside: find out what runs on it, and block it.",
        FalsePositives = "Remote maintenance; a software update.",
        Traits = RuleTraits.Baseline,
        Thresholds = [new("confidence", 0.35, "1")],
        QuietSeconds = 3600,
    };

    public static readonly Rule MedicalOutside = new()
    {
        Id = "medical-device-outside",
        Title = "A medical device talks to the outside",
        Category = "misconfiguration",
        Severity = 4,
        Attack = Techniques.Of("T1133", "T1041"),
        Condition = "A device that takes part in DICOM or HL7 exchanges data with a public address, and there is no learned site that would know better.",
        Template = "{device} exchanges data with {peer}, outside of the site, on {services}.",
        Recommendation = "Find out which program does so and whether it must; let a firewall allow only that.",
        FalsePositives = "Remote maintenance and updates that are wanted.",
        Traits = RuleTraits.Standing,
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly Rule ChangedDevice = new()
    {
        Id = "device-changed",
        Title = "An address belongs to another device now",
        Category = "new-device",
        Severity = 5,
        Attack = Techniques.Of("T1200", "T1557.002"),
        Condition = "ARP gives the address of a learned device to a hardware address that the site does not know, while the learned one is not heard.",
        Template = "{device} has the address {address} now, which was {before} while the site was learned.",
        Recommendation = "Find out whether the device was replaced, and by whom; take it off the network when nobody knows.",
        FalsePositives = "A repaired or replaced device; an address that was given to a new device.",
        Traits = RuleTraits.Baseline,
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly Rule PortScan = new()
    {
        Id = "port-scan",
        Title = "Port scan",
        Category = "reconnaissance",
        Severity = 6,
        Attack = Techniques.Of("T1046", "T0846"),
        Condition = "Many different ports of one host are tried and refuse or do not answer; SYN, connect, FIN, NULL, XMAS, ACK and UDP alike.",
        Template = "{device} tried {ports} ports of {hosts} ({technique}).",
        Recommendation = "Find out what runs on the device; isolate it when it is no scanner of the security team.",
        FalsePositives = "Vulnerability scanners and inventory tools: those that scan again and again while the site is learned are learned, others are exempted by address.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("ports", 12, "ports"), new("ports_of_many", 40, "ports"), new("grace", 2, "s"), new("window", 300, "s")],
    };

    public static readonly Rule HostScan = new()
    {
        Id = "host-scan",
        Title = "Host scan",
        Category = "reconnaissance",
        Severity = 6,
        Attack = Techniques.Of("T1018", "T0846"),
        Condition = "Many hosts are tried that refuse or do not answer (TCP, UDP, ICMP echo); fewer suffice on the ports of remote administration (SSH, SMB, RDP and the like).",
        Template = "{device} tried {hosts} hosts ({technique}), among them {peer}.",
        Recommendation = "Find out what runs on the device; isolate it when it is no scanner of the security team.",
        FalsePositives = "Monitoring of devices that are switched off; inventory tools.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("hosts", 16, "hosts"), new("administered_hosts", 8, "hosts"), new("outside_hosts", 60, "hosts"), new("grace", 2, "s"), new("window", 120, "s")],
    };

    public static readonly Rule ServiceScan = new()
    {
        Id = "service-scan",
        Title = "Services of several hosts are being probed",
        Category = "reconnaissance",
        Severity = 6,
        Attack = Techniques.Of("T1046", "T0888"),
        Condition = "One device tries many services of several hosts, most of which refuse, do not answer, or are left without a word.",
        Template = "{device} probed {services} services of {hosts} hosts, among them {peer}.",
        Recommendation = "Find out what runs on the device; isolate it when it is no scanner of the security team.",
        FalsePositives = "Inventory tools.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("services", 8, "services"), new("hosts", 2, "hosts"), new("services_per_host", 2.5, "services"), new("share", 0.5, "1"), new("grace", 2, "s"), new("window", 120, "s")],
    };

    public static readonly Rule ArpSweep = new()
    {
        Id = "arp-sweep",
        Title = "ARP sweep",
        Category = "reconnaissance",
        Severity = 5,
        Attack = Techniques.Of("T1018", "T0846"),
        Condition = "One hardware address asks for many addresses that no known device has.",
        Template = "{device} asked by ARP for {addresses} addresses that no known device has.",
        Recommendation = "Find out what runs on the device; isolate it when it is no scanner of the security team.",
        FalsePositives = "A router that forwards somebody else's sweep: look for a host scan at the same time.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("addresses", 20, "addresses"), new("window", 60, "s")],
    };

    public static readonly Rule ArpSpoofing = new()
    {
        Id = "arp-spoofing",
        Title = "An address is claimed by a second device",
        Category = "interception",
        Severity = 8,
        Attack = Techniques.Of("T1557.002", "T0830"),
        Condition = "ARP replies or announcements give an address to a second hardware address while the first one is active.",
        Template = "{device} claims the address {address} with the hardware address {claimant}; it belongs to {owner}.",
        Recommendation = "Find the port of the second hardware address at the switch; treat what passed there as read.",
        FalsePositives = "Failover pairs (VRRP, clusters); an address given to another device.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("claims", 2, "claims"), new("active_within", 300, "s")],
    };

    public static readonly Rule PacketFlood = new()
    {
        Id = "packet-flood",
        Title = "Flood of datagrams",
        Category = "denial-of-service",
        Severity = 7,
        Attack = Techniques.Of("T1498", "T1499.001", "T0814"),
        Condition = "One host receives very many UDP datagrams or ICMP echo requests: unanswered ones from ever new ports or senders, or one stream of a high rate that was not there while the site was learned.",
        Template = "{device} takes part in a flood of {kind}: {packets} within {period}, from {senders} to {target}.",
        Recommendation = "Block the sender at its switch port, or the flood upstream; the senders may be invented.",
        FalsePositives = "Video and telemetry over UDP that nobody learned.",
        Thresholds =
        [
            new("flows", 1500, "flows"), new("share", 0.8, "1"), new("window", 10, "s"), new("packets", 4000, "packets"), new("udp_rate", 800, "packets/s"), new("echo_rate", 100, "packets/s"),
        ],
    };

    public static readonly Rule SynFlood = new()
    {
        Id = "syn-flood",
        Title = "SYN flood",
        Category = "denial-of-service",
        Severity = 7,
        Attack = Techniques.Of("T1499.001", "T1498", "T0814"),
        Condition = "Very many connections to one service are opened but not completed.",
        Template = "The service {service} receives {half-open} connection requests within {period} that are not completed, from {senders}.",
        Recommendation = "Protect the service (SYN cookies, filter upstream); the senders may be invented.",
        FalsePositives = "A service that just went down while many clients retry.",
        Thresholds = [new("half_open", 300, "connections"), new("share", 0.8, "1"), new("window", 10, "s")],
    };

    public static readonly Rule BruteForce = new()
    {
        Id = "login-guessing",
        Title = "Log-ins are being guessed",
        Category = "credential-access",
        Severity = 7,
        Attack = Techniques.Of("T1110", "T1021"),
        Condition = "Many short sessions from one device to a log-in service (SSH, Telnet, FTP, RDP, SMB, VNC) of another, or many log-ins that fail "
            + "(FTP, SMTP, Telnet and VNC say so; of SSH it is inferred from sizes).",
        Template = "{device} opened {sessions} short sessions to {services} of {peer} within {period}; {refused} log-ins were seen to be refused.",
        Recommendation = "Check the log of the server for failed log-ins; block the device.",
        FalsePositives = "Automation over SSH; a learned site knows who does that.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("sessions", 10, "sessions"), new("failures", 8, "log-ins"), new("short", 15, "s"), new("bytes", 20_000, "bytes"), new("window", 120, "s")],
    };

    public static readonly Rule InsecureService = new()
    {
        Id = "insecure-service",
        Title = "A log-in service without encryption",
        Category = "misconfiguration",
        Severity = 3,
        Attack = Techniques.Of("T1040", "T0812"),
        Condition = "Data is exchanged with Telnet, FTP, rlogin or rsh.",
        Template = "{device} offers {services}, which sends passwords in the clear; {peer} used it.",
        Recommendation = "Replace it by SSH or SFTP, or let only the maintenance network reach it.",
        FalsePositives = "None about the fact.",
        Traits = RuleTraits.Standing,
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly Rule OverlapConflict = new()
    {
        Id = "tcp-overlap-conflict",
        Title = "TCP bytes were sent twice with different content",
        Category = "interception",
        Severity = 7,
        Attack = Techniques.Of("T1557", "T0830", "T1565.002"),
        Condition = "The second copy of stream bytes of a DICOM or HL7 connection differs from the first.",
        Template = "Bytes between {device} and {peer} were sent again with other content ({conflicts} times): somebody may inject into the connection.",
        Recommendation = "Compare what sender and receiver have stored; look for a device in between.",
        FalsePositives = "Broken network cards and middleboxes.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
    };

    public static readonly Rule ZoneViolation = new()
    {
        Id = "zone-violation",
        Title = "Traffic that the policy forbids",
        Category = "misconfiguration",
        Severity = 5,
        Attack = Techniques.Of("T0886", "T1021"),
        Condition = "A connection between two zones is answered that the site's policy.yaml forbids; without a policy the rule is silent.",
        Template = "{device} and {peer} exchange {services}, from zone {from} to zone {to}, which the policy forbids.",
        Recommendation = "Let the firewall between the zones block it; when it is rightful, allow it in the policy.",
        FalsePositives = "None about the fact; the policy may be incomplete.",
        Traits = RuleTraits.PerPeer,
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly IReadOnlyList<Rule> All =
    [
        NewDevice, ChangedDevice, NewPeer, NewService, NewOutsideUse, MedicalOutside, PortScan, HostScan, ServiceScan, ArpSweep, ArpSpoofing, SynFlood, PacketFlood, BruteForce, InsecureService,
        OverlapConflict, ZoneViolation,
    ];
}
