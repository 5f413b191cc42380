using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;
using IoTGuard.Wire.Application.Files;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>Each DICOM rule: a sequence that fires it, and one that comes close and must not.</summary>
public sealed class DicomRuleTests
{
    private const string StudyRoot = "1.2.840.10008.5.1.4.1.2.2.1";

    [Theory]
    [InlineData(8, true)]
    [InlineData(4, false)]
    public void Many_refused_titles_are_guessing(int titles, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < titles; i++)
            scene.Dicom(Stranger, Pacs, DicomEvent.AssociateReject, t => (t.CalledAe, t.Result, t.Source, t.Reason) = ($"GUESS{i}", 1, 1, 7)).Wait(1);
        scene.Finish();
        var alert = scene.Of("dicom-ae-title-guessing").SingleOrDefault();
        Assert.Equal(fires, alert is not null);
        if (alert is null)
            return;
        Assert.Equal(Stranger, alert.Device.Ip);
        Assert.Equal(Pacs, alert.Peer!.Ip);
        Assert.Contains("8", alert.Evidence.Single(e => e.Name == "titles").Observed, StringComparison.Ordinal);
        Assert.Contains("T1110.001", alert.Attack.Select(a => a.Id));
    }

    [Fact]
    public void One_title_refused_again_and_again_is_no_guessing()
    {
        var scene = new Scene();
        for (var i = 0; i < 50; i++)
            scene.Dicom(Modality, Pacs, DicomEvent.AssociateReject, t => (t.Source, t.Reason) = (1, 3)).Wait(5);
        scene.Finish();
        Assert.Empty(scene.Of("dicom-ae-title-guessing"));
    }

    [Fact]
    public void A_title_used_from_another_address_is_told_where_a_site_was_learned()
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        scene.Dicom(Modality, Pacs, DicomEvent.AssociateAccept);
        scene.Dicom(Stranger, Pacs, DicomEvent.AssociateAccept, t => t.CallingAe = "AE11");
        scene.Finish();
        var alert = Assert.Single(scene.Of("dicom-unknown-calling-ae"));
        Assert.Equal(Stranger, alert.Device.Ip);
        Assert.Contains(Modality, alert.Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AE12", false)]
    [InlineData("OTHER", true)]
    public void An_archive_may_send_its_client_what_that_asked_for(string called, bool fires)
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        scene.Dicom(Pacs, Workstation, DicomEvent.AssociateAccept, t => t.CalledAe = called).Finish();
        Assert.Equal(fires, scene.Of("dicom-unknown-calling-ae").Any());
    }

    [Fact]
    public void The_first_day_knows_no_unknown_titles()
    {
        var scene = new Scene();
        scene.Dicom(Stranger, Pacs, DicomEvent.AssociateAccept, t => t.CallingAe = "WHOEVER");
        scene.Finish();
        Assert.Empty(scene.Closed);
    }

    [Theory]
    [InlineData("ANY-SCP", true)]
    [InlineData("MAINPACS", false)]
    public void Default_titles_are_told_once(string called, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 3; i++)
            scene.Dicom(Workstation, Pacs, DicomEvent.AssociateAccept, t => t.CalledAe = called).Wait(2000);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("dicom-default-ae-title").Count());
    }

    [Theory]
    [InlineData(12, true)]
    [InlineData(6, false)]
    public void Associations_without_a_word_are_probing(int associations, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < associations; i++)
        {
            scene.Dicom(Stranger, Pacs, DicomEvent.AssociateAccept);
            scene.Dicom(Stranger, Pacs, DicomEvent.Abort, t => t.Operations = 0).Wait(1);
        }

        scene.Finish();
        Assert.Equal(fires, scene.Of("dicom-service-probing").Any());
    }

    [Fact]
    public void Associations_that_were_kept_are_no_probing_when_they_end()
    {
        var scene = new Scene();
        for (var i = 0; i < 12; i++)
            scene.Dicom(Stranger, Pacs, DicomEvent.AssociateAccept);
        scene.Wait(900);
        for (var i = 0; i < 12; i++)
            scene.Dicom(Stranger, Pacs, DicomEvent.AssociationEnd, t => (t.Operations, t.DurationNs) = (0, 900_000_000_000));
        scene.Finish();
        Assert.Empty(scene.Of("dicom-service-probing"));
    }

    [Fact]
    public void A_clockwork_of_echoes_to_one_server_is_no_probing()
    {
        var scene = new Scene();
        for (var i = 0; i < 100; i++)
        {
            scene.Dicom(Modality, Pacs, DicomEvent.AssociateAccept);
            scene.Dicom(Modality, Pacs, DicomEvent.CEcho);
            scene.Dicom(Modality, Pacs, DicomEvent.Release, t => t.Operations = 1).Wait(10);
        }

        Assert.Empty(scene.Finish());
    }

    [Theory]
    [InlineData(4, 4, true)]
    [InlineData(4, 3, false)]
    public void Queries_for_everybody_are_harvesting(int keys, int empty, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 5; i++)
            scene.Dicom(Workstation, Pacs, DicomEvent.CFind, t => (t.SopClass, t.QueryKeys, t.EmptyKeys, t.PendingResponses) = (StudyRoot, keys, empty, 9)).Wait(2);
        scene.Finish();
        Assert.Equal(fires, scene.Of("dicom-query-harvesting").Any());
    }

    [Fact]
    public void A_worklist_refreshed_without_a_filter_is_no_harvesting()
    {
        var scene = new Scene();
        for (var i = 0; i < 30; i++)
            scene.Dicom(Modality, Pacs, DicomEvent.CFind, t => (t.SopClass, t.QueryKeys, t.EmptyKeys, t.PendingResponses) = ("1.2.840.10008.5.1.4.31", 8, 8, 20)).Wait(3);
        Assert.Empty(scene.Finish());
    }

    [Fact]
    public void Walking_down_the_levels_of_many_studies_is_harvesting()
    {
        var scene = new Scene();
        for (var i = 0; i < 10; i++)
        {
            scene.Dicom(Workstation, Pacs, DicomEvent.CFind, t =>
                (t.SopClass, t.QueryKeys, t.EmptyKeys, t.QueryLevel, t.Study) = (StudyRoot, 3, 2, "SERIES", new Pseudonym(9, (ulong)i))).Wait(1);
        }

        scene.Finish();
        Assert.Single(scene.Of("dicom-query-harvesting"));
    }

    [Fact]
    public void A_destination_that_nobody_used_is_told()
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        scene.Dicom(Workstation, Pacs, DicomEvent.CMove, t => t.MoveDestination = "AE12").Wait(30);
        scene.Dicom(Workstation, Pacs, DicomEvent.CMove, t => t.MoveDestination = "OLDSTATION");
        scene.Finish();
        var alert = Assert.Single(scene.Of("dicom-move-new-destination"));
        Assert.Contains("OLDSTATION", alert.Description, StringComparison.Ordinal);
        Assert.Single(scene.Closed);
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(9, false)] // a busy reader
    [InlineData(60, false)]
    public void Many_studies_at_once_are_bulk_retrieval(double pause, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 12; i++)
            scene.Dicom(Workstation, Pacs, DicomEvent.CGet, t => t.Study = new Pseudonym(3, (ulong)i)).Wait(pause);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("dicom-bulk-retrieval").Count());
    }

    [Fact]
    public void One_study_again_and_again_is_no_bulk_retrieval()
    {
        var scene = new Scene();
        for (var i = 0; i < 40; i++)
            scene.Dicom(Workstation, Pacs, DicomEvent.CGet, t => t.Study = new Pseudonym(3, 3)).Wait(1);
        Assert.Empty(scene.Finish());
    }

    [Fact]
    public void A_new_kind_of_object_is_told()
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        scene.Dicom(Modality, Pacs, DicomEvent.CStore, t => t.SopClass = "1.2.840.10008.5.1.4.1.1.2").Wait(1);
        scene.Dicom(Modality, Pacs, DicomEvent.CStore, t => t.SopClass = "1.2.840.10008.5.1.4.1.1.104.1");
        scene.Finish();
        Assert.Contains("104.1", Assert.Single(scene.Of("dicom-new-sop-class")).Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(100_000_000, true)]
    [InlineData(1_000_000, false)]
    public void An_image_that_claims_too_much_is_a_bomb(long claimed, bool fires)
    {
        var scene = new Scene();
        scene.Dicom(Modality, Pacs, DicomEvent.CStore, t => (t.ExpectedPixelBytes, t.DataSetBytes) = (claimed, 10_000));
        scene.Finish();
        Assert.Equal(fires, scene.Of("dicom-pixel-bomb").Any());
    }

    [Theory]
    [InlineData(DicomEvent.CGet, true)]
    [InlineData(DicomEvent.CStore, false)]
    [InlineData(DicomEvent.CMove, false)]
    public void An_operation_that_a_device_never_did_is_told(DicomEvent operation, bool fires)
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        scene.Dicom(operation == DicomEvent.CStore ? Modality : Workstation, Pacs, operation).Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("dicom-new-operation").Count());
    }

    [Theory]
    [InlineData(FileKind.Elf, true)]
    [InlineData(FileKind.Pdf, false)]
    public void A_program_inside_an_object_is_told(FileKind kind, bool fires)
    {
        var scene = new Scene();
        scene.Dicom(Modality, Pacs, DicomEvent.CStore, t => t.Program = FileKinds.IsExecutable(kind) ? kind : FileKind.Unknown).Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("disguised-program").Count());
    }

    [Fact]
    public void Default_titles_of_the_outside_are_not_the_sites()
    {
        var scene = new Scene();
        scene.Dicom(Workstation, Outside, DicomEvent.AssociateAccept, t => t.CalledAe = "ANY-SCP").Finish();
        Assert.Empty(scene.Of("dicom-default-ae-title"));
    }

    [Theory]
    [InlineData("1.2.840.10008.5.1.4.1.1.1", 200, true)]
    [InlineData("1.2.840.10008.5.1.4.1.1.1", 140, false)]
    [InlineData("1.2.840.10008.5.1.4.1.1.2", 2000, false)] // a CT study of many slices
    [InlineData("1.2.840.10008.5.1.4.1.1.2", 4000, true)]
    public void Far_more_objects_than_usual_are_a_flood(string sopClass, int objects, bool fires)
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        for (var i = 0; i < objects; i++)
            scene.Dicom(Modality, Pacs, DicomEvent.CStore, t => t.SopClass = sopClass).Wait(0.01);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("dicom-store-flood").Count());
    }

    [Theory]
    [InlineData(80, true)]
    [InlineData(40, false)]
    public void Objects_of_more_examinations_than_anybody_makes_are_a_flood(int examinations, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < examinations; i++)
            scene.Dicom(Modality, Pacs, DicomEvent.CStore, t => t.Patient = new Pseudonym(1, (ulong)i)).Wait(0.1);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("dicom-store-flood").Count());
    }

    [Fact]
    public void What_a_move_asked_for_is_no_flood()
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        for (var i = 0; i < 500; i++)
            scene.Dicom(Modality, Pacs, DicomEvent.CStore, t => (t.MoveOriginator, t.Patient) = ("AE12", new Pseudonym(1, (ulong)i))).Wait(0.01);
        scene.Finish();
        Assert.Empty(scene.Of("dicom-store-flood"));
    }

    [Theory]
    [InlineData(50, true)]
    [InlineData(20, false)]
    public void Associations_held_open_exhaust_a_server(int associations, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < associations; i++)
            scene.Dicom(Stranger, Pacs, DicomEvent.AssociateAccept).Wait(0.1);
        scene.Finish();
        Assert.Equal(fires, scene.Of("dicom-association-exhaustion").Any());
    }

    [Theory]
    [InlineData(FaultKind.BadLength, 1, true)]
    [InlineData(FaultKind.MissingItem, 1, false)]
    [InlineData(FaultKind.OutOfStep, 9, false)]
    [InlineData(FaultKind.Gap, 9, false)]
    public void Malformed_pdus_are_told(FaultKind kind, int faults, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < faults; i++)
            scene.Dicom(Stranger, Pacs, DicomEvent.Fault, t => (t.Fault, t.FaultText) = (new Fault(kind, Layer.Dicom, 0), "an item is longer than its PDU")).Wait(1);
        scene.Finish();
        Assert.Equal(fires, scene.Of("dicom-malformed").Any());
    }

    [Theory]
    [InlineData("../../ETC", true)]
    [InlineData("CT-ROOM.2", false)]
    public void Titles_with_path_characters_are_told(string title, bool fires)
    {
        var scene = new Scene();
        scene.Dicom(Stranger, Pacs, DicomEvent.AssociateReject, t => (t.CallingAe, t.Source) = (title, 1));
        scene.Finish();
        Assert.Equal(fires, scene.Of("dicom-path-traversal").Any());
    }

    [Theory]
    [InlineData(Outside, true)]
    [InlineData(Pacs, false)]
    public void Images_to_the_outside_are_told(string server, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 12; i++)
            scene.Dicom(Modality, server, DicomEvent.CStore, t => t.Patient = new Pseudonym(5, (ulong)i));
        scene.Finish();
        var alert = scene.Of("dicom-public-address").SingleOrDefault();
        Assert.Equal(fires, alert is not null);
        if (alert is not null)
            Assert.Equal((12, 10), (alert.PatientsAffected, alert.Severity));
    }
}
