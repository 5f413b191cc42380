using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Rules;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Alerts;

public sealed class CorrelationTests
{
    [Fact]
    public void A_burst_is_one_alert_and_a_second_burst_another()
    {
        var scene = new Scene();
        for (var burst = 0; burst < 2; burst++)
        {
            for (var i = 0; i < 30; i++)
                scene.Dicom(Stranger, Pacs, DicomEvent.AssociateReject, t => (t.CalledAe, t.Source) = ($"B{burst}X{i}", 1)).Wait(1);
            scene.Wait(3600);
        }

        scene.Finish();
        var alerts = scene.Of("dicom-ae-title-guessing").ToList();
        Assert.Equal(2, alerts.Count);
        Assert.NotEqual(alerts[0].Id, alerts[1].Id);
        Assert.All(alerts, a => Assert.True(a.Count >= 20));
    }

    [Fact]
    public void An_open_alert_is_updated_once_a_minute_at_most()
    {
        var scene = new Scene();
        for (var i = 0; i < 300; i++)
            scene.Dicom(Stranger, Pacs, DicomEvent.AssociateReject, t => (t.CalledAe, t.Source) = ($"X{i}", 1)).Wait(1);
        scene.Finish();
        var phases = scene.Phases.Where(p => p.Rule == "dicom-ae-title-guessing").Select(p => p.Phase).ToList();
        Assert.Equal(AlertPhase.Opened, phases[0]);
        Assert.Equal(AlertPhase.Closed, phases[^1]);
        Assert.InRange(phases.Count(p => p == AlertPhase.Updated), 3, 5);
    }

    [Fact]
    public void Closing_happens_on_packet_time_without_further_events()
    {
        var scene = new Scene();
        for (var i = 0; i < 8; i++)
            scene.Dicom(Stranger, Pacs, DicomEvent.AssociateReject, t => (t.CalledAe, t.Source) = ($"X{i}", 1)).Wait(1);
        Assert.Empty(scene.Closed);
        scene.Wait(3600);
        Assert.Single(scene.Closed);
    }

    [Fact]
    public void Patients_are_counted_once()
    {
        var scene = new Scene();
        for (var i = 0; i < 200; i++)
            scene.Hl7(Sender, Outside, fill: t => t.Patient = new Pseudonym(1, (ulong)(i % 7)));
        scene.Finish();
        Assert.Equal(7, Assert.Single(scene.Of("hl7-public-address")).PatientsAffected);
    }

    [Fact]
    public void Open_alerts_are_bounded()
    {
        var scene = new Scene(options: new DetectorOptions { MaximumOpenAlerts = 50 });
        for (var i = 0; i < 500; i++)
            scene.Hl7($"10.2.{i / 250}.{(i % 250) + 1}", Outside).Wait(0.1);
        Assert.InRange(scene.Closed.Count, 450, 499);
        Assert.Equal(500, scene.Finish().Count);
    }

    [Fact]
    public void Community_ids_and_ports_are_listed()
    {
        var scene = new Scene();
        for (var i = 0; i < 100; i++)
            scene.Hl7(Sender, Outside);
        var alert = Assert.Single(scene.Finish());
        Assert.Equal([2575], alert.Ports);
        Assert.Equal(OpenAlert.MaximumCommunityIds, alert.CommunityIds.Count);
        Assert.All(alert.CommunityIds, id => Assert.StartsWith("1:", id, StringComparison.Ordinal));
    }
}
