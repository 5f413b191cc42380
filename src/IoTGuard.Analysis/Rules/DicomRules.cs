namespace IoTGuard.Analysis.Rules;

/// <summary>Rules about DICOM (PS3.7, PS3.8).</summary>
internal static class DicomRules
{
    public static readonly Rule AeTitleGuessing = new()
    {
        Id = "dicom-ae-title-guessing",
        Title = "AE titles are being guessed",
        Category = "credential-access",
        Severity = 7,
        Attack = Techniques.Of("T1110.001", "T0888"),
        Condition = "One client is refused by one server with many different pairs of calling and called AE titles, or gets in with very many.",
        Template = "{device} tried {titles} pairs of AE titles at {peer}; {rejected} associations were refused and {accepted} accepted.",
        Recommendation = "Find out who works at the device and isolate it if nobody does; check which AE titles the server let in.",
        FalsePositives = "An installer who tries titles while connecting a new modality.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("titles", 5, "refused pairs"), new("accepted_titles", 8, "accepted pairs"), new("window", 600, "s")],
    };

    public static readonly Rule UnknownCallingAe = new()
    {
        Id = "dicom-unknown-calling-ae",
        Title = "An unknown calling AE title was let in",
        Category = "unauthorized-access",
        Severity = 6,
        Attack = Techniques.Of("T1078", "T0812"),
        Condition = "A server accepts an association from a calling AE title that was never used at this site, or not by this address.",
        Template = "{peer} accepted an association of {device} under the AE title {calling AE title}, which {known as}.",
        Recommendation = "Check whether the device may use this title; let the server accept only listed titles from listed addresses.",
        FalsePositives = "A new or renamed modality; a device that got a new address.",
        Traits = RuleTraits.Baseline | RuleTraits.PerPeer,
        Thresholds = [new("confidence", 0.35, "1")],
        QuietSeconds = Rule.NewsSeconds,
    };

    public static readonly Rule DefaultAeTitle = new()
    {
        Id = "dicom-default-ae-title",
        Title = "A default AE title works",
        Category = "misconfiguration",
        Severity = 4,
        Attack = Techniques.Of("T1078.001", "T0812"),
        Condition = "An association is accepted under a calling or called AE title that a product ships with.",
        Template = "{device} uses the default AE title {AE title} with {peer}, and the association was accepted: anybody can guess it.",
        Recommendation = "Give the application its own AE title and let it accept only known ones.",
        FalsePositives = "None about the fact; small sites run with default titles on purpose.",
        Traits = RuleTraits.Standing,
    };

    public static readonly Rule ServiceProbing = new()
    {
        Id = "dicom-service-probing",
        Title = "DICOM servers are being probed",
        Category = "reconnaissance",
        Severity = 6,
        Attack = Techniques.Of("T1046", "T0888"),
        Condition = "A client opens associations without doing anything in them but C-ECHO, at many servers or many times.",
        Template = "{device} opened {associations} associations to {servers} DICOM servers and did nothing in them but ask whether they are there.",
        Recommendation = "Find out what runs on the device; a monitoring system should be known by its address.",
        FalsePositives = "A new monitoring system; a service technician testing connections.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("servers", 4, "servers"), new("empty_associations", 10, "associations"), new("window", 120, "s")],
    };

    public static readonly Rule QueryHarvesting = new()
    {
        Id = "dicom-query-harvesting",
        Title = "Patient data is being harvested by queries",
        Category = "data-collection",
        Severity = 8,
        Attack = Techniques.Of("T1213", "T1119", "T0811"),
        Condition = "C-FIND requests without any specific key (all empty or wildcards) in a row or with very many results; series by series through many studies; or far more requests than usual.",
        Template = "{device} sent {queries} queries to {peer}, {broad queries} of them for everybody, and got {results} results.",
        Recommendation = "Ask the user of the device; if it was not intended, block it and assess which patients were listed.",
        FalsePositives = "Statistics, migration and quality-assurance tools; a worklist that is refreshed without any filter.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds =
        [
            new("broad_queries", 3, "requests"), new("broad_results", 100, "results"), new("queries", 25, "requests"), new("walked_studies", 8, "studies"), new("factor", 3, "times usual"),
            new("window", 120, "s"),
        ],
    };

