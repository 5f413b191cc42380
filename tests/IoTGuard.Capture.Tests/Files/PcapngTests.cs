using IoTGuard.Wire;
using static IoTGuard.Capture.Tests.Files.CaptureBytes;

namespace IoTGuard.Capture.Tests.Files;

public sealed class PcapngTests
{
    private const ulong Stamp = 1_700_000_000_123_456;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EveryKindOfPacketBlockIsRead(bool bigEndian)
    {
        var capture = new CaptureBytes(bigEndian).Section().Interface(snapLength: 20).Interface(link: 101)
            .Enhanced(0, Stamp, Frame(61), wireLength: 1500, options: [0, 0, 0, 0])
            .Enhanced(1, Stamp + 1, Frame(7))
            .OldPacket(1, Stamp + 2, Frame(9))
            .Simple(Frame(20), wireLength: 900)
            .Simple(Frame(5), wireLength: 5)
            .ToArray();

        var (frames, problems, _) = Frames.Read(capture);

        Assert.Empty(problems);
        const long ns = (long)Stamp * 1000;
        Assert.Equal(
        [
            new(ns, 1500, LinkType.Ethernet, 0, Frame(61)),
            new(ns + 1000, 7, LinkType.Raw, 0, Frame(7)),
            new(ns + 2000, 9, LinkType.Raw, 0, Frame(9)),
            new(ns + 2000, 900, LinkType.Ethernet, 0, Frame(20)),
            new(ns + 2000, 5, LinkType.Ethernet, 0, Frame(5)),
        ], frames);
    }

    [Theory]
    [InlineData(0, 1_700_000_000, 1_700_000_000_000_000_000)]
    [InlineData(3, 1_700_000_000_123, 1_700_000_000_123_000_000)]
    [InlineData(6, 1_700_000_000_123_456, 1_700_000_000_123_456_000)]
    [InlineData(9, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789)]
    [InlineData(10, 17_000_000_001_234_567_899, 1_700_000_000_123_456_789)]
    [InlineData(12, 1_000_000_000_999, 1_000_000_000)]
    [InlineData(0x80, 1_700_000_000, 1_700_000_000_000_000_000)]
    [InlineData(0x80 | 10, 1024 + 512, 1_500_000_000)]
    [InlineData(0x80 | 32, 1_700_000_000UL << 32 | 0x4000_0000, 1_700_000_000_250_000_000)]
    [InlineData(0x80 | 63, 1UL << 63, 1_000_000_000)]
    [InlineData(0x7F, ulong.MaxValue, 0)]
    [InlineData(0xFF, ulong.MaxValue, 0)]
    [InlineData(0, ulong.MaxValue, long.MaxValue)]
    public void StampsOfAnyResolutionBecomeNanoseconds(byte resolution, ulong stamp, long timeNs)
    {
        var capture = new CaptureBytes().Section().Interface(resolution: resolution).Enhanced(0, stamp, Frame(1)).ToArray();
        Assert.Equal(timeNs, Assert.Single(Frames.Read(capture).Frames).TimeNs);
    }

    [Theory]
    [InlineData(3600, Stamp, 1_700_003_600_123_456_000)]
    [InlineData(-3600, Stamp, 1_699_996_400_123_456_000)]
    [InlineData(long.MaxValue, 0, long.MaxValue)]
    [InlineData(long.MinValue, 0, long.MinValue)]
    public void OffsetIsAddedAndNeverOverflows(long seconds, ulong stamp, long timeNs)
    {
        var capture = new CaptureBytes().Section().Interface(resolution: 6, offsetSeconds: seconds).Enhanced(0, stamp, Frame(1)).ToArray();
        Assert.Equal(timeNs, Assert.Single(Frames.Read(capture).Frames).TimeNs);
    }

    [Fact]
    public void EachSectionHasItsOwnByteOrderAndInterfaces()
    {
        var capture = new CaptureBytes().Section().Interface(link: 113).Enhanced(0, 1, Frame(3))
            .Raw(new CaptureBytes(bigEndian: true).Section().Interface(link: 12, resolution: 9).Interface(link: 1).Enhanced(1, 2, Frame(4)).Enhanced(0, 2, Frame(5)).ToArray())
            .Raw(new CaptureBytes().Section().Interface(link: 229).Enhanced(0, 3, Frame(6)).ToArray())
            .ToArray();

        var (frames, problems, _) = Frames.Read(capture);

        Assert.Empty(problems);
        Assert.Equal([(LinkType.LinuxSll, 1000L), (LinkType.Ethernet, 2000), (LinkType.RawBsd, 2), (LinkType.Ipv6, 3000)], frames.Select(static f => (f.Link, f.TimeNs)));
    }

