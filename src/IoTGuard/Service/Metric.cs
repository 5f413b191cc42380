using IoTGuard.Analysis;
using IoTGuard.Wire.Tunnels;

namespace IoTGuard.Service;

/// <summary>One value of a metric.</summary>
/// <param name="Labels">Labels in the form of Prometheus, such as <c>ring="0"</c>; empty for none.</param>
internal readonly record struct MetricValue(string Labels, double Value);

/// <summary>A metric: one row of <see cref="MetricTable"/>.</summary>
/// <param name="Name">Name in the form of Prometheus; ends in its unit, counters in _total.</param>
/// <param name="IsCounter">True when it only rises, false for a gauge.</param>
/// <param name="Help">What it counts.</param>
/// <param name="Values">Its values now.</param>
internal sealed record Metric(string Name, bool IsCounter, string Help, Func<SensorStatus, IEnumerable<MetricValue>> Values);

/// <summary>The one table of metrics: <c>/metrics</c> and the documentation are made of it.</summary>
internal static class MetricTable
{
    public static IReadOnlyList<Metric> Metrics { get; } =
    [
        PerRing("iotguard_packets_total", true, "Packets taken from the ring.", static r => r.Captured.Frames),
        PerRing("iotguard_bytes_total", true, "Bytes of packets taken from the ring.", static r => r.Captured.Bytes),
        PerRing("iotguard_kernel_drops_total", true, "Packets that the kernel dropped because the ring was full.", static r => r.Captured.KernelDrops),
        PerRing("iotguard_ring_full_total", true, "Times that the ring was full.", static r => r.Full),
        PerRing("iotguard_ring_use_ratio", false, "Share of the ring's blocks in use.", static r => r.Use),
        new("iotguard_decode_faults_total", true, "Frames with a fault, by layer and kind; kinds that were seen.",
            static s => s.Faults.Select(static f => new MetricValue($"layer=\"{f.Layer.ToString().ToLowerInvariant()}\",kind=\"{f.Kind.ToString().ToLowerInvariant()}\"", f.Frames))),
        Counter("iotguard_tcp_packets_total", "TCP packets.", static c => c.TcpPackets),
        Counter("iotguard_udp_packets_total", "UDP packets.", static c => c.UdpPackets),
        Counter("iotguard_other_frames_total", "Frames without a decodable IP or ARP header.", static c => c.OtherFrames),
        new("iotguard_tunnel_packets_total", true, "Packets in tunnels, by kind.", static s => Tunnels(s.Counters)),
        Counter("iotguard_mirror_copies_total", "Second copies of packets that the mirror delivered; used once.", static c => c.MirrorCopies),
        Counter("iotguard_fragments_total", "Fragments of IP datagrams.", static c => c.Fragments),
        Counter("iotguard_fragments_dropped_total", "Fragments given up because a limit was reached.", static c => c.FragmentsDropped),
        Counter("iotguard_acknowledged_bytes_total", "Bytes by which TCP acknowledgments advanced.", static c => c.AcknowledgedBytes),
        Counter("iotguard_unseen_bytes_total", "Acknowledged bytes of connections whose other direction was never seen.", static c => c.UnseenBytes),
        Counter("iotguard_stream_gaps_total", "Gaps in reassembled streams.", static c => c.Gaps),
        Counter("iotguard_stream_gap_bytes_total", "Bytes missing in reassembled streams.", static c => c.GapBytes),
        Gauge("iotguard_capture_loss_ratio", "Estimated share of TCP bytes that the network carried and the sensor never saw.", static s => s.CaptureLoss),
        Counter("iotguard_retransmissions_total", "TCP segments sent again.", static c => c.Retransmissions),
        Counter("iotguard_out_of_order_total", "TCP segments out of order.", static c => c.OutOfOrder),
        Counter("iotguard_out_of_order_dropped_total", "TCP segments not buffered because a limit was reached.", static c => c.OutOfOrderDropped),
        Counter("iotguard_buffer_overflows_total", "Times that bytes waiting for a protocol's reader were dropped because a limit was reached.", static c => c.PendingOverflows),
        Counter("iotguard_flows_opened_total", "Flows opened.", static c => c.FlowsOpened),
        Counter("iotguard_flows_evicted_total", "Flows ended early because the table was full.", static c => c.FlowsEvicted),
        Gauge("iotguard_flows", "Flows held now.", static s => s.Flows.Held),
        Gauge("iotguard_flow_table_use_ratio", "Share of the flow table in use.", static s => s.FlowTableUse),
        Counter("iotguard_sessions_total", "Connections whose protocol is read.", static c => c.Sessions),
        Counter("iotguard_sessions_refused_total", "Connections not reassembled because a limit was reached.", static c => c.SessionsRefused),
        Gauge("iotguard_devices", "Devices in the inventory.", static s => s.Devices),
        Gauge("iotguard_open_alerts", "Alerts open now.", static s => s.OpenAlerts),
        Total("iotguard_alerts_total", "Alerts opened.", static s => s.Outputs.Opened),
        Total("iotguard_alerts_suppressed_total", "Alerts opened that analysts suppressed.", static s => s.Outputs.Suppressed),
        Total("iotguard_messages_delivered_total", "Messages that receivers took, as far as their transport tells.", static s => s.Outputs.Delivered),
        Total("iotguard_messages_lost_total", "Messages, lines and changes of the state that were lost.", static s => s.Outputs.Lost),
        PerOutput("iotguard_output_queue_messages", false, "Messages that wait for an output, in memory or in its journal; lines for a file, changes for the store.", static d => d.Waiting),
        PerOutput("iotguard_output_delivered_total", true, "Messages that an output's receiver took, lines that a file took, changes that the store took.", static d => d.Delivered),
        PerOutput("iotguard_output_lost_total", true, "Messages, lines and changes given up because there was no room for them.", static d => d.Lost),
        PerOutput("iotguard_output_retries_total", true, "Attempts after a failure.", static d => d.Retries),
        PerOutput("iotguard_output_failing", false, "1 when an output takes nothing now.", static d => d.Failure is null ? 0 : 1),
        Gauge("iotguard_detector_queue_batches", "Event batches that wait for the detector.", static s => s.Waiting),
        new("iotguard_stage_seconds_total", true, "Time that stages have worked, over all threads: read (taking packets out of the rings), process (decoding, flows, streams, protocols), detect (inventory, baselines, rules, models), deliver (forms of alerts and transactions, copies for evidence).",
            static s => s.Stages.All.Select(static stage => new MetricValue($"stage=\"{stage.Name}\"", stage.Time.TotalSeconds))),
        Total("iotguard_flows_scored_total", "Flows that the model scored.", static s => s.FlowsScored),
        new("iotguard_model_score_seconds", false, "Time of one scoring by the model, measured at this moment.", static s => s.ScoringTime is { } time ? [new("", time.TotalSeconds)] : []),
        new("iotguard_reloads_total", true, "Reloads of the configuration, by their result.", static s => [new("result=\"done\"", s.Reloads.Done), new("result=\"refused\"", s.Reloads.Refused)]),
        new("iotguard_condition", false, "1 for each thing that is wrong at the moment.", static s => s.Conditions.Select(static c => new MetricValue($"name=\"{c.Name}\"", 1))),
        Gauge("iotguard_uptime_seconds", "Time since the sensor began to capture.", static s => s.Uptime.TotalSeconds),
        Gauge("iotguard_managed_heap_bytes", "Managed heap after the last collection.", static _ => GC.GetGCMemoryInfo().HeapSizeBytes),
        Gauge("iotguard_managed_committed_bytes", "Memory that the collector has of the system; what is free of it is kept for the next burst.", static _ => GC.GetGCMemoryInfo().TotalCommittedBytes),
        Total("iotguard_collections_total", "Garbage collections.", static _ => GC.CollectionCount(0)),
        Gauge("process_resident_memory_bytes", "Resident memory of the process, rings included.", static _ => Environment.WorkingSet),
        Total("process_cpu_seconds_total", "Processor time of the process.", static _ => Environment.CpuUsage.TotalTime.TotalSeconds),
        new("iotguard_build_info", false, "1, with the version of the program.", static _ => [new($"version=\"{ProgramVersion.Text}\"", 1)]),
    ];

