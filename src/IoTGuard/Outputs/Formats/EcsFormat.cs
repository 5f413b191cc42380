using System.Text.Json;
using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Outputs.Formats;

/// <summary>
/// Elastic Common Schema 8.11: the device that the alert is about as source, its peer as destination; what the schema has no field for stands under
/// <c>iotguard</c>. A heartbeat has <c>event.kind: metric</c>.
/// </summary>
internal sealed class EcsFormat(string host) : JsonAlertFormat
{
    private const string Version = "8.11.0";

    protected override void WriteMembers(Utf8JsonWriter json, Alert alert, AlertPhase phase)
    {
        json.WriteString("@timestamp", Time(alert.LastSeenNs));
        json.WriteString("message", $"{alert.Title}: {alert.Description}");
        json.WriteStartObject("ecs");
        json.WriteString("version", Version);
        json.WriteEndObject();
        json.WriteStartObject("event");
        json.WriteString("kind", "alert");
        Texts(json, "category", ["intrusion_detection", "network"]);
        Texts(json, "type", ["info"]);
        json.WriteString("id", alert.Id);
        json.WriteString("code", alert.Rule);
        json.WriteString("action", PhaseName(phase));
        json.WriteNumber("severity", alert.Severity);
        json.WriteNumber("risk_score", alert.Severity * 10);
        json.WriteString("start", Time(alert.FirstSeenNs));
        json.WriteString("end", Time(alert.LastSeenNs));
        Dataset(json, "alert");
        json.WriteEndObject();
        json.WriteStartObject("rule");
        json.WriteString("id", alert.Rule);
        json.WriteString("name", alert.Title);
        json.WriteString("category", alert.Category);
        json.WriteEndObject();
        Endpoint(json, "source", alert.Device, null);
        if (alert.Peer is { } peer)
            Endpoint(json, "destination", peer, alert.Ports.Count > 0 ? alert.Ports[0] : null);
        WriteNetwork(json, alert);
        WriteThreat(json, alert);
        json.WriteStartObject("related");
        Texts(json, "ip", [alert.Device.Ip, alert.Peer?.Ip]);
        Texts(json, "hosts", [alert.Device.Name, alert.Peer?.Name]);
        json.WriteEndObject();
        Observer(json);
        WriteOwn(json, alert);
    }

    protected override void WriteMembers(Utf8JsonWriter json, Heartbeat status)
    {
        json.WriteString("@timestamp", Time(status.TimeNs));
        json.WriteString("message", status.Sentence);
        json.WriteStartObject("ecs");
        json.WriteString("version", Version);
        json.WriteEndObject();
        json.WriteStartObject("event");
        json.WriteString("kind", "metric");
        Texts(json, "category", ["host"]);
        Texts(json, "type", ["info"]);
        json.WriteString("code", HeartbeatId);
        json.WriteString("action", HeartbeatId);
        Dataset(json, HeartbeatId);
        json.WriteEndObject();
        Observer(json);
        json.WriteStartObject("iotguard");
        json.WriteStartObject(HeartbeatId);
        Counters(json, status);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Dataset(Utf8JsonWriter json, string name)
    {
        json.WriteString("module", "iotguard");
        json.WriteString("dataset", "iotguard." + name);
        json.WriteString("provider", "iotguard");
    }

    private void Observer(Utf8JsonWriter json)
    {
        json.WriteStartObject("observer");
        json.WriteString("vendor", "IoTGuard");
        json.WriteString("product", "IoTGuard");
        json.WriteString("type", "ids");
        json.WriteString("version", ProgramVersion.Text);
        json.WriteString("hostname", host);
        json.WriteEndObject();
    }

    private static void Endpoint(Utf8JsonWriter json, string name, AlertEndpoint endpoint, int? port)
    {
        json.WriteStartObject(name);
        Text(json, "address", endpoint.Ip ?? endpoint.Mac);
        Text(json, "ip", endpoint.Ip);
        // RFC 7042 notation: capitals and hyphens.
        Text(json, "mac", endpoint.Mac?.Replace(':', '-').ToUpperInvariant());
        if (port is { } number)
            json.WriteNumber("port", number);
        json.WriteEndObject();
    }

    private static void WriteNetwork(Utf8JsonWriter json, Alert alert)
    {
        json.WriteStartObject("network");
        Text(json, "protocol", alert.Protocol?.ToLowerInvariant());
        // The field takes one; all of them stand under iotguard.
        Text(json, "community_id", alert.CommunityIds.Count > 0 ? alert.CommunityIds[0] : null);
        json.WriteEndObject();
    }

    private static void WriteThreat(Utf8JsonWriter json, Alert alert)
    {
        if (alert.Attack.Count == 0)
            return;
        json.WriteStartObject("threat");
        json.WriteString("framework", "MITRE ATT&CK");
        json.WriteStartObject("technique");
        Texts(json, "id", alert.Attack.Select(static a => a.Id));
        Texts(json, "name", alert.Attack.Select(static a => a.Name));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteOwn(Utf8JsonWriter json, Alert alert)
    {
        json.WriteStartObject("iotguard");
        json.WriteNumber("confidence", Math.Round(alert.Confidence, 4));
        json.WriteNumber("count", alert.Count);
        Text(json, "incident", alert.Incident);
        Text(json, "recommendation", alert.Recommendation);
        if (alert.PatientsAffected is { } patients)
            json.WriteNumber("patients_affected", patients);
        if (alert.Score is { } score)
            json.WriteNumber("p_value", score.PValue);
        if (alert.Ports.Count > 0)
        {
            json.WriteStartArray("ports");
            foreach (var port in alert.Ports)
                json.WriteNumberValue(port);
            json.WriteEndArray();
        }

        Texts(json, "community_id", alert.CommunityIds);
        Texts(json, "evidence", alert.Evidence.Select(Describe));
        Facts(json, "device", alert.Device);
        if (alert.Peer is { } peer)
            Facts(json, "peer", peer);
        json.WriteEndObject();
    }

    private static void Facts(Utf8JsonWriter json, string name, AlertEndpoint endpoint)
    {
        json.WriteStartObject(name);
        Text(json, "name", endpoint.Name);
        Text(json, "role", endpoint.Role);
        Text(json, "vendor", endpoint.Vendor);
        Text(json, "model", endpoint.Model);
        Text(json, "zone", endpoint.Zone);
        json.WriteEndObject();
    }
}
