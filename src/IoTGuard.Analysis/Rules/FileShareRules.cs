namespace IoTGuard.Analysis.Rules;

/// <summary>Rules about file shares and remote procedures over them.</summary>
internal static class FileShareRules
{
    public static readonly Rule Ransomware = new()
    {
        Id = "smb-ransomware",
        Title = "Files on a share are being encrypted",
        Category = "availability",
        Severity = 9,
        Attack = Techniques.Of("T1486", "T0826"),
        Condition = "One client writes many files with random content to shares of a server and, in the same time, renames many to unusual extensions or deletes many.",
        Template = "{device} wrote {random writes} blocks of random content to {peer} within {period}, gave {strange extensions} files an unusual extension and deleted {deletes}.",
        Recommendation = "Isolate the device at once and take the share offline; check backups before anything is restored.",
        FalsePositives = "Programs that encrypt archives into files with an extension of their own and remove the originals.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("random_writes", 20, "writes"), new("share", 0.5, "1"), new("renames", 15, "files"), new("deletes", 30, "files"), new("window", 120, "s")],
    };

    public static readonly Rule MassDeletion = new()
    {
        Id = "smb-mass-deletion",
        Title = "Very many files are deleted on a share",
        Category = "availability",
        Severity = 6,
        Attack = Techniques.Of("T1485", "T1490"),
        Condition = "One client deletes very many files on a server in a short time.",
        Template = "{device} deleted {deletes} files on {peer} within {period}.",
        Recommendation = "Ask who works there; stop the device and save what shadow copies there are when nobody does.",
        FalsePositives = "Tidying up of folders; programs that keep many temporary files on a share.",
        Traits = RuleTraits.PerPeer,
        Thresholds = [new("deletes", 300, "files"), new("window", 120, "s")],
    };

    public static readonly Rule FanOut = new()
    {
        Id = "smb-fan-out",
        Title = "A device logs on to many file servers",
        Category = "lateral-movement",
        Severity = 7,
        Attack = Techniques.Of("T1021.002", "T1570"),
        Condition = "One client has SMB sessions with many hosts that it was not learned to use.",
        Template = "{device} logged on to {hosts} hosts by SMB within {period}, among them {peer}.",
        Recommendation = "Find out what runs on the device; isolate it when it is no management server.",
        FalsePositives = "Software distribution, backup and inventory servers; a learned site knows them.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("hosts", 10, "hosts"), new("window", 300, "s")],
    };

    public static readonly Rule AdministrativeShare = new()
    {
        Id = "smb-administrative-share",
        Title = "An administrative share is used",
        Category = "lateral-movement",
        Severity = 6,
        Attack = Techniques.Of("T1021.002"),
        Condition = "A client connects to ADMIN$ or a drive's share (C$) of another device, which it did not do while the site was learned.",
        Template = "{device} uses the administrative share {shares} of {hosts}.",
        Recommendation = "Check whether the device is an administrator's; medical devices and workstations have no business there.",
        FalsePositives = "Administrators and management servers, each told once a day.",
        QuietSeconds = Rule.NewsSeconds,
    };

    public static readonly Rule RemoteService = new()
    {
        Id = "remote-service-creation",
        Title = "A service or task is set up on another device",
        Category = "lateral-movement",
        Severity = 8,
        Attack = Techniques.Of("T1569.002", "T1021.002", "T1053.005"),
        Condition = "A client creates or changes a Windows service (svcctl) or a scheduled task on another device, as PsExec and its like do, which it did not do while the site was learned.",
        Template = "{device} called {operations} on {peer}: it can run programs there.",
        Recommendation = "Find out who did it and which service or task; isolate both devices when nobody knows.",
        FalsePositives = "Software distribution and administrators' tools, each told once.",
        Traits = RuleTraits.Standing | RuleTraits.PerPeer,
        QuietSeconds = 3600,
    };

    public static readonly Rule AccountEnumeration = new()
    {
        Id = "account-enumeration",
        Title = "Accounts and shares are being listed",
        Category = "reconnaissance",
        Severity = 6,
        Attack = Techniques.Of("T1087", "T1135"),
        Condition = "One client asks several times for lists of users, groups, sessions or shares by remote procedures.",
        Template = "{device} asked {hosts} hosts for lists of accounts and shares ({operations}), among them {peer}.",
        Recommendation = "Find out what runs on the device; isolate it when it is no inventory tool.",
        FalsePositives = "Inventory tools and domain controllers.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("lists", 8, "lists"), new("window", 300, "s")],
    };