    public static readonly Rule NewOperation = new()
    {
        Id = "dicom-new-operation",
        Title = "A device asks an archive in a way it never did",
        Category = "data-collection",
        Severity = 5,
        Attack = Techniques.Of("T1213", "T1119"),
        Condition = "A known device queries (C-FIND) or retrieves (C-MOVE, C-GET) at a server where it did other DICOM operations, but never this one, while the site was learned.",
        Template = "{device} does {operation} at {peer}, which it never did before; it was known for {before}.",
        Recommendation = "Ask its users; a modality has no reason to retrieve studies in bulk.",
        FalsePositives = "A new program on a workstation; rare tasks that a short learning period did not see.",
        Traits = RuleTraits.Baseline | RuleTraits.PerPeer,
        Thresholds = [new("confidence", 0.35, "1")],
        QuietSeconds = Rule.NewsSeconds,
    };

    public static readonly Rule MoveDestination = new()
    {
        Id = "dicom-move-new-destination",
        Title = "Images are sent to a new destination",
        Category = "exfiltration",
        Severity = 8,
        Attack = Techniques.Of("T1020", "T1048.003"),
        Condition = "A C-MOVE names a destination AE title that the requester never had images sent to, while others of the site did not either.",
        Template = "{device} had {peer} send images to the AE title {destination}, which nobody at this site used as destination before.",
        Recommendation = "Check what stands behind the destination in the server's configuration; remove entries that are not needed.",
        FalsePositives = "A newly installed workstation or archive.",
        Traits = RuleTraits.Baseline | RuleTraits.PerPeer,
        Thresholds = [new("confidence", 0.35, "1")],
        QuietSeconds = Rule.NewsSeconds,
    };

    public static readonly Rule BulkRetrieval = new()
    {
        Id = "dicom-bulk-retrieval",
        Title = "Many studies are retrieved in a short time",
        Category = "exfiltration",
        Severity = 8,
        Attack = Techniques.Of("T1020", "T1119", "T0802"),
        Condition = "A client retrieves more different studies (C-MOVE, C-GET) than a person can read, and far more than it usually does; or several in so short a burst that nobody chose them one by one.",
        Template = "{device} retrieved {studies} studies from {peer} within {period}.",
        Recommendation = "Ask the user of the device; if it was not intended, block it and assess which patients are concerned.",
        FalsePositives = "Prefetching, migration and teaching-file tools; a learned site knows their pace.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("studies", 20, "studies"), new("factor", 3, "times usual"), new("window", 120, "s"), new("burst_studies", 8, "studies"), new("burst", 30, "s")],
    };

    public static readonly Rule NewSopClass = new()
    {
        Id = "dicom-new-sop-class",
        Title = "A device stores a kind of object that it never stored",
        Category = "integrity",
        Severity = 6,
        Attack = Techniques.Of("T1565.001"),
        Condition = "A C-STORE with a SOP class that the sender, and other devices of its kind, never sent while the site was learned.",
        Template = "{device} stored objects of the class {SOP class} at {peer}; it never sent such objects before.",
        Recommendation = "Check the sender and the objects; a modality does not change what it makes.",
        FalsePositives = "A software update that adds dose reports or structured reports.",
        Traits = RuleTraits.Baseline,
        Thresholds = [new("confidence", 0.35, "1")],
        QuietSeconds = Rule.NewsSeconds,
    };

    public static readonly Rule StoreFlood = new()
    {
        Id = "dicom-store-flood",
        Title = "A flood of stored objects",
        Category = "denial-of-service",
        Severity = 6,
        Attack = Techniques.Of("T1499.003"),
        Condition = "Far more C-STORE operations by one sender than it ever sent in such a time, or objects of more examinations than anybody examines. A study of slices (CT, MR, PET) holds thousands, others hold few; what a C-MOVE asked for does not count.",
        Template = "{device} stored {objects} objects of {examinations} examinations at {peer} within {period}.",
        Recommendation = "Check the sender; watch the free space of the archive.",
        FalsePositives = "Migrations; a modality that was offline and catches up.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("objects", 20_000, "objects"), new("learned_objects", 150, "objects"), new("learned_slices", 3000, "objects"), new("factor", 10, "times usual"), new("examinations", 60, "examinations"), new("window", 120, "s")],
    };

