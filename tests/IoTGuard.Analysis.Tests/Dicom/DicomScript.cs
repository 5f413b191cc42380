using IoTGuard.Analysis.Flows;
using static IoTGuard.Analysis.Tests.Dicom.DicomBytes;

namespace IoTGuard.Analysis.Tests.Dicom;

/// <summary>An association with nearly everything in it, as turns of the two sides.</summary>
internal static class DicomScript
{
    public static (FlowDirection From, byte[] Bytes)[] Turns { get; } =
    [
        (FlowDirection.FromOriginator, Associate(
            1,
            "PACS",
            "CT_1",
            ProposedContext(1, Verification, ImplicitLittle),
            ProposedContext(3, CtImage, ExplicitLittle, ImplicitLittle),
            ProposedContext(5, StudyRootFind, ImplicitLittle),
            ProposedContext(7, StudyRootMove, ImplicitLittle),
            ProposedContext(9, "1.2.840.10008.1.20.1", ImplicitLittle),
            ProposedContext(11, StudyRootGet, ImplicitLittle),
            ProposedContext(13, "1.2.840.10008.3.1.2.3.3", ExplicitLittle),
            UserInformation(
                16384,
                "1.2.3.4",
                "TEST_1",
                Item(0x53, [0, 4, 0, 4]),
                Item(0x54, Counted(CtImage), [0, 1]),
                Item(0x56, Counted(StudyRootFind), [1, 1]),
                Item(0x57, Counted(CtImage), Counted("1.2.840.10008.4.2"), [0, 0]),
                Item(0x58, [2, 1], Counted("user"), Counted("passcode"))))),
        (FlowDirection.FromResponder, Associate(
            2,
            "PACS",
            "CT_1",
            AnsweredContext(1, 0, ImplicitLittle),
            AnsweredContext(3, 0, ExplicitLittle),
            AnsweredContext(5, 0, ImplicitLittle),
            AnsweredContext(7, 0, ImplicitLittle),
            AnsweredContext(9, 0, ImplicitLittle),
            AnsweredContext(11, 3, ImplicitLittle),
            AnsweredContext(13, 0, ExplicitLittle),
            UserInformation(0, "1.2.3.5", "PACS_2", Item(0x53, [0, 2, 0, 2]), Item(0x59, Counted("ok"))))),
        (FlowDirection.FromOriginator, EchoRequest(1)),
        (FlowDirection.FromResponder, EchoResponse(1)),

        // A query whose command and identifier share a PDU; its responses share a segment.
        (FlowDirection.FromOriginator, Data(
            Pdv(5, 3, CommandSet(Implicit(0x0002, StudyRootFind), Implicit(0x0100, (ushort)0x0020), Implicit(0x0110, (ushort)2), Implicit(0x0700, (ushort)0), Implicit(0x0800, (ushort)1))),
            Pdv(5, 2, Join(Implicit(0x0008_0052, "STUDY"), Implicit(0x0008_0060, "CT"), Implicit(0x0010_0010, "DOE*"), Implicit(0x0010_0020, []), Implicit(0x0020_000D, []))))),
        (FlowDirection.FromResponder, Join(FindResponse(2, 0xFF00), FindResponse(2, 0xFF01), FindResponse(2, 0xFF00), FindResponse(2, 0x0000))),
        (FlowDirection.FromOriginator, Join(
            Command(5, Implicit(0x0100, (ushort)0x0FFF), Implicit(0x0120, (ushort)2), Implicit(0x0800, (ushort)0x0101)))),

        // An object in small fragments, the last of them empty.
        (FlowDirection.FromOriginator, Join(
            StoreRequest(3, "1.2.3.99"),
            Join([.. ObjectFragments()]),
            Data(Pdv(3, 2, [])))),
        (FlowDirection.FromResponder, StoreResponse(3, 0xB000)),
        (FlowDirection.FromOriginator, Join(
            Command(7, Implicit(0x0002, StudyRootMove), Implicit(0x0100, (ushort)0x0021), Implicit(0x0110, (ushort)4), Implicit(0x0600, "WS_1"), Implicit(0x0800, (ushort)1)),
            DataSet(7, Join(Implicit(0x0008_0052, "STUDY"), Implicit(0x0020_000D, "1.2.3.1"))))),
        (FlowDirection.FromResponder, Join(MoveResponse(4, 0xFF00, 2, 1), MoveResponse(4, 0xFF00, 1, 2), MoveResponse(4, 0x0000, 0, 3))),

        // Two operations at once, answered in the other order; and one in the other direction.
        (FlowDirection.FromOriginator, Join(EchoRequest(5), EchoRequest(6))),
        (FlowDirection.FromResponder, Join(EchoResponse(6), Command(
            9, Implicit(0x0002, "1.2.840.10008.1.20.1"), Implicit(0x0100, (ushort)0x0100), Implicit(0x0110, (ushort)6), Implicit(0x0800, (ushort)1), Implicit(0x1000, "1.2.840.10008.1.20.1.1"), Implicit(0x1002, (ushort)1)), DataSet(9, Implicit(0x0008_1195, "1.2.9")), EchoResponse(5, 0x0122))),
        (FlowDirection.FromOriginator, Command(
            9, Implicit(0x0002, "1.2.840.10008.1.20.1"), Implicit(0x0100, (ushort)0x8100), Implicit(0x0120, (ushort)6), Implicit(0x0800, (ushort)0x0101), Implicit(0x0900, (ushort)0))),
        (FlowDirection.FromOriginator, Join(
            Command(13, Implicit(0x0002, "1.2.840.10008.3.1.2.3.3"), Implicit(0x0100, (ushort)0x0140), Implicit(0x0110, (ushort)7), Implicit(0x0800, (ushort)1), Implicit(0x1000, "1.2.3.77")),
            DataSet(13, Join(
                Explicit(0x0008_0060, "CS", "CT"),
                Explicit(0x0010_0020, "LO", "PID-1"),
                Explicit(0x0040_0270, "SQ", Join([0xFE, 0xFF, 0x00, 0xE0, 16, 0, 0, 0], Explicit(0x0020_000D, "UI", "1.2.3.1\0"))))))),
        (FlowDirection.FromResponder, Command(
            13, Implicit(0x0002, "1.2.840.10008.3.1.2.3.3"), Implicit(0x0100, (ushort)0x8140), Implicit(0x0120, (ushort)7), Implicit(0x0800, (ushort)0x0101), Implicit(0x0900, (ushort)0))),
        (FlowDirection.FromOriginator, EchoRequest(8)),
        (FlowDirection.FromOriginator, ReleaseRequest()),
        (FlowDirection.FromResponder, ReleaseResponse()),
    ];

