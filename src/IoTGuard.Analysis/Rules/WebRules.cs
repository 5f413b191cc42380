namespace IoTGuard.Analysis.Rules;

/// <summary>Rules about HTTP, and what hospitals do over it: DICOMweb, FHIR, Orthanc, the administration of interface engines.</summary>
internal static class WebRules
{
    public static readonly Rule OpenRecords = new()
    {
        Id = "web-open-records",
        Title = "Medical records can be read over HTTP without logging in",
        Category = "misconfiguration",
        Severity = 4,
        Attack = Techniques.Of("T1190", "T1078.001"),
        Condition = "A DICOMweb, FHIR or Orthanc server answers a request for patients' data that says nothing about who asks, or says it with credentials that a product ships with.",
        Template = "{device} gives medical records ({services}) to anybody who asks over HTTP; {peer} did.",
        Recommendation = "Turn authentication and TLS on, and let only known clients reach the port.",
        FalsePositives = "A reverse proxy that authenticates in front of the monitored segment.",
        Traits = RuleTraits.Standing,
    };

    public static readonly Rule ClearCredentials = new()
    {
        Id = "web-clear-credentials",
        Title = "Passwords over HTTP without TLS",
        Category = "misconfiguration",
        Severity = 3,
        Attack = Techniques.Of("T1040", "T1557"),
        Condition = "A server inside accepts HTTP basic authentication over an unencrypted connection.",
        Template = "{device} takes passwords over HTTP without TLS (basic authentication); {peer} sent one.",
        Recommendation = "Offer the service over TLS only, and change the passwords that were used.",
        FalsePositives = "None about the fact.",
        Traits = RuleTraits.Standing,
    };

    public static readonly Rule PasswordGuessing = new()
    {
        Id = "web-password-guessing",
        Title = "Passwords are being guessed over HTTP",
        Category = "credential-access",
        Severity = 6,
        Attack = Techniques.Of("T1110.001"),
        Condition = "A server refuses many requests of one client that carry credentials (401).",
        Template = "{device} sent {refused} requests with credentials to {peer} that were refused; {accepted} were accepted.",
        Recommendation = "Find out who works at the device; check whether an account was entered at the end.",
        FalsePositives = "A program that goes on with an outdated password, at a steady pace for days.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("refused", 15, "requests"), new("handshakes", 40, "requests"), new("window", 60, "s")],
    };

    public static readonly Rule Scan = new()
    {
        Id = "web-scan",
        Title = "A web server is being scanned",
        Category = "reconnaissance",
        Severity = 5,
        Attack = Techniques.Of("T1046"),
        Condition = "A client asks for many different paths that do not exist or may not be read, which are most of its requests or twice as many, or names itself a scanner.",
        Template = "{device} explores {peer} by requests (program: {program}); {paths} paths so far did not exist or were refused.",
        Recommendation = "Find out what runs on the device; isolate it when it is no scanner of the security team.",
        FalsePositives = "Vulnerability scanners of the security team: exempt them by address; a web page whose parts were moved.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("paths", 20, "paths"), new("share", 0.6, "1"), new("window", 60, "s")],
    };

    public static readonly Rule Attack = new()
    {
        Id = "web-attack",
        Title = "An attack on a web server",
        Category = "exploitation",
        Severity = 7,
        Attack = Techniques.Of("T1190", "T1210"),
        Condition = "A request holds what only attacks hold: path traversal, injection of SQL, commands or scripts, JNDI look-ups.",
        Template = "{device} sent {peer} requests with signs of an attack ({signs}); {successes} of them were answered with success.",
        Recommendation = "Find out what runs on the device; look in the server's log whether the attack did anything.",
        FalsePositives = "Vulnerability scanners; search fields into which people type code.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
    };

    public static readonly Rule Harvesting = new()
    {
        Id = "web-record-harvesting",
        Title = "Medical records are being harvested over HTTP",
        Category = "data-collection",
        Severity = 8,
        Attack = Techniques.Of("T1213", "T1119", "T0811"),
        Condition = "A client lists everything at several levels (patients, studies, series, instances), searches again and again without a key, lists and then fetches, or fetches more studies or files than a person can read.",
        Template = "{device} asked {peer} for {lists} complete lists and fetched {objects} objects over {services} ({levels}).",
        Recommendation = "Ask the user of the device; if it was not intended, block it and assess which patients were listed.",
        FalsePositives = "Replication and migration between servers; a first look through a new archive.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds =
        [
            new("levels", 3, "levels"), new("lists", 6, "requests"), new("fetched_after_list", 3, "objects"), new("studies", 12, "studies"), new("files", 60, "objects"),
            new("window", 120, "s"),
        ],
    };

