using IoTGuard.Analysis.Sessions;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>Images and messages that pass a second time.</summary>
public sealed class TamperRuleTests
{
    private const string Syntax = "1.2.840.10008.1.2.1";

    [Theory]
    [InlineData(2, Syntax, true)]
    [InlineData(1, Syntax, false)]
    [InlineData(2, "1.2.840.10008.1.2.4.90", false)] // other bytes for the same pixels
    [InlineData(0, Syntax, false)] // bytes were lost
    public void An_image_that_changes_between_two_hops_is_told(int print, string syntax, bool fires)
    {
        var scene = new Scene();
        Store(scene, Modality, Pacs, 1, Syntax);
        scene.Wait(600);
        Store(scene, Pacs, Workstation, (ulong)print, syntax);
        scene.Finish();
        var alert = scene.Of("dicom-image-changed").SingleOrDefault();
        Assert.Equal(fires, alert is not null);
        if (alert is null)
            return;
        Assert.Equal(Pacs, alert.Device.Ip);
        Assert.Equal(Workstation, alert.Peer!.Ip);
        Assert.Contains(Modality, alert.Description, StringComparison.Ordinal);
        Assert.Equal("integrity", alert.Category);
    }

    [Fact]
    public void Who_changed_images_while_the_site_was_learned_is_left_alone()
    {
        var scene = new Scene();
        Store(scene, Modality, Pacs, 1, Syntax);
        Store(scene, Pacs, Workstation, 2, Syntax);
        scene.Wait(60).Finish();
        var later = new Scene(scene.Detector.Learn()) { Seconds = 90_000 };
        Store(later, Modality, Pacs, 3, Syntax);
        Store(later, Pacs, Workstation, 4, Syntax);
        later.Finish();
        Assert.Empty(later.Of("dicom-image-changed"));
    }

    [Theory]
    [InlineData(6, true)]
    [InlineData(2, false)] // nobody knows yet whether the engine translates
    public void A_message_changed_by_who_passed_them_on_unchanged_is_told(int unchanged, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < unchanged; i++)
        {
            Pass(scene, Sender, Engine, $"M{i}", "OBX|1|NM|NA||140");
            Pass(scene, Engine, Pacs, $"M{i}", "OBX|1|NM|NA||140");
        }

        Pass(scene, Sender, Engine, "X", "OBX|1|NM|K||4.1");
        Pass(scene, Engine, Pacs, "X", "OBX|1|NM|K||8.1");
        scene.Finish();
        var alert = scene.Of("hl7-message-changed").SingleOrDefault();
        Assert.Equal(fires, alert is not null);
        if (alert is not null)
            Assert.Equal(Engine, alert.Device.Ip);
    }

    [Theory]
    [InlineData("OBX|1|NM|K||8.1", true)]
    [InlineData("OBX|1|NM|K||4.1", false)]
    public void A_stranger_that_passes_on_a_changed_message_is_told_at_once(string content, bool fires)
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        Pass(scene, Sender, Stranger, "X", "OBX|1|NM|K||4.1");
        Pass(scene, Stranger, Engine, "X", content);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("hl7-message-changed").Count());
    }

    [Fact]
    public void The_same_content_has_the_same_print_however_it_is_cut()
    {
        var bytes = new byte[100_003];
        new Random(5).NextBytes(bytes);
        var whole = Print(bytes, bytes.Length);
        for (var piece = 1; piece < 3000; piece += 17)
            Assert.Equal(whole, Print(bytes, piece));
        foreach (var at in new[] { 0, 8191, 32 * 1024, 65 * 1024 - 1, 98_304 + 1023 })
        {
            var changed = bytes.ToArray();
            changed[at] ^= 1;
            Assert.NotEqual(whole, Print(changed, 1460));
        }

        Assert.NotEqual(whole, Print(bytes[..^1], 1460));
    }

    [Fact]
    public void A_sample_passes_over_what_it_does_not_read()
    {
        var bytes = new byte[100_003];
        new Random(5).NextBytes(bytes);
        var sample = new PixelSample();
        sample.Begin();
        var read = 0;
        for (var at = 0; at < bytes.Length;)
        {
            var skip = (int)Math.Min(sample.Skippable, bytes.Length - at);
            sample.Skip(skip);
            at += skip;
            if (skip > 0 || at == bytes.Length)
                continue;
            sample.Add(bytes.AsSpan(at, 1));
            at++;
            read++;
        }

        Assert.Equal(Print(bytes, bytes.Length), sample.Value);
        Assert.Equal(PixelSample.HeadBytes + (3 * PixelSample.WindowBytes), read);
    }

    private static ulong Print(byte[] bytes, int piece)
    {
        var sample = new PixelSample();
        sample.Begin();
        for (var at = 0; at < bytes.Length; at += piece)
            sample.Add(bytes.AsSpan(at, Math.Min(piece, bytes.Length - at)));
        return sample.Value;
    }

    private static void Store(Scene scene, string client, string server, ulong print, string syntax) =>
        scene.Dicom(client, server, DicomEvent.CStore, t => (t.Instance, t.PixelPrint, t.TransferSyntax) = (new Pseudonym(7, 7), print, syntax)).Wait(1);

    private static void Pass(Scene scene, string client, string server, string id, string segment) => scene.Hl7(client, server, "ORU^R01", t =>
    {
        (t.SendingApplication, t.Observations) = ("LAB", 1);
        t.Content.Add(System.Text.Encoding.ASCII.GetBytes(segment));
    }, id).Wait(1);
}
