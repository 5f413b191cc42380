using IoTGuard.Wire;
using static IoTGuard.Capture.Tests.Files.CaptureBytes;

namespace IoTGuard.Capture.Tests.Files;

public sealed class PcapTests
{
    [Theory]
    [InlineData(0xA1B2C3D4, false, 5_000_007_000)]
    [InlineData(0xA1B2C3D4, true, 5_000_007_000)]
    [InlineData(0xA1B23C4D, false, 5_000_000_007)]
    [InlineData(0xA1B23C4D, true, 5_000_000_007)]
    public void EitherByteOrderAndResolutionIsRead(uint magic, bool bigEndian, long timeNs)
    {
        var capture = new CaptureBytes(bigEndian).PcapHeader(magic).PcapRecord(5, 7, Frame(60)).PcapRecord(5, 7, Frame(30), wireLength: 1500).ToArray();

        var (frames, problems, _) = Frames.Read(capture);

        Assert.Empty(problems);
        Assert.Equal([new(timeNs, 60, LinkType.Ethernet, 0, Frame(60)), new(timeNs, 1500, LinkType.Ethernet, 0, Frame(30))], frames);
    }

    [Fact]
    public void SecondsAreUnsignedUpTo2106()
    {
        var capture = new CaptureBytes().PcapHeader().PcapRecord(uint.MaxValue, 999_999, Frame(1)).ToArray();
        Assert.Equal(4_294_967_295_999_999_000, Assert.Single(Frames.Read(capture).Frames).TimeNs);
    }

    [Fact]
    public void TheModifiedVariantHasLongerRecordHeaders()
    {
        var capture = new CaptureBytes().PcapHeader(0xA1B2CD34)
            .U32(1).U32(2).U32(3).U32(3).U32(0).U32(0).Raw(1, 2, 3)
            .U32(1).U32(3).U32(2).U32(2).U32(0).U32(0).Raw(4, 5)
            .ToArray();
        Assert.Equal([[1, 2, 3], [4, 5]], Frames.Read(capture).Frames.Select(static f => f.Bytes));
    }

    [Theory]
    [InlineData(0x0000_0071u, LinkType.LinuxSll)]
    [InlineData(0x1400_0001u, LinkType.Ethernet)] // 4 bytes of frame check sequence behind each frame
    [InlineData(0x0000_0093u, (LinkType)147)] // unknown to the decoder, which counts it
    public void FrameCheckSequenceBitsAreNotPartOfTheLinkType(uint stated, LinkType link) =>
        Assert.Equal(link, Assert.Single(Frames.Read(new CaptureBytes().PcapHeader(link: stated).PcapRecord(1, 1, Frame(9)).ToArray()).Frames).Link);

    [Fact]
    public void OldVersionsWithSwappedLengthsAreRead()
    {
        var capture = new CaptureBytes().PcapHeader(minor: 2).U32(1).U32(0).U32(100).U32(2).Raw(1, 2).ToArray();
        var frame = Assert.Single(Frames.Read(capture).Frames);
        Assert.Equal((2, 100), (frame.Bytes.Length, frame.WireLength));
    }

    [Fact]
    public void ImpossibleLengthEndsTheReadingThere()
    {
        var capture = new CaptureBytes().PcapHeader().PcapRecord(1, 1, Frame(9)).U32(1).U32(1).U32(262_145).U32(262_145).Raw(Frame(500)).ToArray();

        var (frames, problems, unread) = Frames.Read(capture);

        Assert.Single(frames);
        var problem = Assert.Single(problems);
        Assert.Equal(24 + 16 + 9, problem.Offset);
        Assert.Contains("262145", problem.Reason);
        Assert.Equal(16 + 500, unread);
    }

    [Fact]
    public void LongestFrameIsRead()
    {
        var capture = new CaptureBytes().PcapHeader().PcapRecord(1, 1, Frame(262_144)).PcapRecord(1, 1, Frame(262_144, 1)).ToArray();
        Assert.Equal([262_144, 262_144], Frames.Read(capture).Frames.Select(static f => f.Bytes.Length));
    }

    [Fact]
    public void FramesAreTheSameHoweverTheBuffersFall()
    {
        // Frames of all lengths up to the longest, over several buffers.
        var bytes = new CaptureBytes().PcapHeader();
        var expected = new List<Captured>();
        for (var i = 0; i < 4000; i++)
        {
            var frame = Frame(i % 100 == 99 ? (i * 31) % 262_145 : i % 1500, (byte)i);
            bytes.PcapRecord((uint)i, 0, frame);
            expected.Add(new(i * 1_000_000_000L, frame.Length, LinkType.Ethernet, 0, frame));
        }

        using var file = new TemporaryFile(bytes.ToArray());
        using var source = CaptureFile.Open(file.Path);
        Assert.Equal(0, source.Progress!.Value, 0.5);
        Assert.Equal(expected, Frames.All(source));
        Assert.Equal(1, source.Progress);
        Assert.Empty(source.Problems);
    }

    [Fact]
    public void UnknownVersionIsAProblem()
    {
        var capture = new CaptureBytes().U32(0xA1B2C3D4).U16(3).U16(0).Raw(new byte[16]).ToArray();
        Assert.Contains("version 3.0", Assert.Single(Frames.Read(capture).Problems).Reason);
    }
}
