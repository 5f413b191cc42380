using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Tests.Streams;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Tests.Flows;

/// <summary>Flows end and report exactly when they are due in packet time, and the table stays within its size.</summary>
public sealed class TimeoutTests
{
    private static readonly Packet Udp = new() { Protocol = 17, DestinationPort = 53 };
    private static readonly SensorOptions Options = Runs.Options with
    {
        IdleTimeoutNs = 10 * Capture.Second,
        EstablishedIdleTimeoutNs = 100 * Capture.Second,
        ActiveTimeoutNs = 4 * Capture.Second,
    };

    [Fact]
    public void IdleFlowEndsAtItsLastPacketPlusTheTimeout()
    {
        var capture = new Capture().Add(Udp).Add(Udp, 3 * Capture.Second).Add(Udp with { Source = "10.9.9.9" }, 500 * Capture.Second);
        var outcome = capture.Run(Options);
        var (key, _, flow) = outcome.Flows.First(f => f.Kind == SensorEventKind.FlowClosed);
        Assert.Equal(FlowEndReason.Idle, flow.End);
        Assert.Equal(capture.Frames[1].TimeNs + Options.IdleTimeoutNs, key.TimeNs);
        Assert.Equal(0, key.Frame);
        Assert.Equal(2, flow.FromOriginator.Packets);
        Assert.Equal(1, flow.IdlePeriods);
        Assert.Equal(3, flow.IdleSeconds, 6);
    }

    [Fact]
    public void PacketAfterTheTimeoutBeginsANewFlow()
    {
        var outcome = new Capture().Add(Udp).Add(Udp, 10 * Capture.Second).Add(Udp, (10 * Capture.Second) - 1).Run(Options);
        Assert.Equal([1, 2], outcome.Closed.Select(f => f.FromOriginator.Packets));
        Assert.Equal([FlowEndReason.Idle, FlowEndReason.EndOfCapture], outcome.Closed.Select(f => f.End));
    }

    [Theory]
    [InlineData(false, FlowEndReason.EndOfCapture)]
    [InlineData(true, FlowEndReason.Idle)]
    public void SessionsAreToldWhyTheirFlowEnds(bool waits, FlowEndReason expected)
    {
        var capture = new Capture();
        new Connection(capture).Handshake().FromClient("a"u8);
        if (waits)
            capture.Add(Udp, 500 * Capture.Second);
        var recorder = new Recorder();
        capture.Run(Options, recorder.Rows);
        Assert.Equal([expected], recorder.Ends);
    }

    [Fact]
    public void EstablishedConnectionWaitsLonger()
    {
        var capture = new Capture();
        new Connection(capture).Handshake().FromClient("a"u8);
        capture.Now += 50 * Capture.Second;
        capture.Add(Udp);
        capture.Now += 60 * Capture.Second;
        capture.Add(Udp with { Source = "10.9.9.9" });
        var tcp = capture.Run(Options).Flows.Single(f => f.Kind == SensorEventKind.FlowClosed && f.Flow.IpProtocol == 6);
        Assert.Equal(capture.Frames[3].TimeNs + Options.EstablishedIdleTimeoutNs, tcp.Key.TimeNs);
    }

    [Fact]
    public void ActiveFlowReportsAtEachTimeoutWithPackets()
    {
        var capture = new Capture();
        for (var i = 0; i < 10; i++)
            capture.Add(Udp, Capture.Second);
        capture.Add(Udp, 9 * Capture.Second);
        var outcome = capture.Run(Options);
        var updates = outcome.Flows.Where(f => f.Kind == SensorEventKind.FlowUpdated).ToArray();
        var first = capture.Frames[0].TimeNs;

        // Due after 4, 8 and 12 s; nothing new came by 16 s.
        Assert.Equal([first + (4 * Capture.Second), first + (8 * Capture.Second), first + (12 * Capture.Second)], updates.Select(u => u.Key.TimeNs));
        Assert.Equal([4, 8, 10], updates.Select(u => u.Flow.FromOriginator.Packets));
        Assert.All(updates, u => Assert.Equal(FlowEndReason.Active, u.Flow.End));
    }

    [Fact]
    public void TimestampsThatGoBackDoNotMoveTheClockBack()
    {
        var capture = new Capture().Add(Udp).Add(Udp with { Source = "10.9.9.9" }, 20 * Capture.Second).Add(Udp, -15 * Capture.Second);
        var outcome = capture.Run(Options);
        Assert.Equal(3, outcome.Closed.Count);
        Assert.Contains(outcome.Closed, f => f.FirstNs == capture.Frames[2].TimeNs);
    }

    [Fact]
    public void FullTableGivesUpTheLongestIdleFlowAndKeepsEstablishedOnes()
    {
        var capture = new Capture();
        var connection = new Connection(capture).Handshake();
        for (var i = 0; i < 20_000; i++)
            capture.Add(Udp with { SourcePort = 1024 + i }, 1000);
        connection.FromClient("still here"u8).FromServer("me too"u8);
        var outcome = capture.Run(Options with { MaximumFlows = 256 });
        Assert.InRange(outcome.Counters.FlowsEvicted, 20_001 - 256, 20_001);
        Assert.Equal(3, Assert.Single(outcome.Closed, f => f.IpProtocol == 6).FromOriginator.Packets);

        // The longest idle go first, in every shard.
        var evicted = outcome.Closed.Where(f => f.End == FlowEndReason.Evicted).ToArray();
        foreach (var flow in evicted)
            Assert.Equal(1, flow.FromOriginator.Packets);
        Assert.True(evicted.Max(f => f.FirstFrame) < outcome.Closed.Where(f => f.End == FlowEndReason.EndOfCapture).Max(f => f.FirstFrame));
    }

    [Fact]
    public void EveryTargetOfArpRequestsIsToldOncePerMinute()
    {
        var capture = new Capture();
        for (var round = 0; round < 3; round++)
        {
            for (byte target = 2; target < 202; target++)
                capture.AddFrame(Request(target), 20 * Capture.Second / 200);
        }

        var outcome = capture.Run(Options, workers: 3);
        Assert.Equal(Enumerable.Range(2, 200), outcome.Neighbors.Select(n => (int)(n.Neighbor.Target.Low & 0xFF)));

        static byte[] Request(byte target) =>
        [
            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1,
            2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, target,
        ];
    }

    [Fact]
    public void ArpSendersAreToldOncePerMinuteAndAtEveryChange()
    {
        var capture = new Capture();
        for (var i = 0; i < 130; i++)
            capture.AddFrame(Arp(1), Capture.Second);
        capture.AddFrame(Arp(2)).AddFrame(Arp(1));
        var outcome = capture.Run(Options, workers: 3);
        Assert.Equal([1, 1, 1, 2, 1], outcome.Neighbors.Select(n => (int)(n.Neighbor.Mac.Value & 0xFF)));
        Assert.True(outcome.Neighbors[0].Neighbor.IsReply);
        Assert.Equal("10.0.0.1", outcome.Neighbors[0].Neighbor.Address.ToString());

        static byte[] Arp(byte mac) =>
        [
            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0, mac, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2,
            2, 0, 0, 0, 0, mac, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2,
        ];
    }
}
