using IoTGuard.Outputs.Delivery;
using IoTGuard.Outputs.Packets;

namespace IoTGuard.Settings;

/// <summary>Settings of the live sensor in force. <see cref="SettingTable"/> says for each what it means; <see cref="SettingSources"/> fills them in.</summary>
internal sealed class SensorSettings
{
    /// <summary>Where the settings come from that nothing sets.</summary>
    public const string Default = "default";

    /// <summary>Stands for "not at all".</summary>
    public const string Off = "off";

    private readonly Dictionary<string, string> _origins = new(StringComparer.Ordinal);

    /// <summary>Interface that the mirror port is connected to.</summary>
    public string? Interface { get; set; }

    /// <summary>Library that captures, by its name; null = packet rings on Linux, SharpPcap elsewhere.</summary>
    public string? Capture { get; set; }

    /// <summary>Capture filter in the syntax of tcpdump; null = everything.</summary>
    public string? Filter { get; set; }

    /// <summary>Capture rings and the threads behind them; 0 = the processors there are.</summary>
    public int Workers { get; set; }

    /// <summary>Memory of each ring, MB.</summary>
    public int RingMegabytes { get; set; } = 32;

    /// <summary>A block of the ring that is not full is handed over after this time, ms.</summary>
    public int BlockTimeoutMilliseconds { get; set; } = 20;

    /// <summary>Take what is not addressed to this machine too.</summary>
    public bool Promiscuous { get; set; } = true;

    /// <summary>User to become once the rings are open; null = stay who started it.</summary>
    public string? User { get; set; }

    /// <summary>Keep the same addresses and ports in two VLANs apart.</summary>
    public bool VlanAware { get; set; }

    /// <summary>Folder of the learned site.</summary>
    public string? Site { get; set; }

    /// <summary>Model that judges flows in place of the site's.</summary>
    public string? Model { get; set; }

    /// <summary>Policy file instead of the site's policy.yaml.</summary>
    public string? Policy { get; set; }

    /// <summary>Rules file instead of the site's rules.yaml.</summary>
    public string? Rules { get; set; }

    /// <summary>Most flows held at once.</summary>
    public int MaximumFlows { get; set; } = 1_000_000;

    /// <summary>A flow without a packet for this time ends, s.</summary>
    public int IdleTimeoutSeconds { get; set; } = 120;

    /// <summary>An established TCP connection without a packet for this time ends, s.</summary>
    public int EstablishedIdleTimeoutSeconds { get; set; } = 900;

    /// <summary>An active flow gives an interim record this often, s.</summary>
    public int ActiveTimeoutSeconds { get; set; } = 60;

    /// <summary>Most devices in the inventory.</summary>
    public int MaximumDevices { get; set; } = 50_000;

    /// <summary>Most facts held over all devices.</summary>
    public int MaximumFacts { get; set; } = 1_000_000;

    /// <summary>Most alerts open at once.</summary>
    public int MaximumOpenAlerts { get; set; } = 4096;

    /// <summary>Alerts that the model may raise per day of packet time.</summary>
    public double AlertBudgetPerDay { get; set; } = 10;

    /// <summary>An open alert is sent again at most this often, s.</summary>
    public int AlertUpdateSeconds { get; set; } = 60;

    /// <summary>An alert joins an incident that was active within this time, s.</summary>
    public int IncidentWindowSeconds { get; set; } = 1800;

    /// <summary>Seed of Community IDs, 0 to 65535.</summary>
    public int CommunityIdSeed { get; set; }

    /// <summary>File that alerts are appended to as JSON lines, at opening, updates and closing.</summary>
    public string? Alerts { get; set; }

    /// <summary>File that DICOM and HL7 transactions are appended to as JSON lines.</summary>
    public string? Transactions { get; set; }

    /// <summary>Syslog receivers.</summary>
    public IReadOnlyList<string> Syslog { get; set; } = [];

    /// <summary>Form of what goes to the receivers of <see cref="Syslog"/> that name none; null = RFC 5424.</summary>
    public string? Format { get; set; }

    /// <summary>Outputs with options of their own.</summary>
    public IReadOnlyList<OutputSettings> Outputs { get; set; } = [];

    /// <summary>Packets that are kept behind alerts.</summary>
    public EvidenceSettings Evidence { get; set; } = new();

    /// <summary>A line of statistics is logged this often, s; 0 = only at the end.</summary>
    public int StatisticsSeconds { get; set; } = 60;

    /// <summary>Address of the health endpoint, or <see cref="Off"/>.</summary>
    public string HealthListen { get; set; } = "127.0.0.1:9467";

    /// <summary>Where each setting comes from, by key: the default, a file with line, an environment variable, or an option.</summary>
    public string OriginOf(Setting setting) => _origins.GetValueOrDefault(setting.Key, Default);

    /// <summary>Notes where a setting comes from.</summary>
    public void SetOrigin(Setting setting, string origin) => _origins[setting.Key] = origin;
}