    public static readonly Rule CredentialDumping = new()
    {
        Id = "credential-dumping",
        Title = "Credentials are read from another device",
        Category = "credential-access",
        Severity = 9,
        Attack = Techniques.Of("T1003", "T1003.006"),
        Condition = "A client saves parts of another device's registry (winreg), or replicates a domain's secrets (drsuapi) though it did not do so while the site was learned.",
        Template = "{device} called {operations} on {peer}, by which passwords are taken.",
        Recommendation = "Isolate the device; change the passwords that the other one held.",
        FalsePositives = "Backup of the registry over the network; replication between domain controllers, told once.",
        Traits = RuleTraits.Standing | RuleTraits.PerPeer,
        QuietSeconds = 3600,
    };

    public static readonly Rule LogOnFailures = new()
    {
        Id = "smb-logon-failures",
        Title = "Log-ons to a file server are refused again and again",
        Category = "credential-access",
        Severity = 7,
        Attack = Techniques.Of("T1110.001", "T1110.003"),
        Condition = "A server refuses many log-ons of one client, for one account or many.",
        Template = "{peer} refused {refused} log-ons of {device} within {period}, for {accounts} accounts.",
        Recommendation = "Check the log of the server for the accounts tried; block the device.",
        FalsePositives = "A service with an outdated password that tries very often.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("refused", 10, "log-ons"), new("window", 120, "s")],
    };

    public static readonly Rule Guest = new()
    {
        Id = "smb-guest",
        Title = "Files are shared with everybody",
        Category = "misconfiguration",
        Severity = 4,
        Attack = Techniques.Of("T1078.001", "T0812"),
        Condition = "A file server lets a client in as a guest, or to a share of files without an account.",
        Template = "{device} lets clients in without a password; {peer} was.",
        Recommendation = "Switch guest access off, or make sure that nothing confidential lies there.",
        FalsePositives = "None about the fact.",
        Traits = RuleTraits.Standing,
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly Rule Version1 = new()
    {
        Id = "smb1-in-use",
        Title = "SMB 1 is in use",
        Category = "misconfiguration",
        Severity = 4,
        Attack = Techniques.Of("T1210", "T1557"),
        Condition = "A server agrees to SMB 1.",
        Template = "{device} speaks SMB 1, the protocol of EternalBlue; {peer} used it.",
        Recommendation = "Switch SMB 1 off, or let only those devices reach it that know nothing else.",
        FalsePositives = "None about the fact.",
        Traits = RuleTraits.Standing,
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly Rule Exploit = new()
    {
        Id = "smb1-exploit",
        Title = "Signs of EternalBlue or DoublePulsar",
        Category = "exploitation",
        Severity = 10,
        Attack = Techniques.Of("T1210", "T0866"),
        Condition = "An SMB 1 connection holds what only tests for MS17-010, its exploits, and the implant DoublePulsar send.",
        Template = "{device} attacks {peer} over SMB 1: {signs}.",
        Recommendation = "Isolate both devices; treat the attacked one as taken over until it is examined.",
        FalsePositives = "Vulnerability scanners; exempt them by address.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
    };

    public static readonly Rule ToolTransfer = new()
    {
        Id = "smb-program-copied",
        Title = "A program is copied to an administrative share",
        Category = "lateral-movement",
        Severity = 8,
        Attack = Techniques.Of("T1570", "T1021.002"),
        Condition = "A file that begins as a program does is written to ADMIN$ or a drive's share.",
        Template = "{device} copied {programs} programs to {shares} of {peer}.",
        Recommendation = "Find out what it is and who copied it; isolate both devices when nobody knows.",
        FalsePositives = "Software distribution.",
        Traits = RuleTraits.PerPeer,
        QuietSeconds = 3600,
    };

    public static readonly Rule ExecutableImage = new()
    {
        Id = "smb-executable-image",
        Title = "A DICOM file on a share is a program as well",
        Category = "exploitation",
        Severity = 8,
        Attack = Techniques.Of("T1027.009", "T1036.008"),
        Condition = "A file with the prefix of DICOM has a program in its preamble (PS3.10 7.1).",
        Template = "{device} wrote {files} DICOM files to {peer} that are programs as well.",
        Recommendation = "Keep the files from being opened; examine the device that wrote them.",
        FalsePositives = "None known; the standard leaves the preamble to applications, and no imaging program puts one there.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
    };

    public static readonly IReadOnlyList<Rule> All =
    [
        Ransomware, MassDeletion, FanOut, AdministrativeShare, RemoteService, AccountEnumeration, CredentialDumping, LogOnFailures, Guest, Version1, Exploit, ToolTransfer, ExecutableImage,
    ];
}
