using IoTGuard.TestSupport;
using IoTGuard.Wire;
using static IoTGuard.Capture.Tests.Files.CaptureBytes;

namespace IoTGuard.Capture.Tests.Files;

/// <summary>Tests that run with no other beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}

/// <summary>Alone, because a garbage collection that another test causes counts as an allocation of up to 8 KiB.</summary>
[Collection(Alone.Name)]
public sealed class AllocationTests
{
    [Theory]
    [InlineData("pcap")]
    [InlineData("pcapng")]
    public void NothingIsAllocatedPerFrameOfAFile(string format)
    {
        var bytes = new CaptureBytes();
        _ = format == "pcap" ? bytes.PcapHeader() : bytes.Section().Interface();
        for (var i = 0; i < 40_000; i++)
            _ = format == "pcap" ? bytes.PcapRecord((uint)i, 0, Frame(300)) : bytes.Enhanced(0, (uint)i, Frame(300));
        using var file = new TemporaryFile(bytes.ToArray());
        // What runs for the first time may allocate once.
        using (var first = CaptureFile.Open(file.Path))
            Frames.All(first);
        using var source = CaptureFile.Open(file.Path);
        var batch = new FrameBatch();
        for (var warm = 0; warm < 3; warm++)
        {
            Assert.True(source.Read(batch));
            batch.Release();
        }

        var allocations = Allocations.Start();
        var frames = 0;
        while (source.Read(batch))
        {
            frames += batch.Count;
            batch.Release();
        }

        Assert.Equal(0, allocations.Bytes);
        Assert.InRange(frames, 20_000, 40_000);
    }

    [Fact]
    public void NothingIsAllocatedPerMergedFrame()
    {
        var bytes = new CaptureBytes().PcapHeader();
        for (var i = 0; i < 30_000; i++)
            bytes.PcapRecord((uint)i, 0, Frame(300));
        using var file = new TemporaryFile(bytes.ToArray());
        // What runs for the first time may allocate once.
        using (var first = new MergedSource([CaptureFile.Open(file.Path), CaptureFile.Open(file.Path)]))
            Frames.All(first);
        using var merged = new MergedSource([CaptureFile.Open(file.Path), CaptureFile.Open(file.Path), CaptureFile.Open(file.Path)]);
        var batch = new FrameBatch();
        for (var warm = 0; warm < 12; warm++)
        {
            Assert.True(merged.Read(batch));
            batch.Release();
        }

        var allocations = Allocations.Start();
        var frames = 0;
        while (merged.Read(batch))
        {
            frames += batch.Count;
            batch.Release();
        }

        Assert.Equal(0, allocations.Bytes);
        Assert.InRange(frames, 40_000, 90_000);
    }
}
