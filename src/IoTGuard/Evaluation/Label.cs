using System.Text.Json;
using IoTGuard.Outputs;

namespace IoTGuard.Evaluation;

/// <summary>One labelled scenario of a capture. Times are epoch seconds of packet time.</summary>
internal sealed record Label(
    string Name, double Start, double End, IReadOnlyList<string> Attackers, IReadOnlyList<string> Victims, IReadOnlyList<int> Ports, string Protocol, string Description)
{
    public IEnumerable<string> Addresses => Attackers.Concat(Victims);
}

/// <summary>The fields of an alert that evaluation needs.</summary>
/// <param name="Device">Address of the device that the alert is about.</param>
/// <param name="Addresses">Addresses of the device and its peer.</param>
/// <param name="Weight">What it is ranked by: severity × confidence.</param>
/// <param name="IsSuppressed">True when the site suppresses it, so that nobody was told.</param>
internal sealed record ScoredAlert(
    string Id, string Rule, string Category, string Title, double FirstSeen, double LastSeen, double Raised, string? Device, IReadOnlyList<string> Addresses, double Weight, bool IsSuppressed);

/// <summary>Reads labels and alerts from JSON lines; a bad line is named with its number.</summary>
internal static class EvaluationFiles
{
    /// <summary>Longest line read, in characters.</summary>
    private const int MaximumLineLength = 1 << 20;

    public static List<Label> ReadLabels(string path) => Read(path, line => new Label(
        line.GetProperty("name").GetString()!,
        line.GetProperty("start").GetDouble(),
        line.GetProperty("end").GetDouble(),
        Strings(line, "attackers"),
        Strings(line, "victims"),
        [.. Array(line, "ports").Select(p => p.GetInt32())],
        Text(line, "protocol"),
        Text(line, "description")));

    public static List<ScoredAlert> ReadAlerts(string path) => Read(path, line =>
    {
        var first = Time(line.GetProperty("first_seen"));
        return new ScoredAlert(
            line.GetProperty("id").GetString()!,
            line.GetProperty("rule").GetString()!,
            Text(line, "category"),
            Text(line, "title"),
            first,
            Time(line.GetProperty("last_seen")),
            line.TryGetProperty("raised", out var raised) ? Time(raised) : first,
            Ip(line, "device"),
            [.. new[] { Ip(line, "device"), Ip(line, "peer") }.OfType<string>()],
            Number(line, "severity", 1) * Number(line, "confidence", 1),
            line.TryGetProperty("suppressed", out _));
    });

    private static List<T> Read<T>(string path, Func<JsonElement, T> parse)
    {
        var rows = new List<T>();
        var number = 0;
        try
        {
            foreach (var line in File.ReadLines(path))
            {
                number++;
                if (string.IsNullOrWhiteSpace(line))
                    continue;
                if (line.Length > MaximumLineLength)
                    throw new UserException(ExitStatus.UnreadableInput, $"{path}, line {number}: longer than {MaximumLineLength:N0} characters; is it JSON lines?");
                using var json = JsonDocument.Parse(line);
                rows.Add(parse(json.RootElement));
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new UserException(ExitStatus.UnreadableInput, $"{path}, line {number}: {e.Message.TrimEnd('.')}; the fields are in docs/evaluation.md", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitStatus.UnreadableInput, $"cannot read {path}: {e.Message.TrimEnd('.')}", e);
        }

        return rows;
    }

    private static double Time(JsonElement time) => PacketTime.TryParse(time.GetString()!, out var timeNs)
        ? timeNs / 1e9
        : throw new FormatException($"'{time.GetString()}' is not a time");

    private static string? Ip(JsonElement alert, string endpoint) =>
        alert.TryGetProperty(endpoint, out var e) && e.ValueKind == JsonValueKind.Object && e.TryGetProperty("ip", out var ip) ? ip.GetString() : null;

    private static double Number(JsonElement line, string name, double otherwise) =>
        line.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : otherwise;

    private static string Text(JsonElement line, string name) => line.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

    private static JsonElement.ArrayEnumerator Array(JsonElement line, string name) =>
        line.TryGetProperty(name, out var value) ? value.EnumerateArray() : default;

    private static List<string> Strings(JsonElement line, string name) => [.. Array(line, name).Select(v => v.GetString()!)];
}
