using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;
using static IoTGuard.Analysis.Tests.Dicom.DicomBytes;

namespace IoTGuard.Analysis.Tests.Dicom;

public sealed class DicomSessionTests
{
    [Fact]
    public void AnEchoAssociationIsThreeTransactions()
    {
        var feeder = new DicomFeeder();
        feeder.Client(Request(ProposedContext(1, Verification, ImplicitLittle)));
        feeder.TimeNs = 2_000;
        feeder.Server(Accept(AnsweredContext(1, 0, ImplicitLittle)));
        feeder.TimeNs = 3_000;
        feeder.Client(EchoRequest(7));
        feeder.TimeNs = 4_000;
        feeder.Server(EchoResponse(7));
        feeder.TimeNs = 5_000;
        feeder.Client(ReleaseRequest());
        feeder.TimeNs = 6_000;
        feeder.Server(ReleaseResponse());
        feeder.End();

        Assert.Equal([DicomEvent.AssociateAccept, DicomEvent.CEcho, DicomEvent.Release], feeder.Transactions.Select(t => t.Event));
        var accept = feeder.Transactions[0];
        Assert.Equal(("MODALITY", "PACS", 1_000, 1_000), (accept.CallingAe, accept.CalledAe, accept.TimeNs, accept.DurationNs));
        Assert.Equal((16384, 65536, "1.2.3.4", "TEST_1", "1.2.3.5", "PACS_2"), (accept.RequestorMaximumLength, accept.AcceptorMaximumLength,
            accept.RequestorImplementationClass, accept.RequestorImplementationVersion, accept.AcceptorImplementationClass, accept.AcceptorImplementationVersion));
        Assert.Equal((1, 1, 1), (accept.ContextsProposed, accept.ContextsAccepted, accept.AbstractSyntaxes));
        var echo = feeder.Transactions[1];
        Assert.Equal((Verification, ImplicitLittle, 7, 0, (byte)1), (echo.SopClass, echo.TransferSyntax, echo.MessageId, echo.Status, echo.ContextId));
        Assert.Equal((3_000, 1_000, EchoRequest(7).Length + EchoResponse(7).Length), (echo.TimeNs, echo.DurationNs, echo.Bytes));
        Assert.Equal((1, 5_000, 1_000), (feeder.Transactions[2].Operations, feeder.Transactions[2].TimeNs, feeder.Transactions[2].DurationNs));
        Assert.Equal((ApplicationProtocol.Dicom, 1, 1, 1, 0), (feeder.Flow.Application, feeder.Flow.Counters.Associations,
            feeder.Flow.Counters.Requests, feeder.Flow.Counters.Responses, feeder.Flow.Counters.Faults));
    }

    [Fact]
    public void ARejectCarriesWhatWasAsked()
    {
        var feeder = new DicomFeeder();
        feeder.Client(Request(ProposedContext(1, Verification, ImplicitLittle)));
        feeder.Server(Reject(1, 1, 7));
        feeder.End();

        var reject = Assert.Single(feeder.Transactions);
        Assert.Equal((DicomEvent.AssociateReject, "MODALITY", "PACS", 1, 1, 7), (reject.Event, reject.CallingAe, reject.CalledAe, reject.Result, reject.Source, reject.Reason));
        Assert.Contains("called AE title not recognized", TextFieldWriter.Describe(reject), StringComparison.Ordinal);
        Assert.Equal(1, feeder.Flow.Counters.Failures);
    }

    [Fact]
    public void ARequestWithoutAnswerIsToldAtTheEnd()
    {
        var feeder = new DicomFeeder();
        feeder.Client(Request(ProposedContext(1, Verification, ImplicitLittle)));
        Assert.Empty(feeder.Transactions);
        feeder.End();
        Assert.Equal((DicomEvent.AssociateRequest, -1), (feeder.Transactions[0].Event, feeder.Transactions[0].DurationNs));
    }

    [Fact]
    public void AnAbortEndsOpenOperationsWithoutStatus()
    {
        var feeder = Established();
        feeder.Client(EchoRequest(1));
        feeder.Server(Abort(2, 1));
        feeder.End();
        var (echo, abort) = (feeder.Transactions[1], feeder.Transactions[2]);
        Assert.Equal((DicomEvent.CEcho, -1, -1), (echo.Event, echo.Status, echo.DurationNs));
        Assert.Equal((DicomEvent.Abort, 2, 1, true, 1), (abort.Event, abort.Source, abort.Reason, abort.SentByServer, abort.Operations));
    }

