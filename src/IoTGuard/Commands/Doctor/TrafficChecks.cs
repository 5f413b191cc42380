using System.Diagnostics;
using System.Globalization;
using IoTGuard.Analysis;
using IoTGuard.Capture;
using IoTGuard.Outputs;
using IoTGuard.Pipeline;
using IoTGuard.Service;
using IoTGuard.Settings;
using IoTGuard.Wire;
using IoTGuard.Wire.Tunnels;

namespace IoTGuard.Commands.Doctor;

/// <summary>What the mirror port delivers, seen through a ring and a sensor for some seconds; nothing of it is kept.</summary>
internal static class TrafficChecks
{
    /// <summary>A difference between the clock's advance and the time that passed from which on it was set, ns.</summary>
    private const long StepNs = 50_000_000;

    /// <summary>Age of a packet when it is read from which on timestamps are wrong, ns: far more than a ring holds one back.</summary>
    private const long LateNs = 2_000_000_000;

    /// <summary>Fewest packets that say something.</summary>
    private const long LeastPackets = 100;

    private sealed class View
    {
        public SensorCounters Counters;
        public CaptureStatistics Captured;
        public SortedSet<int> Vlans { get; } = [];
        public int Largest;
        public long Backwards;
        public long WorstAgeNs;
        public long ClockStepNs;
    }

    public static IEnumerable<Finding> Of(SensorSettings settings, int seconds)
    {
        var view = Watch(settings, TimeSpan.FromSeconds(seconds));
        var packets = view.Captured.Frames;
        yield return packets == 0
            ? Finding.Fault("traffic", $"nothing arrived in {seconds} s", "check the cable, the mirror session on the switch, and the filter")
            : Finding.Ok("traffic", $"{RunSummary.Number(packets)} packets, {RunSummary.Bytes(view.Captured.Bytes)} in {seconds} s");
        yield return view.Captured.KernelDrops > 0
            ? Finding.Warning("drops", $"the kernel dropped {RunSummary.Number(view.Captured.KernelDrops)} packets, {Percent(view.Captured.KernelDrops, packets + view.Captured.KernelDrops)} of what arrived, because the ring was full", "give more workers, a larger ring_megabytes, or a filter")
            : Finding.Ok("drops", "none by the kernel");
        yield return Math.Abs(view.ClockStepNs) > StepNs
            ? Finding.Warning("clock steps", $"the clock was set by {Seconds(view.ClockStepNs)} meanwhile", "let the time service slew the clock instead of setting it")
            : Finding.Ok("clock steps", "none while looking");
        if (packets == 0)
            yield break;
        yield return Timestamps(view);
        yield return Directions(view.Counters);
        yield return Losses(view);
        yield return view.Counters.MirrorCopies * 20 > packets
            ? Finding.Note("duplicates", $"{Percent(view.Counters.MirrorCopies, packets)} of the packets came twice; the sensor uses them once", "mirror each link once, or each VLAN, to save half of the port")
            : Finding.Ok("duplicates", $"{Percent(view.Counters.MirrorCopies, packets)} of the packets came twice");
        yield return Finding.Ok("VLANs", view.Vlans.Count == 0 ? "no tags were seen" : $"{view.Vlans.Count} seen: {string.Join(", ", view.Vlans.Take(20))}{(view.Vlans.Count > 20 ? " ..." : "")}");
        yield return Tunnels(view.Counters, settings);
        if (view.Largest > 1518 + 8)
        {
            yield return Finding.Note("frame sizes", $"the largest frame has {RunSummary.Number(view.Largest)} bytes", "where the network has no jumbo frames, an offload joined segments: see above");
        }
    }

