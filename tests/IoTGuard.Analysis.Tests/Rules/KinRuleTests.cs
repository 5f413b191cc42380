using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>What a short learning period did not see of a device, but of its like; and that one event makes one alert.</summary>
public sealed class KinRuleTests
{
    private const string Archive = "10.9.0.1";
    private const string Worklist = "10.9.0.2";
    private const string Laboratory = "10.9.0.3";
    private const string Clock = "10.9.0.4";
    private const string LateScanner = "10.1.0.13";
    private const string LateAnalyzer = "10.2.0.13";
    private const string Office = "10.3.0.13";
    private const string Ct = "1.2.840.10008.5.1.4.1.1.2";
    private const string WorklistFind = "1.2.840.10008.5.1.4.31";

    [Fact]
    public void A_modality_that_makes_its_first_image_is_no_news()
    {
        var scene = Later();
        Store(scene, LateScanner);
        Assert.Empty(scene.Finish());
    }

    [Fact]
    public void An_office_computer_that_does_what_modalities_do_is_news()
    {
        var scene = Later();
        Store(scene, Office);
        scene.Finish();
        Assert.Equal(["dicom-new-sop-class", "dicom-unknown-calling-ae", "new-peer"], scene.Closed.Select(static a => a.Rule).Order(StringComparer.Ordinal));
        Assert.All(scene.Closed, static a => Assert.Equal(Office, a.Device.Ip));
    }

    [Theory]
    [InlineData(LateAnalyzer, "APP13", false)]
    [InlineData(LateAnalyzer, "APP10", true)]
    [InlineData(Office, "APP13", true)]
    public void The_first_message_is_news_but_of_a_sender_among_senders_with_a_name_of_its_own(string sender, string application, bool fires)
    {
        var scene = Later();
        scene.Hl7(sender, Laboratory, "ORU^R01", t => t.SendingApplication = application);
        scene.Finish();
        Assert.Equal(fires, scene.Of("hl7-new-sender").Any());
    }

    [Fact]
    public void The_same_news_is_not_told_again_on_that_day()
    {
        var scene = Later();
        for (var i = 0; i < 6; i++)
            scene.Hl7(Office, Laboratory, "ORU^R01").Wait(3000);
        scene.Finish();
        Assert.Equal(6, Assert.Single(scene.Of("hl7-new-sender")).Count);
    }