    [Fact]
    public void AnAssociationThatEndsWithItsConnectionSaysSo()
    {
        var feeder = Established();
        feeder.End();
        Assert.Equal((DicomEvent.AssociationEnd, 0), (feeder.Transactions[1].Event, feeder.Transactions[1].Operations));
    }

    [Fact]
    public void AStoreKeepsFactsAndSkipsPixels()
    {
        var feeder = Established();
        var dataSet = Join(
            Explicit(0x0008_0016, "UI", CtImage + "\0"),
            Explicit(0x0008_0018, "UI", "1.2.3.99"),
            Explicit(0x0008_0060, "CS", "CT"),
            Explicit(0x0008_0070, "LO", "ACME"),
            Explicit(0x0008_1010, "SH", "CT01"),
            Explicit(0x0008_1090, "LO", "Scanner 9"),
            Explicit(0x0010_0010, "PN", "SECRET^NAME"),
            Explicit(0x0010_0020, "LO", "PID-1"),
            Explicit(0x0018_1000, "LO", "SN77"),
            Explicit(0x0018_1020, "LO", "V1.2"),
            Explicit(0x0020_000D, "UI", "1.2.3.1"),
            Explicit(0x0020_000E, "UI", "1.2.3.2"),
            Explicit(0x0028_0002, 1),
            Explicit(0x0028_0008, "IS", "2"),
            Explicit(0x0028_0010, 512),
            Explicit(0x0028_0011, 256),
            Explicit(0x0028_0100, 16),
            Explicit(0x7FE0_0010, "OW", new byte[512 * 256 * 2 * 2]));
        foreach (var segment in Join(StoreRequest(5, "1.2.3.99"), DataSet(3, dataSet, 16378)).Chunk(1460))
            feeder.Client(segment);
        feeder.Server(StoreResponse(5, 0));

        var store = feeder.Transactions[1];
        Assert.Equal(DicomEvent.CStore, store.Event);
        Assert.Equal(("CT", "ACME", "Scanner 9", "CT01", "SN77", "V1.2"), (store.Modality, store.Manufacturer, store.ModelName, store.StationName, store.DeviceSerial, store.SoftwareVersions));
        Assert.Equal((512, 256, 16, 1, 2, 512L * 256 * 2 * 2), (store.Rows, store.Columns, store.BitsAllocated, store.SamplesPerPixel, store.Frames, store.ExpectedPixelBytes));
        var pseudonyms = new Pseudonymizer(DicomFeeder.Key);
        Assert.Equal(pseudonyms.Of(PseudonymKind.Patient, "PID-1"u8), store.Patient);
        Assert.Equal(pseudonyms.Of(PseudonymKind.Study, "1.2.3.1"u8), store.Study);
        Assert.Equal(pseudonyms.Of(PseudonymKind.Series, "1.2.3.2"u8), store.Series);
        Assert.Equal(pseudonyms.Of(PseudonymKind.Instance, "1.2.3.99"u8), store.Instance);
        Assert.Equal(dataSet.Length, store.DataSetBytes);
        Assert.True(feeder.Skipped > 450_000, $"only {feeder.Skipped} bytes skipped");
        Assert.Equal((1, (long)dataSet.Length), (feeder.Flow.Counters.Objects, feeder.Flow.Counters.ObjectBytes));
        Assert.DoesNotContain("SECRET", feeder.Describe(), StringComparison.Ordinal);
        Assert.DoesNotContain("PID-1", feeder.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public void NothingOfAFaultIsToldForGoodTraffic()
    {
        var feeder = Established();
        feeder.Client(EchoRequest(1));
        feeder.Server(EchoResponse(1));
        Assert.DoesNotContain(feeder.Transactions, t => t.Event == DicomEvent.Fault);
    }

    internal static DicomFeeder Established(string storeSyntax = ExplicitLittle)
    {
        var feeder = new DicomFeeder();
        feeder.Client(Request(ProposedContext(1, Verification, ImplicitLittle), ProposedContext(3, CtImage, storeSyntax),
            ProposedContext(5, StudyRootFind, ImplicitLittle), ProposedContext(7, StudyRootMove, ImplicitLittle)));
        feeder.Server(Accept(AnsweredContext(1, 0, ImplicitLittle), AnsweredContext(3, 0, storeSyntax),
            AnsweredContext(5, 0, ImplicitLittle), AnsweredContext(7, 0, ImplicitLittle)));
        return feeder;
    }
}
