using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;
using static IoTGuard.Analysis.Tests.Dicom.DicomBytes;

namespace IoTGuard.Analysis.Tests.Dicom;

public sealed class DicomFaultTests
{
    public static TheoryData<string, FaultKind> Violations => new()
    {
        { "unknown PDU type", FaultKind.Garbage },
        { "P-DATA-TF of 4 GiB", FaultKind.TooLarge },
        { "P-DATA-TF above the maximum", FaultKind.TooLarge },
        { "empty P-DATA-TF", FaultKind.BadLength },
        { "PDV longer than its PDU", FaultKind.BadLength },
        { "PDV of length 1", FaultKind.BadLength },
        { "rest of a PDU too short for a PDV", FaultKind.BadLength },
        { "abort of a wrong length", FaultKind.BadLength },
        { "context that was not accepted", FaultKind.BadValue },
        { "data set without command", FaultKind.UnexpectedMessage },
        { "command within a data set", FaultKind.UnexpectedMessage },
        { "second request", FaultKind.UnexpectedMessage },
        { "accept within an association", FaultKind.OutOfStep },
        { "reject within an association", FaultKind.OutOfStep },
        { "release response without request", FaultKind.OutOfStep },
        { "data after the own release request", FaultKind.UnexpectedMessage },
        { "response without request", FaultKind.OutOfStep },
        { "response of another kind", FaultKind.UnexpectedMessage },
        { "message id in use", FaultKind.UnexpectedMessage },
        { "command without field", FaultKind.MissingItem },
        { "unknown command field", FaultKind.BadValue },
        { "command that is cut", FaultKind.Truncated },
        { "command of other groups", FaultKind.BadValue },
        { "path in a SOP instance", FaultKind.BadCharacters },
        { "path in a move destination", FaultKind.BadCharacters },
        { "path in a study UID", FaultKind.BadCharacters },
        { "data set that is none", FaultKind.BadValue },
        { "data set that is cut", FaultKind.Truncated },
        { "depth bomb", FaultKind.TooDeep },
    };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AMirrorOfOneDirectionIsNobodysFault(bool ofClient)
    {
        var feeder = new DicomFeeder();
        (ofClient ? ref feeder.Flow.FromResponder : ref feeder.Flow.FromOriginator).Packets = 0;
        if (ofClient)
            feeder.Client(Request(ProposedContext(1, Verification, ImplicitLittle)), EchoRequest(1), EchoRequest(2), ReleaseRequest());
        else
            feeder.Server(Accept(AnsweredContext(1, 0, ImplicitLittle)), EchoResponse(1), EchoResponse(2), ReleaseResponse());
        feeder.End();
        Assert.DoesNotContain(feeder.Transactions, static t => t.Event == DicomEvent.Fault);
    }

    [Theory]
    [MemberData(nameof(Violations))]
    public void EveryViolationIsOneFault(string what, FaultKind expected)
    {
        var feeder = DicomSessionTests.Established();
        Violate(feeder, what);
        var fault = Assert.Single(feeder.Transactions, t => t.Event == DicomEvent.Fault);
        Assert.Equal((expected, Layer.Dicom), (fault.Fault.Kind, fault.Fault.Layer));
        Assert.False(string.IsNullOrEmpty(fault.FaultText));
        Assert.Equal(1, feeder.Flow.Counters.Faults);
        feeder.End();
    }

    [Theory]
    [MemberData(nameof(Violations))]
    public void AfterAViolationTheNextMessageIsRead(string what, FaultKind expected)
    {
        var feeder = DicomSessionTests.Established();
        Violate(feeder, what);
        Assert.Contains(feeder.Transactions, t => t.Event == DicomEvent.Fault && t.Fault.Kind == expected);
        feeder.Client(EchoRequest(1000));
        feeder.Server(EchoResponse(1000));
        Assert.Contains(feeder.Transactions, t => t.Event == DicomEvent.CEcho && t.MessageId == 1000);
    }

