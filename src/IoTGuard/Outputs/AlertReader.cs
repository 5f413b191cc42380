using System.Text.Json;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Sites.State;

namespace IoTGuard.Outputs;

/// <summary>Alerts again from what <see cref="AlertJson"/> wrote of them into a site's state.</summary>
internal static class AlertReader
{
    public static Alert Of(StoredAlert stored)
    {
        var body = stored.Body;
        return new Alert
        {
            Id = stored.Id,
            Incident = stored.Incident,
            Rule = stored.Rule,
            Title = stored.Text("title") ?? "",
            Category = stored.Text("category") ?? "",
            Severity = stored.Severity,
            Confidence = body.GetProperty("confidence").GetDouble(),
            FirstSeenNs = stored.FirstNs,
            LastSeenNs = stored.LastNs,
            RaisedNs = stored.RaisedNs,
            Count = stored.Count,
            Device = EndpointOf(body.GetProperty("device")),
            Peer = body.GetProperty("peer") is { ValueKind: JsonValueKind.Object } peer ? EndpointOf(peer) : null,
            Protocol = stored.Text("protocol"),
            Ports = [.. body.GetProperty("ports").EnumerateArray().Select(static p => p.GetInt32())],
            CommunityIds = [.. body.GetProperty("community_id").EnumerateArray().Select(static c => c.GetString()!)],
            Description = stored.Text("description") ?? "",
            Evidence = [.. body.GetProperty("evidence").EnumerateArray().Select(static e => new Evidence(Text(e, "name")!, Text(e, "observed")!, Text(e, "normal"), Text(e, "unit")!))],
            Score = body.GetProperty("score") is { ValueKind: JsonValueKind.Object } score ? ScoreOf(score) : null,
            Attack = [.. body.GetProperty("attack").EnumerateArray().Select(static a => new AttackTechnique(Text(a, "id")!, Text(a, "name")!))],
            PatientsAffected = stored.Patients,
            Recommendation = stored.Text("recommendation") ?? "",
        };
    }

    private static AlertEndpoint EndpointOf(JsonElement endpoint) => new(
        Text(endpoint, "ip"), Text(endpoint, "mac"), Text(endpoint, "role"), Text(endpoint, "name"), Text(endpoint, "vendor"), Text(endpoint, "model"), Text(endpoint, "zone"));

    private static ModelScore ScoreOf(JsonElement score) => new(
        score.GetProperty("p_value").GetDouble(),
        [.. score.GetProperty("contributions").EnumerateArray().Select(static c => new Contribution(Text(c, "feature")!, c.GetProperty("value").GetDouble(), Text(c, "unit")!, c.GetProperty("share").GetDouble()))]);

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() : null;
}
