using System.Diagnostics;
using IoTGuard.Capture;
using IoTGuard.Capture.Tests.Files;
using IoTGuard.Capture.Tests.Live;
using IoTGuard.TestSupport;
using IoTGuard.Wire;

namespace IoTGuard.SharpPcap.Tests;

/// <summary>An interface through SharpPcap beside a packet ring on the same cable.</summary>
public sealed class LiveTests
{
    [Fact]
    public void EveryFrameIsWhatThePacketRingSees()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var ring = network.OpenOne();
        using var source = Open(network, new("mon"));

        network.ReplayFile(Repository.PathOf("captures", "web.pcapng"), "--pps=5000");

        var expected = Drain(ring);
        var received = Drain(source);
        Assert.True(expected.Count > 500);
        Assert.Equal(expected.Select(static f => (f.TimeNs, f.WireLength, f.Link, Convert.ToHexString(f.Bytes))), received.Select(static f => (f.TimeNs, f.WireLength, f.Link, Convert.ToHexString(f.Bytes))));
        Assert.Contains(received, static f => f.TimeNs % 1000 != 0);
        Assert.Equal((received.Count, 0L), (source.Statistics.Frames, source.Statistics.KernelDrops));
        Assert.Empty(source.Problems);
        Assert.Null(source.Progress);
    }

    [Fact]
    public void TagsThatTheKernelTakesAwayArePutBack()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var source = Open(network, new("mon"));
        byte[] plain = Ethernet(80, 1), tagged = [.. plain[..12], 0x81, 0x00, 0x60, 0x64, .. plain[12..]];
        network.Replay(Recording(plain, tagged));
        Assert.Equal([plain, tagged], Drain(source).Select(static f => f.Bytes));
    }

    [Fact]
    public void FilterSelects()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var source = Open(network, new("mon") { Filter = "greater 500" });
        network.Replay(Recording(Ethernet(100, 1), Ethernet(600, 2), Ethernet(100, 3)));
        Assert.Equal([600], Drain(source).Select(static f => f.Bytes.Length));
    }

    [Fact]
    public void WhatDoesNotFitIsCounted()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var source = Open(network, new("mon") { BlockBytes = PacketRingOptions.MinBlockBytes, BlockCount = 2 });
        using var ring = network.OpenOne();

        // Nobody reads meanwhile.
        network.Replay(Recording([.. Enumerable.Range(0, 5000).Select(static i => Ethernet(1000, i))]));

        var drops = source.Statistics.KernelDrops;
        var sent = Drain(ring).Count;
        var received = Drain(source).Count;
        Assert.InRange(received, 1, sent - 1);
        Assert.Equal(sent - received, drops);
        Assert.Equal(drops, source.Statistics.KernelDrops);
    }

    [Fact]
    public void QuietInterfaceGivesEmptyBatchesAndStopEnds()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var source = Open(network, new("mon"));
        var batch = new FrameBatch();
        var clock = Stopwatch.StartNew();
        Assert.True(source.Read(batch));
        Assert.Equal(0, batch.Count);
        Assert.InRange(clock.ElapsedMilliseconds, 50, 5000);
        source.Stop();
        Assert.False(source.Read(batch));
    }

    [Fact]
    public void InterfaceThatIsRemovedEndsTheReading()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var source = Open(network, new("mon"));
        Assert.Equal(0, network.IpInside("link", "del", "mon"));
        var batch = new FrameBatch();
        var reads = 0;
        while (network.Inside(() => source.Read(batch)))
            Assert.InRange(++reads, 0, 100);
        Assert.Contains("cannot be read further", Assert.Single(source.Problems).Reason);
    }

    [Fact]
    public void WhatCannotBeOpenedIsSaidWithARemedy()
    {
        using var network = TestNetwork.CreateOrSkip();
        var unknown = Assert.Throws<CaptureException>(() => Open(network, new("nosuch")));
        Assert.Contains("there is no such interface", unknown.Message);
        Assert.Contains("mon", unknown.Message);
        Assert.Contains("is not understood", Assert.Throws<CaptureException>(() => Open(network, new("mon") { Filter = "tcp prot 80" })).Message);
        Assert.Contains("MiB", Assert.Throws<CaptureException>(() => Open(network, new("mon") { BlockCount = 4096 })).Message);
    }

    private static SharpPcapSource Open(TestNetwork network, PacketRingOptions options) => network.Inside(() => SharpPcapSource.OpenInterface(options));

    private static List<Captured> Drain(ILiveSource source)
    {
        source.Stop();
        return Frames.All(source);
    }

    private static byte[] Recording(params byte[][] frames)
    {
        var bytes = new CaptureBytes().PcapHeader();
        foreach (var frame in frames)
            bytes.PcapRecord(1, 0, frame);
        return bytes.ToArray();
    }

    /// <summary>A frame of an experimental EtherType with a number in it.</summary>
    private static byte[] Ethernet(int length, int number)
    {
        var frame = CaptureBytes.Frame(length, (byte)number);
        byte[] header = [0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x88, 0xB5];
        header.CopyTo(frame, 0);
        return frame;
    }
}
