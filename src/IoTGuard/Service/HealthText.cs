using System.Globalization;
using System.Text;
using System.Text.Json;
using IoTGuard.Outputs;

namespace IoTGuard.Service;

/// <summary>What the health endpoint answers.</summary>
internal static class HealthText
{
    /// <summary>The text format of Prometheus, version 0.0.4.</summary>
    public static string Prometheus(SensorStatus status)
    {
        var text = new StringBuilder();
        foreach (var metric in MetricTable.Metrics)
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP {metric.Name} {metric.Help}\n# TYPE {metric.Name} {(metric.IsCounter ? "counter" : "gauge")}\n");
            foreach (var (labels, value) in metric.Values(status))
                text.Append(CultureInfo.InvariantCulture, $"{metric.Name}{(labels.Length > 0 ? $"{{{labels}}}" : "")} {value}\n");
        }

        return text.ToString();
    }

    /// <summary>State and what is wrong, as JSON.</summary>
    public static byte[] Json(SensorStatus status)
    {
        using var content = new MemoryStream();
        JsonForm.Write(content, json =>
        {
            json.WriteStartObject();
            json.WriteString("status", status.Conditions.Count == 0 ? "ok" : "degraded");
            json.WriteString("version", ProgramVersion.Text);
            json.WriteString("interface", status.Interface);
            json.WriteNumber("uptime_seconds", Math.Round(status.Uptime.TotalSeconds, 3));
            json.WriteNumber("packets", status.Packets);
            json.WriteNumber("bytes", status.Bytes);
            json.WriteNumber("kernel_drops", status.KernelDrops);
            json.WriteNumber("ring_use", Math.Round(status.RingUse, 4));
            json.WriteNumber("faults", status.Faults.Sum(static f => f.Frames));
            json.WriteStartObject("faults_by_kind");
            foreach (var (layer, kind, frames) in status.Faults)
                json.WriteNumber($"{layer} {kind}".ToLowerInvariant(), frames);
            json.WriteEndObject();
            json.WriteNumber("stream_gaps", status.Counters.Gaps);
            json.WriteNumber("stream_gap_bytes", status.Counters.GapBytes);
            json.WriteNumber("capture_loss", Math.Round(status.CaptureLoss, 6));
            json.WriteNumber("flows", status.Flows.Held);
            json.WriteNumber("flow_table_use", Math.Round(status.FlowTableUse, 6));
            json.WriteNumber("devices", status.Devices);
            json.WriteNumber("alerts", status.Outputs.Opened);
            json.WriteNumber("open_alerts", status.OpenAlerts);
            json.WriteNumber("delivered", status.Outputs.Delivered);
            json.WriteNumber("queued", status.Queued);
            json.WriteNumber("retries", status.Retries);
            json.WriteNumber("lost", status.Outputs.Lost);
            WriteOutputs(json, status.Deliveries);
            json.WriteNumber("detector_queue_batches", status.Waiting);
            json.WriteStartObject("stage_seconds");
            foreach (var (name, time) in status.Stages.All)
                json.WriteNumber(name, Math.Round(time.TotalSeconds, 3));
            json.WriteEndObject();
            if (status.ScoringTime is { } scoring)
                json.WriteNumber("model_score_seconds", scoring.TotalSeconds);
            json.WriteNumber("resident_memory_bytes", Environment.WorkingSet);
            json.WriteStartArray("conditions");
            foreach (var condition in status.Conditions)
            {
                json.WriteStartObject();
                json.WriteString("name", condition.Name);
                json.WriteString("title", condition.Title);
                json.WriteNumber("severity", condition.Severity);
                json.WriteString("text", condition.Text);
                json.WriteString("remedy", condition.Remedy);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
        return content.ToArray();
    }

    private static void WriteOutputs(Utf8JsonWriter json, IReadOnlyList<DeliveryStatus> deliveries)
    {
        json.WriteStartArray("outputs");
        foreach (var output in deliveries)
        {
            json.WriteStartObject();
            json.WriteString("name", output.Name);
            json.WriteNumber("queued", output.Waiting);
            json.WriteNumber("delivered", output.Delivered);
            json.WriteNumber("lost", output.Lost);
            json.WriteNumber("retries", output.Retries);
            json.WriteString("failure", output.Failure);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
