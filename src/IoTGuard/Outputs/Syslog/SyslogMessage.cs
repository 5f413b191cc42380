using System.Globalization;
using System.Text;
using System.Text.Unicode;
using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Outputs.Syslog;

/// <summary>
/// Formats alerts as RFC 5424 messages: the rule as MSGID, the packet time of the latest observation (last_seen) as TIMESTAMP, the facts as one
/// structured data element, and a readable sentence as MSG. The result never exceeds its size limit: parameters that do not fit are left out whole,
/// the least important first, and MSG is cut between characters.
/// </summary>
internal sealed class SyslogMessage
{
    /// <summary>Longest value of one parameter, in bytes before escaping.</summary>
    public const int MaximumValueBytes = 512;

    private const int MaximumHostBytes = 255; // limits of RFC 5424, 6
    private const int MaximumAppNameBytes = 48;
    private const int MaximumProcIdBytes = 128;
    private const int MaximumMsgIdBytes = 32;

    /// <summary>RFC 5424 severities by alert severity 0 to 10: Informational, Notice, Warning, Error, Critical, Alert.</summary>
    private static readonly int[] Severities = [6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1];

    private readonly byte[] _buffer;
    private readonly int _facility;
    private readonly string _sdId;
    private readonly string _host;
    private readonly string _appName;
    private readonly string _procId;
    private int _length;
    private int _limit;

    public SyslogMessage(SyslogUri uri, string host, string appName, string procId)
    {
        _buffer = new byte[uri.MaximumBytes];
        _facility = uri.Facility;
        _sdId = string.Create(CultureInfo.InvariantCulture, $"iotguard@{uri.Enterprise}");
        _host = Name(host, MaximumHostBytes);
        _appName = Name(appName, MaximumAppNameBytes);
        _procId = Name(procId, MaximumProcIdBytes);
    }

    /// <summary>The message; valid until the next call.</summary>
    public ReadOnlySpan<byte> Format(Alert alert, AlertPhase phase)
    {
        _length = 0;
        _limit = _buffer.Length;
        var priority = (8 * _facility) + Severities[Math.Clamp(alert.Severity, 0, 10)];
        Append(string.Create(CultureInfo.InvariantCulture, $"<{priority}>1 {Time(alert.LastSeenNs)} {_host} {_appName} {_procId} {Name(alert.Rule, MaximumMsgIdBytes)} "));

        // Room for the closing bracket, a space, the BOM and the beginning of a sentence.
        _limit = _buffer.Length - Math.Min(256, _buffer.Length / 4);
        Append($"[{_sdId}");
        AppendParameters(alert, phase);
        _limit = _buffer.Length;
        Append("] \uFEFF");
        Append(Printable($"{alert.Title}: {alert.Description} {alert.Recommendation}"));
        return _buffer.AsSpan(0, _length);
    }

    private void AppendParameters(Alert alert, AlertPhase phase)
    {
        Parameter("id", alert.Id);
        Parameter("phase", phase switch { AlertPhase.Opened => "opened", AlertPhase.Updated => "updated", _ => "closed" });
        Parameter("rule", alert.Rule);
        Parameter("category", alert.Category);
        Parameter("severity", Number(alert.Severity));
        Parameter("device_ip", alert.Device.Ip);
        Parameter("peer_ip", alert.Peer?.Ip);
        Parameter("first_seen", Time(alert.FirstSeenNs));
        Parameter("last_seen", Time(alert.LastSeenNs));
        Parameter("count", Number(alert.Count));
        Parameter("confidence", alert.Confidence.ToString("0.###", CultureInfo.InvariantCulture));
        Parameter("protocol", alert.Protocol);
        Parameter("ports", string.Join(',', alert.Ports));
        Parameter("attack", string.Join(',', alert.Attack.Select(a => a.Id)));
        Parameter("patients_affected", alert.PatientsAffected is { } patients ? Number(patients) : null);
        Parameter("p_value", alert.Score?.PValue.ToString("0.######", CultureInfo.InvariantCulture));
        Endpoint("device", alert.Device);
        if (alert.Peer is { } peer)
            Endpoint("peer", peer);
        Parameter("community_id", string.Join(',', alert.CommunityIds));
        Parameter("evidence", string.Join("; ", alert.Evidence.Select(Describe)));
    }

    private void Endpoint(string prefix, AlertEndpoint endpoint)
    {
        Parameter(prefix + "_mac", endpoint.Mac);
        Parameter(prefix + "_role", endpoint.Role);
        Parameter(prefix + "_name", endpoint.Name);
        Parameter(prefix + "_vendor", endpoint.Vendor);
        Parameter(prefix + "_model", endpoint.Model);
    }

    private static string Describe(Evidence evidence)
    {
        var unit = evidence.Unit.Length == 0 ? "" : " " + evidence.Unit;
        return evidence.Normal is null ? $"{evidence.Name} {evidence.Observed}{unit}" : $"{evidence.Name} {evidence.Observed}{unit} (normal {evidence.Normal})";
    }

    /// <summary>SD-PARAM, all or nothing; '"', '\' and ']' are escaped (RFC 5424, 6.3.3). Absent and empty values are left out.</summary>
    private void Parameter(string name, string? value)
    {
        if (string.IsNullOrEmpty(value))
            return;
        Span<byte> utf8 = stackalloc byte[MaximumValueBytes];
        Utf8.FromUtf16(Printable(value), utf8, out _, out var bytes);
        var start = _length;
        var fits = Append($" {name}=\"");
        foreach (var b in utf8[..bytes])
        {
            if (b is (byte)'"' or (byte)'\\' or (byte)']')
                fits &= Append((byte)'\\');
            fits &= Append(b);
        }

        if (!fits || !Append((byte)'"'))
            _length = start;
    }

    /// <summary>Appends what fits, whole characters only; false when something did not. Lone surrogates become U+FFFD.</summary>
    private bool Append(string text)
    {
        var status = Utf8.FromUtf16(text, _buffer.AsSpan(_length, _limit - _length), out _, out var written);
        _length += written;
        return status == System.Buffers.OperationStatus.Done;
    }

    private bool Append(byte value)
    {
        if (_length >= _limit)
            return false;
        _buffer[_length++] = value;
        return true;
    }

    /// <summary>A header field: printable ASCII without spaces, '-' when empty (RFC 5424, 6).</summary>
    private static string Name(string text, int maximumBytes)
    {
        if (text.Length == 0)
            return "-";
        return string.Create(Math.Min(text.Length, maximumBytes), text, static (name, source) =>
        {
            for (var i = 0; i < name.Length; i++)
                name[i] = source[i] is > ' ' and < '\u007F' ? source[i] : '_';
        });
    }

    /// <summary>Control characters become spaces: they would end a message where a line feed is the framing, and confuse terminals everywhere.</summary>
    private static string Printable(string text)
    {
        var clean = true;
        foreach (var c in text)
            clean &= !char.IsControl(c) && c is not ('\u2028' or '\u2029');
        return clean ? text : string.Create(text.Length, text, static (target, source) =>
        {
            for (var i = 0; i < target.Length; i++)
                target[i] = char.IsControl(source[i]) || source[i] is '\u2028' or '\u2029' ? ' ' : source[i];
        });
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>RFC 3339 in UTC with six digits of fraction, the most that RFC 5424 allows; later digits are cut.</summary>
    private static string Time(long timeNs)
    {
        var ticks = Math.Clamp(Math.DivRem(timeNs, 100, out _) + DateTime.UnixEpoch.Ticks, 0, DateTime.MaxValue.Ticks);
        return new DateTime(ticks, DateTimeKind.Utc).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
    }
}