    [Fact]
    public void UnknownBlocksAreSkippedWhateverTheirSize()
    {
        var capture = new CaptureBytes().Section().Interface()
            .Block(0xBAD, static b => b.Raw(new byte[3_000_000]))
            .Enhanced(0, 1, Frame(3))
            .Block(5, static b => b.Raw(new byte[20]))
            .ToArray();

        foreach (var piece in (int[])[int.MaxValue, 4099])
        {
            using var pipe = Frames.Source(capture, piece);
            Assert.Single(Frames.All(pipe));
            Assert.Empty(pipe.Problems);
        }

        using var file = new TemporaryFile(capture);
        using var source = CaptureFile.Open(file.Path);
        Assert.Single(Frames.All(source));
        Assert.Empty(source.Problems);
    }

    public static TheoryData<string, byte[]> Damages()
    {
        var good = Frame(100);
        return new()
        {
            { "interface 5", new CaptureBytes().Section().Interface().Enhanced(5, 1, good).ToArray() },
            { "does not fit", new CaptureBytes().Section().Interface().Block(6, static b => b.U32(0).U32(0).U32(0).U32(9).U32(9).Raw(1, 2)).ToArray() },
            { "MaxFrameLength", new CaptureBytes().Section().Interface().Block(6, static b => b.U32(0).U32(0).U32(0).U32(262_145).U32(9)).ToArray() },
            { "too short", new CaptureBytes().Section().Interface().Block(6, static b => b.U32(0)).ToArray() },
            { "too short", new CaptureBytes().Section().Interface().Block(2, static b => b.U32(0)).ToArray() },
            { "too short", new CaptureBytes().Section().Interface().Block(3, static _ => { }).ToArray() },
            { "does not fit", new CaptureBytes().Section().Interface().Simple(good, wireLength: 101).ToArray() },
            { "too short", new CaptureBytes().Section().Interface().Block(1, static b => b.U32(0)).ToArray() },
        };
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public void DamageInsideABlockCostsThatBlockOnly(string reason, byte[] start)
    {
        var capture = new CaptureBytes().Raw(start).Enhanced(0, 1, Frame(3)).ToArray();

        var (frames, problems, unread) = Frames.Read(capture);

        Assert.Single(frames);
        Assert.Contains(reason, Assert.Single(problems).Reason);
        Assert.InRange(unread, 12, start.Length);
    }

    [Theory]
    [InlineData(4, 13u, "multiple of 4")]
    [InlineData(4, 8u, "multiple of 4")]
    [InlineData(4, 0x0100_0000u + 4, "MaxBlockLength")]
    [InlineData(-4, 12u, "behind")]
    public void WrongBlockLengthEndsTheReadingThere(int at, uint value, string reason)
    {
        var start = new CaptureBytes().Section().Interface().Enhanced(0, 1, Frame(3)).ToArray();
        var block = new CaptureBytes().Enhanced(0, 1, Frame(3)).ToArray();
        BitConverter.TryWriteBytes(block.AsSpan(at < 0 ? block.Length + at : at), value);

        var (frames, problems, unread) = Frames.Read([.. start, .. block]);

        Assert.Single(frames);
        var problem = Assert.Single(problems);
        Assert.Equal(start.Length, problem.Offset);
        Assert.Contains(reason, problem.Reason);
        Assert.Equal(block.Length, unread);
    }

    [Fact]
    public void FramesBeforeAnyInterfaceAreProblems()
    {
        var capture = new CaptureBytes().Section().Simple(Frame(4), 4).Enhanced(0, 1, Frame(4)).ToArray();
        var (frames, problems, _) = Frames.Read(capture);
        Assert.Empty(frames);
        Assert.Equal(2, problems.Count);
    }

    [Fact]
    public void ProblemsAreBounded()
    {
        var bytes = new CaptureBytes().Section().Interface();
        for (var i = 0; i < 5000; i++)
            bytes.Enhanced(1, 1, Frame(4));
        var (_, problems, _) = Frames.Read(bytes.ToArray());
        Assert.Equal(CaptureLimits.MaxProblems, problems.Count);
        Assert.StartsWith("4901 further problems", problems[^1].Reason);
    }

    [Fact]
    public void InterfacesAreBounded()
    {
        var bytes = new CaptureBytes().Section();
        for (var i = 0; i < CaptureLimits.MaxInterfaces + 1; i++)
            bytes.Interface();
        bytes.Enhanced(CaptureLimits.MaxInterfaces - 1, 1, Frame(4)).Enhanced(CaptureLimits.MaxInterfaces, 1, Frame(4));
        var (frames, problems, _) = Frames.Read(bytes.ToArray());
        Assert.Single(frames);
        Assert.Equal(2, problems.Count);
    }
}
