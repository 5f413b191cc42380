using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Rules;
using IoTGuard.TestSupport;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

public sealed class RuleTableTests
{
    [Fact]
    public void Every_rule_is_complete()
    {
        Assert.Equal(RuleTable.Rules.Count, RuleTable.Rules.Select(r => r.Id).Distinct(StringComparer.Ordinal).Count());
        Assert.All(RuleTable.Rules, r =>
        {
            Assert.Matches("^[a-z0-9]+(-[a-z0-9]+)*$", r.Id);
            Assert.InRange(r.Severity, 0, 10);
            Assert.NotEmpty(r.Recommendation);
            Assert.NotEmpty(r.FalsePositives);
            Assert.All(r.Thresholds, t => Assert.NotEmpty(t.Unit));
        });
    }

    [Fact]
    public void The_document_is_current()
    {
        var path = Repository.PathOf("docs", "detections.md");
        var expected = RuleMarkdown.Write();
        if (File.Exists(path) && File.ReadAllText(path) == expected)
            return;
        File.WriteAllText(Repository.PathOf("artifacts", "detections.md"), expected);
        Assert.Fail("docs/detections.md is not what the rule table says: copy artifacts/detections.md over it");
    }

    [Fact]
    public void Thresholds_can_be_set_and_unknown_ones_are_refused()
    {
        var options = new DetectorOptions { Thresholds = new Dictionary<string, double>(StringComparer.Ordinal) { ["port-scan.ports"] = 5 } };
        var scene = new Scene(options: options);
        for (ushort port = 1; port <= 6; port++)
            scene.Try(Stranger, Pacs, port);
        scene.Wait(5);
        scene.Finish();
        Assert.Single(scene.Of("port-scan"));

        var wrong = new DetectorOptions { Thresholds = new Dictionary<string, double>(StringComparer.Ordinal) { ["port-scan.prots"] = 5 } };
        Assert.Contains("port-scan.prots", Assert.Throws<ArgumentException>(() => new Scene(options: wrong)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_events_give_the_same_alerts_however_the_clock_is_told()
    {
        var one = Play(advanceOften: false);
        var other = Play(advanceOften: true);
        Assert.NotEmpty(one);
        Assert.Equal(one, other);
    }

    private static List<string> Play(bool advanceOften)
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        for (ushort port = 1; port <= 60; port++)
        {
            scene.Try(Stranger, Pacs, port, refused: port % 2 == 0);
            scene.Seconds += 0.25;
            if (advanceOften)
                scene.Detector.AdvanceTo(scene.Now);
        }

        scene.Seconds += 4000;
        scene.Hl7(Stranger, Engine);
        return [.. scene.Finish().Select(a => $"{a.Id} {a.Rule} {a.FirstSeenNs} {a.LastSeenNs} {a.Count} {a.Severity} {a.Description}")];
    }

    [Fact]
    public void Sentences_are_complete()
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        for (ushort port = 1; port <= 60; port++)
            scene.Try(Stranger, Pacs, port);
        scene.Hl7(Stranger, Engine).Hl7(Sender, Outside).Exchange(Stranger, Pacs, 23, duration: 30).Exchange(Workstation, Modality, 8080);
        scene.Finish();
        Assert.True(scene.Closed.Count >= 5);
        Assert.All(scene.Closed, a => Assert.DoesNotContain('?', a.Description));
        Assert.All(scene.Closed, a => Assert.DoesNotContain('{', a.Description));
    }
}