    private static View Watch(SensorSettings settings, TimeSpan time)
    {
        var view = new View();
        using var ring = PacketRing.Open(CaptureRings.OptionsOf(settings));
        var sensor = new Sensor(new SensorOptions { PseudonymKey = new byte[32] });
        var frames = new FrameBatch();
        var events = new EventBatch();
        var clocks = new long[FrameBatch.Capacity];
        var all = new ushort[FrameBatch.Capacity];
        for (var i = 0; i < all.Length; i++)
            all[i] = (ushort)i;
        var packet = default(PacketView);
        long clock = 0;
        var started = Stopwatch.GetTimestamp();
        var startedNs = NowNs();
        while (Stopwatch.GetElapsedTime(started) < time && ring.Read(frames))
        {
            frames.FirstFrame = view.Counters.Frames;
            for (var i = 0; i < frames.Count; i++)
            {
                ref readonly var frame = ref frames.Frames[i];
                view.Backwards += frame.TimeNs < clock ? 1 : 0;
                view.Largest = Math.Max(view.Largest, frame.WireLength);
                clocks[i] = clock = Math.Max(clock, frame.TimeNs);
                PacketDecoder.Decode(frames.Memory.Span.Slice(frame.Offset, frame.Length), frame, ref packet);
                if (packet.Vlan > 0)
                    view.Vlans.Add(packet.Vlan);
            }

            if (frames.Count > 0)
                view.WorstAgeNs = Math.Max(view.WorstAgeNs, Math.Abs(NowNs() - clock));
            sensor.Process(frames, clocks, all.AsSpan(0, frames.Count), events);
            frames.Release();
            sensor.Advance(clock, events);
            events.Clear();
        }

        view.ClockStepNs = NowNs() - startedNs - (long)Stopwatch.GetElapsedTime(started).TotalNanoseconds;
        view.Counters = sensor.Counters;
        view.Captured = ring.Statistics;
        return view;
    }

    private static Finding Timestamps(View view)
    {
        if (view.WorstAgeNs > LateNs)
            return Finding.Warning("timestamps", $"packets are up to {Seconds(view.WorstAgeNs)} away from the clock", "check the clock of the network card (ethtool -T), and that the machine is not overloaded");
        return view.Backwards * 100 > view.Captured.Frames
            ? Finding.Warning("timestamps", $"{Percent(view.Backwards, view.Captured.Frames)} of the packets are older than the one before", "use one queue of the network card for a mirror port: ethtool -L")
            : Finding.Ok("timestamps", "in order, and of now");
    }

    private static Finding Directions(in SensorCounters counters)
    {
        if (counters.TcpPackets < LeastPackets || counters.AcknowledgedBytes == 0)
            return Finding.Note("directions", "too few TCP packets to judge", "look longer (--seconds), or when there is traffic");
        return counters.UnseenBytes * 5 > counters.AcknowledgedBytes
            ? Finding.Fault("directions", $"{Percent(counters.UnseenBytes, counters.AcknowledgedBytes)} of the acknowledged bytes belong to connections of which only one direction arrives",
                "mirror both directions (rx and tx) of the ports or VLANs, and both ways where routes differ")
            : Finding.Ok("directions", "both directions of connections arrive");
    }

    private static Finding Losses(View view)
    {
        var loss = SensorStatus.LossOf(view.Counters.AcknowledgedBytes, 0, view.Counters.GapBytes);
        var text = string.Create(CultureInfo.InvariantCulture, $"{loss:P1} of the bytes that receivers acknowledged did not arrive here");
        if (view.Captured.KernelDrops > 0)
            return Finding.Note("capture loss", $"{text}, drops of the kernel among it", "end the drops first");
        return loss > 0.01 ? Finding.Warning("capture loss", text, "the mirror port is likely oversubscribed: mirror fewer ports, or to a faster one") : Finding.Ok("capture loss", text);
    }

    private static Finding Tunnels(in SensorCounters counters, SensorSettings settings)
    {
        var seen = new List<string>();
        foreach (var kind in Enum.GetValues<TunnelKind>())
        {
            if (kind != TunnelKind.None && counters.Tunnels.Of(kind) > 0)
                seen.Add($"{kind} ({RunSummary.Number(counters.Tunnels.Of(kind))} packets)");
        }

        if (seen.Count == 0)
            return Finding.Ok("tunnels", "none were seen");
        var splits = counters.Tunnels.Of(TunnelKind.Vxlan) + counters.Tunnels.Of(TunnelKind.Geneve) + counters.Tunnels.Of(TunnelKind.GtpUser);
        return splits > 0 && settings.Workers != 1
            ? Finding.Warning("tunnels", string.Join(", ", seen), "the kernel cannot see connections inside of tunnels over UDP: set workers to 1, so that both directions meet")
            : Finding.Ok("tunnels", string.Join(", ", seen));
    }

    private static long NowNs() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;

    private static string Percent(long part, long whole) => ((double)part / Math.Max(1, whole)).ToString("P1", CultureInfo.InvariantCulture);

    private static string Seconds(long ns) => (ns / 1e9).ToString("0.000 s", CultureInfo.InvariantCulture);
}
