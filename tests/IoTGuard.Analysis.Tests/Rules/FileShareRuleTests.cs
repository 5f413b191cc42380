using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;
using IoTGuard.Wire.Application.Dcerpc;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

public sealed class FileShareRuleTests
{
    private static readonly DcerpcInterface Services = DcerpcInterface.Find(new Guid("367abb81-9844-35f1-ad32-98f038001003"))!;
    private static readonly DcerpcInterface Accounts = DcerpcInterface.Find(new Guid("12345778-1234-abcd-ef00-0123456789ac"))!;
    private static readonly DcerpcInterface Registry = DcerpcInterface.Find(new Guid("338cd001-2244-31f1-aaaa-900038001003"))!;

    [Theory]
    [InlineData(2, 25, 25, 20, 0, true)]   // written at random and renamed
    [InlineData(2, 25, 25, 0, 40, true)]   // written at random, originals deleted
    [InlineData(2, 25, 25, 0, 0, false)]   // compressed pictures are saved
    [InlineData(2, 100, 25, 20, 0, false)] // few of the writes are random
    [InlineData(300, 25, 25, 20, 0, false)] // far apart
    public void Ransomware_shows_by_what_it_does_to_files(double seconds, int sampled, int random, int strange, int deletes, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 5; i++)
        {
            scene.Smb(Stranger, Pacs, SmbEvent.Files, t => t.Files = new SmbFileCounts { SampledWrites = sampled / 5, RandomWrites = random / 5, StrangeExtensions = strange / 5, Renames = strange / 5, Deletes = deletes / 5 });
            scene.Wait(seconds);
        }

        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("smb-ransomware").Count());
        Assert.DoesNotContain(scene.Closed, a => a.Rule != "smb-ransomware");
    }

    [Theory]
    [InlineData(300, true)]
    [InlineData(290, false)]
    public void Mass_deletion(int files, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 10; i++)
            scene.Smb(Workstation, Pacs, SmbEvent.Files, t => t.Files = new SmbFileCounts { Deletes = files / 10 }).Wait(1);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("smb-mass-deletion").Count());
    }

    [Theory]
    [InlineData(10, true)]
    [InlineData(9, false)]
    public void Log_ons_to_many_hosts(int hosts, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < hosts; i++)
            scene.Smb(Stranger, $"10.0.1.{i + 1}", SmbEvent.Session, t => (t.Status, t.User) = (0, new Pseudonym(1, 1))).Wait(1);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("smb-fan-out").Count());
    }

    [Fact]
    public void Administrative_shares_are_told_once_and_not_when_they_were_learned()
    {
        var day = new Scene();
        day.Smb(Workstation, Pacs, SmbEvent.Tree, Administrative).Finish();
        Assert.Single(day.Of("smb-administrative-share"));

        var later = new Scene(day.Detector.Learn()) { Seconds = 90_000 };
        later.Smb(Workstation, Pacs, SmbEvent.Tree, Administrative).Smb(Stranger, Pacs, SmbEvent.Tree, Administrative);
        later.Smb(Stranger, Modality, SmbEvent.Tree, t => (t.Share, t.ShareKind, t.Status) = ("IPC$", SmbShareKind.Pipe, 0)).Finish();
        Assert.Equal(Stranger, Assert.Single(later.Of("smb-administrative-share")).Device.Ip);

        static void Administrative(SmbTransaction tree) => (tree.Share, tree.ShareKind, tree.IsAdministrative, tree.Status) = ("C$", SmbShareKind.Disk, true, 0);
    }

    [Fact]
    public void A_refused_administrative_share_is_none()
    {
        var scene = new Scene();
        scene.Smb(Stranger, Pacs, SmbEvent.Tree, t => (t.Share, t.IsAdministrative, t.Status) = ("ADMIN$", true, 0xC000_0022)).Finish();
        Assert.Empty(scene.Closed);
    }

    [Fact]
    public void Services_created_over_a_pipe_or_over_tcp()
    {
        var scene = new Scene();
        scene.Smb(Stranger, Pacs, SmbEvent.Pipe, t => (t.Pipe, t.Interface) = ("svcctl", "svcctl"));
        Assert.Empty(scene.Phases);
        scene.Smb(Stranger, Pacs, SmbEvent.Pipe, t => (t.Pipe, t.Operation) = ("svcctl", Services.Operations[12]));
        scene.Other<DcerpcTransaction>(Stranger, Modality, 49_152, t => (t.Event, t.Operation) = (DcerpcEvent.Operation, Services.Operations[12]));
        scene.Finish();
        Assert.Equal(2, scene.Of("remote-service-creation").Count());
    }

    [Fact]
    public void Registry_saved_from_afar()
    {
        var scene = new Scene();
        scene.Smb(Stranger, Pacs, SmbEvent.Pipe, t => t.Operation = Registry.Operations[22]);
        Assert.Empty(scene.Phases);
        scene.Smb(Stranger, Pacs, SmbEvent.Pipe, t => t.Operation = Registry.Operations[20]).Finish();
        Assert.Single(scene.Of("credential-dumping"));
    }

    [Theory]
    [InlineData(8, true)]
    [InlineData(7, false)]
    public void Lists_of_accounts_from_many_hosts(int hosts, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < hosts; i++)
            scene.Smb(Stranger, $"10.0.1.{i + 1}", SmbEvent.Pipe, t => t.Operation = Accounts.Operations[13]).Wait(1);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("account-enumeration").Count());
    }

    [Theory]
    [InlineData(10, 1, true)]
    [InlineData(9, 1, false)]
    [InlineData(12, 30, false)]
    public void Refused_log_ons(int times, double seconds, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < times; i++)
            scene.Smb(Stranger, Pacs, SmbEvent.Session, t => (t.Status, t.User) = (0xC000_006D, new Pseudonym((ulong)i, 1))).Wait(seconds);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("smb-logon-failures").Count());
    }

    [Fact]
    public void Guests_and_strangers_in_shares_of_files()
    {
        var scene = new Scene();
        scene.Smb(Workstation, Pacs, SmbEvent.Session, t => (t.Status, t.IsAnonymous) = (0, true), 41_000);
        scene.Smb(Workstation, Pacs, SmbEvent.Tree, t => (t.Share, t.ShareKind, t.Status) = ("IPC$", SmbShareKind.Pipe, 0), 41_000);
        Assert.Empty(scene.Phases);
        scene.Smb(Workstation, Pacs, SmbEvent.Tree, t => (t.Share, t.ShareKind, t.Status) = ("public", SmbShareKind.Disk, 0), 41_000);
        scene.Smb(Workstation, Modality, SmbEvent.Session, t => (t.Status, t.IsGuest) = (0, true)).Finish();
        Assert.Equal(2, scene.Of("smb-guest").Count());
    }

    [Fact]
    public void Version_one_and_its_exploits()
    {
        var scene = new Scene();
        scene.Smb(Workstation, Pacs, SmbEvent.Negotiate, t => t.Version = 2).Smb(Workstation, Pacs, SmbEvent.Fault, t => (t.Fault, t.FaultText) = (FaultKind.Garbage, "not_smb"));
        Assert.Empty(scene.Phases);
        scene.Smb(Workstation, Pacs, SmbEvent.Negotiate, t => t.Version = 1).Smb(Stranger, Pacs, SmbEvent.Fault, t => t.FaultText = "doublepulsar_answer").Finish();
        Assert.Single(scene.Of("smb1-in-use"));
        Assert.Single(scene.Of("smb1-exploit"));
    }

    [Fact]
    public void Programs_in_administrative_shares_and_in_images()
    {
        var scene = new Scene();
        scene.Smb(Stranger, Pacs, SmbEvent.Files, t => (t.Share, t.Files) = ("tools", new SmbFileCounts { Executables = 1, DicomFiles = 1 }));
        Assert.Empty(scene.Phases);
        scene.Smb(Stranger, Pacs, SmbEvent.Files, t => (t.Share, t.IsAdministrative, t.Files) = ("ADMIN$", true, new SmbFileCounts { Executables = 1 }));
        scene.Smb(Stranger, Pacs, SmbEvent.Files, t => t.Files = new SmbFileCounts { DicomFiles = 1, DicomExecutables = 1 }).Finish();
        Assert.Single(scene.Of("smb-program-copied"));
        Assert.Single(scene.Of("smb-executable-image"));
    }
}
