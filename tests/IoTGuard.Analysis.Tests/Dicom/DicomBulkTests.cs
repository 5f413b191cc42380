using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.TestSupport;
using IoTGuard.Wire.Application.Files;
using static IoTGuard.Analysis.Tests.Dicom.DicomBytes;

namespace IoTGuard.Analysis.Tests.Dicom;

public sealed class DicomBulkTests
{
    private static readonly byte[] Object = Join(
        Explicit(0x0008_0018, "UI", "1.2.3.99"),
        Explicit(0x0008_0060, "CS", "CT"),
        Explicit(0x0010_0020, "LO", "PID-1"),
        Explicit(0x0020_000D, "UI", "1.2.3.1\0"),
        Explicit(0x0028_0010, 512),
        Explicit(0x0028_0011, 512),
        Explicit(0x0028_0100, 16),
        Explicit(0x7FE0_0010, "OW", new byte[512 * 512 * 2]));

    [Fact]
    public void OperationsAllocateNothingOnceWarm()
    {
        var feeder = DicomSessionTests.Established();
        var client = Join(StoreRequest(1, "1.2.3.99"), DataSet(3, Object, 16378));
        var server = StoreResponse(1, 0);
        var query = DicomScript.Turns[4].Bytes;
        var answers = DicomScript.Turns[5].Bytes;
        void Once()
        {
            for (var at = 0; at < client.Length; at += 1460)
                feeder.Send(FlowDirection.FromOriginator, client.AsSpan(at, Math.Min(1460, client.Length - at)));
            feeder.Send(FlowDirection.FromResponder, server);
            feeder.Send(FlowDirection.FromOriginator, query);
            feeder.Send(FlowDirection.FromResponder, answers);
            feeder.Output.Clear();
        }

        for (var i = 0; i < 50; i++)
            Once();
        var allocations = Allocations.Start();
        for (var i = 0; i < 1000; i++)
            Once();
        Assert.Equal(0, allocations.Bytes);
        Assert.Equal(1050, feeder.Flow.Counters.Objects);
    }

    [Fact]
    public void OfABulkObjectOnlyHeadersAndASampleAreTouched()
    {
        var feeder = DicomSessionTests.Established();
        var header = Object[..^(512 * 512 * 2)];
        var touched = 0;
        feeder.Client(StoreRequest(1, "1.2.3.99"), Data(Pdv(3, 0, header)));
        for (var i = 0; i < 1000; i++)
        {
            // Headers in a segment of their own, as dcmtk and Orthanc send them.
            feeder.Client([4, 0, 0, 0, 0x40, 0, 0, 0, 0x3F, 0xFC, 3, 0]);
            foreach (var segment in new byte[0x3FFA].Chunk(1024))
            {
                var before = feeder.Skipped;
                feeder.Client(segment);
                touched += segment.Length - (int)(feeder.Skipped - before);
            }
        }

        feeder.Client(Data(Pdv(3, 2, [])));
        feeder.Server(StoreResponse(1, 0));

        // The segments in which a window lies, or a part of one.
        const int Strides = 1000 * 0x3FFA / PixelSample.StrideBytes;
        Assert.InRange(touched, Strides * PixelSample.WindowBytes, PixelSample.HeadBytes + ((Strides + 1) * 2 * 1024));
        Assert.Equal(header.Length + (1000L * 0x3FFA), feeder.Transactions[^1].DataSetBytes);
        Assert.Equal(512 * 512 * 2, feeder.Transactions[^1].ExpectedPixelBytes);
    }

    [Fact]
    public void APixelBombShowsInItsNumbers()
    {
        var feeder = DicomSessionTests.Established();
        feeder.Client(StoreRequest(1, "1.2.3"), DataSet(3, Join(
            Explicit(0x0028_0002, 3), Explicit(0x0028_0008, "IS", "99999"), Explicit(0x0028_0010, 65535), Explicit(0x0028_0011, 65535), Explicit(0x0028_0100, 64),
            Explicit(0x7FE0_0010, "OW", new byte[16]))));
        feeder.Server(StoreResponse(1, 0));
        var store = feeder.Transactions[^1];
        Assert.Equal(65535L * 65535 * 8 * 3 * 99999, store.ExpectedPixelBytes);
        Assert.True(store.DataSetBytes < 100);
    }

