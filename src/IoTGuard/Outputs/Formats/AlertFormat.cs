using System.Buffers;
using System.Globalization;
using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Outputs.Formats;

/// <summary>State of the sensor, for a heartbeat.</summary>
/// <param name="Time">When it was taken, by the machine's clock.</param>
/// <param name="Started">When the sensor started.</param>
/// <param name="Packets">Packets captured since then.</param>
/// <param name="KernelDrops">Packets that the kernel dropped since then.</param>
/// <param name="Alerts">Alerts opened since then.</param>
/// <param name="Waiting">Messages that wait for this output.</param>
/// <param name="Lost">Messages that this output lost since the start.</param>
internal sealed record Heartbeat(DateTimeOffset Time, DateTimeOffset Started, long Packets, long KernelDrops, long Alerts, long Waiting, long Lost)
{
    public long UptimeSeconds => (long)(Time - Started).TotalSeconds;

    /// <summary>Time in ns since 1970, like packet time.</summary>
    public long TimeNs => (Time.UtcTicks - DateTime.UnixEpoch.Ticks) * 100;

    /// <summary>For people.</summary>
    public string Sentence => string.Create(
        CultureInfo.InvariantCulture,
        $"The sensor is alive: up {UptimeSeconds:N0} s, {Packets:N0} packets, {KernelDrops:N0} dropped by the kernel, {Alerts:N0} alerts, {Waiting:N0} messages waiting, {Lost:N0} lost.");
}

/// <summary>
/// A form of messages: writes alerts and heartbeats as one line or document without a line end. Nothing is written that is not in the alert, and
/// alerts hold no patient data.
/// </summary>
internal abstract class AlertFormat
{
    /// <summary>MSGID of a heartbeat.</summary>
    public const string HeartbeatId = "heartbeat";

    /// <summary>True when a message begins with its own STRUCTURED-DATA of RFC 5424, 6.3.</summary>
    public virtual bool HasStructuredData => false;

    /// <summary>MSGID of an alert (RFC 5424, 6.2.7).</summary>
    public virtual string IdOf(Alert alert) => alert.Rule;

    /// <summary>Severity of an alert as in RFC 5424, table 2.</summary>
    public virtual int SyslogSeverityOf(Alert alert) => Severities[Math.Clamp(alert.Severity, 0, 10)];

    /// <summary>Appends an alert as it now is.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="alert">The alert.</param>
    /// <param name="phase">Opened, updated or closed.</param>
    /// <param name="limit">Most bytes that the caller can use. Forms that can end anywhere keep to it; the others are given a shorter alert next.</param>
    public abstract void Write(IBufferWriter<byte> target, Alert alert, AlertPhase phase, int limit);

    /// <summary>Appends a heartbeat, in the form's own kind of event.</summary>
    public abstract void Write(IBufferWriter<byte> target, Heartbeat status);

    /// <summary>RFC 5424 severities by alert severity 0 to 10: Informational, Notice, Warning, Error, Critical, Alert.</summary>
    private static readonly int[] Severities = [6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1];

    protected static string PhaseName(AlertPhase phase) => phase switch { AlertPhase.Opened => "opened", AlertPhase.Updated => "updated", _ => "closed" };

    protected static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    protected static string Number(double value, string form) => value.ToString(form, CultureInfo.InvariantCulture);

    protected static long Milliseconds(long timeNs) => timeNs / 1_000_000;

    /// <summary>RFC 3339 in UTC with six digits of fraction, the most that RFC 5424 allows; later digits are cut.</summary>
    public static string Time(long timeNs)
    {
        var ticks = Math.Clamp(Math.DivRem(timeNs, 100, out _) + DateTime.UnixEpoch.Ticks, 0, DateTime.MaxValue.Ticks);
        return new DateTime(ticks, DateTimeKind.Utc).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
    }

    /// <summary>Evidence in words.</summary>
    protected static string Describe(Evidence evidence)
    {
        var unit = evidence.Unit.Length == 0 ? "" : " " + evidence.Unit;
        return evidence.Normal is null ? $"{evidence.Name} {evidence.Observed}{unit}" : $"{evidence.Name} {evidence.Observed}{unit} (normal {evidence.Normal})";
    }

    /// <summary>Control characters become spaces: they would end a message where a line feed is the framing, and confuse terminals everywhere.</summary>
    protected static string Printable(string text)
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
}
