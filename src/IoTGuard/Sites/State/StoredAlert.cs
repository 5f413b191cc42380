using System.Buffers;
using System.Text;
using System.Text.Json;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs;

namespace IoTGuard.Sites.State;

/// <summary>The three answers of an analyst, and none.</summary>
internal static class Answers
{
    /// <summary>The finding was right and mattered.</summary>
    public const string True = "true";

    /// <summary>The finding was right, and it is rightful here.</summary>
    public const string Benign = "benign";

    /// <summary>The finding was no finding.</summary>
    public const string Wrong = "wrong";

    public static IReadOnlyList<string> All { get; } = [True, Benign, Wrong];
}

/// <summary>One event of an alert.</summary>
internal readonly record struct AlertEvent(string Alert, AlertPhase Phase, long TimeNs, long Count, int Severity)
{
    public static AlertEvent Of(Alert alert, AlertPhase phase) => new(alert.Id, phase, alert.LastSeenNs, alert.Count, alert.Severity);

    public static string NameOf(AlertPhase phase) => phase switch { AlertPhase.Opened => "opened", AlertPhase.Updated => "updated", _ => "closed" };

    public static AlertPhase PhaseOf(string name) => name switch { "opened" => AlertPhase.Opened, "updated" => AlertPhase.Updated, _ => AlertPhase.Closed };
}

/// <summary>An answer that was given.</summary>
internal sealed record GivenAnswer(string Answer, string? Note, long GivenNs);

/// <summary>An alert of a site's state.</summary>
internal sealed record StoredAlert(
    string Id, bool IsOpen, string Rule, int Severity, string? Incident, long FirstNs, long LastNs, long RaisedNs, string Json, string? Answer)
{
    private JsonElement? _body;

    /// <summary>The alert as <c>--alerts</c> writes it.</summary>
    public JsonElement Body
    {
        get
        {
            if (_body is not { } body)
            {
                using var document = JsonDocument.Parse(Json);
                _body = body = document.RootElement.Clone();
            }

            return body;
        }
    }

    /// <summary>The suppression that covers it now, if there is one.</summary>
    public Suppression? Suppression { get; init; }

    /// <summary>For lists and filters: what analysts said, else suppressed, else open or closed.</summary>
    public string State => Answer ?? (Suppression is not null ? "suppressed" : IsOpen ? "open" : "closed");

    public static StoredAlert Of(Alert alert, AlertPhase phase, AlertJson json)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        json.Write(buffer, alert, phase: null);
        return new StoredAlert(alert.Id, phase != AlertPhase.Closed, alert.Rule, alert.Severity, alert.Incident,
            alert.FirstSeenNs, alert.LastSeenNs, alert.RaisedNs, Encoding.UTF8.GetString(buffer.WrittenSpan), null);
    }

    public string? Text(string name) => TextOf(Body, name);

    public long Count => Body.GetProperty("count").GetInt64();

    public int? Patients => Body.TryGetProperty("patients_affected", out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null;

    /// <summary>A part of the alert's device or peer, such as its ip.</summary>
    public string? Of(string party, string name) =>
        Body.TryGetProperty(party, out var endpoint) && endpoint.ValueKind == JsonValueKind.Object ? TextOf(endpoint, name) : null;

    public bool IsCoveredBy(Suppression suppression) =>
        suppression.Covers(Rule, RaisedNs, Of("device", "ip"), Of("device", "mac"), Of("peer", "ip"), Of("peer", "mac"));

    private static string? TextOf(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
