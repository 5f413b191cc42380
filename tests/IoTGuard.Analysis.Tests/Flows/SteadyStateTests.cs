using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Streams;
using IoTGuard.TestSupport;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Tests.Flows;

/// <summary>What packets cost: no allocation once flows are known, and bounded memory whatever comes.</summary>
[Collection(Alone.Name)]
public sealed class SteadyStateTests
{
    [Fact]
    public void PacketsOfKnownFlowsAllocateNothing()
    {
        var capture = new Capture();
        var connections = Enumerable.Range(0, 50)
            .Select(i => new Connection(capture) { Template = new Packet { SourcePort = 2000 + i, DestinationPort = i % 2 == 0 ? 104 : 9999 } }.Handshake())
            .ToArray();
        for (var round = 0; round < 120; round++)
        {
            foreach (var connection in connections)
            {
                // Every third segment comes late, so that out-of-order buffers are used too.
                var start = connection.Client;
                connection.Client += 300;
                if (round % 3 == 0)
                    capture.Add(connection.Make(true, TcpFlags.Ack, start + 150, new byte[150]), 1000);
                capture.Add(connection.Make(true, TcpFlags.Ack, start, new byte[150]), 1000);
                if (round % 3 != 0)
                    capture.Add(connection.Make(true, TcpFlags.Ack, start + 150, new byte[150]), 1000);
                connection.FromServer(new byte[20]);
                capture.Add(new Packet { Protocol = 17, SourcePort = connection.Template.SourcePort, Payload = new byte[round + 1] }, 1000);
            }
        }

        var sensor = new Sensor(
            Runs.Options,
            [new("counted", static (_, _) => ProbeResult.Certain, static () => new CountingSession(), [])],
            []);
        var output = new EventBatch();
        var batches = Batches(capture);
        var half = batches.Count / 2;
        var allocations = Allocations.Start();
        for (var i = 0; i < batches.Count; i++)
        {
            if (i == half)
                allocations = Allocations.Start();
            var (batch, clocks, mine) = batches[i];
            sensor.Process(batch, clocks, mine, output);
            sensor.Advance(clocks[^1], output);
            output.Clear();
        }

        Assert.Equal(0, allocations.Bytes);
        Assert.Equal(50, sensor.Counters.Sessions);
        Assert.True(sensor.Counters.OutOfOrder > 1000);
    }

    [Fact]
    public void MillionFlowsStayWithinSevenHundredBytesEach()
    {
        const int Flows = 1_000_000;
        var sensor = new Sensor(Runs.Options with { MaximumFlows = Flows * 2 });
        var output = new EventBatch();
        var template = new Packet { Protocol = 17, DestinationPort = 53 }.Build();
        var batch = new FrameBatch();
        var mine = Enumerable.Range(0, FrameBatch.Capacity).Select(i => (ushort)i).ToArray();
        var clocks = new long[FrameBatch.Capacity];
        Array.Fill(clocks, Capture.Start);
        var memory = new byte[template.Length * FrameBatch.Capacity];
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var first = 0; first < Flows; first += FrameBatch.Capacity)
        {
            batch.Reset(memory, null);
            batch.FirstFrame = first;
            for (var i = 0; i < FrameBatch.Capacity; i++)
            {
                var frame = memory.AsSpan(i * template.Length, template.Length);
                template.CopyTo(frame);
                System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame[26..], first + i);
                batch.Add(new FrameHeader(Capture.Start, i * template.Length, template.Length, template.Length, LinkType.Ethernet));
            }

            sensor.Process(batch, clocks, mine, output);
            output.Clear();
        }

        output = new EventBatch();
        var bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(sensor.Counters.FlowsOpened >= Flows);
        Assert.Equal(0, sensor.Counters.FlowsEvicted);
        Assert.InRange(bytes / sensor.Counters.FlowsOpened, 100, 700);
        GC.KeepAlive(sensor);
    }

    [Fact]
    public void TinySegmentsOutOfOrderAreHeldWithinTheirLimitsAndTold()
    {
        var capture = new Capture();
        var connection = new Connection(capture).Handshake();
        for (var i = 0; i < 20_000; i++)
            capture.Add(connection.Make(true, TcpFlags.Ack, connection.Client + 10 + (2 * (uint)i), [(byte)i]), 1000);
        var recorder = new Recorder();
        var outcome = capture.Run(protocols: recorder.Rows);

        // A byte, a hole, a byte: nothing is lost but what never came.
        Assert.Equal(20_000, recorder.Shown[0].Count(b => b >= 0));
        Assert.Equal(10 + 19_999, recorder.Shown[0].Count(b => b < 0));
        Assert.True(outcome.Counters.OutOfOrderDropped > 0);
        Assert.True(outcome.Faults.Count <= FlowLimits.MaximumFaultsPerFlow);
        Assert.True(outcome.Counters.FaultsSuppressed > 0);
    }

    [Fact]
    public void SessionThatNeverConsumesLosesBytesAtTheLimit()
    {
        var capture = new Capture();
        var connection = new Connection(capture).Handshake();
        for (var i = 0; i < 400; i++)
            connection.FromClient(new byte[1400]);
        var recorder = new Recorder { Take = static (_, _) => new StreamProgress(0, 300_000) };
        var outcome = capture.Run(protocols: recorder.Rows);
        Assert.Equal(2, outcome.Counters.PendingOverflows);
        Assert.InRange(recorder.Calls, 1, 5);
    }

    private static List<(FrameBatch Batch, long[] Clocks, ushort[] Mine)> Batches(Capture capture)
    {
        var batches = new List<(FrameBatch, long[], ushort[])>();
        for (var first = 0; first < capture.Frames.Count; first += FrameBatch.Capacity)
        {
            var frames = capture.Frames.GetRange(first, Math.Min(FrameBatch.Capacity, capture.Frames.Count - first));
            var batch = new FrameBatch { FirstFrame = first };
            batch.Reset(frames.SelectMany(f => f.Frame).ToArray(), null);
            var offset = 0;
            foreach (var (time, frame, wire) in frames)
            {
                batch.Add(new FrameHeader(time, offset, frame.Length, wire, LinkType.Ethernet));
                offset += frame.Length;
            }

            batches.Add((batch, [.. frames.Select(f => f.TimeNs)], [.. Enumerable.Range(0, frames.Count).Select(i => (ushort)i)]));
        }

        return batches;
    }

    /// <summary>Consumes in units of 64 bytes, so that there is always something pending.</summary>
    private sealed class CountingSession : StreamSession
    {
        public override ApplicationProtocol Protocol => ApplicationProtocol.Dicom;

        public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data) => new(data.Length & ~63, 64);

        public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
        {
        }

        public override void OnEnd(SessionContext context)
        {
        }

        public override void Reset()
        {
        }
    }
}
