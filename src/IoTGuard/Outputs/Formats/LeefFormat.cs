using System.Buffers;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs.Delivery;

namespace IoTGuard.Outputs.Formats;

/// <summary>
/// QRadar Log Event Extended Format 2.0: a header, and attributes that a tab (x09 in the header) separates. There are no escapes: '|' in the header
/// becomes '/', and control characters became spaces. Attributes that do not fit are left out whole, the least important first.
/// </summary>
internal sealed class LeefFormat : AlertFormat
{
    private const int MaximumValueBytes = 2048;

    private readonly LimitedText _text = new(OutputSettings.MaximumMessageBytes);
    private bool _isFirst;

    public override void Write(IBufferWriter<byte> target, Alert alert, AlertPhase phase, int limit)
    {
        _text.Clear();
        _text.Limit = limit;
        Header(alert.Rule);
        Time("devTime", alert.LastSeenNs);
        Attribute("cat", alert.Category);
        Attribute("sev", Number(Math.Clamp(alert.Severity, 1, 10))); // 1 to 10
        Attribute("src", alert.Device.Ip);
        Attribute("dst", alert.Peer?.Ip);
        Attribute("dstPort", alert.Ports.Count > 0 ? Number(alert.Ports[0]) : null);
        Attribute("srcMAC", alert.Device.Mac);
        Attribute("dstMAC", alert.Peer?.Mac);
        Attribute("identHostName", alert.Device.Name);
        Attribute("alertId", alert.Id);
        Attribute("phase", PhaseName(phase));
        Attribute("title", alert.Title);
        Attribute("msg", alert.Description);
        Attribute("firstSeen", Number(Milliseconds(alert.FirstSeenNs)));
        Attribute("count", Number(alert.Count));
        Attribute("confidence", Number(alert.Confidence, "0.###"));
        Attribute("appProtocol", alert.Protocol);
        Attribute("attack", string.Join(',', alert.Attack.Select(static a => a.Id)));
        Attribute("patientsAffected", alert.PatientsAffected is { } patients ? Number(patients) : null);
        Attribute("deviceRole", alert.Device.Role);
        Attribute("deviceVendor", alert.Device.Vendor);
        Attribute("deviceModel", alert.Device.Model);
        Attribute("deviceZone", alert.Device.Zone);
        Attribute("peerName", alert.Peer?.Name);
        Attribute("peerRole", alert.Peer?.Role);
        Attribute("recommendation", alert.Recommendation);
        Attribute("incident", alert.Incident);
        Attribute("communityId", string.Join(',', alert.CommunityIds));
        Attribute("evidence", string.Join("; ", alert.Evidence.Select(Describe)));
        target.Write(_text.Written);
    }

    public override void Write(IBufferWriter<byte> target, Heartbeat status)
    {
        _text.Clear();
        Header(HeartbeatId);
        Time("devTime", status.TimeNs);
        Attribute("cat", HeartbeatId);
        Attribute("sev", "1");
        Attribute("uptime", Number(status.UptimeSeconds));
        Attribute("packets", Number(status.Packets));
        Attribute("kernelDrops", Number(status.KernelDrops));
        Attribute("alerts", Number(status.Alerts));
        Attribute("waiting", Number(status.Waiting));
        Attribute("lost", Number(status.Lost));
        Attribute("msg", status.Sentence);
        target.Write(_text.Written);
    }

    private void Header(string eventId)
    {
        _text.Append($"LEEF:2.0|IoTGuard|IoTGuard|{ProgramVersion.Text}|{Printable(eventId).Replace('|', '/')}|x09|");
        _isFirst = true;
    }

    private void Time(string name, long timeNs)
    {
        Attribute(name, AlertFormat.Time(timeNs)[..23] + "+0000");
        Attribute(name + "Format", "yyyy-MM-dd'T'HH:mm:ss.SSSZ");
    }

    private void Attribute(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value) && _text.AppendWhole(_isFirst ? name + "=" : $"\t{name}=", Printable(value), "", "", MaximumValueBytes))
            _isFirst = false;
    }
}
