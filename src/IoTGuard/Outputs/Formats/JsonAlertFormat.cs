using System.Buffers;
using System.Text.Json;
using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Outputs.Formats;

/// <summary>A form that is one JSON object per message.</summary>
internal abstract class JsonAlertFormat : AlertFormat
{
    public sealed override void Write(IBufferWriter<byte> target, Alert alert, AlertPhase phase, int limit)
    {
        using var json = new Utf8JsonWriter(target, JsonForm.Options);
        json.WriteStartObject();
        WriteMembers(json, alert, phase);
        json.WriteEndObject();
        json.Flush();
    }

    public sealed override void Write(IBufferWriter<byte> target, Heartbeat status)
    {
        using var json = new Utf8JsonWriter(target, JsonForm.Options);
        json.WriteStartObject();
        WriteMembers(json, status);
        json.WriteEndObject();
        json.Flush();
    }

    protected abstract void WriteMembers(Utf8JsonWriter json, Alert alert, AlertPhase phase);

    protected abstract void WriteMembers(Utf8JsonWriter json, Heartbeat status);

    /// <summary>Writes a text, or nothing when there is none.</summary>
    protected static void Text(Utf8JsonWriter json, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            json.WriteString(name, value);
    }

    /// <summary>Writes an array of texts, or nothing when there is none.</summary>
    protected static void Texts(Utf8JsonWriter json, string name, IEnumerable<string?> values)
    {
        var started = false;
        foreach (var value in values)
        {
            if (string.IsNullOrEmpty(value))
                continue;
            if (!started)
                json.WriteStartArray(name);
            started = true;
            json.WriteStringValue(value);
        }

        if (started)
            json.WriteEndArray();
    }

    /// <summary>The counters of a heartbeat, as members.</summary>
    protected static void Counters(Utf8JsonWriter json, Heartbeat status)
    {
        json.WriteNumber("uptime_s", status.UptimeSeconds);
        json.WriteNumber("packets", status.Packets);
        json.WriteNumber("kernel_drops", status.KernelDrops);
        json.WriteNumber("alerts", status.Alerts);
        json.WriteNumber("waiting", status.Waiting);
        json.WriteNumber("lost", status.Lost);
    }
}
