using IoTGuard.Analysis.Flows;
using static IoTGuard.Analysis.Tests.Dicom.DicomBytes;

namespace IoTGuard.Benchmarks.Inputs;

/// <summary>What two DICOM applications say to each other.</summary>
internal static class DicomTurns
{
    private const byte StoreContext = 3;
    private const byte FindContext = 5;
    private const int PixelBytes = 512 * 512 * 2;
    private const int PduBytes = 16_384;

    public static Turn[] Association { get; } =
    [
        new(FlowDirection.FromOriginator, Request(ProposedContext(StoreContext, CtImage, ExplicitLittle), ProposedContext(FindContext, StudyRootFind, ImplicitLittle))),
        new(FlowDirection.FromResponder, Accept(AnsweredContext(StoreContext, 0, ExplicitLittle), AnsweredContext(FindContext, 0, ImplicitLittle))),
    ];

    /// <summary>A CT image of 512 × 512 × 16 bits, in PDUs of 16 KiB, and its response.</summary>
    public static Turn[] Store { get; } =
    [
        new(FlowDirection.FromOriginator, Join(StoreRequest(1, "1.2.3.4.5.6.7", StoreContext), DataSet(StoreContext, Image(), PduBytes))),
        new(FlowDirection.FromResponder, StoreResponse(1, 0, StoreContext)),
    ];

    /// <summary>A query for the studies of a patient and ten pending responses.</summary>
    public static Turn[] Find { get; } =
    [
        new(FlowDirection.FromOriginator, Join(FindRequest(), DataSet(FindContext, Study("4711", "")))),
        new(FlowDirection.FromResponder, Join([.. Enumerable.Range(0, 10).Select(i => Join(FindResponse(0xFF00, hasDataSet: true), DataSet(FindContext, Study("4711", $"1.2.3.{i}")))), FindResponse(0, hasDataSet: false)])),
    ];

    private static byte[] Image() => Join(
        Explicit(0x0008_0016, "UI", CtImage),
        Explicit(0x0008_0018, "UI", "1.2.3.4.5.6.7"),
        Explicit(0x0008_0060, "CS", "CT"),
        Explicit(0x0008_0070, "LO", "MAKER"),
        Explicit(0x0008_1090, "LO", "MODEL"),
        Explicit(0x0010_0010, "PN", "SYNTHETIC^PATIENT"),
        Explicit(0x0010_0020, "LO", "4711"),
        Explicit(0x0018_1000, "LO", "S-1"),
        Explicit(0x0020_000D, "UI", "1.2.3.4"),
        Explicit(0x0020_000E, "UI", "1.2.3.4.5"),
        Explicit(0x0028_0010, 512),
        Explicit(0x0028_0011, 512),
        Explicit(0x0028_0100, 16),
        Explicit(0x7FE0_0010, "OW", new byte[PixelBytes]));

    private static byte[] Study(string patient, string study) => Join(
        Implicit(0x0008_0020, "20260102"),
        Implicit(0x0008_0052, "STUDY"),
        Implicit(0x0010_0010, study.Length == 0 ? "*" : "SYNTHETIC^PATIENT"),
        Implicit(0x0010_0020, patient),
        Implicit(0x0020_000D, study));

    private static byte[] FindRequest() => Command(
        FindContext, Implicit(0x0002, StudyRootFind), Implicit(0x0100, (ushort)0x0020), Implicit(0x0110, (ushort)2), Implicit(0x0700, (ushort)0), Implicit(0x0800, (ushort)1));

    private static byte[] FindResponse(ushort status, bool hasDataSet) => Command(
        FindContext,
        Implicit(0x0002, StudyRootFind),
        Implicit(0x0100, (ushort)0x8020),
        Implicit(0x0120, (ushort)2),
        Implicit(0x0800, (ushort)(hasDataSet ? 1 : 0x0101)),
        Implicit(0x0900, status));
}
