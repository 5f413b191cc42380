namespace IoTGuard.Outputs.Formats;

/// <summary>A form of messages: one row.</summary>
/// <param name="Name">Its name in options and configuration.</param>
/// <param name="Description">What it is and who reads it, for people.</param>
/// <param name="DefaultBytes">Longest message unless an option says otherwise, bytes; 0 = what the transport gives.</param>
/// <param name="LeastBytes">Every alert can be brought down to this many bytes, and no option may ask for less.</param>
/// <param name="Facility">Syslog facility unless an option says otherwise.</param>
/// <param name="Create">Makes one; it is used by one thread at a time.</param>
internal sealed record FormatKind(string Name, string Description, int DefaultBytes, int LeastBytes, int Facility, Func<FormatContext, AlertFormat> Create);

/// <summary>What a format needs to know beside the alert.</summary>
/// <param name="Host">Name of this machine.</param>
/// <param name="ProcessId">Of the sensor.</param>
/// <param name="Enterprise">Private enterprise number of the site.</param>
internal sealed record FormatContext(string Host, int ProcessId, int Enterprise);

/// <summary>All forms of messages.</summary>
internal static class FormatTable
{
    private const int Local0 = 16;
    private const int Security = 10;

    public static FormatKind Default { get; } = new("rfc5424", "RFC 5424 structured data and a sentence", 0, 480, Local0, static c => new StructuredDataFormat(c.Enterprise));

    /// <summary>The only form of a Pandora FMS data server's directory.</summary>
    public static FormatKind PandoraData { get; } = new("pandora", "Pandora FMS data file, XML", 0, 4096, Local0, static c => new PandoraDataFormat(c.Host));

    /// <summary>The only form of a Pandora FMS console's event API.</summary>
    public static FormatKind PandoraEvent { get; } = new("pandora-event", "parameters of create_event of Pandora FMS's API, for pandora+https:// only", 0, 4096, Local0, static c => new PandoraEventFormat(c.Host));

    public static IReadOnlyList<FormatKind> All { get; } =
    [
        Default,
        new("cef", "ArcSight Common Event Format 0", 0, 480, Local0, static _ => new CefFormat()),
        new("leef", "QRadar Log Event Extended Format 2.0", 0, 480, Local0, static _ => new LeefFormat()),
        new("ecs", "Elastic Common Schema 8, JSON", 0, 2048, Local0, static c => new EcsFormat(c.Host)),
        new("ocsf", "Open Cybersecurity Schema Framework 1.5, Detection Finding (2004), JSON", 3072, 3072, Local0, static _ => new OcsfFormat()),
        new("eve", "alert and stats events as Suricata's EVE writes them, JSON", 0, 2048, Local0, static c => new EveFormat(c.Host)),
        new("json", "the program's own alerts, as --alerts writes them, JSON", 0, 2048, Local0, static _ => new JsonFormat()),
        // PS3.15 A.6.1: facility 10, and every receiver takes at least 32,768 octets.
        new("dicom-audit", "DICOM audit message (PS3.15 A.5), Security Alert, XML, for an audit repository", 32_768, 4096, Security, static c => new DicomAuditFormat(c)),
        PandoraData,
        PandoraEvent,
    ];

    /// <summary>Their names, for messages.</summary>
    public static string Names { get; } = string.Join(", ", All.Select(static f => f.Name));

    public static FormatKind? Find(string name) => All.FirstOrDefault(f => f.Name == name);
}
