using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;
using static IoTGuard.Analysis.Tests.Http.HttpBytes;

namespace IoTGuard.Analysis.Tests.Http;

public sealed class DicomFileSessionTests
{
    [Fact]
    public void FilesHoldHoweverTheyAreCut()
    {
        var file = DicomFile("MZ");
        var log = SessionContract.Holds(() => new DicomFileSession(), [Turn.Server(file, 1)], 20);
        Assert.Contains($"bytes={file.Length} sent_by='server' sop_class='1.2.840.10008.5.1.4.1.1.2' sop_class_name='CT Image Storage' transfer_syntax='1.2.840.10008.1.2.1' source_ae='CT1' instance=",
            Assert.Single(log), StringComparison.Ordinal);
        Assert.EndsWith("preamble='portable_executable'", log[0], StringComparison.Ordinal);
        Assert.DoesNotContain("1.2.3.4.5", log[0], StringComparison.Ordinal);
    }

    [Fact]
    public void ProbesWaitOnlyForWhatCanBeAPreamble()
    {
        Assert.Equal(ProbeResult.Certain, DicomFileSession.Probe(FlowDirection.FromOriginator, Latin(DicomFile())));
        Assert.Equal(ProbeResult.Unsure, DicomFileSession.Probe(FlowDirection.FromOriginator, new byte[100]));
        Assert.Equal(ProbeResult.Unsure, DicomFileSession.Probe(FlowDirection.FromOriginator, "MZ\0\0"u8));
        Assert.Equal(ProbeResult.NotForUs, DicomFileSession.Probe(FlowDirection.FromOriginator, new byte[132]));
        Assert.Equal(ProbeResult.NotForUs, DicomFileSession.Probe(FlowDirection.FromOriginator, "SSH-2.0"u8));
        Assert.Equal(ProbeResult.NotForUs, DicomFileSession.Probe(FlowDirection.FromOriginator, [0, 0, 0, 5]));
    }
}