    public static readonly Rule ImageChanged = new()
    {
        Id = "dicom-image-changed",
        Title = "An image passes again with other pixels",
        Category = "integrity",
        Severity = 8,
        Attack = Techniques.Of("T1565.002", "T1557.002"),
        Condition = "A C-STORE of a SOP instance that was stored before, in the same transfer syntax, with other pixel data. Samples of the pixel data are compared: their first 8 KiB and 1 KiB of each 32 KiB.",
        Template = "{device} stored {changed} images at {peer} whose pixels differ from those that {first sent} before.",
        Recommendation = "Compare the copies of the images with what the modality keeps; look for a device in between, and do not diagnose from them until then.",
        FalsePositives = "A workstation that changes pixels and keeps the SOP Instance UID, against the standard; who does so while the site is learned is left out.",
        Traits = RuleTraits.PerPeer,
    };

    public static readonly Rule AssociationExhaustion = new()
    {
        Id = "dicom-association-exhaustion",
        Title = "A DICOM server's associations are being used up",
        Category = "denial-of-service",
        Severity = 7,
        Attack = Techniques.Of("T1499.002", "T0814"),
        Condition = "One client holds very many associations open at one server, or the server refuses because it has too many.",
        Template = "{device} holds {open} associations open at {peer}, which refused {refused} for want of room.",
        Recommendation = "Limit associations per client at the server; find out what the client does.",
        FalsePositives = "A broken client that forgets to release.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("open", 40, "associations"), new("refused", 5, "associations"), new("window", 120, "s")],
    };

    public static readonly Rule Malformed = new()
    {
        Id = "dicom-malformed",
        Title = "Malformed DICOM",
        Category = "protocol-abuse",
        Severity = 7,
        Attack = Techniques.Of("T1499.004", "T1210", "T0866"),
        Condition = "PDUs, items or PDVs that contradict PS3.8 (lengths, types, order), or bytes that are no DICOM at all sent to a DICOM service.",
        Template = "{device} sent {peer} malformed DICOM: {what}.",
        Recommendation = "Check the sender; see whether the server still works, and whether its software has known weaknesses.",
        FalsePositives = "A vendor's own way with the standard; what happens while the site is learned is left out.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("faults", 3, "faults"), new("severe_faults", 1, "faults")],
    };

    public static readonly Rule PathTraversal = new()
    {
        Id = "dicom-path-traversal",
        Title = "Path characters in DICOM identifiers",
        Category = "protocol-abuse",
        Severity = 9,
        Attack = Techniques.Of("T1210", "T1105"),
        Condition = "An AE title, or a UID, holds characters that lead out of a folder or into a command: / \\ .. or control characters.",
        Template = "{device} sent {peer} an identifier with characters that have no place in it ({field}): it may try to write outside of the server's folders.",
        Recommendation = "Isolate the sender; look for files written on the server at that time.",
        FalsePositives = "Rare: an AE title with a slash chosen by hand.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
    };

    public static readonly Rule PixelBomb = new()
    {
        Id = "dicom-pixel-bomb",
        Title = "An image says to be far larger than it is",
        Category = "protocol-abuse",
        Severity = 6,
        Attack = Techniques.Of("T1499.004"),
        Condition = "Rows × Columns × bits × frames of an uncompressed image exceed the bytes sent by a large factor.",
        Template = "{device} stored an image at {peer} that claims {claimed} of pixels but carries {carried}.",
        Recommendation = "Keep the object away from viewers; check the sender.",
        FalsePositives = "None known for uncompressed transfer syntaxes.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("factor", 4, "times"), new("claimed", 67_108_864, "bytes")],
    };

    public static readonly Rule PublicAddress = new()
    {
        Id = "dicom-public-address",
        Title = "DICOM with an address outside of the site",
        Category = "exfiltration",
        Severity = 8,
        Attack = Techniques.Of("T1048.003", "T1040"),
        Condition = "An association between a device of the site and a public address.",
        Template = "{device} speaks unencrypted DICOM with {peer}, outside of the site.",
        Recommendation = "Stop it unless a contract covers it; send images outside only through a VPN or TLS gateway.",
        FalsePositives = "Sites that use public addresses inside: name them as inside networks.",
        Traits = RuleTraits.Standing | RuleTraits.PerPeer,
    };

    public static readonly IReadOnlyList<Rule> All =
    [
        AeTitleGuessing, UnknownCallingAe, DefaultAeTitle, ServiceProbing, QueryHarvesting, NewOperation, MoveDestination, BulkRetrieval, NewSopClass, StoreFlood, ImageChanged,
        AssociationExhaustion, Malformed, PathTraversal, PixelBomb, PublicAddress,
    ];
}
