using System.Text.RegularExpressions;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Rules;
using IoTGuard.Analysis.Sessions;
using IoTGuard.TestSupport;
using IoTGuard.Wire;
using IoTGuard.Wire.Application.Bacnet;
using IoTGuard.Wire.Application.Ntp;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>Every rule has a test that fires it and one that must not; pairs that stand in no other file stand here.</summary>
public sealed partial class RuleCoverageTests
{
    private const string Tomography = "1.2.840.10008.5.1.4.1.1.2";
    private const string EncapsulatedPdf = "1.2.840.10008.5.1.4.1.1.104.1";

    private static readonly Dictionary<string, (Func<Scene> Fires, Func<Scene> MustNot)> Pairs = new(StringComparer.Ordinal)
    {
        ["dicom-unknown-calling-ae"] = (
            static () => Later().Dicom(Stranger, Pacs, DicomEvent.AssociateAccept, t => t.CallingAe = "AE11"),
            static () => Later().Dicom(Modality, Pacs, DicomEvent.AssociateAccept)),
        ["dicom-move-new-destination"] = (
            static () => Later().Dicom(Workstation, Pacs, DicomEvent.CMove, t => t.MoveDestination = "OLDSTATION"),
            static () => Later().Dicom(Workstation, Pacs, DicomEvent.CMove, t => t.MoveDestination = "AE12")),
        ["dicom-new-sop-class"] = (
            static () => Later().Dicom(Modality, Pacs, DicomEvent.CStore, t => t.SopClass = EncapsulatedPdf),
            static () => Later().Dicom(Modality, Pacs, DicomEvent.CStore, t => t.SopClass = Tomography)),
        ["hl7-new-message-type"] = (
            static () => Later().Hl7(Sender, Engine, "MDM^T02"),
            static () => Later().Hl7(Sender, Engine, "ADT^A08")),
        ["hl7-endless-frame"] = (
            static () => OpenFrame(seconds: 10),
            static () => OpenFrame(seconds: 1)),
        ["new-service"] = (
            static () => Later().Exchange(Workstation, Modality, 8080),
            static () => Later().Exchange(Workstation, Pacs, 104, ApplicationProtocol.Dicom)),
        ["arp-spoofing"] = (
            static () => Claims(Stranger),
            static () => Claims(Pacs)),
        ["tcp-overlap-conflict"] = (
            static () => Overlap(ApplicationProtocol.Hl7),
            static () => Overlap(ApplicationProtocol.Http)),
        ["known-bad-fingerprint"] = (
            static () => Fingerprints("bad4"),
            static () => Fingerprints("good4")),
        ["vnc-no-authentication"] = (
            static () => new Scene().Other<VncTransaction>(Workstation, Pacs, 5900, static t => (t.SecurityType, t.Login) = (1, LoginResult.Succeeded)),
            static () => new Scene().Other<VncTransaction>(Workstation, Pacs, 5900, static t => (t.SecurityType, t.Login) = (2, LoginResult.Succeeded))),
        ["ftp-anonymous"] = (
            static () => new Scene().Other<FtpTransaction>(Workstation, Pacs, 21, static t => (t.Event, t.IsAnonymous, t.Login) = (FtpEvent.Login, true, LoginResult.Succeeded)),
            static () => new Scene().Other<FtpTransaction>(Workstation, Pacs, 21, static t => (t.Event, t.IsAnonymous, t.Login) = (FtpEvent.Login, true, LoginResult.Failed))),
        ["smb-administrative-share"] = (
            static () => new Scene().Smb(Stranger, Pacs, SmbEvent.Tree, static t => (t.Share, t.IsAdministrative, t.Status) = ("ADMIN$", true, 0)),
            static () => new Scene().Smb(Stranger, Pacs, SmbEvent.Tree, static t => (t.Share, t.IsAdministrative, t.Status) = ("ADMIN$", true, 0xC000_0022))),
        ["dns-exfiltration"] = (
            static () => Names(length: 200),
            static () => Names(length: 12)),
        ["bacnet-change"] = (
            static () => Bacnet(service: 15),
            static () => Bacnet(service: 12)),
        ["clock-not-synchronised"] = (
            static () => Time(offsetSeconds: 7200),
            static () => Time(offsetSeconds: 1)),
        ["tftp-use"] = (
            static () => new Scene().Say<TftpTransaction>(Workstation, Pacs, 69, static t => t.IsAnswered = true),
            static () => new Scene().Say<TftpTransaction>(Workstation, Pacs, 69, static t => t.IsAnswered = false)),
    };

    public static TheoryData<string> Rules => [.. Pairs.Keys];

