using IoTGuard.Analysis;
using IoTGuard.Wire;

namespace IoTGuard.Service;

/// <summary>What one capture ring counted.</summary>
/// <param name="Captured">Packets, bytes, drops of the kernel.</param>
/// <param name="Full">How often the ring was full.</param>
/// <param name="Use">Share of its blocks in use, 0 to 1.</param>
internal readonly record struct RingStatus(CaptureStatistics Captured, long Full, double Use);

/// <summary>What one output, file or store did so far.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Waiting">Messages, lines or changes that wait for it.</param>
/// <param name="Delivered">Those that it has.</param>
/// <param name="Lost">Those that were given up.</param>
/// <param name="Retries">Attempts after a failure.</param>
/// <param name="Failure">Why it takes nothing now; null when it does.</param>
internal readonly record struct DeliveryStatus(string Name, long Waiting, long Delivered, long Lost, long Retries, string? Failure);

/// <summary>What all outputs did so far, those that a reload took away included.</summary>
/// <param name="Opened">Alerts opened.</param>
/// <param name="Suppressed">Those of them that analysts suppressed.</param>
/// <param name="Delivered">Messages that receivers took.</param>
/// <param name="Lost">Messages, lines and changes of the state that were lost.</param>
internal readonly record struct OutputStatus(long Opened, long Suppressed, long Delivered, long Lost);

/// <summary>Time that each stage has worked, over all threads.</summary>
/// <param name="Read">Taking packets out of the rings, without waiting for them.</param>
/// <param name="Process">Decoding, flows, streams and protocols.</param>
/// <param name="Detect">Inventory, baselines, rules and models.</param>
/// <param name="Deliver">Alerts and transactions in their forms, copies of packets for evidence. Receivers and the store have threads of their own.</param>
internal readonly record struct StageTimes(TimeSpan Read, TimeSpan Process, TimeSpan Detect, TimeSpan Deliver)
{
    /// <summary>The stages by their names, in the order of a packet's way.</summary>
    public IReadOnlyList<(string Name, TimeSpan Time)> All => [("read", Read), ("process", Process), ("detect", Detect), ("deliver", Deliver)];
}

/// <summary>
/// The sensor at one moment, for metrics, <c>/health</c> and the statistics line. Read from the counters of running threads without holding them up,
/// so numbers of one status may be apart by what happened while it was taken.
/// </summary>
internal sealed record SensorStatus
{
    public required string Interface { get; init; }

    public required TimeSpan Uptime { get; init; }

    /// <summary>What the machine's clock said at this uptime.</summary>
    public required DateTimeOffset Time { get; init; }

    public required IReadOnlyList<RingStatus> Rings { get; init; }

    public required SensorCounters Counters { get; init; }

    /// <summary>Flows held now, and the most that there is room for.</summary>
    public required (int Held, int Maximum) Flows { get; init; }

    public required int Devices { get; init; }

    public required int OpenAlerts { get; init; }

    public required OutputStatus Outputs { get; init; }

    /// <summary>Outputs, files and the store as they now are.</summary>
    public required IReadOnlyList<DeliveryStatus> Deliveries { get; init; }

    /// <summary>Time that each stage has worked.</summary>
    public required StageTimes Stages { get; init; }

    /// <summary>Event batches that wait for the detector.</summary>
    public required int Waiting { get; init; }

    public required long FlowsScored { get; init; }

    /// <summary>What the models made of flows and windows so far, in a line; empty without models.</summary>
    public required string Models { get; init; }

    /// <summary>Time of one scoring by the model, measured when the status was taken; null without a model.</summary>
    public required TimeSpan? ScoringTime { get; init; }

    public required (long Done, long Refused) Reloads { get; init; }

    /// <summary>What is wrong at the moment.</summary>
    public required IReadOnlyList<Condition> Conditions { get; init; }

    public long Packets => Rings.Sum(static r => r.Captured.Frames);

    public long Bytes => Rings.Sum(static r => r.Captured.Bytes);

    public long KernelDrops => Rings.Sum(static r => r.Captured.KernelDrops);

    /// <summary>Frames with a fault, by layer and kind; those that were seen.</summary>
    public IEnumerable<(Layer Layer, FaultKind Kind, long Frames)> Faults
    {
        get
        {
            for (var layer = Layer.Link; layer <= Layer.Transport; layer++)
            {
                for (var kind = FaultKind.None + 1; (int)kind < FaultCounts.Kinds; kind++)
                {
                    if (kind != FaultKind.Fragment && Counters.Faults.Of(kind, layer) is > 0 and var frames)
                        yield return (layer, kind, frames);
                }
            }
        }
    }

    /// <summary>Messages, lines and changes that wait for outputs, files and the store.</summary>
    public long Queued => Deliveries.Sum(static d => d.Waiting);

    public long Retries => Deliveries.Sum(static d => d.Retries);

    public double FlowTableUse => (double)Flows.Held / Math.Max(1, Flows.Maximum);

    public double RingUse => Rings.Count == 0 ? 0 : Rings.Max(static r => r.Use);

    /// <summary>
    /// Estimate of the share of TCP bytes that the network carried and the sensor did not see, 0 to 1: acknowledged by a receiver, but in no packet that arrived here.
    /// </summary>
    public double CaptureLoss => LossOf(Counters.AcknowledgedBytes, Counters.UnseenBytes, Counters.GapBytes);

    /// <summary>The same of counts of any stretch of time.</summary>
    /// <param name="acknowledged">Bytes acknowledged.</param>
    /// <param name="unseen">Those of them of connections of which only one direction arrives.</param>
    /// <param name="gaps">Bytes missing in streams of both directions.</param>
    public static double LossOf(long acknowledged, long unseen, long gaps) => acknowledged <= 0 ? 0 : Math.Min(1, (double)(unseen + gaps) / acknowledged);
}
