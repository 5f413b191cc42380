using IoTGuard.Capture.Files;
using IoTGuard.Wire;
using static IoTGuard.Capture.Tests.Files.CaptureBytes;

namespace IoTGuard.Capture.Tests.Files;

public sealed class MergeTests
{
    [Fact]
    public void FramesComeInTheOrderOfTimeAndTiesInTheOrderOfArguments()
    {
        var random = new Random(11);
        var captures = new List<byte[]>();
        var expected = new List<(long TimeNs, int Argument, Captured Frame)>();
        for (var argument = 0; argument < 5; argument++)
        {
            var bytes = new CaptureBytes().PcapHeader(link: argument == 4 ? 113u : 1u);
            var seconds = 0u;
            for (var i = 0; i < 3000; i++)
            {
                seconds += (uint)random.Next(3);
                var frame = Frame(random.Next(1500), (byte)argument);
                bytes.PcapRecord(seconds, 0, frame);
                expected.Add((seconds, argument, new(seconds * 1_000_000_000L, frame.Length, argument == 4 ? LinkType.LinuxSll : LinkType.Ethernet, 0, frame)));
            }

            captures.Add(bytes.ToArray());
        }

        using var merged = new MergedSource([.. captures.Select(static c => Frames.Source(c))]);

        Assert.Equal(expected.OrderBy(static e => e.TimeNs).ThenBy(static e => e.Argument).Select(static e => e.Frame), Frames.All(merged));
    }

    [Fact]
    public void DisorderInsideACaptureStays()
    {
        var first = new CaptureBytes().PcapHeader().PcapRecord(5, 0, Frame(1)).PcapRecord(2, 0, Frame(2)).PcapRecord(9, 0, Frame(3)).ToArray();
        var second = new CaptureBytes().PcapHeader().PcapRecord(3, 0, Frame(4)).PcapRecord(6, 0, Frame(5)).ToArray();
        using var merged = new MergedSource([Frames.Source(first), Frames.Source(second)]);
        Assert.Equal([4, 1, 2, 5, 3], Frames.All(merged).Select(static f => f.WireLength));
    }

    [Fact]
    public void ProblemsAndCountersAreThoseOfAll()
    {
        var good = new CaptureBytes().PcapHeader().PcapRecord(5, 0, Frame(10)).ToArray();
        using var merged = new MergedSource([Frames.Source(good), Frames.Source(good[..^1]), Frames.Source(good[..24])]);
        Assert.Single(Frames.All(merged));
        Assert.Single(merged.Problems);
        Assert.Equal(25, merged.Statistics.UnreadBytes);
    }

    [Fact]
    public void BatchesInFlightAreNotOverwritten()
    {
        var bytes = new CaptureBytes().PcapHeader();
        for (var i = 0; i < 9000; i++)
            bytes.PcapRecord((uint)i, 0, Frame(1000, (byte)i));
        using var merged = new MergedSource([Frames.Source(bytes.ToArray()), Frames.Source(bytes.ToArray())]);
        var batches = new List<FrameBatch>();
        for (var batch = new FrameBatch(); merged.Read(batch); batch = new FrameBatch())
            batches.Add(batch);

        foreach (var batch in batches)
        {
            for (var i = 0; i < batch.Count; i++)
            {
                var frame = batch.Frames[i];
                Assert.True(batch.Memory.Span.Slice(frame.Offset, frame.Length).SequenceEqual(Frame(1000, (byte)((batch.FirstFrame + i) / 2))));
            }

            batch.Release();
        }

        Assert.Equal(18_000, merged.Statistics.Frames);
    }

    [Fact]
    public void ManyFilesOneAfterTheOtherTakeTheMemoryOfFew()
    {
        // As tcpdump -G leaves them: each begins where the one before ends. One is given packed, one is empty, and the arguments are in no order.
        const int files = 120, framesEach = 20;
        var held = new List<TemporaryFile>();
        try
        {
            for (var i = 0; i < files; i++)
            {
                var bytes = new CaptureBytes().PcapHeader();
                for (var n = 0; n < framesEach; n++)
                    bytes.PcapRecord((uint)((i * framesEach) + n), 0, Frame(100, (byte)n));
                held.Add(new TemporaryFile(i == 7 ? Gzip(bytes.ToArray()) : bytes.ToArray()));
            }

            held.Add(new TemporaryFile(new CaptureBytes().PcapHeader().ToArray()));
            var before = BufferPool.Created;
            using var merged = new MergedSource([.. held.Select(static f => f.Path).Order(StringComparer.Ordinal).Select(CaptureFile.Open)]);
            Assert.Equal(Enumerable.Range(0, files * framesEach).Select(static s => s * 1_000_000_000L), Frames.All(merged).Select(static f => f.TimeNs));
            Assert.Empty(merged.Problems);
            Assert.InRange(BufferPool.Created - before, 0, 50);
        }
        finally
        {
            held.ForEach(static f => f.Dispose());
        }
    }

    [Fact]
    public void SingleSourceIsPassedThrough()
    {
        var bytes = new CaptureBytes().PcapHeader().PcapRecord(5, 0, Frame(10)).ToArray();
        using var direct = Frames.Source(bytes);
        using var merged = new MergedSource([Frames.Source(bytes)]);
        Assert.Equal(Frames.All(direct), Frames.All(merged));
    }
}
