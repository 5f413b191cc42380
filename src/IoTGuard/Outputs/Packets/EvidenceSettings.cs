namespace IoTGuard.Outputs.Packets;

/// <summary>What is kept of the packets behind alerts, and how much.</summary>
internal sealed record EvidenceSettings
{
    /// <summary>Folder of the files; null = no evidence is kept.</summary>
    public string? Directory { get; init; }

    /// <summary>Blank patient data in the files.</summary>
    public bool Redact { get; init; }

    /// <summary>Recent packets that are kept in memory, for what came before an alert; megabytes.</summary>
    public int RingMegabytes { get; init; } = 64;

    /// <summary>Most bytes of one packet that are kept.</summary>
    public int SnapBytes { get; init; } = 65_535;

    /// <summary>Most that the file of one alert holds, megabytes.</summary>
    public int AlertMegabytes { get; init; } = 16;

    /// <summary>Most that all files hold, megabytes; the oldest files are deleted for newer ones.</summary>
    public int TotalMegabytes { get; init; } = 1024;

    /// <summary>Files of alerts that are older are deleted, days; 0 = never. A run over captures deletes none for its age.</summary>
    public int Days { get; init; } = 30;
}
