using IoTGuard.TestSupport;
using IoTGuard.Tests.Analysts;

namespace IoTGuard.Tests.Oracle;

/// <summary>With a seed of the site's own, flows, transactions and alerts have the community ids that tshark gives the same packets.</summary>
public sealed class CommunityIdTsharkTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(4711)]
    public void EveryIdIsOneOfTsharks(int seed)
    {
        Assert.SkipUnless(ProgramRun.Shell("command -v tshark").Status == 0, "tshark is not installed");
        var theirs = ProgramRun.Start(
            "tshark", ["-n", "-r", AnalysedSite.Attacks, "--enable-protocol", "communityid", "-o", $"communityid.seed:{seed}", "-T", "fields", "-e", "communityid"], null, "/")
            .OutputLines.ToHashSet(StringComparer.Ordinal);
        using var folder = new TemporaryFolder();
        var run = ProgramRun.Of(
            "analyze", AnalysedSite.Attacks, "--community-id-seed", $"{seed}", "--flows", folder["flows"], "--transactions", folder["transactions"], "--alerts", folder["alerts"]);
        Assert.True(run.Status == 0, run.Error);

        var flows = File.ReadLines(folder["flows"]).Skip(1).Select(static line => line.Split(',')[12]).ToHashSet(StringComparer.Ordinal);
        Assert.True(flows.Count > 4000);
        Assert.Subset(theirs, flows);
        var transactions = File.ReadLines(folder["transactions"]).Select(static line => AnalysedSite.Parse(line).GetProperty("community_id").GetString()!).ToHashSet(StringComparer.Ordinal);
        Assert.True(transactions.Count > 1000);
        Assert.Subset(flows, transactions);
        var alerts = File.ReadLines(folder["alerts"]).SelectMany(static line => AnalysedSite.Parse(line).GetProperty("community_id").EnumerateArray().Select(static id => id.GetString()!)).ToHashSet(StringComparer.Ordinal);
        Assert.True(alerts.Count > 50);
        Assert.Subset(flows, alerts);
    }
}
