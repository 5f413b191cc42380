using System.Diagnostics;
using IoTGuard.Capture.Tests.Files;
using IoTGuard.TestSupport;
using IoTGuard.Wire;
using static IoTGuard.Capture.Tests.Files.CaptureBytes;

namespace IoTGuard.Capture.Tests.Live;

/// <summary>Rings on a cable of our own, with frames that tcpreplay sends.</summary>
[Collection(Alone.Name)]
public sealed class PacketRingTests
{
    /// <summary>The rate at which nothing may be lost on a machine of two cores that does other things too, frames per second.</summary>
    private const int Rate = 20_000;

    /// <summary>After this time a frame that has not come is lost.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public void EveryFrameArrivesOnceInOrderAndUnchanged()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var ring = network.OpenOne();
        var random = new Random(5);
        var frames = Enumerable.Range(0, Rate).Select(i => Ethernet(random.Next(60, 1515), i)).ToArray();
        var before = DateTimeOffset.UtcNow;

        network.Replay(Recording(frames), $"--pps={Rate}");

        var received = Drain(ring);
        Assert.All(received, f => Assert.Equal(frames[Number(f.Bytes)], f.Bytes));
        Assert.Equal(received.Select(static f => Number(f.Bytes)).Distinct().Order(), received.Select(static f => Number(f.Bytes)));
        // A machine that is busy otherwise may lose some on the cable, which no socket can know.
        Assert.Equal(Rate - network.LostOnCable(), received.Count);
        Assert.All(received, f => Assert.Equal((f.Bytes.Length, LinkType.Ethernet, 0u), (f.WireLength, f.Link, f.AuxVlan)));
        Assert.Equal(received.Select(static f => f.TimeNs).Order(), received.Select(static f => f.TimeNs));
        Assert.InRange(received[0].TimeNs, before.ToUnixTimeMilliseconds() * 1_000_000, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000_000);
        Assert.Contains(received, static f => f.TimeNs % 1000 != 0);
        Assert.Equal((received.Count, 0L), (ring.Statistics.Frames, ring.Statistics.KernelDrops));
        Assert.Empty(ring.Problems);
        Assert.Null(ring.Progress);
    }

    [Fact]
    public void RealTrafficArrivesAsItWasRecorded()
    {
        var path = Repository.SharedDataOrSkip("captures", "tapirx", "testdata", "HL7-ADT.pcap");
        using var network = TestNetwork.CreateOrSkip();
        using var ring = network.OpenOne();
        using var file = CaptureFile.Open(path);
        var recorded = Frames.All(file);
        var canBeSent = recorded.TrueForAll(static f => f.Link == LinkType.Ethernet && f.Bytes.Length == f.WireLength);
        Assert.SkipUnless(canBeSent, "tcpreplay sends whole Ethernet frames only");

        network.ReplayFile(path, "--topspeed");

        Assert.Equal(recorded.Select(static f => f.Bytes), Drain(ring).Select(static f => f.Bytes));
    }

    [Fact]
    public void TagsThatTheKernelTakesAwayAreKeptBeside()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var ring = network.OpenOne();
        byte[] plain = Ethernet(80, 1), tagged = Tag(plain, 0x8100, 0x6064), priority = Tag(plain, 0x8100, 0);
        var twice = Tag(Tag(plain, 0x8100, 7), 0x88A8, 0x0FFF);

        network.Replay(Recording(plain, tagged, twice, priority));

        Assert.Equal(
            [(0u, plain), (0x8100_6064u, plain), (0x88A8_0FFFu, Tag(plain, 0x8100, 7)), (0x8100_0000u, plain)],
            Drain(ring).Select(static f => (f.AuxVlan, f.Bytes)),
            static (a, b) => a.Item1 == b.Item1 && a.Item2.AsSpan().SequenceEqual(b.Item2));
    }

    [Fact]
    public void WhatDoesNotFitIsCounted()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var ring = network.Open(new("mon") { BlockBytes = PacketRingOptions.MinBlockBytes, BlockCount = 2 })[0];

        // Nobody reads meanwhile, and the ring holds 256 KiB.
        network.Replay(Recording([.. Enumerable.Range(0, 2000).Select(static i => Ethernet(1000, i))]));
        var drops = ring.Statistics.KernelDrops;
        var received = Drain(ring);

        Assert.InRange(received.Count, 100, 300);
        Assert.Equal(2000 - network.LostOnCable() - received.Count, drops);
        Assert.Equal(drops, ring.Statistics.KernelDrops);
        Assert.InRange(ring.Freezes, 1, 2000);
    }

    [Fact]
    public async Task BlocksReturnToTheKernelWhenTheirBatchesAreReleased()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var ring = network.Open(new("mon") { BlockBytes = PacketRingOptions.MinBlockBytes, BlockCount = 4 })[0];
        // Ten times what the ring holds, in portions that it holds.
        var numbers = new List<int>();
        for (var round = 0; round < 10; round++)
        {
            network.Replay(Recording([.. Enumerable.Range(round * 200, 200).Select(static i => Ethernet(1000, i))]));
            var clock = Stopwatch.StartNew();
            while (numbers.Count < (round + 1) * 200 && clock.Elapsed < Patience)
            {
                var batch = new FrameBatch();
                Assert.True(ring.Read(batch));
                numbers.AddRange(Numbers(batch));
                await Task.Run(batch.Release, TestContext.Current.CancellationToken);
            }
        }

        Assert.Equal(Enumerable.Range(0, 2000), numbers);
        Assert.Equal(0, ring.Statistics.KernelDrops);
    }

    [Fact]
    public void BatchOutlivesItsRing()
    {
        using var network = TestNetwork.CreateOrSkip();
        var ring = network.OpenOne();
        network.Replay(Recording(Ethernet(100, 42)));
        var batch = new FrameBatch();
        for (var clock = Stopwatch.StartNew(); batch.Count == 0 && clock.Elapsed < Patience;)
            Assert.True(ring.Read(batch));

        ring.Dispose();

        Assert.Equal([42], Numbers(batch));
        batch.Release();
        Assert.False(ring.Read(batch));
    }

    [Fact]
    public void MoreFramesThanABatchHoldsComeInSeveral()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var ring = network.Open(new("mon") { BlockBytes = 4 << 20, BlockCount = 4, BlockTimeout = TimeSpan.FromMilliseconds(500) })[0];
        network.Replay(Recording([.. Enumerable.Range(0, 10_000).Select(static i => Ethernet(60, i))]), "--topspeed");
        var numbers = Drain(ring).ConvertAll(static f => Number(f.Bytes));
        Assert.Equal(10_000 - network.LostOnCable(), numbers.Count);
        Assert.Equal(numbers.Distinct().Order(), numbers);
    }

    [Fact]
    public void QuietInterfaceGivesEmptyBatches()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var ring = network.OpenOne();
        var batch = new FrameBatch();
        var clock = Stopwatch.StartNew();
        Assert.True(ring.Read(batch));
        Assert.Equal(0, batch.Count);
        Assert.InRange(clock.ElapsedMilliseconds, 50, 5000);
    }

    [Fact]
    public void InterfaceThatGoesDownIsWaitedFor()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var ring = network.OpenOne();
        var batch = new FrameBatch();

        Assert.Equal(0, network.IpInside("link", "set", "mon", "down"));
        for (var i = 0; i < 3; i++)
        {
            Assert.True(ring.Read(batch));
            Assert.Equal(0, batch.Count);
        }

        Assert.Contains("down", Assert.Single(ring.Problems).Reason);
        Assert.Equal(0, network.IpInside("link", "set", "mon", "up"));
        network.Replay(Recording(Ethernet(100, 9)));
        Assert.Equal([9], Drain(ring).Select(static f => Number(f.Bytes)));
    }

    [Fact]
    public void InterfaceThatIsDownMayBeOpened()
    {
        using var network = TestNetwork.CreateOrSkip();
        Assert.Equal(0, network.IpInside("link", "set", "mon", "down"));
        using var ring = network.OpenOne();
        Assert.True(ring.Read(new FrameBatch()));
        Assert.Equal(0, network.IpInside("link", "set", "mon", "up"));
        network.Replay(Recording(Ethernet(100, 9)));
        Assert.Equal([9], Drain(ring).Select(static f => Number(f.Bytes)));
    }

    [Fact]
    public void InterfaceThatIsRemovedEndsTheReading()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var ring = network.OpenOne();
        Assert.Equal(0, network.IpInside("link", "del", "mon"));
        var batch = new FrameBatch();
        for (var i = 0; i < 20 && ring.Read(batch); i++)
            batch.Release();
        Assert.False(network.Inside(() => ring.Read(batch)));
        Assert.Contains("removed", ring.Problems[^1].Reason);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void BothDirectionsOfAFlowComeToTheSameRing(bool tagged)
    {
        using var network = TestNetwork.CreateOrSkip();
        var rings = network.Open(new("mon") { BlockCount = 8 }, rings: 4);
        var frames = new List<byte[]>();
        for (var flow = 0; flow < 400; flow++)
        {
            frames.Add(Tcp(flow, toServer: true));
            frames.Add(Tcp(flow, toServer: false));
            frames.Add(Tcp(flow, toServer: true));
        }

        network.Replay(Recording([.. frames.Select(f => tagged ? Tag(f, 0x8100, 5) : f)]));

        var ringsOfFlow = new Dictionary<int, HashSet<int>>();
        var received = 0;
        for (var i = 0; i < rings.Count; i++)
        {
            var some = Drain(rings[i]);
            Assert.InRange(some.Count, 100, 900);
            received += some.Count;
            foreach (var frame in some)
            {
                var flow = FlowOf(frame.Bytes);
                if (!ringsOfFlow.TryGetValue(flow, out var seen))
                    ringsOfFlow.Add(flow, seen = []);
                seen.Add(i);
            }

            rings[i].Dispose();
        }

        Assert.Equal(frames.Count, received);
        Assert.Equal(400, ringsOfFlow.Count);
        Assert.All(ringsOfFlow.Values, static seen => Assert.Single(seen));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhatDoesNotFitGoesToAnotherRingOnRequest(bool rollover)
    {
        using var network = TestNetwork.CreateOrSkip();
        var rings = network.Open(new("mon") { BlockBytes = PacketRingOptions.MinBlockBytes, BlockCount = 16, Rollover = rollover }, rings: 2);

        // One flow, more than one ring holds and less than both do, and nobody reads meanwhile.
        var padding = new byte[940];
        network.Replay(Recording([.. Enumerable.Repeat((byte[])[.. Tcp(1, toServer: true), .. padding], 2200)]), $"--pps={Rate}");

        var counts = rings.Select(static ring => Drain(ring).Count).ToArray();
        var drops = rings.Sum(static ring => ring.Statistics.KernelDrops);
        foreach (var ring in rings)
            ring.Dispose();
        Assert.Equal(2200 - network.LostOnCable(), counts.Sum() + drops);
        Assert.True(rollover == (drops == 0), $"{string.Join(' ', counts)} received, {drops} dropped");
        Assert.Equal(rollover, counts.All(static count => count > 0));
    }

    [Fact]
    public void FramesAsLargeAsOffloadingMakesThemAreWhole()
    {
        using var network = TestNetwork.CreateOrSkip();
        Assert.Equal(0, network.IpInside("link", "set", "mon", "mtu", "65535"));
        Assert.Equal(0, network.IpInside("link", "set", "gen", "mtu", "65535"));
        using var ring = network.Open(new("mon") { BlockBytes = PacketRingOptions.MinBlockBytes })[0];
        byte[][] frames = [.. Enumerable.Range(0, 30).Select(static i => Ethernet(65_000 + i, i))];
        network.Replay(Recording(frames));
        Assert.Equal(frames, Drain(ring).Select(static f => f.Bytes));
    }

    [Fact]
    public void LoopbackFramesAreSeenOnce()
    {
        using var network = TestNetwork.CreateOrSkip();
        Assert.Equal(0, network.IpInside("link", "set", "lo", "up"));
        using var ring = network.OpenOne("lo");
        network.Inside(() =>
        {
            using var client = new System.Net.Sockets.UdpClient();
            return client.Send("hello"u8, "127.0.0.1", 40_000);
        });
        // The datagram, and the kernel's answer that nobody listens.
        Assert.Equal(2, Drain(ring).Count);
    }

    [Fact]
    public void OutgoingFramesAreLeftOutOnRequest()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var all = network.OpenOne("gen");
        using var incoming = network.Open(new("gen") { Outgoing = false })[0];
        network.Replay(Recording(Ethernet(100, 1)));
        Assert.Single(Drain(all));
        Assert.Empty(Drain(incoming));
    }

    [Fact]
    public void NothingIsAllocatedPerFrame()
    {
        using var network = TestNetwork.CreateOrSkip();
        using var ring = network.OpenOne();
        var capture = Recording([.. Enumerable.Range(0, 5000).Select(static i => Ethernet(200, i))]);
        var batch = new FrameBatch();
        var frames = 0;
        for (var round = 0; round < 2; round++)
        {
            network.Replay(capture, "--topspeed");
            var expected = (5000 * (round + 1)) - network.LostOnCable();
            var allocations = Allocations.Start();
            var clock = Stopwatch.GetTimestamp();
            while (frames < expected && Stopwatch.GetElapsedTime(clock) < Patience)
            {
                Assert.True(ring.Read(batch));
                frames += batch.Count;
                batch.Release();
            }

            var allocated = allocations.Bytes;
            Assert.Equal(expected, frames);
            // What runs for the first time may allocate once.
            if (round > 0)
                Assert.Equal(0, allocated);
        }
    }

    /// <summary>Stops a ring and reads what it holds; each frame is copied.</summary>
    internal static List<Captured> Drain(PacketRing ring)
    {
        ring.Stop();
        return Frames.All(ring);
    }

    internal static byte[] Recording(params byte[][] frames)
    {
        var bytes = new CaptureBytes().PcapHeader();
        foreach (var frame in frames)
            bytes.PcapRecord(1, 0, frame);
        return bytes.ToArray();
    }

    /// <summary>A frame of an experimental EtherType with a number in it.</summary>
    internal static byte[] Ethernet(int length, int number)
    {
        var frame = Frame(length, (byte)number);
        byte[] header = [0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x88, 0xB5];
        header.CopyTo(frame, 0);
        BitConverter.TryWriteBytes(frame.AsSpan(14), number);
        return frame;
    }

    private static int Number(ReadOnlySpan<byte> frame) => BitConverter.ToInt32(frame[14..]);

    private static List<int> Numbers(FrameBatch batch)
    {
        var numbers = new List<int>();
        foreach (var frame in batch.Frames)
            numbers.Add(Number(batch.Memory.Span[frame.Offset..]));
        return numbers;
    }

    internal static byte[] Tag(byte[] frame, ushort tpid, ushort tci) =>
        [.. frame[..12], (byte)(tpid >> 8), (byte)tpid, (byte)(tci >> 8), (byte)tci, .. frame[12..]];

    /// <summary>A TCP segment between 10.0.flow and 10.1.flow, from a port of the flow to port 104 or back.</summary>
    internal static byte[] Tcp(int flow, bool toServer)
    {
        var (high, low) = ((byte)(flow >> 8), (byte)flow);
        byte[] client = [10, 0, high, low], server = [10, 1, high, low], clientPort = [0x80, low], serverPort = [0, 104];
        return
        [
            2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0,
            0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, .. toServer ? client : server, .. toServer ? server : client,
            .. toServer ? clientPort : serverPort, .. toServer ? serverPort : clientPort, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0,
        ];
    }

    private static int FlowOf(byte[] frame) => (frame[28] << 8) | frame[29];
}
