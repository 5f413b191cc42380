using System.Buffers;
using System.Text.Json;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Sites.State;

namespace IoTGuard.Outputs;

/// <summary>An alert as one JSON object, in the form that the design states.</summary>
internal sealed class AlertJson : IDisposable
{
    private readonly Utf8JsonWriter _writer = new(Stream.Null, JsonForm.Options);

    /// <summary>Writes the alert; <paramref name="phase"/> is written for live outputs and left out (null) for final alerts.</summary>
    /// <param name="suppression">What suppresses the alert; null = nothing, and then nothing is written about it.</param>
    public void Write(IBufferWriter<byte> destination, Alert alert, AlertPhase? phase, Suppression? suppression = null)
    {
        var json = _writer;
        json.Reset(destination);
        json.WriteStartObject();
        json.WriteString("id"u8, alert.Id);
        if (phase is { } p)
            json.WriteString("phase"u8, p switch { AlertPhase.Opened => "opened", AlertPhase.Updated => "updated", _ => "closed" });
        json.WriteString("incident"u8, alert.Incident);
        json.WriteString("rule"u8, alert.Rule);
        json.WriteString("title"u8, alert.Title);
        json.WriteString("category"u8, alert.Category);
        json.WriteNumber("severity"u8, alert.Severity);
        json.WriteNumber("confidence"u8, Math.Round(alert.Confidence, 4));
        json.WriteTime("first_seen"u8, alert.FirstSeenNs);
        json.WriteTime("last_seen"u8, alert.LastSeenNs);
        json.WriteTime("raised"u8, alert.RaisedNs);
        json.WriteNumber("count"u8, alert.Count);
        WriteEndpoint("device"u8, alert.Device);
        if (alert.Peer is { } peer)
            WriteEndpoint("peer"u8, peer);
        else
            json.WriteNull("peer"u8);
        json.WriteString("protocol"u8, alert.Protocol);
        json.WriteStartArray("ports"u8);
        foreach (var port in alert.Ports)
            json.WriteNumberValue(port);
        json.WriteEndArray();
        json.WriteStartArray("community_id"u8);
        foreach (var id in alert.CommunityIds)
            json.WriteStringValue(id);
        json.WriteEndArray();
        json.WriteString("description"u8, alert.Description);
        WriteEvidence(alert.Evidence);
        WriteScore(alert.Score);
        json.WriteStartArray("attack"u8);
        foreach (var technique in alert.Attack)
        {
            json.WriteStartObject();
            json.WriteString("id"u8, technique.Id);
            json.WriteString("name"u8, technique.Name);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (alert.PatientsAffected is { } patients)
            json.WriteNumber("patients_affected"u8, patients);
        else
            json.WriteNull("patients_affected"u8);
        json.WriteString("recommendation"u8, alert.Recommendation);
        if (suppression is not null)
        {
            json.WriteStartObject("suppressed"u8);
            json.WriteNumber("by"u8, suppression.Id);
            json.WriteString("reason"u8, suppression.Reason);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.Flush();
    }

    public void Dispose() => _writer.Dispose();

    private void WriteEndpoint(ReadOnlySpan<byte> name, AlertEndpoint endpoint)
    {
        _writer.WriteStartObject(name);
        _writer.WriteString("ip"u8, endpoint.Ip);
        _writer.WriteString("mac"u8, endpoint.Mac);
        _writer.WriteString("role"u8, endpoint.Role);
        _writer.WriteString("name"u8, endpoint.Name);
        _writer.WriteString("vendor"u8, endpoint.Vendor);
        _writer.WriteString("model"u8, endpoint.Model);
        if (endpoint.Zone is not null)
            _writer.WriteString("zone"u8, endpoint.Zone);
        _writer.WriteEndObject();
    }

    private void WriteEvidence(IReadOnlyList<Evidence> evidence)
    {
        _writer.WriteStartArray("evidence"u8);
        foreach (var item in evidence)
        {
            _writer.WriteStartObject();
            _writer.WriteString("name"u8, item.Name);
            _writer.WriteString("observed"u8, item.Observed);
            _writer.WriteString("normal"u8, item.Normal);
            _writer.WriteString("unit"u8, item.Unit);
            _writer.WriteEndObject();
        }

        _writer.WriteEndArray();
    }

    private void WriteScore(ModelScore? score)
    {
        if (score is null)
        {
            _writer.WriteNull("score"u8);
            return;
        }

        _writer.WriteStartObject("score"u8);
        _writer.WriteNumber("p_value"u8, score.PValue);
        _writer.WriteStartArray("contributions"u8);
        foreach (var contribution in score.Contributions)
        {
            _writer.WriteStartObject();
            _writer.WriteString("feature"u8, contribution.Feature);
            _writer.WriteNumber("value"u8, contribution.Value);
            _writer.WriteString("unit"u8, contribution.Unit);
            _writer.WriteNumber("share"u8, Math.Round(contribution.Share, 4));
            _writer.WriteEndObject();
        }

        _writer.WriteEndArray();
        _writer.WriteEndObject();
    }
}