    public static readonly Rule BulkExport = new()
    {
        Id = "fhir-bulk-export",
        Title = "A bulk export of medical records",
        Category = "data-collection",
        Severity = 7,
        Attack = Techniques.Of("T1213", "T1119"),
        Condition = "A FHIR server accepts $export from a client that did not do so while the site was learned.",
        Template = "{device} had {peer} export medical records in bulk (FHIR $export).",
        Recommendation = "Check whether the export was ordered, and by whom.",
        FalsePositives = "Research and quality-assurance exports, which should be known.",
        Traits = RuleTraits.PerPeer,
    };

    public static readonly Rule Deletion = new()
    {
        Id = "web-record-deletion",
        Title = "Medical records are deleted over HTTP",
        Category = "integrity",
        Severity = 8,
        Attack = Techniques.Of("T1485", "T0809"),
        Condition = "A DICOMweb, FHIR or Orthanc server deletes patients, studies or other records for a client that did not log in, or many for one that did.",
        Template = "{device} deleted {deleted} records ({resources}) at {peer} over HTTP.",
        Recommendation = "Stop the client, restore the records from a backup, and turn authentication on.",
        FalsePositives = "Retention scripts and administrators on servers without authentication.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("deleted", 1, "records"), new("authenticated", 25, "records"), new("window", 300, "s")],
    };

    public static readonly Rule EngineAdministration = new()
    {
        Id = "interface-engine-takeover",
        Title = "The administration of an interface engine is attacked",
        Category = "exploitation",
        Severity = 9,
        Attack = Techniques.Of("T1190", "T1210"),
        Condition = "An XML document with a program in it is posted to the administration interface of an interface engine (CVE-2023-43208), or a server script is run through Orthanc.",
        Template = "{device} sent {peer} a request that runs programs on it ({what}).",
        Recommendation = "Treat the server as taken over: isolate it, look for new accounts, channels and outbound connections, and update it.",
        FalsePositives = "None known of the first; administrators who run Orthanc scripts by hand.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
    };

    public static readonly Rule DisguisedProgram = new()
    {
        Id = "disguised-program",
        Title = "A program in the disguise of an image or document",
        Category = "exploitation",
        Severity = 8,
        Attack = Techniques.Of("T1027.009", "T1036.008", "T1204.002"),
        Condition = "A DICOM file whose preamble makes it a program, a DICOM object with a program in a private element or as its encapsulated document, or a body that is a program and is declared as an image, text or DICOM.",
        Template = "{device} sent {peer} a program in disguise: {what}.",
        Recommendation = "Isolate both, keep the file, and find out where else it was sent.",
        FalsePositives = "None known: no application writes a program into the preamble.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
    };

    public static readonly Rule Smuggling = new()
    {
        Id = "http-request-smuggling",
        Title = "Requests that two readers would divide differently",
        Category = "protocol-abuse",
        Severity = 6,
        Attack = Techniques.Of("T1190"),
        Condition = "Heads with contradicting or malformed lengths and transfer codings: request smuggling.",
        Template = "{device} sent {peer} requests with contradicting lengths ({what}).",
        Recommendation = "Find out what runs on the device; update proxies and servers, which must refuse such requests.",
        FalsePositives = "Very old or home-made HTTP clients.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("faults", 2, "requests"), new("window", 600, "s")],
    };

    public static readonly Rule SlowRequests = new()
    {
        Id = "http-slow-requests",
        Title = "A web server is held by requests that never end",
        Category = "denial-of-service",
        Severity = 6,
        Attack = Techniques.Of("T1499.002"),
        Condition = "A client keeps many connections with heads that do not become complete.",
        Template = "{device} holds {connections} connections to {peer} with requests that do not become complete.",
        Recommendation = "Block the client; set a time limit for heads on the server.",
        FalsePositives = "A path that loses most packets.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("connections", 10, "connections"), new("window", 120, "s")],
    };

    public static IReadOnlyList<Rule> All { get; } =
    [
        OpenRecords, ClearCredentials, PasswordGuessing, Scan, Attack, Harvesting, BulkExport, Deletion, EngineAdministration, DisguisedProgram, Smuggling, SlowRequests,
    ];
}
