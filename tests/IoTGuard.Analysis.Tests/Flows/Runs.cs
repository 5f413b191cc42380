using System.Globalization;
using System.Reflection;
using System.Text;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Tests.Flows;

/// <summary>Everything that a run told, in order of its keys.</summary>
internal sealed class Outcome
{
    public List<(EventKey Key, SensorEventKind Kind)> Order { get; } = [];

    public List<(EventKey Key, SensorEventKind Kind, FlowRecord Flow)> Flows { get; } = [];

    public List<(EventKey Key, FlowFault Fault)> Faults { get; } = [];

    public List<(EventKey Key, Neighbor Neighbor)> Neighbors { get; } = [];

    /// <summary>Every transaction with its protocol, fields and claims.</summary>
    public List<string> Transactions { get; } = [];

    public SensorCounters Counters;

    public List<FlowRecord> Closed => [.. Flows.Where(f => f.Kind == SensorEventKind.FlowClosed).Select(f => f.Flow)];

    /// <summary>Every event with every field, to compare runs byte for byte.</summary>
    public StringBuilder Text { get; } = new();
}

/// <summary>Runs captures through any number of sensors, as the program does.</summary>
internal static class Runs
{
    public static SensorOptions Options { get; } = new() { PseudonymKey = new byte[32] };

    public static Outcome Run(this Capture capture, SensorOptions? options = null, ProtocolRow[]? protocols = null, int workers = 1, int batchFrames = 512, ProtocolRow[]? datagrams = null)
    {
        options ??= Options;
        var sensors = Enumerable.Range(0, workers)
            .Select(i => protocols is null && datagrams is null ? new Sensor(options, i, workers) : new Sensor(options, protocols ?? [], datagrams ?? [], i, workers)).ToArray();
        var outputs = sensors.Select(_ => new EventBatch()).ToArray();
        var router = new FrameRouter(options);
        var outcome = new Outcome();
        var batch = new FrameBatch();
        var clock = 0L;
        for (var first = 0; first < capture.Frames.Count; first += batchFrames)
        {
            var frames = capture.Frames.Skip(first).Take(batchFrames).ToArray();
            var memory = new byte[frames.Sum(f => f.Frame.Length)];
            batch.FirstFrame = first;
            batch.Reset(memory, null);
            var offset = 0;
            var clocks = new List<long>();
            var mine = sensors.Select(_ => new List<ushort>()).ToArray();
            foreach (var (time, frame, wire) in frames)
            {
                var header = new FrameHeader(time, offset, frame.Length, wire, LinkType.Ethernet);
                var shard = router.ShardOf(header, frame);
                for (var i = 0; i < workers; i++)
                {
                    if (shard == FrameRouter.EveryShard || shard % workers == i)
                        mine[i].Add((ushort)batch.Count);
                }

                batch.Add(header);
                frame.CopyTo(memory, offset);
                offset += frame.Length;
                clock = Math.Max(clock, time);
                clocks.Add(clock);
            }

            for (var i = 0; i < workers; i++)
            {
                sensors[i].Process(batch, [.. clocks], [.. mine[i]], outputs[i]);
                sensors[i].Advance(clock, outputs[i]);
            }

            Merge(outputs, outcome);
        }

        for (var i = 0; i < workers; i++)
        {
            while (sensors[i].Complete(clock, outputs[i]))
            {
            }
        }

        Merge(outputs, outcome);
        foreach (var sensor in sensors)
            outcome.Counters.Add(sensor.Counters);
        return outcome;
    }

    private static void Merge(EventBatch[] outputs, Outcome outcome)
    {
        var events = new List<(SensorEvent Event, EventBatch Batch)>();
        foreach (var output in outputs)
        {
            foreach (var e in output.Events)
                events.Add((e, output));
        }

        events.Sort((x, y) => x.Event.Key.CompareTo(y.Event.Key));
        foreach (var (e, batch) in events)
        {
            Assert.True(outcome.Order.Count == 0 || outcome.Order[^1].Key < e.Key, "events with equal keys, or out of order over batches");
            outcome.Order.Add((e.Key, e.Kind));
            outcome.Text.Append(CultureInfo.InvariantCulture, $"{e.Key} {e.Kind} ");
            switch (e.Kind)
            {
                case SensorEventKind.FlowFault:
                    outcome.Faults.Add((e.Key, batch.Fault(e.Index)));
                    outcome.Text.Append(batch.Fault(e.Index).Fault);
                    Describe(outcome.Text, batch.Fault(e.Index).Flow);
                    break;
                case SensorEventKind.Neighbor:
                    outcome.Neighbors.Add((e.Key, batch.Neighbor(e.Index)));
                    outcome.Text.Append(batch.Neighbor(e.Index));
                    break;
                case SensorEventKind.Transaction:
                    outcome.Transactions.Add(Datagrams.DatagramContract.Describe(batch.Transaction(e.Index)));
                    outcome.Text.Append(outcome.Transactions[^1]);
                    break;
                default:
                    outcome.Flows.Add((e.Key, e.Kind, batch.Flow(e.Index)));
                    Describe(outcome.Text, batch.Flow(e.Index));
                    break;
            }

            outcome.Text.Append('\n');
        }

        foreach (var output in outputs)
            output.Clear();
    }

    private static void Describe(StringBuilder text, object value)
    {
        foreach (var field in value.GetType().GetFields(BindingFlags.Public | BindingFlags.Instance))
        {
            var content = field.GetValue(value)!;
            text.Append(field.Name).Append('=');
            if (content is DirectionCounters or ApplicationCounters or Moments)
                Describe(text.Append('{'), content);
            else
                text.Append(CultureInfo.InvariantCulture, $"{content} ");
        }
    }
}
