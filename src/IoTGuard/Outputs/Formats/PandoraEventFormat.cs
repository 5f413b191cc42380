using System.Buffers;
using System.Text;
using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Outputs.Formats;

/// <summary>
/// The parameters of Pandora FMS's <c>create_event</c>, each URL-encoded, separated by bars. The alert's id is <c>id_extra</c>, by which Pandora recognises a
/// still-open event; closing validates it. A heartbeat is a validated system event with one id for all.
/// </summary>
internal sealed class PandoraEventFormat(string host) : AlertFormat
{
    // Status and criticity of Pandora's events.
    private const int New = 0;
    private const int Validated = 1;
    private const int Informational = 1;

    public override void Write(IBufferWriter<byte> target, Alert alert, AlertPhase phase, int limit)
    {
        var criticity = alert.Severity switch { >= 9 => 4, >= 7 => 6, >= 4 => 3, >= 2 => 5, _ => Informational }; // critical, major, warning, minor
        Write(target, $"{alert.Title}: {alert.Description}", phase == AlertPhase.Closed ? Validated : New, "alert_fired", criticity, alert.Recommendation,
            $"{PhaseName(phase)}, {Number(alert.Count)} times; " + string.Join("; ", alert.Evidence.Select(Describe)),
            string.Join(',', alert.Attack.Select(static a => a.Id).Prepend(alert.Rule)), alert.Id);
    }

    public override void Write(IBufferWriter<byte> target, Heartbeat status) =>
        Write(target, status.Sentence, Validated, "system", Informational, "", "", HeartbeatId, $"iotguard-heartbeat-{host}");

    private void Write(IBufferWriter<byte> target, string text, int status, string type, int criticity, string instructions, string comment, string tags, string idExtra)
    {
        string[] values =
        [
            text, "0", "", Number(status), "", type, Number(criticity), "", "", // event, group, agent, status, user, type, criticity, module, alert
            instructions, instructions, instructions, // critical, warning, unknown
            comment, "", "IoTGuard", tags, "", "", // comment, owner, source, tags, custom data, server
            idExtra, $"iotguard-{host}", "1", // id_extra, agent's name, make it when it is new
        ];
        Encoding.UTF8.GetBytes(string.Join('|', values.Select(static v => Uri.EscapeDataString(XmlText.Clean(Printable(v))))), target);
    }
}
