using System.Diagnostics;
using System.Threading.Channels;
using IoTGuard.Analysis;
using IoTGuard.Wire;

namespace IoTGuard.Pipeline;

/// <summary>
/// Runs live rings through one sensor each into one consumer. Events of all rings are delivered in order of their keys up to the clock
/// that every ring has reached. A ring without packets follows the others: when it had none for its poll interval, none is to come from before that, since the
/// kernel holds frames back for a shorter time.
/// </summary>
internal sealed class LivePipeline
{
    /// <summary>
    /// Batches with events per ring that wait for the other rings and the detector: some 30,000 frames, what a busy ring takes in while an idle one polls. When
    /// the detector is behind by that much, rings fill, and the kernel counts what it drops.
    /// </summary>
    private const int Depth = 64;

    private readonly IReadOnlyList<ILiveSource> _rings;
    private readonly Sensor[] _sensors;
    private readonly IEventConsumer _consumer;
    private readonly Action<int, FrameBatch>? _onFrames;
    private readonly Channel<Delivery> _deliveries;
    private readonly Channel<EventBatch>[] _free;
    private readonly PipelineLoad _load;
    private long _newestNs;
    private long _frames;

    /// <param name="rings">Opened rings.</param>
    /// <param name="sensors">One for each ring.</param>
    /// <param name="consumer">Receives the events in order.</param>
    /// <param name="load">Told of the work that is done.</param>
    /// <param name="onFrames">Also gets the frames of each ring, on the ring's thread, before they are released; null = nobody does.</param>
    public LivePipeline(IReadOnlyList<ILiveSource> rings, Sensor[] sensors, IEventConsumer consumer, PipelineLoad load, Action<int, FrameBatch>? onFrames = null)
    {
        _onFrames = onFrames;
        _load = load;
        _rings = rings;
        _sensors = sensors;
        _consumer = consumer;
        _deliveries = StageQueue.Create<Delivery>(Depth * rings.Count);
        _free = [.. rings.Select(_ => StageQueue.Create<EventBatch>(Depth))];
        foreach (var free in _free)
        {
            for (var i = 0; i < Depth; i++)
                free.Writer.TryWrite(new EventBatch());
        }
    }

    /// <summary>How far a ring has come, and what it has to tell; null when that is nothing.</summary>
    private readonly record struct Delivery(int Ring, EventBatch? Events, long Clock, bool IsLast);

    /// <summary>Captures until cancelled; what was captured is delivered in full.</summary>
    public void Run(CancellationToken cancellation)
    {
        using var failure = new CancellationTokenSource();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, failure.Token);
        using var stopping = stop.Token.Register(() =>
        {
            foreach (var ring in _rings)
                ring.Stop();
        });
        var threads = new List<PipelineThread>();
        for (var i = 0; i < _rings.Count; i++)
        {
            var ring = i;
            threads.Add(new PipelineThread($"ring {ring}", () => Capture(ring, failure.Token), failure));
        }

        threads.Add(new PipelineThread("deliver", () => Deliver(failure.Token), failure));
        PipelineThread.JoinAll(threads);
    }

    private void Capture(int ring, CancellationToken failure)
    {
        var frames = new FrameBatch();
        var clocks = new long[FrameBatch.Capacity];
        var all = new ushort[FrameBatch.Capacity];
        for (var i = 0; i < all.Length; i++)
            all[i] = (ushort)i;
        var sensor = _sensors[ring];
        long clock = 0;
        var output = _free[ring].Reader.Take(failure);
        while (true)
        {
            var newest = Volatile.Read(ref _newestNs);
            var began = Stopwatch.GetTimestamp();
            if (!_rings[ring].Read(frames))
                break;
            var started = Stopwatch.GetTimestamp();
            if (frames.Count == 0)
                clock = Math.Max(clock, newest);
            frames.FirstFrame = Interlocked.Add(ref _frames, frames.Count) - frames.Count;
            for (var i = 0; i < frames.Count; i++)
                clocks[i] = clock = Math.Max(clock, frames.Frames[i].TimeNs);
            sensor.Process(frames, clocks, all.AsSpan(0, frames.Count), output);
            var processed = Stopwatch.GetTimestamp();
            _onFrames?.Invoke(ring, frames);
            var copied = Stopwatch.GetTimestamp();
            frames.Release();
            Publish(clock);
            sensor.Advance(clock, output);
            var hasEvents = output.Events.Length > 0;
            _load.OnRing(ring, started - began, processed - started + Stopwatch.GetTimestamp() - copied, copied - processed);
            _deliveries.Writer.Put(new Delivery(ring, hasEvents ? output : null, clock, IsLast: false), failure);
            if (hasEvents)
                output = _free[ring].Reader.Take(failure);
        }

        frames.Release();
        while (sensor.Complete(clock, output))
        {
        }

        _deliveries.Writer.Put(new Delivery(ring, output, long.MaxValue, IsLast: true), failure);
    }

    private void Publish(long clock)
    {
        var seen = Volatile.Read(ref _newestNs);
        while (clock > seen)
        {
            var before = Interlocked.CompareExchange(ref _newestNs, clock, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }

    private void Deliver(CancellationToken failure)
    {
        var waiting = new Queue<EventBatch>[_rings.Count];
        var next = new int[_rings.Count];
        var reached = new long[_rings.Count];
        for (var i = 0; i < waiting.Length; i++)
            waiting[i] = new Queue<EventBatch>();
        var open = _rings.Count;
        while (open > 0)
        {
            var delivery = _deliveries.Reader.Take(failure);
            var started = Stopwatch.GetTimestamp();
            if (delivery.Events is { } events)
                waiting[delivery.Ring].Enqueue(events);
            reached[delivery.Ring] = delivery.Clock;
            if (delivery.IsLast)
                open--;
            var safe = reached.Min();
            while (TakeEarliest(waiting, next, safe, failure) is { } ring)
                _consumer.OnEvent(waiting[ring].Peek(), waiting[ring].Peek().Events[next[ring]++]);
            if (safe < long.MaxValue)
                _consumer.OnClock(safe);
            _load.OnDetector(Stopwatch.GetTimestamp() - started, _deliveries.Reader.Count);
        }
    }

    /// <summary>The ring that has the earliest undelivered event up to <paramref name="safe"/>; null when there is none.</summary>
    private int? TakeEarliest(Queue<EventBatch>[] waiting, int[] next, long safe, CancellationToken failure)
    {
        int? best = null;
        EventKey bestKey = default;
        for (var i = 0; i < waiting.Length; i++)
        {
            while (waiting[i].TryPeek(out var head) && next[i] == head.Events.Length)
            {
                waiting[i].Dequeue();
                next[i] = 0;
                head.Clear();
                _free[i].Writer.Put(head, failure);
            }

            if (!waiting[i].TryPeek(out var batch))
                continue;
            var key = batch.Events[next[i]].Key;
            if (key.TimeNs <= safe && (best is null || key < bestKey))
            {
                best = i;
                bestKey = key;
            }
        }

        return best;
    }
}
