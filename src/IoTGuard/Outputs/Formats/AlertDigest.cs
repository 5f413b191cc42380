using System.Globalization;
using System.Text;
using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Outputs.Formats;

/// <summary>Makes alerts shorter, for receivers that take short messages only: fewer items of each list, and shorter texts.</summary>
internal static class AlertDigest
{
    /// <summary>Steps: most items of each list, most characters of each text.</summary>
    public static readonly (int Items, int Characters)[] Steps = [(int.MaxValue, int.MaxValue), (32, 2048), (8, 512), (3, 160), (1, 64)];

    /// <summary>A copy of the alert with at most so many items and characters; the texts cut end in an ellipsis.</summary>
    public static Alert Of(Alert alert, int items, int characters) => new()
    {
        Id = alert.Id,
        Incident = alert.Incident,
        Rule = Cut(alert.Rule, characters),
        Title = Cut(alert.Title, characters),
        Category = Cut(alert.Category, characters),
        Severity = alert.Severity,
        Confidence = alert.Confidence,
        FirstSeenNs = alert.FirstSeenNs,
        LastSeenNs = alert.LastSeenNs,
        RaisedNs = alert.RaisedNs,
        Count = alert.Count,
        Device = Cut(alert.Device, characters),
        Peer = alert.Peer is null ? null : Cut(alert.Peer, characters),
        Protocol = alert.Protocol,
        Ports = [.. alert.Ports.Take(items)],
        CommunityIds = [.. alert.CommunityIds.Take(items)],
        Description = Cut(alert.Description, characters),
        Evidence = [.. alert.Evidence.Take(items).Select(e => new Evidence(Cut(e.Name, characters), Cut(e.Observed, characters), e.Normal is null ? null : Cut(e.Normal, characters), e.Unit))],
        Score = alert.Score is null ? null : alert.Score with { Contributions = [.. alert.Score.Contributions.Take(items)] },
        Attack = [.. alert.Attack.Take(items)],
        PatientsAffected = alert.PatientsAffected,
        Recommendation = Cut(alert.Recommendation, characters),
    };

    private static AlertEndpoint Cut(AlertEndpoint endpoint, int characters) => endpoint with
    {
        Name = endpoint.Name is null ? null : Cut(endpoint.Name, characters),
        Vendor = endpoint.Vendor is null ? null : Cut(endpoint.Vendor, characters),
        Model = endpoint.Model is null ? null : Cut(endpoint.Model, characters),
    };

    private static string Cut(string text, int characters)
    {
        if (text.Length <= characters)
            return text;
        var cut = new StringBuilder(characters);
        foreach (var rune in text.EnumerateRunes())
        {
            if (cut.Length + rune.Utf16SequenceLength >= characters)
                break;
            cut.Append(CultureInfo.InvariantCulture, $"{rune}");
        }

        return cut.Append('…').ToString();
    }
}
