using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;
using IoTGuard.Wire.Network;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>Each network rule: a sequence that fires it, and one that comes close and must not.</summary>
public sealed class NetworkRuleTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Refused_or_ignored_ports_are_a_scan(bool refused)
    {
        var scene = new Scene();
        for (ushort port = 1; port <= 500; port++)
            scene.Try(Stranger, Pacs, port, refused).Wait(0.01);
        scene.Wait(5);
        scene.Finish();
        var alert = Assert.Single(scene.Closed);
        Assert.Equal("port-scan", alert.Rule);
        Assert.Equal((Stranger, Pacs), (alert.Device.Ip, alert.Peer!.Ip));
        Assert.Equal("500", alert.Evidence.Single(e => e.Name == "ports").Observed);
    }

    [Fact]
    public void Many_answered_connections_opened_at_once_are_no_scan()
    {
        var scene = new Scene();
        var flows = new List<FlowRecord>();
        for (ushort port = 8000; port < 8040; port++)
        {
            flows.Add(scene.Flow(Workstation, Pacs, port));
            scene.Send(SensorEventKind.FlowOpened, flows[^1]);
        }

        scene.Wait(0.2);
        foreach (var flow in flows)
            scene.Send(SensorEventKind.FlowEstablished, flow with { State = ConnectionState.Established });
        scene.Wait(10);
        Assert.Empty(scene.Finish());
    }

    [Fact]
    public void A_scan_of_several_hosts_is_one_alert()
    {
        var scene = new Scene();
        foreach (var host in new[] { Pacs, Engine, Modality })
        {
            for (ushort port = 1; port <= 100; port++)
                scene.Try(Stranger, host, port).Wait(0.02);
        }

        scene.Wait(5).Finish();
        var alert = Assert.Single(scene.Of("port-scan"));
        Assert.Equal("300", alert.Evidence.Single(e => e.Name == "ports").Observed);
        Assert.Contains(Modality, alert.Evidence.Single(e => e.Name == "hosts").Observed, StringComparison.Ordinal);
    }

    [Fact]
    public void The_two_ports_of_smb_are_one_service()
    {
        var scene = new Scene();
        for (var i = 0; i < 9; i++)
            scene.Try(Stranger, $"10.0.1.{i + 1}", 445).Try(Stranger, $"10.0.1.{i + 1}", 139).Wait(0.5);
        scene.Wait(5).Finish();
        Assert.Single(scene.Of("host-scan"));
    }

    [Theory]
    [InlineData(445, 9, true)]
    [InlineData(445, 6, false)]
    [InlineData(8080, 9, false)]
    public void Few_hosts_suffice_on_ports_of_administration(ushort port, int hosts, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < hosts; i++)
            scene.Try(Stranger, $"10.0.1.{i + 1}", port).Wait(0.5);
        scene.Wait(5).Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("host-scan").Count());
    }

    [Theory]
    [InlineData(6, true, false)]
    [InlineData(1, true, true)]
    [InlineData(6, false, true)]
    public void Who_explores_again_and_again_while_learning_is_known_for_it(int scans, bool isHarmless, bool fires)
    {
        var day = new Scene();
        day.Arp(Stranger, Stranger, "10.0.0.1").Exchange(Stranger, Pacs, 8080);
        for (var i = 0; i < scans; i++)
            Sweep(day).Wait(600);
        if (!isHarmless)
            day.Dicom(Stranger, Pacs, DicomEvent.AssociateAccept, t => t.CallingAe = "../../etc");
        day.Wait(600).Exchange(Workstation, Pacs, 80).Finish();
        var later = new Scene(day.Detector.Learn()) { Seconds = 90_000 };
        Sweep(later).Finish();
        Assert.Equal(fires, later.Of("host-scan").Any());

        static Scene Sweep(Scene scene)
        {
            for (var i = 0; i < 30; i++)
                scene.Try(Stranger, $"10.0.1.{i + 1}", 80).Wait(0.5);
            return scene.Wait(5);
        }
    }

    [Theory]
    [InlineData(IpProtocol.Udp, 0.002, false, true)]
    [InlineData(IpProtocol.Udp, 0.02, false, false)]
    [InlineData(IpProtocol.Udp, 0.002, true, false)]
    public void Datagrams_to_ever_new_ports_are_a_flood(byte protocol, double pause, bool answered, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 4000; i++)
        {
            var flow = scene.Flow(Stranger, Pacs, (ushort)(1000 + i), protocol);
            scene.Send(SensorEventKind.FlowOpened, flow).Wait(pause);
            if (answered)
                scene.Send(SensorEventKind.FlowEstablished, flow);
        }

        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("packet-flood").Count());
        Assert.All(scene.Of("packet-flood"), a => Assert.Equal(Stranger, a.Device.Ip));
    }

    [Theory]
    [InlineData(IpProtocol.Udp, 4096, 0, 4, true)]
    [InlineData(IpProtocol.Udp, 4096, 4096, 4, false)]
    [InlineData(IpProtocol.Udp, 4096, 0, 60, false)]
    [InlineData(IpProtocol.Icmp, 4096, 4096, 20, true)]
    [InlineData(IpProtocol.Icmp, 4096, 4096, 400, false)]
    public void One_stream_of_datagrams_can_be_a_flood(byte protocol, int packets, int answers, double seconds, bool fires)
    {
        var scene = new Scene();
        var flow = scene.Flow(Stranger, Pacs, 9, protocol);
        scene.Wait(seconds);
        flow.FromOriginator.Packets = packets;
        flow.FromOriginator.LastNs = scene.Now;
        flow.FromResponder.Packets = answers;
        scene.Send(SensorEventKind.FlowUpdated, flow).Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("packet-flood").Count());
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(60, false)] // one after the other
    public void A_flood_over_several_ports_is_one(double pause, bool fires)
    {
        var scene = new Scene();
        var flows = Enumerable.Range(0, 4).Select(n => scene.Wait(pause).Flow(Stranger, Pacs, (ushort)(5000 + n), IpProtocol.Udp)).ToArray();
        scene.Wait(4);
        foreach (var (n, flow) in flows.Index())
        {
            var ended = flow;
            ended.FromOriginator.Packets = 1500;
            ended.FromOriginator.LastNs = ended.FromOriginator.FirstNs + 4_000_000_000;
            scene.Send(SensorEventKind.FlowClosed, ended);
        }

        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("packet-flood").Count());
    }

    [Fact]
    public void A_flood_from_invented_senders_names_the_device_behind_them()
    {
        var scene = new Scene();
        scene.Arp(Stranger, Stranger, "10.0.0.1");
        for (var i = 0; i < 1000; i++)
        {
            var flow = scene.Flow($"10.{1 + (i / 250)}.7.{i % 250}", Pacs, 443) with { OriginatorMac = Mac(Stranger) };
            scene.Send(SensorEventKind.FlowOpened, flow).Wait(0.001);
        }

        scene.Finish();
        Assert.Equal((Stranger, Pacs), (Assert.Single(scene.Of("syn-flood")).Device.Ip, scene.Of("syn-flood").Single().Peer!.Ip));
    }

    [Theory]
    [InlineData(Stranger, true)]
    [InlineData(Workstation, false)]
    public void An_address_that_other_hardware_has_now_is_told(string hardware, bool fires)
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        scene.Arp(hardware, Sender, "10.0.0.1").Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("device-changed").Count());
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void A_medical_device_outside_is_told_on_the_first_day(bool isMedical, bool fires)
    {
        var scene = new Scene();
        if (isMedical)
            scene.Hl7(Sender, Engine);
        scene.Exchange(Sender, Outside, 443).Wait(60).Exchange(Sender, Outside, 443).Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("medical-device-outside").Count());
    }

    [Theory]
    [InlineData("93.184.216.99", false)]
    [InlineData("198.51.100.7", true)]
    public void A_new_place_outside_is_told_of_who_knew_few(string place, bool fires)
    {
        var day = new Scene();
        for (var i = 0; i < 20; i++)
            day.Work().Exchange(Engine, Outside, 443).Wait(60);
        day.Finish();
        var scene = new Scene(day.Detector.Learn()) { Seconds = 90_000 };
        scene.Exchange(Engine, place, 443).Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("new-outside-use").Count());
    }

    [Theory]
    [InlineData(Modality, true)]
    [InlineData("10.0.0.44", false)]
    public void Where_many_go_is_little_news_but_of_a_modality(string client, bool fires)
    {
        var day = new Scene();
        for (var i = 0; i < 20; i++)
        {
            day.Work().Exchange("10.0.0.44", Pacs, 8042);
            foreach (var pc in new[] { "10.0.7.41", "10.0.7.42", "10.0.7.43" })
                day.Exchange(pc, Outside, 443).Wait(20);
        }

        day.Finish();
        var scene = new Scene(day.Detector.Learn()) { Seconds = 90_000 };
        scene.Exchange(client, Outside, 443).Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("new-outside-use").Count());
    }

    [Fact]
    public void Stealth_probes_are_a_scan()
    {
        var scene = new Scene();
        for (ushort port = 1; port <= 40; port++)
        {
            var flow = scene.Flow(Stranger, Pacs, port);
            flow.State = ConnectionState.MidStream;
            flow.FromOriginator.Syn = 0;
            flow.FromOriginator.Fin = flow.FromOriginator.Urg = 1;
            scene.Send(SensorEventKind.FlowOpened, flow).Wait(0.1);
        }

        scene.Wait(5);
        scene.Finish();
        Assert.Contains("XMAS", Assert.Single(scene.Of("port-scan")).Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(IpProtocol.Tcp, 30, true)]
    [InlineData(IpProtocol.Icmp, 30, true)]
    [InlineData(IpProtocol.Icmp, 10, false)]
    public void Many_silent_hosts_are_a_scan(byte protocol, int hosts, bool fires)
    {
        var scene = new Scene();
        for (var host = 1; host <= hosts; host++)
            scene.Try(Stranger, $"10.0.9.{host}", protocol == IpProtocol.Icmp ? (ushort)0 : (ushort)445, refused: false, protocol).Wait(0.2);
        scene.Wait(5);
        scene.Finish();
        Assert.Equal(fires, scene.Of("host-scan").Any());
    }

    [Fact]
    public void A_browser_with_many_answered_hosts_is_no_scan()
    {
        var scene = new Scene();
        for (var host = 1; host <= 80; host++)
            scene.Exchange(Workstation, $"93.184.1.{host}", 443, duration: 0.05);
        Assert.Empty(scene.Finish());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Few_services_of_several_hosts_are_a_service_scan(bool fires)
    {
        var scene = new Scene();
        foreach (var host in (string[])[Pacs, Engine, Modality])
        {
            foreach (ushort port in (ushort[])[22, 104, 2575, 8042, 11112])
            {
                if (fires || port == 22)
                    scene.Try(Stranger, host, port).Wait(0.5);
            }
        }

        scene.Wait(5);
        scene.Finish();
        Assert.Equal(fires, scene.Of("service-scan").Any());
    }

    [Theory]
    [InlineData(60, true)]
    [InlineData(10, false)]
    public void Asking_for_addresses_that_nobody_has_is_a_sweep(int addresses, bool fires)
    {
        var scene = new Scene();
        for (var i = 1; i <= addresses; i++)
            scene.Arp(Stranger, Stranger, $"10.0.0.{100 + i}").Wait(0.1);
        scene.Finish();
        var alert = scene.Of("arp-sweep").SingleOrDefault();
        Assert.Equal(fires, alert is not null);
        if (alert is not null)
            Assert.Equal(Stranger, alert.Device.Ip);
    }

    [Fact]
    public void An_address_claimed_by_a_second_device_is_told()
    {
        var scene = new Scene();
        scene.Arp(Pacs, Pacs, "10.0.0.1").Arp(Stranger, Stranger, "10.0.0.1").Wait(10);
        for (var i = 0; i < 5; i++)
            scene.Arp(Stranger, Pacs, Modality, reply: true).Wait(1).Arp(Pacs, Pacs, "10.0.0.1").Wait(1);
        scene.Finish();
        var alert = Assert.Single(scene.Of("arp-spoofing"));
        Assert.Equal((Stranger, Pacs), (alert.Device.Ip, alert.Peer!.Ip));
    }

    [Fact]
    public void An_address_given_to_another_device_later_is_no_spoofing()
    {
        var scene = new Scene();
        scene.Arp(Pacs, Pacs, "10.0.0.1").Wait(4000);
        for (var i = 0; i < 5; i++)
            scene.Arp(Stranger, Pacs, "10.0.0.1", reply: true).Wait(1);
        Assert.Empty(scene.Finish());
    }

    [Theory]
    [InlineData(0.005, true)]
    [InlineData(0.1, false)]
    public void Half_open_connections_in_masses_are_a_flood(double pause, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 1500; i++)
            scene.Try($"10.1.{i / 250}.{(i % 250) + 1}", Pacs, 104, refused: false).Wait(pause);
        scene.Finish();
        var alerts = scene.Of("syn-flood").ToList();
        Assert.Equal(fires, alerts.Count > 0);
        Assert.All(alerts, a => Assert.Equal(Pacs, a.Device.Ip));
        Assert.InRange(alerts.Count, 0, 1);
    }

    [Fact]
    public void A_flood_from_one_device_names_it()
    {
        var scene = new Scene();
        for (var i = 0; i < 1500; i++)
            scene.Try(Stranger, Pacs, 104, refused: false).Wait(0.005);
        scene.Finish();
        Assert.Equal(Stranger, Assert.Single(scene.Of("syn-flood")).Device.Ip);
    }

    [Theory]
    [InlineData(22, 20, true)]
    [InlineData(443, 20, false)]
    [InlineData(22, 4, false)]
    public void Short_sessions_again_and_again_are_guessing(ushort port, int sessions, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < sessions; i++)
            scene.Exchange(Stranger, Pacs, port, duration: 2);
        scene.Finish();
        Assert.Equal(fires, scene.Of("login-guessing").Any());
    }

    [Fact]
    public void Telnet_is_told_once_and_never_again_when_it_was_learned()
    {
        var scene = new Scene();
        for (var i = 0; i < 3; i++)
            scene.Exchange(Workstation, Modality, 23, duration: 60).Wait(4000);
        scene.Finish();
        Assert.Single(scene.Of("insecure-service"));

        var later = new Scene(scene.Detector.Learn()) { Seconds = 90_000 };
        later.Exchange(Workstation, Modality, 23, duration: 60);
        Assert.Empty(later.Finish());
    }

    [Fact]
    public void Bytes_that_contradict_their_first_copy_are_told_for_medical_connections()
    {
        var scene = new Scene();
        var web = scene.Flow(Workstation, Pacs, 443);
        scene.Fault(new FlowFault(new Fault(FaultKind.OverlapConflict, Layer.Stream, 0), web));
        var flow = scene.Flow(Sender, Engine, 2575);
        flow.Application = ApplicationProtocol.Hl7;
        scene.Fault(new FlowFault(new Fault(FaultKind.OverlapConflict, Layer.Stream, 0), flow));
        scene.Finish();
        Assert.Equal("tcp-overlap-conflict", Assert.Single(scene.Closed).Rule);
    }

    [Fact]
    public void What_was_learned_is_quiet()
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        for (var i = 0; i < 10; i++)
            scene.Work();
        Assert.Empty(scene.Finish());
    }

    [Fact]
    public void A_new_device_is_told_with_what_it_does()
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        scene.Arp(Stranger, Stranger, "10.0.0.1").Wait(1).Exchange(Stranger, Pacs, 8042);
        scene.Finish();
        var alert = Assert.Single(scene.Of("new-device"));
        Assert.Equal(Stranger, alert.Device.Ip);
        Assert.Contains("tcp/8042", alert.Evidence.Single(e => e.Name == "uses").Observed, StringComparison.Ordinal);
    }

    [Fact]
    public void A_known_device_with_a_new_address_is_no_new_device()
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        scene.Arp(Workstation, "10.0.0.99", "10.0.0.1");
        scene.Finish();
        Assert.Empty(scene.Of("new-device"));
    }

    [Theory]
    [InlineData(22, true)]
    [InlineData(53, false)]
    public void A_service_never_used_before_is_a_new_peer(ushort port, bool fires)
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        scene.Exchange(Workstation, Modality, port, protocol: port == 53 ? IpProtocol.Udp : IpProtocol.Tcp);
        scene.Finish();
        Assert.Equal(fires, scene.Of("new-peer").Any());
    }

    [Fact]
    public void A_device_that_answers_on_a_new_port_offers_a_new_service()
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        scene.Exchange(Workstation, Modality, 8080);
        scene.Finish();
        var alert = Assert.Single(scene.Of("new-service"));
        Assert.Equal((Modality, Workstation), (alert.Device.Ip, alert.Peer!.Ip));
    }

    [Fact]
    public void The_first_use_of_the_outside_is_told()
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        scene.Exchange(Modality, Outside, 443);
        scene.Finish();
        Assert.Equal(Modality, Assert.Single(scene.Of("new-outside-use")).Device.Ip);
    }

    [Fact]
    public void The_first_day_is_quiet_about_the_usual_work()
    {
        var scene = new Scene();
        for (var i = 0; i < 20; i++)
            scene.Work();
        Assert.Empty(scene.Finish());
    }
}
