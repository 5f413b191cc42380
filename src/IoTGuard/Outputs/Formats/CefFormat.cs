using System.Buffers;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs.Delivery;

namespace IoTGuard.Outputs.Formats;

/// <summary>
/// ArcSight Common Event Format, version 0: a header of seven fields and an extension of key=value pairs. Pairs that do not fit are left out whole, the
/// least important first.
/// </summary>
internal sealed class CefFormat : AlertFormat
{
    // Longest values of the keys that are used, in bytes (the format's dictionary counts characters).
    private const int ShortText = 255;
    private const int LongText = 1023;
    private const int CustomText = 4000;
    private const int MaximumHeaderBytes = 512;

    private readonly LimitedText _text = new(OutputSettings.MaximumMessageBytes);

    public override void Write(IBufferWriter<byte> target, Alert alert, AlertPhase phase, int limit)
    {
        _text.Clear();
        _text.Limit = limit;
        Header(alert.Rule, alert.Title, Math.Clamp(alert.Severity, 0, 10));
        Pair("externalId", alert.Id, ShortText, first: true);
        Pair("act", PhaseName(phase), ShortText);
        Pair("cat", alert.Category, ShortText);
        Pair("start", Number(Milliseconds(alert.FirstSeenNs)), ShortText);
        Pair("end", Number(Milliseconds(alert.LastSeenNs)), ShortText);
        Pair("rt", Number(Milliseconds(alert.LastSeenNs)), ShortText);
        Pair("cnt", Number(alert.Count), ShortText);
        Party(alert.Device, "src", "c6a2", "Source IPv6 Address", "smac", "shost");
        if (alert.Peer is { } peer)
            Party(peer, "dst", "c6a3", "Destination IPv6 Address", "dmac", "dhost");
        Pair("dpt", alert.Ports.Count > 0 ? Number(alert.Ports[0]) : null, ShortText);
        Pair("app", alert.Protocol, ShortText);
        Pair("msg", alert.Description, LongText);
        Labelled("cs1", "Recommendation", alert.Recommendation, CustomText);
        Labelled("cs2", "ATT&CK", string.Join(',', alert.Attack.Select(static a => a.Id)), ShortText);
        Labelled("cs3", "Community ID", string.Join(',', alert.CommunityIds), CustomText);
        Labelled("cs4", "Incident", alert.Incident, ShortText);
        Labelled("cs5", "Evidence", string.Join("; ", alert.Evidence.Select(Describe)), CustomText);
        Labelled("cs6", "Device", string.Join(", ", new[] { alert.Device.Role, alert.Device.Vendor, alert.Device.Model, alert.Device.Zone }.OfType<string>()), CustomText);
        Labelled("cn1", "Patients Affected", alert.PatientsAffected is { } patients ? Number(patients) : null, ShortText);
        Labelled("cfp1", "Confidence", Number(alert.Confidence, "0.###"), ShortText);
        Labelled("cfp2", "P Value", alert.Score is { } score ? Number(score.PValue, "0.######") : null, ShortText);
        target.Write(_text.Written);
    }

    public override void Write(IBufferWriter<byte> target, Heartbeat status)
    {
        _text.Clear();
        Header(HeartbeatId, "Heartbeat", 0);
        Pair("rt", Number(Milliseconds(status.TimeNs)), ShortText, first: true);
        Pair("cat", HeartbeatId, ShortText);
        Labelled("cn1", "Packets", Number(status.Packets), ShortText);
        Labelled("cn2", "Kernel Drops", Number(status.KernelDrops), ShortText);
        Labelled("cn3", "Messages Lost", Number(status.Lost), ShortText);
        Pair("msg", status.Sentence, LongText);
        target.Write(_text.Written);
    }

    /// <summary>'|' and '\' are escaped in the header.</summary>
    private void Header(string signature, string name, int severity)
    {
        _text.Append($"CEF:0|IoTGuard|IoTGuard|{ProgramVersion.Text}");
        _text.AppendWhole("|", Printable(signature), "|\\", "|", MaximumHeaderBytes);
        _text.AppendWhole("", Printable(name), "|\\", "|", MaximumHeaderBytes);
        _text.Append($"{severity}|");
    }

    private void Party(AlertEndpoint endpoint, string address, string custom, string label, string mac, string host)
    {
        // The keys for addresses take IPv4 only; IPv6 has keys of its own.
        if (endpoint.Ip?.Contains(':', StringComparison.Ordinal) == true)
            Labelled(custom, label, endpoint.Ip, ShortText);
        else
            Pair(address, endpoint.Ip, ShortText);
        Pair(mac, endpoint.Mac, ShortText);
        Pair(host, endpoint.Name, LongText);
    }

    private void Labelled(string key, string label, string? value, int longest)
    {
        if (string.IsNullOrEmpty(value))
            return;
        var start = _text.Length;
        if (!Pair(key, value, longest) || !Pair(key + "Label", label, ShortText))
            _text.Length = start;
    }

    /// <summary>'=' and '\' are escaped in values; line ends became spaces.</summary>
    private bool Pair(string key, string? value, int longest, bool first = false) =>
        string.IsNullOrEmpty(value) || _text.AppendWhole(first ? key + "=" : $" {key}=", Printable(value), "=\\", "", longest);
}
