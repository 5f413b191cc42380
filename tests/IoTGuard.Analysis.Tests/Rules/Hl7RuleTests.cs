using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>Each HL7 rule: a sequence that fires it, and one that comes close and must not.</summary>
public sealed class Hl7RuleTests
{
    [Fact]
    public void A_sender_that_never_sent_is_told_and_the_usual_one_is_not()
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        scene.Hl7(Sender, Engine).Wait(5);
        scene.Hl7(Stranger, Engine, fill: t => t.SendingApplication = "APP21");
        scene.Finish();
        var alert = Assert.Single(scene.Of("hl7-new-sender"));
        Assert.Equal((Stranger, Engine), (alert.Device.Ip, alert.Peer!.Ip));
    }

    [Fact]
    public void An_engine_may_pass_on_the_names_of_others()
    {
        var site = LearnedSite();
        var learning = new Scene(site) { Seconds = 10_000 };
        for (var i = 0; i < 10; i++)
            learning.Hl7(Sender, Engine).Hl7(Engine, "10.0.0.30", fill: t => t.SendingApplication = "APP21").Wait(60);
        site = site.Merge(learning.Detector.Learn());

        var scene = new Scene(site) { Seconds = 90_000 };
        scene.Hl7(Sender, Engine, fill: t => t.SendingFacility = "ANNEX").Wait(1);
        scene.Hl7(Engine, "10.0.0.30", fill: t => (t.SendingApplication, t.SendingFacility) = ("APP21", "ANNEX"));
        scene.Finish();
        Assert.DoesNotContain(scene.Of("hl7-new-sender"), a => a.Device.Ip == Engine);
    }

    [Fact]
    public void A_new_kind_of_message_on_a_link_is_told()
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        scene.Hl7(Sender, Engine, "ADT^A08").Wait(5);
        scene.Hl7(Sender, Engine, "RDE^O11");
        scene.Finish();
        Assert.Contains("RDE^O11", Assert.Single(scene.Of("hl7-new-message-type")).Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.02, true)]
    [InlineData(0.5, false)]
    public void Messages_beyond_what_interfaces_send_are_a_flood(double pause, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 600; i++)
            scene.Hl7(Sender, Engine, "ORU^R01").Wait(pause);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("hl7-flood").Count());
    }

    [Fact]
    public void An_engine_that_passes_a_flood_on_is_not_its_source()
    {
        var scene = new Scene();
        for (var i = 0; i < 600; i++)
            scene.Hl7(Sender, Engine, "ORU^R01").Hl7(Engine, "10.0.0.30", "ORU^R01").Wait(0.02);
        scene.Finish();
        Assert.Equal(Sender, Assert.Single(scene.Of("hl7-flood")).Device.Ip);
    }

    [Theory]
    [InlineData(FaultKind.TooLarge, 0, 0, "hl7-endless-frame")]
    [InlineData(FaultKind.NoEndBlock, 10, 0, "hl7-endless-frame")]
    [InlineData(FaultKind.NoEndBlock, 0, 100_000, "hl7-endless-frame")]
    [InlineData(FaultKind.NoEndBlock, 1, 300, null)]
    [InlineData(FaultKind.BadValue, 0, 0, null)]
    public void A_frame_without_an_end_is_told(FaultKind kind, long seconds, int bytes, string? rule)
    {
        var scene = new Scene();
        scene.Hl7(Stranger, Engine, fill: t => (t.Event, t.Fault, t.FaultText) = (Hl7Event.Fault, new Fault(kind, Layer.Hl7, bytes, seconds), "no end block"));
        scene.Finish();
        Assert.Equal(rule is null ? [] : [rule], scene.Closed.Select(a => a.Rule));
    }

    [Theory]
    [InlineData(5, true)]
    [InlineData(2, false)]
    public void Repeated_faults_are_malformed(int faults, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < faults; i++)
            scene.Hl7(Stranger, Engine, fill: t => (t.Event, t.Fault) = (Hl7Event.Fault, new Fault(FaultKind.Garbage, Layer.Hl7, 0))).Wait(1);
        scene.Finish();
        Assert.Equal(fires, scene.Of("hl7-malformed").Any());
    }

    [Theory]
    [InlineData(120, true)]
    [InlineData(1, false)]
    public void Old_messages_sent_again_are_a_replay(double later, bool fires)
    {
        var scene = new Scene();
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 5; i++)
                scene.Hl7(Sender, Engine, id: $"ID{i}").Wait(0.1);
            scene.Wait(later);
        }

        scene.Finish();
        Assert.Equal(fires, scene.Of("hl7-replay").Any());
    }

    [Theory]
    [InlineData("QBP^Q22", true)]
    [InlineData("ADT^A04", false)]
    public void Bursts_of_queries_are_harvesting(string type, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 50; i++)
            scene.Hl7(Sender, Engine, type).Wait(0.5);
        scene.Finish();
        Assert.Equal(fires, scene.Of("hl7-query-harvesting").Any());
    }

    [Theory]
    [InlineData("AE", true)]
    [InlineData("AA", false)]
    public void An_interface_that_refuses_is_told_once(string code, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 60; i++)
            scene.Hl7(Sender, Engine, fill: t => t.AckCode = code).Wait(100);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("hl7-failing-interface").Count());
    }

    [Theory]
    [InlineData(20, true)]
    [InlineData(8, false)]
    public void An_interface_that_begins_to_refuse_after_a_long_time_is_told_soon(int refusals, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 400; i++)
            scene.Hl7(Sender, Engine).Wait(5);
        for (var i = 0; i < refusals; i++)
            scene.Hl7(Sender, Engine, fill: t => t.AckCode = "AE").Wait(1);
        for (var i = 0; i < 100; i++)
            scene.Hl7(Sender, Engine).Wait(5);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("hl7-failing-interface").Count());
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(20, false)]
    public void A_link_that_never_refused_is_told_when_it_refuses_a_part(int oneIn, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 400; i++)
            scene.Hl7(Sender, Engine, fill: t => t.AckCode = i > 300 && i % oneIn == 0 ? "AE" : "AA").Wait(10);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("hl7-failing-interface").Count());
    }

    [Theory]
    [InlineData(60, 3, 600, true)] // three beds each minute
    [InlineData(60, 3, 120, false)] // not for long enough
    [InlineData(60, 3, 0, false)]
    [InlineData(0, 1, 3600, false)] // when something happens
    public void A_regular_sender_that_is_silent_is_told(double step, int messages, double silence, bool fires)
    {
        var scene = new Scene();
        var chance = new Random(5);
        for (var i = 0; i < 100; i++)
        {
            for (var n = 0; n < messages; n++)
                scene.Hl7(Sender, Engine, "ORU^R01").Wait(0.4);
            scene.Wait(step > 0 ? step : -30 * Math.Log(1 - chance.NextDouble()));
        }

        scene.Wait(silence);
        scene.Exchange(Workstation, Pacs, 104, ApplicationProtocol.Dicom).Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("hl7-silent-sender").Count());
        Assert.All(scene.Of("hl7-silent-sender"), static a => Assert.Equal(Sender, a.Device.Ip));
    }

    [Theory]
    [InlineData(20, 6, true)]
    [InlineData(20, 4, false)]
    [InlineData(0, 60, false)] // a link without acknowledgements, or with only one direction mirrored
    public void A_receiver_that_stops_to_acknowledge_is_told(int answered, int unanswered, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < answered + unanswered; i++)
            scene.Hl7(Sender, Engine, fill: t => t.AckCode = i < answered ? "AA" : null).Wait(10);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("hl7-failing-interface").Count());
    }

    [Theory]
    [InlineData(0.05, 9, true)]
    [InlineData(0.05, 1, false)] // many times usual, and yet short
    [InlineData(4, 9, false)] // always slow
    public void A_receiver_that_answers_ever_more_slowly_is_told(double before, double after, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 100; i++)
            scene.Hl7(Sender, Engine, fill: t => t.DurationNs = (long)((i < 80 ? before : after) * 1e9)).Wait(20);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("hl7-slow-interface").Count());
    }

    [Fact]
    public void Single_late_answers_of_a_lossy_capture_are_no_slow_interface()
    {
        var scene = new Scene();
        for (var i = 0; i < 200; i++)
            scene.Hl7(Sender, Engine, fill: t => t.DurationNs = i % 8 == 0 ? 60_000_000_000 : 20_000_000).Wait(20);
        scene.Finish();
        Assert.Empty(scene.Of("hl7-slow-interface"));
    }

    [Theory]
    [InlineData(Outside, true)]
    [InlineData("192.168.7.7", false)]
    public void Messages_to_the_outside_are_told(string server, bool fires)
    {
        var scene = new Scene();
        scene.Hl7(Sender, server);
        scene.Finish();
        Assert.Equal(fires, scene.Of("hl7-public-address").Any());
    }
}
