using System.Globalization;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Benchmarks.Inputs;
using IoTGuard.Capture;
using IoTGuard.Wire;

namespace IoTGuard.Benchmarks.Loops;

/// <summary>
/// Throughput under traffic that is made to cost much, held against a capture of normal traffic: decode, flows, sessions and detector on one thread,
/// frames in memory. Processor time, the best of several rounds. A kind fails when it brings fewer than a fifth of the normal packets per second.
/// </summary>
internal static class AttackTimes
{
    private const int Rounds = 3;
    private const int Frames = 60_000;
    private const double LeastShare = 0.2;

    public static int Run(string capture)
    {
        var normal = Best(Normal(capture));
        Console.WriteLine(Line("normal", normal, normal));
        var failed = 0;
        foreach (var (name, make) in AttackFrames.Kinds)
        {
            var cost = Best(make(Frames));
            Console.WriteLine(Line(name, cost, normal));
            if (normal.Ns / cost.Ns < LeastShare)
                failed++;
        }

        return failed == 0 ? 0 : 1;
    }

    private static string Line(string name, (double Ns, double Megabytes) cost, (double Ns, double Megabytes) normal) => string.Create(
        CultureInfo.InvariantCulture, $"| {name} | {cost.Ns:F0} | {normal.Ns / cost.Ns:F2} | {cost.Megabytes:F0} |");

    private static List<byte[]> Normal(string path)
    {
        var frames = new List<byte[]>();
        using var source = CaptureFile.Open(path);
        for (var batch = new FrameBatch(); source.Read(batch); batch.Release())
        {
            foreach (ref readonly var header in batch.Frames)
                frames.Add(batch.Memory.Span.Slice(header.Offset, header.Length).ToArray());
        }

        return frames;
    }

    /// <summary>Processor time per packet in ns, and the memory that is held at the end in MB.</summary>
    private static (double Ns, double Megabytes) Best(List<byte[]> frames)
    {
        var memory = new byte[frames.Sum(frame => frame.Length)];
        var offset = 0;
        foreach (var frame in frames)
        {
            frame.CopyTo(memory, offset);
            offset += frame.Length;
        }

        var best = double.MaxValue;
        var held = 0L;
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetTotalMemory(forceFullCollection: true);
            var sensor = new Sensor(new SensorOptions { PseudonymKey = new byte[32] });
            var detector = new Detector(Site.Empty, new DetectorOptions(), new NoAlerts());
            var started = Environment.CpuUsage.TotalTime;
            Pass(frames, memory, sensor, detector);
            best = Math.Min(best, (Environment.CpuUsage.TotalTime - started).TotalNanoseconds / frames.Count);
            held = GC.GetTotalMemory(forceFullCollection: true) - before;
            GC.KeepAlive(sensor);
            GC.KeepAlive(detector);
        }

        return (best, held / 1e6);
    }

    private static void Pass(List<byte[]> frames, byte[] memory, Sensor sensor, Detector detector)
    {
        const long IntervalNs = 10_000;
        var batch = new FrameBatch();
        var output = new EventBatch();
        var clocks = new long[FrameBatch.Capacity];
        var all = Enumerable.Range(0, FrameBatch.Capacity).Select(i => (ushort)i).ToArray();
        var (clock, offset) = (1_700_000_000_000_000_000, 0);
        for (var first = 0; first < frames.Count; first += FrameBatch.Capacity)
        {
            batch.Reset(memory, null);
            batch.FirstFrame = first;
            for (var i = first; i < Math.Min(frames.Count, first + FrameBatch.Capacity); i++)
            {
                clock += IntervalNs;
                clocks[batch.Count] = clock;
                batch.Add(new FrameHeader(clock, offset, frames[i].Length, frames[i].Length, LinkType.Ethernet));
                offset += frames[i].Length;
            }

            sensor.Process(batch, clocks, all.AsSpan(0, batch.Count), output);
            sensor.Advance(clock, output);
            foreach (ref readonly var e in output.Events)
                detector.OnEvent(output, e);
            detector.AdvanceTo(clock);
            output.Clear();
        }
    }

    private sealed class NoAlerts : IAlertSink
    {
        public void OnAlert(Alert alert, AlertPhase phase)
        {
        }
    }
}
