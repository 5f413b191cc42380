using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>A detector that goes on with other options or another site.</summary>
public sealed class ReconfigureTests
{
    private static DetectorOptions ManyPorts => new() { Thresholds = new Dictionary<string, double>(StringComparer.Ordinal) { ["port-scan.ports"] = 10_000 } };

    [Fact]
    public void Other_thresholds_are_in_force_at_once()
    {
        var scene = new Scene(options: ManyPorts);
        Scan(scene).Wait(5);
        Assert.DoesNotContain(scene.Phases, static p => p.Rule == "port-scan");
        scene.Detector.Reconfigure(Site.Empty, new DetectorOptions());
        Scan(scene).Wait(5).Finish();
        Assert.Single(scene.Of("port-scan"));
    }

    [Fact]
    public void Nothing_is_lost_or_told_twice_when_thresholds_change()
    {
        var site = LearnedSite();
        var scene = new Scene(site) { Seconds = 90_000 };
        scene.Arp(Stranger, Stranger, "10.0.0.1").Wait(1).Exchange(Stranger, Pacs, 8042);
        Scan(scene).Wait(5);
        var before = scene.Phases.Where(static p => p.Phase == AlertPhase.Opened).Select(static p => p.Rule).ToList();
        Assert.Contains("new-device", before);
        Assert.Contains("port-scan", before);
        var devices = scene.Detector.Devices.Devices.Count;
        var open = scene.Detector.OpenAlerts;

        scene.Detector.Reconfigure(site, ManyPorts);
        Assert.Equal((devices, open), (scene.Detector.Devices.Devices.Count, scene.Detector.OpenAlerts));
        scene.Arp(Stranger, Stranger, "10.0.0.1").Wait(1).Exchange(Stranger, Pacs, 8042).Wait(1);
        scene.Finish();
        Assert.Equal(before, scene.Phases.Where(static p => p.Phase == AlertPhase.Opened).Select(static p => p.Rule));
        Assert.Equal(before.Order(StringComparer.Ordinal), scene.Closed.Select(static a => a.Rule).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Counts_go_on_when_nothing_that_they_hang_on_changes()
    {
        var whole = new Scene();
        Scan(whole);
        whole.Wait(5).Finish();
        var ports = int.Parse(whole.Of("port-scan").Single().Evidence.Single(static e => e.Name == "ports").Observed, System.Globalization.CultureInfo.InvariantCulture);

        var scene = new Scene();
        Scan(scene, first: 1, count: ports / 2);
        scene.Detector.Reconfigure(Site.Empty, new DetectorOptions { AlertBudgetPerDay = 3 });
        Scan(scene, first: 1 + (ports / 2), count: ports - (ports / 2)).Wait(5).Finish();
        Assert.Equal(ports.ToString(System.Globalization.CultureInfo.InvariantCulture), scene.Of("port-scan").Single().Evidence.Single(static e => e.Name == "ports").Observed);
    }

    [Fact]
    public void What_another_site_knows_is_no_news_any_more()
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        var wider = new Scene();
        foreach (var host in new[] { Pacs, Modality, Workstation, Engine, Sender, Stranger })
            wider.Arp(host, host, "10.0.0.1");
        for (var i = 0; i < 20; i++)
            wider.Work().Exchange(Stranger, Pacs, 8042);
        wider.Finish();
        scene.Detector.Reconfigure(wider.Detector.Learn(), new DetectorOptions());
        scene.Arp(Stranger, Stranger, "10.0.0.1").Wait(1).Exchange(Stranger, Pacs, 8042);
        scene.Finish();
        Assert.Empty(scene.Of("new-device"));
    }

    [Fact]
    public void A_threshold_that_no_rule_has_changes_nothing()
    {
        var scene = new Scene(options: ManyPorts);
        var wrong = new DetectorOptions { Thresholds = new Dictionary<string, double>(StringComparer.Ordinal) { ["port-scan.porst"] = 1 } };
        Assert.Throws<ArgumentException>(() => scene.Detector.Reconfigure(Site.Empty, wrong));
        Scan(scene).Wait(5).Finish();
        Assert.Empty(scene.Of("port-scan"));
    }

    private static Scene Scan(Scene scene, int first = 1, int count = 100)
    {
        for (var port = first; port < first + count; port++)
            scene.Try(Stranger, Pacs, (ushort)port).Wait(0.01);
        return scene;
    }
}
