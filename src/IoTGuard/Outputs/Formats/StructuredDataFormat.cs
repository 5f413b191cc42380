using System.Buffers;
using System.Globalization;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs.Delivery;

namespace IoTGuard.Outputs.Formats;

/// <summary>
/// RFC 5424: the facts as one structured data element, and a readable sentence as MSG. Parameters that do not fit are left out whole, the least
/// important first, and MSG is cut between characters.
/// </summary>
internal sealed class StructuredDataFormat(int enterprise) : AlertFormat
{
    /// <summary>Longest value of one parameter, in bytes before escaping.</summary>
    public const int MaximumValueBytes = 512;

    private readonly LimitedText _text = new(OutputSettings.MaximumMessageBytes);
    private readonly string _sdId = string.Create(CultureInfo.InvariantCulture, $"iotguard@{enterprise}");

    public override bool HasStructuredData => true;

    public override void Write(IBufferWriter<byte> target, Alert alert, AlertPhase phase, int limit)
    {
        _text.Clear();
        // Room for the closing bracket, a space, the BOM and the beginning of a sentence.
        _text.Limit = limit - Math.Min(256, limit / 4);
        _text.Append($"[{_sdId}");
        AppendParameters(alert, phase);
        _text.Limit = limit;
        _text.Append("] \uFEFF");
        _text.Append(Printable($"{alert.Title}: {alert.Description} {alert.Recommendation}"));
        target.Write(_text.Written);
    }

    public override void Write(IBufferWriter<byte> target, Heartbeat status)
    {
        _text.Clear();
        _text.Append($"[{_sdId}");
        Parameter("phase", HeartbeatId);
        Parameter("uptime_s", Number(status.UptimeSeconds));
        Parameter("packets", Number(status.Packets));
        Parameter("kernel_drops", Number(status.KernelDrops));
        Parameter("alerts", Number(status.Alerts));
        Parameter("waiting", Number(status.Waiting));
        Parameter("lost", Number(status.Lost));
        _text.Append("] \uFEFF");
        _text.Append(status.Sentence);
        target.Write(_text.Written);
    }

    private void AppendParameters(Alert alert, AlertPhase phase)
    {
        Parameter("id", alert.Id);
        Parameter("phase", PhaseName(phase));
        Parameter("rule", alert.Rule);
        Parameter("category", alert.Category);
        Parameter("severity", Number(alert.Severity));
        Parameter("device_ip", alert.Device.Ip);
        Parameter("peer_ip", alert.Peer?.Ip);
        Parameter("first_seen", Time(alert.FirstSeenNs));
        Parameter("last_seen", Time(alert.LastSeenNs));
        Parameter("count", Number(alert.Count));
        Parameter("confidence", Number(alert.Confidence, "0.###"));
        Parameter("protocol", alert.Protocol);
        Parameter("ports", string.Join(',', alert.Ports));
        Parameter("attack", string.Join(',', alert.Attack.Select(a => a.Id)));
        Parameter("patients_affected", alert.PatientsAffected is { } patients ? Number(patients) : null);
        Parameter("p_value", alert.Score?.PValue.ToString("0.######", CultureInfo.InvariantCulture));
        Endpoint("device", alert.Device);
        if (alert.Peer is { } peer)
            Endpoint("peer", peer);
        Parameter("community_id", string.Join(',', alert.CommunityIds));
        Parameter("incident", alert.Incident);
        Parameter("evidence", string.Join("; ", alert.Evidence.Select(Describe)));
    }

    private void Endpoint(string prefix, AlertEndpoint endpoint)
    {
        Parameter(prefix + "_mac", endpoint.Mac);
        Parameter(prefix + "_role", endpoint.Role);
        Parameter(prefix + "_name", endpoint.Name);
        Parameter(prefix + "_vendor", endpoint.Vendor);
        Parameter(prefix + "_model", endpoint.Model);
        Parameter(prefix + "_zone", endpoint.Zone);
    }

    /// <summary>SD-PARAM, all or nothing; '"', '\' and ']' are escaped (RFC 5424, 6.3.3). Absent and empty values are left out.</summary>
    private void Parameter(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            _text.AppendWhole($" {name}=\"", Printable(value), "\"\\]", "\"", MaximumValueBytes);
    }
}