    [Theory]
    [InlineData(0x0042_0011u, "\u007fELF\u0002\u0001\u0001", FileKind.Elf)]
    [InlineData(0x0029_1010u, "\u007fELF\u0002\u0001\u0001", FileKind.Elf)]
    [InlineData(0x0042_0011u, "%PDF-1.7", FileKind.Unknown)]
    public void AProgramInsideAnObjectShows(uint tag, string content, FileKind kind)
    {
        var feeder = DicomSessionTests.Established();
        var bytes = new byte[4000];
        System.Text.Encoding.Latin1.GetBytes(content, bytes);
        feeder.Client(StoreRequest(1, "1.2.3"), DataSet(3, Join(Explicit(0x0028_0010, 16), Explicit(tag, "OB", bytes))));
        feeder.Server(StoreResponse(1, 0));
        Assert.Equal((16, kind), (feeder.Transactions[^1].Rows, feeder.Transactions[^1].Program));
    }

    [Theory]
    [InlineData(Deflated, true)]
    [InlineData("1.2.840.10008.1.2.4.90", false)]
    public void PixelsOfACompressedSyntaxHaveNoExpectedSize(string syntax, bool isDeflated)
    {
        var feeder = DicomSessionTests.Established(syntax);
        feeder.Client(StoreRequest(1, "1.2.3"), DataSet(3, Object, 16378));
        feeder.Server(StoreResponse(1, 0));
        var store = feeder.Transactions[^1];
        Assert.Equal((isDeflated, -1L, isDeflated ? null : "CT"), (store.IsDeflated, store.ExpectedPixelBytes, store.Modality));
    }

    [Fact]
    public void PynetdicomsCommandsAreRead()
    {
        var folder = Repository.SharedDataOrSkip("dicom", "pynetdicom-vectors");
        byte[] Fragment(string group, string name) => File.ReadAllBytes(Path.Combine(folder, group, name + ".bin"));
        var expected = new Dictionary<string, (DicomEvent Event, int Id, int Status)>(StringComparer.Ordinal)
        {
            ["c_echo"] = (DicomEvent.CEcho, 7, 0),
            ["c_store"] = (DicomEvent.CStore, 7, 0),
            ["c_find"] = (DicomEvent.CFind, 7, -1),
            ["c_get"] = (DicomEvent.CGet, 7, -1),
            ["c_move"] = (DicomEvent.CMove, 7, -1),
            ["n_er"] = (DicomEvent.NEventReport, 7, 0),
            ["n_get"] = (DicomEvent.NGet, 7, 0),
            ["n_set"] = (DicomEvent.NSet, 7, 0),
            ["n_action"] = (DicomEvent.NAction, 7, 0),
            ["n_create"] = (DicomEvent.NCreate, 7, 0),
            ["n_delete"] = (DicomEvent.NDelete, 7, 0xC201),
        };
        foreach (var (name, (kind, id, status)) in expected)
        {
            var group = name[0] == 'c' ? "encoded_dimse_msg" : "encoded_dimse_n_msg";
            var feeder = DicomSessionTests.Established();
            var request = Fragment(group, name + "_rq_cmd");
            feeder.Client(Data(Value(request)));
            if (File.Exists(Path.Combine(folder, group, name + "_rq_ds.bin")))
                feeder.Client(Data(Value(Fragment(group, name + "_rq_ds"))));
            // The responses answer message id 5 or 8; let them answer the request.
            var response = Fragment(group, name + "_rsp_cmd");
            var at = response.AsSpan().IndexOf((ReadOnlySpan<byte>)[0, 0, 0x20, 1, 2, 0, 0, 0]);
            response[at + 8] = 7;
            feeder.Server(Data(Value(response)));
            feeder.End();
            var operation = Assert.Single(feeder.Transactions, t => t.Event == kind);
            Assert.Equal((id, status, (byte)1), (operation.MessageId, operation.Status, operation.ContextId));
            Assert.False(string.IsNullOrEmpty(operation.SopClass));
            if (name == "c_move")
                Assert.Equal(("MOVE_SCP", new SubOperations(3, 1, 2, 4), 1), (operation.MoveDestination, operation.SubOperations, operation.PendingResponses));
            if (name is "c_find" or "c_get" or "c_move")
                Assert.Equal(("PATIENT", 1, 1), (operation.QueryLevel, operation.QueryKeys, operation.WildcardKeys));
        }
    }

    // The vectors begin with the message control header.
    private static byte[] Value(byte[] fragment) => Join(UInt32Big((uint)fragment.Length + 1), [1], fragment);
}
