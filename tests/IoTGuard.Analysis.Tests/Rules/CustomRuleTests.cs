using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Rules;
using IoTGuard.Analysis.Rules.Custom;
using IoTGuard.Analysis.Sessions;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>Rules of a site. Alone, because one measures the heap of the whole process.</summary>
[Collection(Alone.Name)]
public sealed class CustomRuleTests
{
    [Theory]
    [InlineData(Comparison.Equal, "AE12", true)]
    [InlineData(Comparison.Equal, "ae12", true)]
    [InlineData(Comparison.Equal, "AE1", false)]
    [InlineData(Comparison.StartsWith, "ae1", true)]
    [InlineData(Comparison.EndsWith, "12", true)]
    [InlineData(Comparison.Contains, "E1", true)]
    [InlineData(Comparison.Contains, "E2", false)]
    [InlineData(Comparison.Exists, "true", true)]
    [InlineData(Comparison.Exists, "false", false)]
    public void Texts_are_compared(Comparison comparison, string value, bool fires) =>
        Assert.Equal(fires, Fires(new FieldTest("calling_ae", comparison, [value])));

    [Theory]
    [InlineData("bytes", Comparison.Greater, "99", true)]
    [InlineData("bytes", Comparison.Greater, "100", false)]
    [InlineData("bytes", Comparison.AtLeast, "100", true)]
    [InlineData("bytes", Comparison.Less, "100", false)]
    [InlineData("bytes", Comparison.AtMost, "1e2", true)]
    [InlineData("client.ip", Comparison.InNetwork, "10.0.0.0/24", true)]
    [InlineData("client.ip", Comparison.InNetwork, "10.0.1.0/24", false)]
    [InlineData("client.ip", Comparison.Equal, Workstation, true)]
    [InlineData("server.port", Comparison.Equal, "104", true)]
    [InlineData("move_destination", Comparison.Exists, "false", true)]
    [InlineData("patient", Comparison.Exists, "true", true)]
    [InlineData("patient", Comparison.Contains, "", false)]
    public void Numbers_addresses_and_absence_are_compared(string field, Comparison comparison, string value, bool fires) =>
        Assert.Equal(fires, Fires(new FieldTest(field, comparison, [value])));

    [Fact]
    public void Conditions_are_trees()
    {
        var (yes, no) = (Condition.Of([new("protocol", Comparison.Equal, ["dicom"])]), Condition.Of([new("protocol", Comparison.Equal, ["hl7"])]));
        Assert.True(Fires(Condition.Of(ConditionKind.OneOf, [no, yes])));
        Assert.False(Fires(Condition.Of(ConditionKind.All, [no, yes])));
        Assert.True(Fires(Condition.Of(ConditionKind.All, [yes, Condition.Of(ConditionKind.Not, [no])])));
    }

    [Fact]
    public void Events_are_counted_by_group_within_the_window()
    {
        var rule = Rule(Condition.Of([new("event", Comparison.Equal, ["c_echo"])]), new WindowCount(null, ["client.ip"], 60_000_000_000, 5));
        var scene = new Scene(options: new DetectorOptions { CustomRules = [rule] });
        for (var i = 0; i < 4; i++)
            scene.Dicom(Workstation, Pacs, DicomEvent.CEcho).Dicom(Modality, Pacs, DicomEvent.CEcho).Wait(1);
        scene.Wait(120);
        for (var i = 0; i < 4; i++)
            scene.Dicom(Workstation, Pacs, DicomEvent.CEcho).Wait(1);
        for (var i = 0; i < 7; i++)
            scene.Dicom(Stranger, Pacs, DicomEvent.CEcho).Wait(1);
        scene.Finish();
        var alert = Assert.Single(scene.Of("site-rule-1"));
        Assert.Equal((Stranger, 7), (alert.Device.Ip, alert.Count));
    }

