using System.Text.Json;
using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Outputs.Formats;

/// <summary>
/// OCSF 1.5 Detection Finding (class 2004): opened is Create, updated is Update, closed is Close. Observed and normal values are anomaly analyses. A
/// heartbeat is a Base Event (class 0) named Heartbeat.
/// </summary>
internal sealed class OcsfFormat : JsonAlertFormat
{
    private const int DetectionFinding = 2004;
    private const int Findings = 2;
    private const int IpAddressObservable = 2;

    protected override void WriteMembers(Utf8JsonWriter json, Alert alert, AlertPhase phase)
    {
        var activity = phase switch { AlertPhase.Opened => 1, AlertPhase.Updated => 2, _ => 3 };
        json.WriteNumber("activity_id", activity);
        json.WriteString("activity_name", activity switch { 1 => "Create", 2 => "Update", _ => "Close" });
        json.WriteNumber("category_uid", Findings);
        json.WriteString("category_name", "Findings");
        json.WriteNumber("class_uid", DetectionFinding);
        json.WriteString("class_name", "Detection Finding");
        json.WriteNumber("type_uid", (DetectionFinding * 100) + activity);
        json.WriteNumber("time", Milliseconds(alert.RaisedNs > 0 ? alert.RaisedNs : alert.FirstSeenNs));
        json.WriteNumber("start_time", Milliseconds(alert.FirstSeenNs));
        json.WriteNumber("end_time", Milliseconds(alert.LastSeenNs));
        json.WriteNumber("count", alert.Count);
        json.WriteNumber("severity_id", SeverityOf(alert));
        json.WriteNumber("status_id", 1);
        json.WriteString("status", "New");
        json.WriteNumber("confidence_score", (int)Math.Round(alert.Confidence * 100));
        json.WriteNumber("confidence_id", alert.Confidence switch { < 0.5 => 1, < 0.8 => 2, _ => 3 });
        json.WriteBoolean("is_alert", phase != AlertPhase.Closed);
        json.WriteString("message", alert.Description);
        WriteMetadata(json, alert.Incident, "security_finding");
        WriteFinding(json, alert);
        WriteAnomalies(json, alert);
        WriteEvidence(json, alert);
        WriteObservables(json, alert);
        json.WriteStartObject("remediation");
        json.WriteString("desc", alert.Recommendation);
        json.WriteEndObject();
        WriteResource(json, alert);
        WriteUnmapped(json, alert);
    }

    protected override void WriteMembers(Utf8JsonWriter json, Heartbeat status)
    {
        const int Other = 99;
        json.WriteNumber("activity_id", Other);
        json.WriteString("activity_name", "Heartbeat");
        json.WriteNumber("category_uid", 0);
        json.WriteNumber("class_uid", 0);
        json.WriteString("class_name", "Base Event");
        json.WriteNumber("type_uid", Other);
        json.WriteNumber("time", Milliseconds(status.TimeNs));
        json.WriteNumber("severity_id", 1);
        json.WriteString("message", status.Sentence);
        WriteMetadata(json, null, HeartbeatId);
        json.WriteStartObject("unmapped");
        Counters(json, status);
        json.WriteEndObject();
    }

    /// <summary>1 informational, 2 low, 3 medium, 4 high, 5 critical.</summary>
    private static int SeverityOf(Alert alert) => alert.Severity switch { <= 1 => 1, <= 3 => 2, <= 6 => 3, <= 8 => 4, _ => 5 };