    [Theory]
    [InlineData("../../etc", "PACS", FaultKind.BadCharacters)]
    [InlineData("CT", "A\\B", FaultKind.BadCharacters)]
    [InlineData("C\u0007T", "PACS", FaultKind.BadCharacters)]
    [InlineData("", "PACS", FaultKind.MissingItem)]
    public void BadAeTitlesAreFaults(string calling, string called, FaultKind expected)
    {
        var feeder = new DicomFeeder();
        feeder.Client(Associate(1, called, calling, ProposedContext(1, Verification, ImplicitLittle), UserInformation()));
        Assert.Equal(expected, Assert.Single(feeder.Transactions).Fault.Kind);
    }

    [Theory]
    [InlineData("no user information", FaultKind.MissingItem)]
    [InlineData("no contexts", FaultKind.MissingItem)]
    [InlineData("even context id", FaultKind.BadValue)]
    [InlineData("context twice", FaultKind.BadValue)]
    [InlineData("context without transfer syntax", FaultKind.BadValue)]
    [InlineData("path in an abstract syntax", FaultKind.BadCharacters)]
    [InlineData("path in a role selection", FaultKind.BadCharacters)]
    [InlineData("item longer than the PDU", FaultKind.BadLength)]
    [InlineData("sub-item longer than its item", FaultKind.BadLength)]
    [InlineData("user item cut", FaultKind.BadLength)]
    public void BadRequestsAreFaultsAndRequestsAllTheSame(string what, FaultKind expected)
    {
        var context = ProposedContext(1, Verification, ImplicitLittle);
        var request = what switch
        {
            "no user information" => Associate(1, "A", "B", context),
            "no contexts" => Associate(1, "A", "B", UserInformation()),
            "even context id" => Request(context, ProposedContext(2, Verification, ImplicitLittle)),
            "context twice" => Request(context, context),
            "context without transfer syntax" => Request(ProposedContext(1, Verification)),
            "path in an abstract syntax" => Request(ProposedContext(1, "../../x", ImplicitLittle)),
            "path in a role selection" => Associate(1, "A", "B", context, UserInformation(16384, "1.2", "V", Item(0x54, Counted("1.2/3"), [0, 1]))),
            "item longer than the PDU" => Associate(1, "A", "B", context, UserInformation(), [0x20, 0, 0xFF, 0]),
            "sub-item longer than its item" => Request(Item(0x20, [1, 0, 0, 0], Item(0x40, Ascii(ImplicitLittle)), Item(0x30, Ascii(Verification)), [0x40, 0, 0xFF, 0])),
            _ => Associate(1, "A", "B", context, UserInformation(16384, "1.2", "V", Item(0x58, [2, 0, 0, 9]))),
        };
        var feeder = new DicomFeeder();
        feeder.Client(request);
        feeder.Server(what == "no contexts" ? Accept() : Accept(AnsweredContext(1, 0, ImplicitLittle)));
        Assert.Equal(expected, Assert.Single(feeder.Transactions, t => t.Event == DicomEvent.Fault).Fault.Kind);
        Assert.Contains(feeder.Transactions, t => t.Event == DicomEvent.AssociateAccept);
    }

    [Theory]
    [InlineData(65536)]
    [InlineData(65536 - 6)]
    [InlineData(65536 + 6)]
    public void PdusAroundTheMaximumAreNoFault(int length)
    {
        var feeder = DicomSessionTests.Established();
        feeder.Client(StoreRequest(1, "1.2.3"), Data(Pdv(3, 0, Explicit(0x7FE0_0010, "OW", new byte[length - 18]))), Data(Pdv(3, 2, [])));
        feeder.Server(StoreResponse(1, 0));
        Assert.DoesNotContain(feeder.Transactions, t => t.Event == DicomEvent.Fault);
        Assert.Equal(length - 6, feeder.Transactions[^1].DataSetBytes);
    }

