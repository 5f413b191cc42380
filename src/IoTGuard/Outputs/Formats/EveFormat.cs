using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Outputs.Formats;

/// <summary>
/// Suricata EVE: an alert event for what reads Suricata's. The signature id comes from the rule's name, within the numbers that are reserved for local
/// rules; what EVE has no place for stands in <c>alert.metadata</c>. A heartbeat is a <c>stats</c> event.
/// </summary>
internal sealed class EveFormat(string host) : JsonAlertFormat
{
    /// <summary>Signature ids from here are reserved for local use, as far as 1,999,999.</summary>
    private const uint FirstLocalSignature = 1_000_000;

    /// <summary>Number of a rule's signature: the same in every version of the program.</summary>
    public static uint SignatureOf(string rule) => FirstLocalSignature + (uint)(Hash(rule) % FirstLocalSignature);

    protected override void WriteMembers(Utf8JsonWriter json, Alert alert, AlertPhase phase)
    {
        json.WriteString("timestamp", EveTime(alert.LastSeenNs));
        // The flow, as far as several events of it should come together; else the alert. 53 bits: readers take it for a double.
        json.WriteNumber("flow_id", (long)(Hash(alert.CommunityIds.Count > 0 ? alert.CommunityIds[0] : alert.Id) >> 11));
        json.WriteString("event_type", "alert");
        json.WriteString("host", host);
        Text(json, "src_ip", alert.Device.Ip);
        Text(json, "dest_ip", alert.Peer?.Ip);
        if (alert.Ports.Count > 0)
            json.WriteNumber("dest_port", alert.Ports[0]);
        Text(json, "app_proto", alert.Protocol?.ToLowerInvariant());
        if (alert.CommunityIds.Count > 0)
            json.WriteString("community_id", alert.CommunityIds[0]);
        json.WriteStartObject("alert");
        json.WriteString("action", "allowed");
        json.WriteNumber("gid", 1);
        json.WriteNumber("signature_id", SignatureOf(alert.Rule));
        json.WriteNumber("rev", 1);
        json.WriteString("signature", "IoTGuard " + alert.Title);
        json.WriteString("category", alert.Category);
        // 1 is the most severe.
        json.WriteNumber("severity", alert.Severity switch { >= 7 => 1, >= 4 => 2, _ => 3 });
        WriteMetadata(json, alert, phase);
        json.WriteEndObject();
    }

    protected override void WriteMembers(Utf8JsonWriter json, Heartbeat status)
    {
        json.WriteString("timestamp", EveTime(status.TimeNs));
        json.WriteString("event_type", "stats");
        json.WriteString("host", host);
        json.WriteStartObject("stats");
        json.WriteNumber("uptime", status.UptimeSeconds);
        json.WriteStartObject("capture");
        json.WriteNumber("kernel_packets", status.Packets);
        json.WriteNumber("kernel_drops", status.KernelDrops);
        json.WriteEndObject();
        json.WriteStartObject("detect");
        json.WriteNumber("alert", status.Alerts);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Every value of metadata is a list of texts.</summary>
    private static void WriteMetadata(Utf8JsonWriter json, Alert alert, AlertPhase phase)
    {
        json.WriteStartObject("metadata");
        Texts(json, "signature_severity", [alert.Severity switch { >= 9 => "Critical", >= 7 => "Major", >= 4 => "Minor", _ => "Informational" }]);
        Texts(json, "mitre_technique_id", alert.Attack.Select(static a => a.Id));
        Texts(json, "mitre_technique_name", alert.Attack.Select(static a => a.Name));
        Texts(json, "iotguard_id", [alert.Id]);
        Texts(json, "iotguard_rule", [alert.Rule]);
        Texts(json, "iotguard_phase", [PhaseName(phase)]);
        Texts(json, "iotguard_severity", [Number(alert.Severity)]);
        Texts(json, "iotguard_confidence", [Number(alert.Confidence, "0.###")]);
        Texts(json, "iotguard_incident", [alert.Incident]);
        Texts(json, "iotguard_first_seen", [Time(alert.FirstSeenNs)]);
        Texts(json, "iotguard_count", [Number(alert.Count)]);
        Texts(json, "iotguard_patients_affected", [alert.PatientsAffected is { } patients ? Number(patients) : null]);
        Texts(json, "iotguard_device", [alert.Device.Role, alert.Device.Name, alert.Device.Vendor, alert.Device.Model, alert.Device.Mac]);
        Texts(json, "iotguard_peer", [alert.Peer?.Role, alert.Peer?.Name, alert.Peer?.Vendor, alert.Peer?.Model, alert.Peer?.Mac]);
        Texts(json, "iotguard_description", [alert.Description]);
        Texts(json, "iotguard_recommendation", [alert.Recommendation]);
        Texts(json, "iotguard_evidence", alert.Evidence.Select(Describe));
        Texts(json, "iotguard_community_id", alert.CommunityIds);
        json.WriteEndObject();
    }

    private static string EveTime(long timeNs) => Time(timeNs)[..^1] + "+0000";

    private static ulong Hash(string text) => BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