    private static void WriteMetadata(Utf8JsonWriter json, string? incident, string log)
    {
        json.WriteStartObject("metadata");
        json.WriteString("version", "1.5.0");
        json.WriteString("log_name", log);
        Text(json, "correlation_uid", incident);
        json.WriteStartObject("product");
        json.WriteString("name", "IoTGuard");
        json.WriteString("vendor_name", "IoTGuard");
        json.WriteString("version", ProgramVersion.Text);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteFinding(Utf8JsonWriter json, Alert alert)
    {
        json.WriteStartObject("finding_info");
        json.WriteString("uid", alert.Id);
        json.WriteString("title", alert.Title);
        json.WriteString("desc", alert.Description);
        json.WriteNumber("first_seen_time", Milliseconds(alert.FirstSeenNs));
        json.WriteNumber("last_seen_time", Milliseconds(alert.LastSeenNs));
        Texts(json, "types", [alert.Category]);
        json.WriteStartObject("analytic");
        json.WriteString("uid", alert.Rule);
        json.WriteString("name", alert.Title);
        // 1 = Rule, 4 = Learning (ML/DL)
        json.WriteNumber("type_id", alert.Score is null ? 1 : 4);
        json.WriteEndObject();
        if (alert.Attack.Count > 0)
        {
            json.WriteStartArray("attacks");
            foreach (var technique in alert.Attack)
            {
                json.WriteStartObject();
                json.WriteStartObject("technique");
                json.WriteString("uid", technique.Id);
                json.WriteString("name", technique.Name);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteAnomalies(Utf8JsonWriter json, Alert alert)
    {
        if (alert.Evidence.Count == 0)
            return;
        json.WriteStartArray("anomaly_analyses");
        json.WriteStartObject();
        json.WriteStartArray("analysis_targets");
        json.WriteStartObject();
        json.WriteString("name", alert.Device.Ip ?? alert.Device.Mac ?? "unknown");
        json.WriteString("type", "Device");
        json.WriteEndObject();
        json.WriteEndArray();
        Observations(json, "anomalies", alert.Evidence.Select(static e => (e.Name, e.Observed, e.Unit)));
        if (alert.Evidence.Any(static e => e.Normal is not null))
            Observations(json, "baselines", alert.Evidence.Where(static e => e.Normal is not null).Select(static e => (e.Name, e.Normal!, e.Unit)));
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void Observations(Utf8JsonWriter json, string name, IEnumerable<(string Parameter, string Value, string Unit)> observations)
    {
        json.WriteStartArray(name);
        foreach (var (parameter, value, unit) in observations)
        {
            json.WriteStartObject();
            json.WriteString("observation_parameter", parameter);
            json.WriteStartArray("observations");
            json.WriteStartObject();
            json.WriteString("value", unit.Length == 0 ? value : $"{value} {unit}");
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteEvidence(Utf8JsonWriter json, Alert alert)
    {
        if (alert.Device.Ip is null && alert.Peer?.Ip is null)
            return;
        json.WriteStartArray("evidences");
        json.WriteStartObject();
        Endpoint(json, "src_endpoint", alert.Device, null, null);
        if (alert.Peer is { } peer)
            Endpoint(json, "dst_endpoint", peer, alert.Ports.Count > 0 ? alert.Ports[0] : null, alert.Protocol);
        if (alert.CommunityIds.Count > 0)
        {
            json.WriteStartObject("connection_info");
            json.WriteNumber("direction_id", 0);
            json.WriteString("community_uid", alert.CommunityIds[0]);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void Endpoint(Utf8JsonWriter json, string name, AlertEndpoint endpoint, int? port, string? service)
    {
        if (endpoint.Ip is null && endpoint.Name is null)
            return;
        json.WriteStartObject(name);
        Text(json, "ip", endpoint.Ip);
        Text(json, "mac", endpoint.Mac);
        Text(json, "name", endpoint.Name);
        Text(json, "zone", endpoint.Zone);
        Text(json, "svc_name", service);
        if (port is { } number)
            json.WriteNumber("port", number);
        json.WriteEndObject();
    }

    private static void WriteObservables(Utf8JsonWriter json, Alert alert)
    {
        if (alert.Device.Ip is null && alert.Peer?.Ip is null)
            return;
        json.WriteStartArray("observables");
        Observable("evidences.src_endpoint.ip", alert.Device.Ip);
        Observable("evidences.dst_endpoint.ip", alert.Peer?.Ip);
        json.WriteEndArray();

        void Observable(string name, string? value)
        {
            if (value is null)
                return;
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("type", "IP Address");
            json.WriteNumber("type_id", IpAddressObservable);
            json.WriteString("value", value);
            json.WriteEndObject();
        }
    }

    /// <summary>What is affected: the peer where there is one, else the device itself.</summary>
    private static void WriteResource(Utf8JsonWriter json, Alert alert)
    {
        var affected = alert.Peer ?? alert.Device;
        json.WriteStartArray("resources");
        json.WriteStartObject();
        json.WriteString("uid", affected.Ip ?? affected.Mac ?? "unknown");
        Text(json, "name", affected.Name);
        Text(json, "type", affected.Role);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteUnmapped(Utf8JsonWriter json, Alert alert)
    {
        json.WriteStartObject("unmapped");
        if (alert.PatientsAffected is { } patients)
            json.WriteNumber("patients_affected", patients);
        if (alert.Score is { } score)
            json.WriteNumber("p_value", score.PValue);
        Texts(json, "community_id", alert.CommunityIds);
        Text(json, "device_role", alert.Device.Role);
        Text(json, "device_vendor", alert.Device.Vendor);
        Text(json, "device_model", alert.Device.Model);
        Text(json, "peer_role", alert.Peer?.Role);
        json.WriteEndObject();
    }
}
