using System.Buffers;
using System.Text.Json;
using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Outputs.Formats;

/// <summary>The program's own form, as <c>--alerts</c> of the sensor writes it; a heartbeat has <c>"phase":"heartbeat"</c>.</summary>
internal sealed class JsonFormat : AlertFormat
{
    public override void Write(IBufferWriter<byte> target, Alert alert, AlertPhase phase, int limit)
    {
        using var json = new AlertJson();
        json.Write(target, alert, phase);
    }

    public override void Write(IBufferWriter<byte> target, Heartbeat status)
    {
        using var json = new Utf8JsonWriter(target, JsonForm.Options);
        json.WriteStartObject();
        json.WriteString("phase"u8, HeartbeatId);
        json.WriteTime("time"u8, status.TimeNs);
        json.WriteNumber("uptime_s"u8, status.UptimeSeconds);
        json.WriteNumber("packets"u8, status.Packets);
        json.WriteNumber("kernel_drops"u8, status.KernelDrops);
        json.WriteNumber("alerts"u8, status.Alerts);
        json.WriteNumber("waiting"u8, status.Waiting);
        json.WriteNumber("lost"u8, status.Lost);
        json.WriteEndObject();
        json.Flush();
    }
}