    [Fact]
    public void DataBeforeTheAcceptIsAFaultOnlyWhenTheAcceptDoesNotFollowAtOnce()
    {
        DicomFeeder Play(long delay)
        {
            var feeder = new DicomFeeder();
            feeder.Client(Request(ProposedContext(1, Verification, ImplicitLittle)), EchoRequest(1));
            feeder.TimeNs += delay;
            feeder.Server(Accept(AnsweredContext(1, 0, ImplicitLittle)), EchoResponse(1));
            Assert.Contains(feeder.Transactions, t => t.Event == DicomEvent.CEcho && t.Status == 0 && t.TransferSyntax == ImplicitLittle);
            return feeder;
        }

        Assert.DoesNotContain(Play(1_000_000).Transactions, t => t.Event == DicomEvent.Fault);
        Assert.Contains(Play(1_000_000_000).Transactions, t => t.Fault.Kind == FaultKind.UnexpectedMessage);
    }

    [Fact]
    public void FaultsAreToldWithinALimitAndCountedBeyond()
    {
        var feeder = DicomSessionTests.Established();
        for (var i = 0; i < 1000; i++)
            feeder.Client(EchoRequest(1), Pdu(4));
        Assert.Equal(DicomSession.MaximumFaultsPerWindow, feeder.Transactions.Count(t => t.Event == DicomEvent.Fault));
        Assert.True(feeder.Flow.Counters.Faults >= 1999);
        feeder.TimeNs += DicomSession.FaultWindowNs + 1;
        feeder.Client(Pdu(4));
        Assert.Equal(DicomSession.MaximumFaultsPerWindow + 1, feeder.Transactions.Count(t => t.Event == DicomEvent.Fault));
    }

    [Fact]
    public void OperationsWithoutEndMakeRoomForNewOnes()
    {
        var feeder = DicomSessionTests.Established();
        for (ushort i = 0; i < 200; i++)
            feeder.Client(EchoRequest(i));
        Assert.Equal(200 - DicomOperationTable.Capacity, feeder.Transactions.Count(t => t.Event == DicomEvent.CEcho));
        feeder.End();
        Assert.Equal(200, feeder.Transactions.Count(t => t.Event == DicomEvent.CEcho && t.Status == -1));
    }

    [Fact]
    public void GarbageAfterDicomIsLookedThroughAndThenIgnored()
    {
        var feeder = DicomSessionTests.Established();
        var garbage = new byte[1 << 20];
        Array.Fill(garbage, (byte)0x41);
        for (var i = 0; i < 20; i++)
            feeder.Client(garbage);
        Assert.Single(feeder.Transactions, t => t.Event == DicomEvent.Fault);
        Assert.True(feeder.LargestPending < 100);
        Assert.True(feeder.Skipped > 0);
    }

    [Fact]
    public void AGiganticAssociateIsRefusedAtItsHeader()
    {
        byte[] bomb = [1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x12, 0x34, 0x56, 0x78];
        Assert.Equal(ProbeResult.Certain, DicomSession.Probe(FlowDirection.FromOriginator, bomb));
        var feeder = new DicomFeeder();
        feeder.Client(bomb);
        Assert.Equal(FaultKind.TooLarge, Assert.Single(feeder.Transactions).Fault.Kind);
        feeder = DicomSessionTests.Established();
        feeder.Client([1, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0, 1, 0, 0]);
        Assert.Equal(FaultKind.TooLarge, feeder.Transactions[^1].Fault.Kind);
    }

