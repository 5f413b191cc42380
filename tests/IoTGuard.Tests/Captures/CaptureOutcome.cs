using System.Text.Json;
using System.Text.RegularExpressions;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Captures;

/// <summary>What the program tells of one of our captures.</summary>
/// <param name="Transactions">Lines of <c>--transactions</c>.</param>
/// <param name="Alerts">Lines of <c>--alerts</c>.</param>
/// <param name="Texts">Everything it wrote.</param>
internal sealed record CaptureOutcome(List<JsonElement> Transactions, List<JsonElement> Alerts, string Texts)
{
    public static CaptureOutcome Of(string capture)
    {
        using var folder = new TemporaryFolder();
        var run = ProgramRun.Of("analyze", Repository.PathOf("captures", capture), "--transactions", folder["transactions"], "--alerts", folder["alerts"]);
        Assert.Equal(0, run.Status);
        return new(Read(folder["transactions"]), Read(folder["alerts"]), File.ReadAllText(folder["transactions"]) + File.ReadAllText(folder["alerts"]) + run.Output);
    }

    /// <summary>So many transactions of one kind on a port have these fields, "name=value name.inner=value".</summary>
    public void Expect(string protocol, string kind, int port, string fields, int count)
    {
        var found = Transactions
            .Where(t => t.GetProperty("protocol").GetString() == protocol && t.GetProperty("event").GetString() == kind && t.GetProperty("server").GetProperty("port").GetInt32() == port).ToList();
        var wanted = Regex.Split(fields, " (?=[a-z_.]+=)", RegexOptions.None, TimeSpan.FromSeconds(1)).Select(f => f.Split('=')).ToList();
        var matching = found.Count(t => wanted.All(f => Matches(t, f[0], f[1])));
        Assert.True(matching == count, $"{matching} of {found.Count} {protocol} {kind} on {port} have {fields}:\n{string.Join('\n', found)}");
    }

    private static bool Matches(JsonElement transaction, string name, string expected)
    {
        var value = transaction;
        foreach (var part in name.Split('.'))
        {
            if (!value.TryGetProperty(part, out value))
                return expected is "0" or "False";
        }

        return value.ToString() == expected;
    }

    private static List<JsonElement> Read(string file) => [.. File.ReadLines(file).Select(static line => JsonDocument.Parse(line).RootElement)];
}