    [Fact]
    public void Different_values_are_counted_and_repeats_are_not()
    {
        var rule = Rule(Condition.Of([new("protocol", Comparison.Equal, ["dicom"])]), new WindowCount("patient", ["client.ip"], 600_000_000_000, 10));
        var scene = new Scene(options: new DetectorOptions { CustomRules = [rule] });
        for (var i = 0; i < 100; i++)
            scene.Dicom(Workstation, Pacs, DicomEvent.CStore, t => t.Patient = new Pseudonym(1, (ulong)(i % 9)));
        for (var i = 0; i < 15; i++)
            scene.Dicom(Stranger, Pacs, DicomEvent.CStore, t => t.Patient = new Pseudonym(1, (ulong)i));
        scene.Finish();
        var alert = Assert.Single(scene.Of("site-rule-1"));
        Assert.Equal(Stranger, alert.Device.Ip);
        Assert.Equal("15", alert.Evidence.Single(e => e.Name == "different patient").Observed);
        Assert.DoesNotContain(alert.Evidence, e => e.Observed.Length >= 16);
    }

    [Fact]
    public void Flows_and_devices_are_looked_at_by_their_names()
    {
        var flows = Rule(Condition.Of([new("responder_port", Comparison.Equal, ["3389"]), new("duration", Comparison.AtLeast, ["10"])])) with { Source = RuleSource.Flow };
        var devices = Rule(Condition.Of([new("services_offered", Comparison.Equal, ["tcp/3389"])]), id: "site-rule-2") with { Source = RuleSource.Device };
        var scene = new Scene(options: new DetectorOptions { CustomRules = [flows, devices] });
        scene.Exchange(Workstation, Engine, 3389, duration: 3).Exchange(Workstation, Pacs, 443, duration: 30);
        scene.Finish();
        Assert.Empty(scene.Of("site-rule-1"));
        scene = new Scene(options: new DetectorOptions { CustomRules = [flows, devices] });
        scene.Exchange(Workstation, Engine, 3389, duration: 30).Exchange(Workstation, Engine, 3389, duration: 1).Wait(200);
        scene.Finish();
        Assert.Equal(Engine, Assert.Single(scene.Of("site-rule-1")).Peer!.Ip);
        Assert.Equal(Engine, Assert.Single(scene.Of("site-rule-2")).Device.Ip);
    }

    [Fact]
    public void A_flood_of_groups_is_bounded()
    {
        var rule = Rule(Condition.Of([new("protocol", Comparison.Equal, ["dicom"])]), new WindowCount("patient", ["client.ip"], 3_600_000_000_000, 10_000));
        var scene = new Scene(options: new DetectorOptions { CustomRules = [rule] });
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 20_000; i++)
            scene.Dicom($"10.{i >> 14}.{(i >> 7) & 127}.{i & 127}", Pacs, DicomEvent.CStore, t => t.Patient = new Pseudonym(1, (ulong)i));
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, 0, 64_000_000);
        scene.Finish();
    }

    private static bool Fires(FieldTest test) => Fires(Condition.Of([test]));

    private static bool Fires(Condition condition)
    {
        var scene = new Scene(options: new DetectorOptions { CustomRules = [Rule(condition)] });
        scene.Dicom(Workstation, Pacs, DicomEvent.CFind, t => (t.Bytes, t.Patient) = (100, new Pseudonym(7, 7)));
        return scene.Finish().Exists(a => a.Rule == "site-rule-1");
    }

    private static CustomRule Rule(Condition condition, WindowCount? window = null, string id = "site-rule-1") => new(
        new Analysis.Rules.Rule
        {
            Id = id,
            Title = "A rule of the site",
            Category = "site-rule",
            Severity = 4,
            Attack = [new AttackTechnique("T1046", "Network Service Discovery")],
            Condition = "",
            Template = "{device} and {peer}.",
            Recommendation = "Look.",
            FalsePositives = "",
        },
        RuleSource.Transaction, condition, window, AboutServer: false);
}
