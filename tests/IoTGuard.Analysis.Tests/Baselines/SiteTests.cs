using System.Text;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Rules;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Baselines;

public sealed class SiteTests
{
    [Fact]
    public void A_site_comes_back_as_it_was_written()
    {
        var site = LearnedSite();
        var files = site.ToFiles();
        var again = Site.FromFiles(files);
        Assert.Equal(site.Facts.OrderBy(f => f.Key), again.Facts.OrderBy(f => f.Key));
        Assert.Equal(site.Rates.Count, again.Rates.Count);
        Assert.Equal(site.Devices.Count, again.Devices.Count);
        Assert.Equal(site.Periods, again.Periods);
        var second = again.ToFiles();
        Assert.All(files, f => Assert.Equal(f.Value, second[f.Key]));
    }

    [Theory]
    [InlineData("facts.jsonl", "\"kind\":\"Peer\"", "\"kind\":\"Pear\"")]
    [InlineData("facts.jsonl", "10.0.0.10", "10.0.0.999")]
    [InlineData("devices.jsonl", "\"addresses\"", "\"adresses\"")]
    [InlineData("rates.jsonl", "{", "[")]
    [InlineData("site.json", "\"version\":1", "\"version\":99")]
    public void Damage_is_named_with_file_line_and_remedy(string file, string sound, string damaged)
    {
        var files = new Dictionary<string, byte[]>(LearnedSite().ToFiles(), StringComparer.Ordinal);
        var text = Encoding.UTF8.GetString(files[file]);
        var at = text.IndexOf(sound, StringComparison.Ordinal);
        Assert.True(at >= 0);
        files[file] = Encoding.UTF8.GetBytes(text[..at] + damaged + text[(at + sound.Length)..]);
        var e = Assert.Throws<SiteException>(() => Site.FromFiles(files));
        Assert.Equal(file, e.File);
        Assert.Equal(1 + text[..at].Count(c => c == '\n'), e.Line);
        Assert.Contains("learn the site again", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Missing_and_cut_files_are_named()
    {
        var files = new Dictionary<string, byte[]>(LearnedSite().ToFiles(), StringComparer.Ordinal);
        var facts = files["facts.jsonl"];
        files["facts.jsonl"] = facts[..(Array.LastIndexOf(facts, (byte)'\n', facts.Length - 2) + 1)];
        Assert.Equal("facts.jsonl", Assert.Throws<SiteException>(() => Site.FromFiles(files)).File);
        files.Remove("facts.jsonl");
        Assert.Contains("missing", Assert.Throws<SiteException>(() => Site.FromFiles(files)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_site_grows_by_merging()
    {
        var site = LearnedSite();
        var scene = new Scene(site) { Seconds = 90_000 };
        scene.Work().Exchange(Workstation, Engine, 443);
        var merged = site.Merge(scene.Detector.Learn());
        Assert.Equal(2, merged.Periods.Count);
        Assert.Equal(site.Devices.Count, merged.Devices.Count);
        Assert.True(merged.Facts.Count > site.Facts.Count);
        var fact = new Fact(FactKind.Hl7Sender, Ip(Sender), Text: "APP21", OtherText: "SITE");
        Assert.Equal(site.Facts[fact].Count + 1, merged.Facts[fact].Count);
    }

    [Fact]
    public void Pauses_between_captures_are_not_learned_time()
    {
        var scene = new Scene();
        scene.Work().Work();
        scene.Seconds += 86_400;
        scene.Work().Work();
        var site = scene.Detector.Learn();
        Assert.InRange(site.HoursLearned, 3.0 / 60, 15.0 / 60);
        Assert.True(site.Periods[0].EndNs - site.Periods[0].StartNs > 86_400_000_000_000);
        Assert.Equal(site.Periods, Site.FromFiles(site.ToFiles()).Periods);
    }

    [Fact]
    public void An_attack_while_learning_is_not_learned()
    {
        var scene = new Scene();
        for (var i = 0; i < 5; i++)
            scene.Work();
        for (var i = 0; i < 10; i++)
            scene.Dicom(Stranger, Pacs, DicomEvent.AssociateReject, t => (t.CalledAe, t.Source) = ($"X{i}", 1)).Wait(1);
        scene.Dicom(Stranger, Pacs, DicomEvent.AssociateAccept);
        scene.Finish();
        var site = scene.Detector.Learn();
        Assert.DoesNotContain(site.Facts.Keys, f => f.A == Ip(Stranger));
        Assert.DoesNotContain(site.Devices, d => d.Address == Ip(Stranger));
    }

    [Fact]
    public void New_things_mean_less_where_they_still_appeared_when_learning_ended()
    {
        var restless = new Scene();
        for (var i = 0; i < 20; i++)
            restless.Work().Exchange(Workstation, $"10.0.5.{i + 1}", 443);
        var scene = new Scene(restless.Detector.Learn()) { Seconds = 90_000 };
        scene.Exchange(Workstation, "10.0.5.99", 443);
        scene.Finish();
        Assert.Empty(scene.Of("new-peer"));
    }

    [Fact]
    public void Facts_are_bounded()
    {
        var scene = new Scene(options: new DetectorOptions { MaximumFacts = 100 });
        for (var i = 0; i < 1000; i++)
            scene.Hl7(Sender, Engine, fill: t => t.SendingApplication = $"APP{i}");
        Assert.True(scene.Detector.Learn().Facts.Count <= 100);
    }

    [Fact]
    public void What_was_told_is_not_told_again_after_a_restart()
    {
        var site = Scene.LearnedSite();
        var first = Play(site);
        Assert.Equal(["insecure-service", "new-device"], first.Closed.Select(a => a.Rule).Where(r => r is "new-device" or "insecure-service").Order());
        var second = Play(site.Merge(Site.FromFiles(first.Detector.Settle().ToFiles())));
        Assert.DoesNotContain(second.Closed, a => a.Rule is "new-device" or "insecure-service");

        static Scene Play(Site site)
        {
            var scene = new Scene(site) { Seconds = 90_000 };
            scene.Exchange(Scene.Stranger, Scene.Pacs, 8042).Exchange(Scene.Workstation, Scene.Engine, 23).Finish();
            return scene;
        }
    }

    [Theory]
    [InlineData(30, false, false)]
    [InlineData(1, false, true)]
    [InlineData(30, true, true)]
    public void A_sensor_takes_in_what_goes_on_for_a_day_unless_it_attacks(double hours, bool attacks, bool fires)
    {
        var site = Scene.LearnedSite();
        var scene = new Scene(site) { Seconds = 90_000 };
        for (var i = 0; i < 10; i++)
            scene.Exchange(Scene.Workstation, Scene.Modality, 22).Wait(hours * 360);
        if (attacks)
            scene.Dicom(Scene.Workstation, Scene.Pacs, DicomEvent.AssociateAccept, t => t.CallingAe = "../../etc");
        scene.Finish();
        var later = new Scene(site.Merge(scene.Detector.Settle())) { Seconds = 300_000 };
        later.Exchange(Scene.Workstation, Scene.Modality, 22).Finish();
        Assert.Equal(fires, later.Of("new-peer").Any());
    }

    [Fact]
    public void After_a_short_learning_period_news_weighs_less()
    {
        Assert.True(ConfidenceAfter(0.05) < ConfidenceAfter(1) && ConfidenceAfter(1) < ConfidenceAfter(24));

        static double ConfidenceAfter(double hours)
        {
            var day = new Scene();
            for (var i = 0; i < 40; i++)
                day.Exchange(Workstation, Pacs, 8042, duration: 0.1).Exchange(Sender, Engine, 80, duration: 0.1).Wait((hours * 90) - 0.2);
            day.Finish();
            var scene = new Scene(day.Detector.Learn()) { Seconds = 100_000 };
            scene.Exchange(Workstation, Engine, 22).Finish();
            return Assert.Single(scene.Of("new-peer")).Confidence;
        }
    }
}
