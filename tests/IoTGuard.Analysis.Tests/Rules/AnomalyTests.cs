using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Flows;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>The model in the detector: what is rare fires within the budget, what is usual does not.</summary>
public sealed class AnomalyTests
{
    [Fact]
    public void A_rare_flow_is_told_with_its_features()
    {
        var scene = new Scene(SiteWithModel()) { Seconds = 90_000 };
        for (var i = 0; i < 30; i++)
            Usual(scene, i);
        Odd(scene, Workstation);
        scene.Finish();
        var alert = Assert.Single(scene.Of("flow-anomaly"));
        Assert.Equal(Workstation, alert.Device.Ip);
        Assert.NotNull(alert.Score);
        Assert.InRange(alert.Score.PValue, 0, 0.2);
        Assert.NotEmpty(alert.Score.Contributions);
        Assert.All(alert.Score.Contributions, c => Assert.InRange(c.Share, 0, 1));
        Assert.Contains(alert.Evidence, e => e.Name == alert.Score.Contributions[0].Feature && e.Normal!.Contains(" to ", StringComparison.Ordinal));
    }

    [Fact]
    public void The_budget_bounds_alerts()
    {
        var scene = new Scene(SiteWithModel(), new DetectorOptions { AlertBudgetPerDay = 1000 }) { Seconds = 90_000 };
        for (var i = 0; i < 2000; i++)
            Odd(scene, $"10.3.{i / 250}.{(i % 250) + 1}");
        scene.Finish();
        Assert.InRange(scene.Of("flow-anomaly").Count(), 1, 300);
    }

    [Fact]
    public void Without_a_budget_the_model_is_silent()
    {
        var scene = new Scene(SiteWithModel(), new DetectorOptions { AlertBudgetPerDay = 0 }) { Seconds = 90_000 };
        Odd(scene, Workstation);
        scene.Finish();
        Assert.Empty(scene.Of("flow-anomaly"));
    }

    [Fact]
    public void Models_are_silent_where_nothing_was_learned()
    {
        var scene = new Scene(Site.Empty with { Models = SiteWithModel().Models }) { Seconds = 90_000 };
        Odd(scene, Workstation);
        scene.Finish();
        Assert.Empty(scene.Of("flow-anomaly"));
        Assert.Equal(0, scene.Detector.FlowFigures.Scored);
    }

    [Fact]
    public void Other_models_take_over_and_no_flow_is_lost()
    {
        var site = SiteWithModel();
        var scene = new Scene(site with { Models = SiteModels.None }) { Seconds = 90_000 };
        Odd(scene, Workstation);
        scene.Detector.Reconfigure(site, new DetectorOptions());
        scene.Wait(5);
        Odd(scene, Modality);
        Usual(scene, 1);
        scene.Detector.Reconfigure(site with { Models = SiteModels.None }, new DetectorOptions());
        scene.Wait(5);
        Odd(scene, Sender);
        scene.Finish();
        Assert.Equal(Modality, Assert.Single(scene.Of("flow-anomaly")).Device.Ip);
        Assert.Equal(2, scene.Detector.FlowFigures.Scored);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void A_rare_minute_of_a_device_is_told(bool isOdd, bool fires)
    {
        var site = SiteWithModel(pause: 30);
        var aboutWindows = site.Models.Active with { Entries = [.. site.Models.Active.Entries.Where(e => e.Input == ModelInput.Windows)] };
        var scene = new Scene(site with { Models = new SiteModels(aboutWindows) }) { Seconds = 90_000 };
        for (var i = 0; i < 60; i++)
            Usual(scene, i, pause: 30);
        for (var i = 0; i < (isOdd ? 400 : 1); i++)
            scene.Exchange(Workstation, Pacs, 104, duration: 0.05);
        for (var i = 0; i < 15; i++)
            Usual(scene, i, pause: 30);
        scene.Finish();
        Assert.Equal(fires, scene.Of("device-anomaly").Any());
    }

    [Fact]
    public void A_shadow_looks_on_and_the_differences_are_counted()
    {
        var site = SiteWithModel();
        var scene = new Scene(site with { Models = new SiteModels(ModelSet.Empty, site.Models.Active) }) { Seconds = 90_000 };
        for (var i = 0; i < 30; i++)
            Usual(scene, i);
        Odd(scene, Workstation);
        scene.Finish();
        Assert.Empty(scene.Of("flow-anomaly"));
        var figures = scene.Detector.FlowFigures;
        Assert.Equal(31, figures.Scored);
        Assert.Equal(0, figures.Rare);
        Assert.InRange(figures.ShadowRare, 1, 5);
        Assert.Equal(0, figures.BothRare);
    }

    private static Site SiteWithModel(double pause = 4)
    {
        var scene = new Scene(options: new DetectorOptions { TrainingRows = 2000 });
        foreach (var host in new[] { Pacs, Workstation })
            scene.Arp(host, host, "10.0.0.1");
        for (var i = 0; i < 900; i++)
            Usual(scene, i, pause);
        scene.Finish();
        var model = SiteTrainer.Train(scene.Detector.TrainingRows(), scene.Detector.RoleOf, "a test", "0", ModelSet.Empty);
        Assert.NotNull(model);
        return Site.FromFiles(scene.Detector.Learn().ToFiles()) with { Models = new SiteModels(ModelSet.FromFiles(model.ToFiles())) };
    }

    private static void Usual(Scene scene, int i, double pause = 4)
    {
        var flow = scene.Flow(Workstation, Pacs, 104);
        flow.State = ConnectionState.Closed;
        flow.LastNs = flow.FirstNs + 1_000_000_000 + ((i % 50) * 10_000_000);
        flow.FromOriginator = Direction(10 + (i % 7), 100 + (i % 11));
        flow.FromResponder = Direction(10 + (i % 5), 200 + (i % 13));
        flow.FromOriginator.Syn = 1;
        scene.Send(SensorEventKind.FlowClosed, flow).Wait(pause);
    }

    private static void Odd(Scene scene, string client)
    {
        var flow = scene.Flow(client, Pacs, 104);
        flow.State = ConnectionState.Closed;
        flow.LastNs = flow.FirstNs + 900_000_000_000;
        flow.FromOriginator = Direction(90_000, 1400);
        flow.FromResponder = Direction(40, 60);
        flow.FromOriginator.Syn = 1;
        flow.FromOriginator.Entropy = 8;
        flow.FromOriginator.Urg = 50;
        flow.IdlePeriods = 300;
        flow.IdleSeconds = 800;
        scene.Send(SensorEventKind.FlowClosed, flow).Wait(0.1);
    }

    private static DirectionCounters Direction(int packets, int size)
    {
        var counters = new DirectionCounters { Packets = packets, Bytes = (long)packets * size, PayloadBytes = (long)packets * (size - 40), PayloadPackets = packets, Entropy = 4, Printable = 0.5f };
        counters.Size.Add(size);
        counters.Size.Add(size + 4);
        counters.InterArrival.Add(0.1);
        return counters;
    }
}
