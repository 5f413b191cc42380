using System.Globalization;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Capture;
using IoTGuard.Wire;

namespace IoTGuard.Benchmarks.Loops;

/// <summary>
/// Where the time goes: passes over a capture on one thread, each with one stage more than the one before. The best of several passes counts, the
/// difference is the stage. It includes what the stages do to each other's caches. Processor time, not wall time, so that a busy machine disturbs it less.
/// What is held is the managed memory at the end of the capture, with all flows that have not ended.
/// </summary>
internal static class StageTimes
{
    private const int Rounds = 5;

    private delegate void BatchWork(FrameBatch batch, ReadOnlySpan<long> clocks, ReadOnlySpan<ushort> all, long clock);

    public static int Run(string path)
    {
        (string Name, Func<BatchWork> Begin)[] passes =
        [
            ("read", () => static (_, _, _, _) => { }),
            ("decode", Decode),
            ("flow key", Route),
            ("flows", () => Sense(withProtocols: false, detector: null)),
            ("streams and sessions", () => Sense(withProtocols: true, detector: null)),
            ("detector", () => Sense(withProtocols: true, new Detector(Site.Empty, new DetectorOptions(), new NoAlerts()))),
        ];

        var best = new double[passes.Length];
        Array.Fill(best, double.MaxValue);
        var held = new long[passes.Length];
        var allocated = new double[passes.Length];
        long packets = 0, bytes = 0;
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < passes.Length; i++)
            {
                var work = passes[i].Begin();
                var before = GC.GetTotalAllocatedBytes(precise: true);
                var started = Environment.CpuUsage.TotalTime;
                (packets, bytes) = Pass(path, work);
                best[i] = Math.Min(best[i], (Environment.CpuUsage.TotalTime - started).TotalNanoseconds);
                allocated[i] = (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)packets;
                held[i] = GC.GetTotalMemory(forceFullCollection: true);
                GC.KeepAlive(work);
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{packets} packets, {bytes / (double)packets:F0} bytes each; ns of processor time per packet, best of {Rounds}"));
        var last = 0.0;
        for (var i = 0; i < passes.Length; i++)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{passes[i].Name,-22} {(best[i] - last) / packets,8:F1}   together {best[i] / packets,8:F1}   holding {held[i] / 1e6,6:F1} MB, allocated {allocated[i],6:F1} B per packet"));
            last = best[i];
        }

        return 0;
    }

    private static (long Packets, long Bytes) Pass(string path, BatchWork work)
    {
        using var source = CaptureFile.Open(path);
        var batch = new FrameBatch();
        var clocks = new long[FrameBatch.Capacity];
        var all = new ushort[FrameBatch.Capacity];
        for (var i = 0; i < all.Length; i++)
            all[i] = (ushort)i;
        long clock = 0, frames = 0;
        while (source.Read(batch))
        {
            batch.FirstFrame = frames;
            frames += batch.Count;
            for (var i = 0; i < batch.Count; i++)
                clocks[i] = clock = Math.Max(clock, batch.Frames[i].TimeNs);
            work(batch, clocks, all.AsSpan(0, batch.Count), clock);
            batch.Release();
        }

        return (frames, source.Statistics.Bytes);
    }

    private static BatchWork Decode()
    {
        var view = default(PacketView);
        return (batch, _, _, _) =>
        {
            var memory = batch.Memory.Span;
            foreach (ref readonly var header in batch.Frames)
                PacketDecoder.Decode(memory.Slice(header.Offset, header.Length), header, ref view);
        };
    }

    private static BatchWork Route()
    {
        var router = new FrameRouter(Options());
        long sum = 0;
        return (batch, _, _, _) =>
        {
            var memory = batch.Memory.Span;
            foreach (ref readonly var header in batch.Frames)
                sum += router.ShardOf(header, memory.Slice(header.Offset, header.Length));
        };
    }

    private static BatchWork Sense(bool withProtocols, Detector? detector)
    {
        var sensor = withProtocols ? new Sensor(Options()) : new Sensor(Options(), [], []);
        var output = new EventBatch();
        return (batch, clocks, all, clock) =>
        {
            sensor.Process(batch, clocks, all, output);
            sensor.Advance(clock, output);
            if (detector is not null)
            {
                foreach (ref readonly var e in output.Events)
                    detector.OnEvent(output, e);
                detector.AdvanceTo(clock);
            }

            output.Clear();
        };
    }

    private static SensorOptions Options() => new() { PseudonymKey = new byte[32] };

    private sealed class NoAlerts : IAlertSink
    {
        public void OnAlert(Alert alert, AlertPhase phase)
        {
        }
    }
}