    [Theory]
    [MemberData(nameof(Rules))]
    public void A_sequence_fires_it_and_the_nearest_miss_does_not(string rule)
    {
        var (fires, mustNot) = Pairs[rule];
        Assert.Contains(fires().Finish(), a => a.Rule == rule);
        Assert.DoesNotContain(mustNot().Finish(), a => a.Rule == rule);
    }

    [Fact]
    public void Every_rule_has_a_test_that_fires_it_and_one_that_must_not()
    {
        var methods = Directory.EnumerateFiles(Repository.PathOf("tests", "IoTGuard.Analysis.Tests"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(f => TestStart().Split(File.ReadAllText(f)).Skip(1)).ToList();
        var lacking = RuleTable.Rules.Select(r => r.Id).Where(id => !Pairs.ContainsKey(id)).Where(id =>
        {
            var about = methods.Where(m => m.Contains($"\"{id}\"", StringComparison.Ordinal)).ToList();
            return !about.Any(m => Fires().IsMatch(m)) || !about.Any(m => MustNot().IsMatch(m));
        });
        Assert.Empty(lacking);
    }

    [Fact]
    public void The_list_of_attacks_names_rules_that_exist_and_leaves_none_out()
    {
        var text = File.ReadAllText(Repository.PathOf("docs", "coverage.md"));
        var named = RuleId().Matches(text).Select(m => m.Groups["id"].Value).ToHashSet(StringComparer.Ordinal);
        Assert.Empty(named.Except(RuleTable.Rules.Select(r => r.Id)));
        Assert.Empty(RuleTable.Rules.Select(r => r.Id).Except(named));
    }

    private static Scene Later() => new(LearnedSite()) { Seconds = 90_000 };

    private static Scene OpenFrame(long seconds) =>
        new Scene().Hl7(Stranger, Engine, fill: t => (t.Event, t.Fault, t.FaultText) = (Hl7Event.Fault, new Fault(FaultKind.NoEndBlock, Layer.Hl7, 300, seconds), "no end block"));

    private static Scene Claims(string claimant)
    {
        var scene = new Scene();
        scene.Arp(Pacs, Pacs, "10.0.0.1").Arp(Stranger, Stranger, "10.0.0.1").Wait(10);
        for (var i = 0; i < 3; i++)
            scene.Arp(claimant, Pacs, Modality, reply: true).Wait(1);
        return scene;
    }

    private static Scene Overlap(ApplicationProtocol application)
    {
        var scene = new Scene();
        var flow = scene.Flow(Sender, Engine, 2575);
        flow.Application = application;
        return scene.Fault(new FlowFault(new Fault(FaultKind.OverlapConflict, Layer.Stream, 0), flow));
    }

    private static Scene Fingerprints(string shown) =>
        new Scene(options: new DetectorOptions { Indicators = new HashSet<string>(StringComparer.Ordinal) { "bad4" } }).Tls(Workstation, Outside, 443, t => t.Facts.Ja4 = shown);

    private static Scene Names(int length)
    {
        var scene = new Scene();
        for (var i = 0; i < 300; i++)
            NameRuleTests.Ask(scene, $"{new string('q', length)}{i:0000}.x.example.co.uk", Wire.Application.Dns.DnsType.A).Wait(length < 100 ? 30 : 1);
        return scene;
    }

    private static Scene Bacnet(byte service) =>
        new Scene().Say<BacnetTransaction>(Workstation, Pacs, 47_808, t => (t.Facts.Pdu, t.Facts.Service) = (BacnetPdu.ConfirmedRequest, service));

    private static Scene Time(long offsetSeconds)
    {
        var scene = new Scene();
        for (var i = 0; i < 10; i++)
            scene.Say<NtpTransaction>(Workstation, Pacs, 123, t => (t.Facts.Mode, t.Facts.HasOffset, t.Facts.OffsetNs) = (NtpMode.Client, true, offsetSeconds * 1_000_000_000)).Wait(64);
        return scene;
    }

    [GeneratedRegex(@"\n    \[(?:Fact|Theory)", RegexOptions.None, 1000)]
    private static partial Regex TestStart();

    [GeneratedRegex(@"[(, ]true[,)]|, 1\)|Assert\.(?:Single|NotEmpty|Contains)\(|Assert\.Equal\(2, ", RegexOptions.None, 1000)]
    private static partial Regex Fires();

    [GeneratedRegex(@"[(, ]false[,)]|, 0\)|Assert\.(?:Empty|DoesNotContain)\(", RegexOptions.None, 1000)]
    private static partial Regex MustNot();

    [GeneratedRegex("`(?<id>[a-z0-9-]+)`", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex RuleId();
}