    private static void Violate(DicomFeeder feeder, string what)
    {
        switch (what)
        {
            case "release response without request":
                feeder.Server(ReleaseResponse());
                break;
            case "data after the own release request":
                feeder.Client(ReleaseRequest(), EchoRequest(1));
                break;
            case "response without request":
                feeder.Server(EchoResponse(9));
                break;
            case "response of another kind":
                feeder.Client(EchoRequest(1));
                feeder.Server(StoreResponse(1, 0));
                break;
            case "second request":
                feeder.Client(Request(ProposedContext(1, Verification, ImplicitLittle)));
                break;
            case "accept within an association":
                feeder.Server(Accept(AnsweredContext(1, 0, ImplicitLittle)));
                break;
            case "reject within an association":
                feeder.Server(Reject(1, 1, 1));
                break;
            default:
                feeder.Client(Violation(what));
                break;
        }
    }

    private static byte[] Violation(string what)
    {
        var echo = CommandSet(Implicit(0x0002, Verification), Implicit(0x0100, (ushort)0x0030), Implicit(0x0110, (ushort)1), Implicit(0x0800, (ushort)0x0101));
        var store = StoreRequest(2, "1.2.3");
        return what switch
        {
            "unknown PDU type" => Ascii("GET / HTTP/1.1\r\n\r\n"),
            "P-DATA-TF of 4 GiB" => [4, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 4, 1, 3],
            "P-DATA-TF above the maximum" => Join(store, Data(Pdv(3, 0, Explicit(0x7FE0_0010, "OW", new byte[70_000]))), Data(Pdv(3, 2, []))),
            "empty P-DATA-TF" => Pdu(4),
            "PDV longer than its PDU" => Pdu(4, [0, 0, 0xFF, 0, 1, 3], echo),
            "PDV of length 1" => Pdu(4, [0, 0, 0, 1, 1, 3], echo),
            "rest of a PDU too short for a PDV" => Pdu(4, Pdv(1, 3, echo), [0, 0, 0]),
            "abort of a wrong length" => Pdu(7, new byte[9]),
            "context that was not accepted" => EchoRequest(1, 99),
            "data set without command" => Data(Pdv(3, 2, Explicit(0x0008_0060, "CS", "CT"))),
            "command within a data set" => Join(store, Data(Pdv(3, 0, Explicit(0x0008_0060, "CS", "CT"))), EchoRequest(1)),
            "message id in use" => Join(EchoRequest(1), EchoRequest(1)),
            "command without field" => Command(1, Implicit(0x0002, Verification), Implicit(0x0110, (ushort)1)),
            "unknown command field" => Command(1, Implicit(0x0100, (ushort)0x0777), Implicit(0x0110, (ushort)1)),
            "command that is cut" => Data(Pdv(1, 3, echo[..^1])),
            "command of other groups" => Data(Pdv(1, 3, Implicit(0x0008_0060, "CT"))),
            "path in a SOP instance" => Join(StoreRequest(2, "../../../etc/cron.d/x"), DataSet(3, Explicit(0x0008_0060, "CS", "CT"))),
            "path in a move destination" => Join(
                Command(7, Implicit(0x0100, (ushort)0x0021), Implicit(0x0110, (ushort)1), Implicit(0x0600, "..\\x"), Implicit(0x0800, (ushort)1)),
                DataSet(7, Implicit(0x0008_0052, "STUDY"))),
            "path in a study UID" => Join(store, DataSet(3, Explicit(0x0020_000D, "UI", "1.2/../../x"))),
            "data set that is none" => Join(store, DataSet(3, [8, 0, 0x60, 0, 1, 2, 3, 4, 5, 6, 7, 8])),
            "data set that is cut" => Join(store, DataSet(3, Explicit(0x0008_0060, "CS", "CT")[..^1])),
            "depth bomb" => Join(store, DataSet(3, Join([.. Enumerable.Repeat(Join([8, 0, 0x40, 0x11], Ascii("SQ\0\0"), [255, 255, 255, 255, 0xFE, 0xFF, 0, 0xE0, 255, 255, 255, 255]), 1000)]))),
            _ => throw new ArgumentOutOfRangeException(nameof(what)),
        };
    }
}
