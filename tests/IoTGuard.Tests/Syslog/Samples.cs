using System.Globalization;
using System.Text;
using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Tests.Syslog;

/// <summary>Alerts for syslog tests, and a reader of RFC 5424 that shares no code with the writer.</summary>
internal static class Samples
{
    /// <summary>2026-01-02T03:04:05.123456789Z.</summary>
    public const long TimeNs = 1_767_323_045_123_456_789;

    public static Alert Alert(int number, string description = "A device asked for 4,711 studies.", int severity = 7) => new()
    {
        Id = string.Create(CultureInfo.InvariantCulture, $"a{number:x8}"),
        Rule = "dicom-query-harvest",
        Title = "Query harvesting",
        Category = "exfiltration",
        Severity = severity,
        Confidence = 0.875,
        FirstSeenNs = TimeNs - 60_000_000_000,
        LastSeenNs = TimeNs,
        Count = 12 + number,
        Device = new AlertEndpoint("10.0.0.7", "00:11:22:33:44:55", "workstation", "WS\"7\\[x]", "Vendor é 中 😀", null),
        Peer = new AlertEndpoint("2001:db8::1", null, "PACS", null, null, null),
        Protocol = "dicom",
        Ports = [104, 11112],
        CommunityIds = ["1:abc=", "1:def="],
        Description = description,
        Evidence = [new Evidence("studies", "4711", "12", "per hour")],
        Attack = [new AttackTechnique("T1119", "Automated Collection")],
        PatientsAffected = 317,
        Recommendation = "Ask its owner.",
    };

    public static Message Parse(ReadOnlySpan<byte> bytes)
    {
        var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        Assert.Equal('<', text[0]);
        var parts = text.Split(' ', 7);
        var close = parts[0].IndexOf('>', StringComparison.Ordinal);
        Assert.Equal("1", parts[0][(close + 1)..]);
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        var rest = parts[6];
        var end = rest.IndexOf(' ', StringComparison.Ordinal);
        var sdId = rest[1..end];
        var at = end;
        while (rest[at] == ' ')
        {
            var equals = rest.IndexOf('=', at);
            var name = rest[(at + 1)..equals];
            Assert.Equal('"', rest[equals + 1]);
            var value = new StringBuilder();
            for (at = equals + 2; rest[at] != '"'; at++)
            {
                if (rest[at] == '\\')
                    at++;
                else
                    Assert.NotEqual(']', rest[at]);
                value.Append(rest[at]);
            }

            at++;
            Assert.True(parameters.TryAdd(name, value.ToString()), name);
        }

        Assert.Equal("] \uFEFF", rest.Substring(at, 3));
        var priority = int.Parse(parts[0][1..close], CultureInfo.InvariantCulture);
        return new Message(priority, parts[1], parts[2], parts[3], parts[4], parts[5], sdId, parameters, rest[..(at + 1)], rest[(at + 3)..]);
    }

    /// <summary>A parsed message.</summary>
    internal sealed record Message(
        int Priority, string Timestamp, string Host, string AppName, string ProcId, string MsgId, string SdId, Dictionary<string, string> Parameters, string StructuredData, string Text);
}