    public static byte[] FindResponse(ushort id, ushort status) => Join(
        Command(5, Implicit(0x0002, StudyRootFind), Implicit(0x0100, (ushort)0x8020), Implicit(0x0120, id), Implicit(0x0800, status == 0 ? (ushort)0x0101 : (ushort)1), Implicit(0x0900, status)),
        status == 0 ? [] : DataSet(5, Implicit(0x0010_0010, "ROE^JANE")));

    public static byte[] MoveResponse(ushort id, ushort status, ushort remaining, ushort completed) => Command(
        7,
        Implicit(0x0002, StudyRootMove),
        Implicit(0x0100, (ushort)0x8021),
        Implicit(0x0120, id),
        Implicit(0x0800, (ushort)0x0101),
        Implicit(0x0900, status),
        Implicit(0x1020, remaining),
        Implicit(0x1021, completed),
        Implicit(0x1022, (ushort)0),
        Implicit(0x1023, (ushort)1));

    private static IEnumerable<byte[]> ObjectFragments() => Join(
        Explicit(0x0008_0016, "UI", CtImage + "\0"),
        Explicit(0x0008_0060, "CS", "CT"),
        Explicit(0x0010_0010, "PN", "ROE^JANE"),
        Explicit(0x0010_0020, "LO", "PID-1"),
        Explicit(0x0020_000D, "UI", "1.2.3.1\0"),
        Explicit(0x0028_0010, 16),
        Explicit(0x0028_0011, 16),
        Explicit(0x0028_0100, 8),
        Explicit(0x7FE0_0010, "OW", new byte[256])).Chunk(64).Select(fragment => Data(Pdv(3, 0, fragment)));

    public static DicomFeeder Play(Action<DicomFeeder, int, FlowDirection, byte[]>? send = null, bool beginningSeen = true, int firstTurn = 0)
    {
        var feeder = new DicomFeeder(beginningSeen);
        for (var i = firstTurn; i < Turns.Length; i++)
        {
            var (from, bytes) = Turns[i];
            feeder.TimeNs = 1_000_000 * (i + 1);
            if (send is null)
                feeder.Send(from, bytes);
            else
                send(feeder, i, from, bytes);
        }

        feeder.End();
        return feeder;
    }
}