    private static Metric PerRing(string name, bool isCounter, string help, Func<RingStatus, double> value) =>
        new(name, isCounter, help, status => status.Rings.Select((ring, i) => new MetricValue($"ring=\"{i}\"", value(ring))));

    private static Metric PerOutput(string name, bool isCounter, string help, Func<DeliveryStatus, double> value) =>
        new(name, isCounter, help, status => status.Deliveries.Select(d => new MetricValue($"output=\"{Escaped(d.Name)}\"", value(d))));

    /// <summary>A value of a label, in which three characters have a meaning.</summary>
    private static string Escaped(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static Metric Counter(string name, string help, Func<SensorCounters, double> value) => new(name, true, help, status => [new("", value(status.Counters))]);

    private static Metric Total(string name, string help, Func<SensorStatus, double> value) => new(name, true, help, status => [new("", value(status))]);

    private static Metric Gauge(string name, string help, Func<SensorStatus, double> value) => new(name, false, help, status => [new("", value(status))]);

    private static IEnumerable<MetricValue> Tunnels(SensorCounters counters)
    {
        foreach (var kind in Enum.GetValues<TunnelKind>())
        {
            if (kind != TunnelKind.None && counters.Tunnels.Of(kind) is > 0 and var packets)
                yield return new($"kind=\"{kind.ToString().ToLowerInvariant()}\"", packets);
        }
    }
}
