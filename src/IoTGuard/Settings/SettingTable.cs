using IoTGuard.Models;
using IoTGuard.Outputs.Formats;
using IoTGuard.Pipeline;

namespace IoTGuard.Settings;

/// <summary>A part of the configuration file: a heading and the settings under it.</summary>
internal sealed record SettingGroup(string Title, IReadOnlyList<Setting> Settings);

/// <summary>The one table of the sensor's settings. The order is that of the example file and of the documentation.</summary>
internal static class SettingTable
{
    public static IReadOnlyList<SettingGroup> Groups { get; } =
    [
        new("Where it listens",
        [
            Setting.Text("interface", "IF", "eth1", "none", s => s.Interface, (s, v) => s.Interface = v, "Interface that the mirror port is connected to") with { HasOption = true },
            Setting.Text("capture", "LIBRARY", CaptureLibrary.SharpPcapName, "packet rings on Linux, SharpPcap elsewhere", s => s.Capture, (s, v) => s.Capture = v, CaptureLibrary.Description) with
            {
                HasOption = true,
                Take = (s, values) =>
                {
                    if (values is not [var name] || !CaptureLibrary.Names.Contains(name, StringComparer.Ordinal))
                        return $"write {string.Join(" or ", CaptureLibrary.Names)}";
                    s.Capture = name;
                    return null;
                },
            },
            Setting.Text("filter", "EXPRESSION", "not host 192.0.2.1", "none", s => s.Filter, (s, v) => s.Filter = v, "What to capture, in the syntax of tcpdump; needs libpcap") with { HasOption = true },
            Setting.Whole("workers", "", 0, 64, s => s.Workers, (s, v) => s.Workers = v, "Capture rings, each with a thread; 0 = the processors there are",
                $"{Environment.ProcessorCount} (the processors there are)") with { HasOption = true },
            Setting.Whole("ring_megabytes", "MB", 2, 4096, s => s.RingMegabytes, (s, v) => s.RingMegabytes = v, "Memory of each ring; more rides out longer bursts") with { HasOption = true },
            Setting.Whole("block_timeout_milliseconds", "ms", 1, 1000, s => s.BlockTimeoutMilliseconds, (s, v) => s.BlockTimeoutMilliseconds = v, "Packets wait at most this long in the ring for others before they are looked at"),
            Setting.Flag("promiscuous", s => s.Promiscuous, (s, v) => s.Promiscuous = v, "Take what is not addressed to this machine too, as a mirror port needs"),
            Setting.Flag("vlan_aware", s => s.VlanAware, (s, v) => s.VlanAware = v, "Keep the same addresses and ports in two VLANs or VNIs apart (overlapping address ranges)") with { HasOption = true },
            Setting.Text("user", "NAME", "iotguard", "who starts it", s => s.User, (s, v) => s.User = v, "User to become once the capture rings are open") with { HasOption = true },
        ]),
        new("What it knows",
        [
            Setting.Text("site", "DIR", "/var/lib/iotguard/site", "the shipped one", s => s.Site, (s, v) => s.Site = v, "Folder made by 'iotguard learn'; without one it is the shipped site, which knows no devices. A reload reads what is in it again") with { HasOption = true },
            Setting.Text("model", "FILE", "/etc/iotguard/model.onnx", "those of the site", s => s.Model, (s, v) => s.Model = v, GivenModel.Description) with { HasOption = true, Reloads = true },
            Setting.Text("policy", "FILE", "/etc/iotguard/policy.yaml", "policy.yaml of the site", s => s.Policy, (s, v) => s.Policy = v, "Zones, networks and thresholds, instead of the site's policy.yaml") with { Reloads = true },
            Setting.Text("rules", "FILE", "/etc/iotguard/rules.yaml", "rules.yaml of the site", s => s.Rules, (s, v) => s.Rules = v, "The site's own rules, instead of the site's rules.yaml") with { Reloads = true },
        ]),
        new("What it holds",
        [
            Setting.Whole("maximum_flows", "flows", 1024, 16_000_000, s => s.MaximumFlows, (s, v) => s.MaximumFlows = v, "Most flows held at once, over all workers; beyond it those longest quiet end early"),
            Setting.Whole("idle_timeout_seconds", "s", 1, 86_400, s => s.IdleTimeoutSeconds, (s, v) => s.IdleTimeoutSeconds = v, "A flow without a packet for this time ends"),
            Setting.Whole("established_idle_timeout_seconds", "s", 1, 86_400, s => s.EstablishedIdleTimeoutSeconds, (s, v) => s.EstablishedIdleTimeoutSeconds = v, "An established TCP connection without a packet for this time ends"),
            Setting.Whole("active_timeout_seconds", "s", 1, 86_400, s => s.ActiveTimeoutSeconds, (s, v) => s.ActiveTimeoutSeconds = v, "A long flow is reported this often while it goes on"),
            Setting.Whole("maximum_devices", "devices", 16, 1_000_000, s => s.MaximumDevices, (s, v) => s.MaximumDevices = v, "Most devices in the inventory; those beyond are watched by rules only"),
            Setting.Whole("maximum_facts", "facts", 1024, 100_000_000, s => s.MaximumFacts, (s, v) => s.MaximumFacts = v, "Most facts about devices (peers, titles, senders); those beyond are neither learned nor news"),
            Setting.Whole("maximum_open_alerts", "alerts", 16, 1_000_000, s => s.MaximumOpenAlerts, (s, v) => s.MaximumOpenAlerts = v, "Most alerts open at once; beyond it those longest quiet are closed") with { Reloads = true },
        ]),
        new("Alerts",
        [
            Setting.Number("alert_budget_per_day", "alerts per day", 0, 100_000, s => s.AlertBudgetPerDay, (s, v) => s.AlertBudgetPerDay = v, "Alerts that the models may raise; 0 = rules only") with { HasOption = true, Reloads = true },
            Setting.Whole("alert_update_seconds", "s", 1, 86_400, s => s.AlertUpdateSeconds, (s, v) => s.AlertUpdateSeconds = v, "An open alert is sent again at most this often") with { Reloads = true },
            Setting.Whole("incident_window_seconds", "s", 1, 604_800, s => s.IncidentWindowSeconds, (s, v) => s.IncidentWindowSeconds = v, "An alert joins the incident of its device or victim when that was active within this time"),
        ]),
        new("Where it tells",
        [
            Setting.Whole("community_id_seed", "", 0, ushort.MaxValue, s => s.CommunityIdSeed, (s, v) => s.CommunityIdSeed = v, "Seed of Community IDs in flows, transactions, alerts and evidence: the same as in the site's other tools, mostly 0") with { HasOption = true },
            Setting.Text("alerts", "FILE", "/var/log/iotguard/alerts.jsonl", "none", s => s.Alerts, (s, v) => s.Alerts = v, "Append alerts as JSON lines: opened, updated, closed (- = standard output)") with { HasOption = true, Reloads = true },
            Setting.Text("transactions", "FILE", "/var/log/iotguard/transactions.jsonl", "none", s => s.Transactions, (s, v) => s.Transactions = v, "Append DICOM and HL7 transactions as JSON lines (- = standard output)") with { HasOption = true, Reloads = true },
            Setting.Texts("syslog", "URI", "[tls://siem.example:6514]", s => s.Syslog, (s, v) => s.Syslog = v,
                "Send alerts to receivers: udp://host:514  tcp://host:601  tls://host:6514  file:///path, with options such as ?format=cef&severity=5 (docs/outputs.md)") with { HasOption = true, Reloads = true },
            Setting.Text("format", "NAME", "rfc5424", "rfc5424", s => s.Format, (s, v) => s.Format = v, $"Form of what goes to the receivers of syslog that name none: {FormatTable.Names}") with
            {
                HasOption = true,
                Reloads = true,
                Take = static (s, values) =>
                {
                    if (values is not [var name] || FormatTable.Find(name) is null)
                        return $"write one of {FormatTable.Names}";
                    s.Format = name;
                    return null;
                },
            },
            OutputSection.Setting,
        ]),
        new("Packets behind alerts (evidence)",
        [
            Setting.Text("evidence", "DIR", "/var/lib/iotguard/evidence", "none", s => s.Evidence.Directory, (s, v) => s.Evidence = s.Evidence with { Directory = v },
                "Keep the packets behind each alert as a pcapng file in this folder; they hold patient data by nature, see redact") with { HasOption = true },
            Setting.Flag("redact", s => s.Evidence.Redact, (s, v) => s.Evidence = s.Evidence with { Redact = v },
                "Blank patient data in the packets of evidence: values of DICOM data sets, HL7 fields, and the payload of protocols that cannot be redacted") with { HasOption = true },
            Setting.Whole("evidence_ring_megabytes", "MB", 1, 65_536, s => s.Evidence.RingMegabytes, (s, v) => s.Evidence = s.Evidence with { RingMegabytes = v }, "Memory for recent packets, so that what came before an alert is there"),
            Setting.Whole("evidence_snap_bytes", "bytes", 64, 262_144, s => s.Evidence.SnapBytes, (s, v) => s.Evidence = s.Evidence with { SnapBytes = v }, "Most bytes of one packet that are kept"),
            Setting.Whole("evidence_alert_megabytes", "MB", 1, 65_536, s => s.Evidence.AlertMegabytes, (s, v) => s.Evidence = s.Evidence with { AlertMegabytes = v }, "Most that the file of one alert holds; later packets are left out"),
            Setting.Whole("evidence_total_megabytes", "MB", 1, 16_777_216, s => s.Evidence.TotalMegabytes, (s, v) => s.Evidence = s.Evidence with { TotalMegabytes = v }, "Most that all files hold; the oldest are deleted for newer ones"),
            Setting.Whole("evidence_days", "days", 0, 36_500, s => s.Evidence.Days, (s, v) => s.Evidence = s.Evidence with { Days = v }, "Files that are older are deleted; 0 = never"),
        ]),
        new("Health",
        [
            Setting.Text("health_listen", "ADDRESS:PORT", new SensorSettings().HealthListen, new SensorSettings().HealthListen, s => s.HealthListen, (s, v) => s.HealthListen = v,
                "Where /metrics (Prometheus) and /health (JSON) are answered over HTTP; off = nowhere. Another address than loopback is open to the network, without encryption") with
            {
                HasOption = true,
                Take = static (s, values) =>
                {
                    if (values is not [var text] || (text != SensorSettings.Off && !(System.Net.IPEndPoint.TryParse(text, out var end) && end.Port > 0)))
                        return "write an address and a port, such as 127.0.0.1:9467, or off";
                    s.HealthListen = text;
                    return null;
                },
            },
            Setting.Whole("statistics_seconds", "s", 0, 86_400, s => s.StatisticsSeconds, (s, v) => s.StatisticsSeconds = v, "Interval of the statistics line in the log; 0 = only at the end") with { HasOption = true, Reloads = true },
        ]),
    ];

    public static IReadOnlyList<Setting> All { get; } = [.. Groups.SelectMany(static g => g.Settings)];
}