    [Fact]
    public void What_a_new_device_does_at_first_is_told_with_it()
    {
        var scene = Later();
        scene.Arp("10.3.0.99", "10.3.0.99", "10.3.0.1").Wait(1);
        foreach (ushort port in (ReadOnlySpan<ushort>)[22, 2222, 8080])
            scene.Exchange("10.3.0.99", Archive, port).Wait(1);
        var alert = Assert.Single(scene.Finish());
        Assert.Equal("new-device", alert.Rule);
        Assert.Contains(alert.Evidence, static e => e.Name == "uses" && e.Observed.Contains("tcp/22", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(8530, "new-service")]
    [InlineData(0, "new-outside-use")]
    public void What_many_of_a_network_begin_to_do_is_one_alert(ushort port, string rule)
    {
        var scene = Later();
        for (var n = 10; n < 14; n++)
            scene.Exchange($"10.3.0.{n}", port == 0 ? Outside : Archive, port == 0 ? (ushort)443 : port).Wait(20);
        var alert = Assert.Single(scene.Finish());
        Assert.Equal((rule, 4), (alert.Rule, alert.Count));
        Assert.Contains(alert.Evidence, static e => e.Name == "others" && e.Observed.Contains("10.3.0.13", StringComparison.Ordinal));
        Assert.EndsWith("the client 10.3.0.13.", alert.Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(LateScanner, false)]
    [InlineData("10.1.0.77", true)]
    public void Minutes_of_learning_in_which_nobody_was_examined_make_no_news_of_the_first_examination(string scanner, bool fires)
    {
        var day = new Scene();
        foreach (var device in new[] { Archive, LateScanner, Clock })
            day.Arp(device, device, "10.9.0.254");
        for (var minute = 0; minute < 8; minute++)
            day.Exchange(LateScanner, Clock, 8080).Exchange(Archive, Clock, 8080).Wait(60);
        day.Finish();
        var scene = new Scene(day.Detector.Learn()) { Seconds = 90_000 };
        Store(scene, scanner);
        scene.Finish();
        Assert.Equal(fires, scene.Of("dicom-unknown-calling-ae").Any());
        Assert.Equal(fires, scene.Closed.Count > 0);
    }

    [Fact]
    public void The_role_that_a_known_device_plays_in_an_attack_is_not_its_own()
    {
        var scene = Later();
        for (var n = 0; n < 20; n++)
            Store(scene, Office);
        scene.Finish();
        Assert.All(scene.Closed, static a => Assert.DoesNotContain("modality", a.Description, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(22, "new-peer")]
    [InlineData(8080, "new-service")]
    public void A_new_service_and_its_first_client_are_one_alert(ushort port, string rule)
    {
        var scene = Later();
        scene.Exchange(Office, Archive, port);
        Assert.Equal(rule, Assert.Single(scene.Finish()).Rule);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(12, false)]
    public void One_more_place_outside_is_no_news_of_who_knows_many(int known, bool fires)
    {
        var day = new Scene();
        day.Arp(Office, Office, "10.3.0.1");
        for (var i = 0; i < 12 * 20; i++)
            day.Exchange(Office, $"93.184.{i % known}.34", 443).Wait(60);
        day.Finish();
        var scene = new Scene(day.Detector.Learn()) { Seconds = 90_000 };
        scene.Exchange(Office, "198.51.100.7", 443).Finish();
        Assert.Equal(fires, scene.Of("new-outside-use").Any());
    }

    [Fact]
    public void Kin_are_those_of_the_network_or_of_the_role_and_never_strangers()
    {
        var kin = new Kin(Learned());
        var use = new Fact(FactKind.Peer, Ip(LateScanner), Ip(Archive), Fact.NumberOf(IpProtocol.Tcp, 104));
        Assert.True(kin.Expects(use));
        Assert.False(kin.Expects(use with { A = Ip(Office) }));
        Assert.False(kin.Expects(use with { A = Ip("10.1.0.77") }));
        Assert.False(kin.Expects(use with { Number = Fact.NumberOf(IpProtocol.Tcp, 22) }));
    }

    private static Scene Later() => new(Learned()) { Seconds = 90_000 };

    private static void Store(Scene scene, string sender)
    {
        scene.Dicom(sender, Archive, DicomEvent.AssociateAccept, t => t.CallingAe = $"CT{sender}");
        scene.Dicom(sender, Archive, DicomEvent.CStore, static t => t.SopClass = Ct);
        scene.Dicom(sender, Archive, DicomEvent.Release, static t => t.Operations = 1);
        scene.Exchange(sender, Archive, 104, ApplicationProtocol.Dicom);
    }

    /// <summary>Two hours of three modalities, of which one makes no image, four analysers, of which one sends nothing, and four office computers.</summary>
    private static Site Learned()
    {
        var scene = new Scene();
        foreach (var server in new[] { Archive, Worklist, Laboratory, Clock })
            scene.Arp(server, server, "10.9.0.254");
        for (var network = 1; network <= 3; network++)
        {
            for (var host = 10; host < 14; host++)
                scene.Arp($"10.{network}.0.{host}", $"10.{network}.0.{host}", $"10.{network}.0.1");
        }

        for (var round = 0; round < 20; round++)
        {
            for (var host = 10; host < 14; host++)
            {
                var scanner = $"10.1.0.{host}";
                scene.Dicom(scanner, Worklist, DicomEvent.AssociateAccept, t => t.CallingAe = $"CT{scanner}");
                scene.Dicom(scanner, Worklist, DicomEvent.CFind, static t => (t.SopClass, t.QueryKeys) = (WorklistFind, 2));
                scene.Exchange(scanner, Worklist, 104, ApplicationProtocol.Dicom);
                if (scanner != LateScanner)
                    Store(scene, scanner);
                var analyzer = $"10.2.0.{host}";
                scene.Exchange(analyzer, Clock, 123, protocol: IpProtocol.Udp);
                scene.Exchange($"10.3.0.{host}", Clock, 123, protocol: IpProtocol.Udp);
                if (analyzer == LateAnalyzer)
                    continue;
                var name = $"APP{host}";
                scene.Hl7(analyzer, Laboratory, "ORU^R01", t => t.SendingApplication = name);
                scene.Exchange(analyzer, Laboratory, 2575, ApplicationProtocol.Hl7);
            }

            scene.Wait(360);
        }

        scene.Finish();
        return scene.Detector.Learn();
    }
}
