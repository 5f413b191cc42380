using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

public sealed class ServiceRuleTests
{
    [Fact]
    public void Passwords_in_the_clear_to_a_directory()
    {
        var scene = new Scene();
        scene.Other<LdapTransaction>(Workstation, Pacs, 389, t => (t.Event, t.Mechanism, t.HasName, t.Result) = (LdapEvent.Bind, "simple", false, 0));
        scene.Other<LdapTransaction>(Workstation, Pacs, 389, t => (t.Event, t.Mechanism, t.HasPassword, t.Result) = (LdapEvent.Bind, "GSS-SPNEGO", true, 0));
        Assert.Empty(scene.Phases);
        scene.Other<LdapTransaction>(Workstation, Pacs, 389, t => (t.Event, t.Mechanism, t.HasPassword, t.Result) = (LdapEvent.Bind, "simple", true, 0)).Finish();
        Assert.Single(scene.Of("ldap-simple-bind"));
    }

    [Theory]
    [InlineData(1000, true)]
    [InlineData(900, false)]
    public void A_directory_read_in_bulk(int entries, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 5; i++)
            scene.Other<LdapTransaction>(Stranger, Pacs, 389, t => (t.Event, t.Entries) = (LdapEvent.Search, entries)).Wait(1);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("ldap-harvesting").Count());
    }

    [Fact]
    public void Brokers_for_everybody_and_who_reads_everything()
    {
        var scene = new Scene();
        scene.Other<MqttTransaction>(Workstation, Pacs, 1883, t => (t.Event, t.Code, t.HasUser) = (MqttEvent.Connect, 0, true));
        scene.Other<MqttTransaction>(Workstation, Pacs, 1883, t => (t.Event, t.Code) = (MqttEvent.Connect, 5));
        scene.Other<MqttTransaction>(Workstation, Pacs, 1883, t => (t.Event, t.Code, t.Wildcards) = (MqttEvent.Subscribe, 0, 1));
        scene.Other<MqttTransaction>(Workstation, Pacs, 1883, t => (t.Event, t.Code, t.Everything) = (MqttEvent.Subscribe, 0x80, 1));
        Assert.Empty(scene.Phases);
        scene.Other<MqttTransaction>(Workstation, Pacs, 1883, t => (t.Event, t.Code) = (MqttEvent.Connect, 0));
        scene.Other<MqttTransaction>(Stranger, Pacs, 1883, t => (t.Event, t.Code, t.Everything) = (MqttEvent.Subscribe, 1, 1)).Finish();
        Assert.Equal(Pacs, Assert.Single(scene.Of("mqtt-open")).Device.Ip);
        Assert.Equal(Stranger, Assert.Single(scene.Of("mqtt-everything")).Device.Ip);
    }

    [Fact]
    public void Controllers_written_to_and_explored()
    {
        var scene = new Scene();
        scene.Other<ModbusTransaction>(Workstation, Engine, 502, t => (t.Function, t.Requests) = (3, 10));
        scene.Other<ModbusTransaction>(Workstation, Engine, 502, t => (t.Function, t.Requests, t.Exceptions) = (6, 1, 1));
        for (byte unit = 1; unit <= 6; unit++)
            scene.Other<ModbusTransaction>(Stranger, Engine, 502, t => (t.Unit, t.Function, t.Requests, t.Exceptions) = (unit, 3, 1, 1));
        Assert.Empty(scene.Phases);
        scene.Other<ModbusTransaction>(Workstation, Engine, 502, t => (t.Function, t.Requests) = (6, 1));
        for (byte unit = 7; unit <= 8; unit++)
            scene.Other<ModbusTransaction>(Stranger, Engine, 502, t => (t.Unit, t.Function, t.Requests, t.Exceptions) = (unit, 3, 1, 1));
        scene.Finish();
        Assert.Single(scene.Of("modbus-write"));
        Assert.Single(scene.Of("modbus-scan"));
    }

    [Fact]
    public void Databases_for_everybody()
    {
        var scene = new Scene();
        scene.Other<DatabaseTransaction>(Workstation, Pacs, 6379, t => (t.Kind, t.Authentication, t.IsAccepted) = (ApplicationProtocol.Redis, "password", true));
        scene.Other<DatabaseTransaction>(Workstation, Pacs, 6379, t => (t.Kind, t.Authentication, t.IsRefused) = (ApplicationProtocol.Redis, "none", true));
        Assert.Empty(scene.Phases);
        scene.Other<DatabaseTransaction>(Workstation, Pacs, 6379, t => (t.Kind, t.Authentication, t.IsAccepted) = (ApplicationProtocol.Redis, "none", true)).Finish();
        Assert.Contains("redis", Assert.Single(scene.Of("database-open")).Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Outside, 515, true)]
    [InlineData(Outside, 2049, true)]
    [InlineData(Outside, 443, false)]
    [InlineData(Pacs, 515, false)]
    public void Mounting_and_printing_outside(string server, int port, bool fires)
    {
        var scene = new Scene();
        scene.Try(Modality, server, (ushort)port).Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("file-services-outside").Count());
    }

    [Theory]
    [InlineData(2_000_000_000, false, true)]
    [InlineData(1_900_000_000, false, false)]
    [InlineData(60_000_000, true, true)]
    [InlineData(40_000_000, true, false)]
    public void Volume_to_the_outside(long bytes, bool learned, bool fires)
    {
        var scene = new Scene(learned ? LearnedSite() : null) { Seconds = learned ? 90_000 : 0 };
        var flow = scene.Flow(Workstation, Outside, 443);
        flow.State = ConnectionState.Closed;
        flow.FromOriginator.PayloadBytes = bytes;
        flow.FromResponder.PayloadBytes = 1000;
        scene.Send(SensorEventKind.FlowClosed, flow).Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("outside-volume").Count());
    }

    [Fact]
    public void What_a_device_always_sent_is_no_news()
    {
        var day = new Scene();
        for (var i = 0; i < 3; i++)
            Upload(day).Wait(1000);
        day.Finish();
        var later = new Scene(day.Detector.Learn()) { Seconds = 90_000 };
        Upload(later).Finish();
        Assert.Empty(later.Of("outside-volume"));

        static Scene Upload(Scene scene)
        {
            var flow = scene.Flow(Workstation, Outside, 443);
            flow.State = ConnectionState.Closed;
            flow.FromOriginator.PayloadBytes = 300_000_000;
            flow.FromResponder.PayloadBytes = 1000;
            return scene.Send(SensorEventKind.FlowClosed, flow);
        }
    }

    [Theory]
    [InlineData(25, 8, 2, true)]
    [InlineData(10, 8, 2, false)]
    [InlineData(25, 8, 1, false)]
    [InlineData(25, 3, 2, false)]
    public void A_service_that_stops_answering(int answered, int tries, int clients, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < answered; i++)
            scene.Exchange(Workstation, Pacs, 104);
        scene.Wait(90);
        for (var i = 0; i < tries; i++)
            scene.Try(i % clients == 0 ? Workstation : Modality, Pacs, 104).Wait(1);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("service-silent").Count());
    }

    [Fact]
    public void A_service_whose_answers_the_mirror_does_not_show_is_not_silent()
    {
        var scene = new Scene();
        for (var i = 0; i < 25; i++)
            scene.Exchange(Workstation, Pacs, 104);
        scene.Wait(90);
        for (var i = 0; i < 20; i++)
        {
            var flow = scene.Flow(i % 2 == 0 ? Workstation : Modality, Pacs, 104);
            flow.State = ConnectionState.SynSent;
            (flow.FromOriginator.Syn, flow.FromOriginator.PayloadBytes) = (1, 500);
            scene.Send(SensorEventKind.FlowClosed, flow).Wait(1);
        }

        scene.Finish();
        Assert.Empty(scene.Of("service-silent"));
    }

    [Theory]
    [InlineData(25, 280, true)]
    [InlineData(25, 200, false)]
    [InlineData(0.4, 280, true)]
    public void A_device_that_falls_silent(double learnedHours, double quiet, bool fires)
    {
        var scene = new Scene(Steady(learnedHours)) { Seconds = (learnedHours * 3600) + 400 };
        scene.Hl7(Sender, Engine).Exchange(Workstation, Pacs, 104);
        for (var waited = 0.0; waited < quiet; waited += 50)
            scene.Wait(49).Exchange(Workstation, Pacs, 104);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("device-silent").Count());
        Assert.All(scene.Of("device-silent"), a => Assert.Equal(Sender, a.Device.Ip));
    }

    [Theory]
    [InlineData(8, false)]
    [InlineData(60, false)]
    [InlineData(34, false)]
    [InlineData(130, true)]
    public void A_device_that_rests_at_night_is_missed_by_day_only(int hoursLater, bool fires)
    {
        // Learned over two days, from 06:00 to 18:00 UTC; Start is on a Tuesday at 22:13. Later: Friday at 06:13, Sunday at 10:13, Saturday and Wednesday at 08:13.
        var day = new Scene();
        for (var hour = 0; hour < 48; hour++)
        {
            for (var i = 0; i < 90; i++)
            {
                if ((hour + 22) % 24 is >= 6 and < 18)
                    day.Hl7(Sender, Engine);
                day.Exchange(Workstation, Pacs, 104).Wait(39);
            }
        }

        day.Finish();
        var scene = new Scene(day.Detector.Learn()) { Seconds = 3600 * (48 + hoursLater) };
        scene.Hl7(Sender, Engine).Wait(400).Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("device-silent").Count());
    }

    [Fact]
    public void An_upload_is_told_while_it_lasts()
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        var flow = scene.Flow(Workstation, Outside, 443);
        flow.FromResponder.PayloadBytes = 1000;
        for (var sent = 10_000_000; sent <= 60_000_000; sent += 10_000_000)
        {
            flow.FromOriginator.PayloadBytes = sent;
            scene.Wait(1).Send(SensorEventKind.FlowUpdated, flow);
        }

        Assert.Contains(scene.Phases, p => p is { Rule: "outside-volume", Phase: IoTGuard.Analysis.Alerts.AlertPhase.Opened });
        flow.State = ConnectionState.Closed;
        scene.Send(SensorEventKind.FlowClosed, flow).Finish();
        var alert = Assert.Single(scene.Of("outside-volume"));
        Assert.Equal("60000000", alert.Evidence.Single(e => e.Name == "sent").Observed);
        Assert.Contains("60 MB", alert.Description, StringComparison.Ordinal);
    }

    /// <summary>A site in which two devices speak every 40 s.</summary>
    private static Site Steady(double hours)
    {
        var scene = new Scene();
        for (var i = 0; i < hours * 90; i++)
            scene.Hl7(Sender, Engine).Exchange(Workstation, Pacs, 104).Wait(39);
        scene.Finish();
        return scene.Detector.Learn();
    }
}
