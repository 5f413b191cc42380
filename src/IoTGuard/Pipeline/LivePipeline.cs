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

    /// <summary>A pause between frames, or a step of the clock, from which on much may be due at once, ns.</summary>
    private const long LeapNs = 100_000_000;

    private readonly IReadOnlyList<ILiveSource> _rings;
    private readonly Sensor[] _sensors;
    private readonly IEventConsumer _consumer;
    private readonly Action<int, FrameBatch>? _onFrames;
    private readonly Channel<Delivery> _deliveries;
    private readonly Channel<EventBatch>[] _returned;
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
        _returned = [.. rings.Select(_ => StageQueue.Create<EventBatch>(Depth))];
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
        var output = new RingOutput(this, ring, failure);
        var run = default(RunClock);
        while (true)
        {
            var newest = Volatile.Read(ref _newestNs);
            var began = Stopwatch.GetTimestamp();
            if (!_rings[ring].Read(frames))
                break;
            var started = Stopwatch.GetTimestamp();
            var before = run.Now;
            if (frames.Count == 0)
                run.Follow(newest);
            frames.FirstFrame = Interlocked.Add(ref _frames, frames.Count) - frames.Count;
            newest = Volatile.Read(ref _newestNs);
            for (var i = 0; i < frames.Count; i++)
            {
                var stamp = frames.Frames[i].TimeNs;
                var time = run.Take(stamp, newest);
                if (time != stamp)
                    frames.SetTime(i, time);
                clocks[i] = run.Now;
            }

            // Told before the work is done: the other rings follow, so that what is handed on early here can be delivered.
            Publish(run.Now);
            for (int first = 0, end; first < frames.Count; first = end)
            {
                output.Leap(sensor, before, clocks[first]);
                end = first + 1;
                while (end < frames.Count && clocks[end] - clocks[end - 1] < LeapNs)
                    end++;
                sensor.Process(frames, clocks, all.AsSpan(first..end), output.Batch);
                before = clocks[end - 1];
            }

            var processed = Stopwatch.GetTimestamp();
            _onFrames?.Invoke(ring, frames);
            var copied = Stopwatch.GetTimestamp();
            frames.Release();
            output.Advance(sensor, run.Now);
            _load.OnRing(ring, started - began, processed - started + Stopwatch.GetTimestamp() - copied, copied - processed);
            output.HandOn(run.Now);
        }

        frames.Release();
        while (sensor.Complete(run.Now, output.Batch))
            output.HandOn(run.Now + 1);
        output.End();
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
                _returned[i].Writer.Put(head, failure);
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

    /// <summary>
    /// The batches of one ring, on its thread. What the detector gave back last is filled next, and all are made of one pool: memory is that of the events that
    /// wait, however many batches there are.
    /// </summary>
    private sealed class RingOutput
    {
        private readonly LivePipeline _pipeline;
        private readonly int _ring;
        private readonly CancellationToken _failure;
        private readonly Stack<EventBatch> _free = new();

        public RingOutput(LivePipeline pipeline, int ring, CancellationToken failure)
        {
            _pipeline = pipeline;
            _ring = ring;
            _failure = failure;
            var pool = new EventPool();
            for (var i = 1; i < Depth; i++)
                _free.Push(new EventBatch(pool));
            Batch = new EventBatch(pool);
        }

        /// <summary>Where the next events go.</summary>
        public EventBatch Batch { get; private set; }

        /// <summary>Brings the sensor to the clock of the next frame when that is much later than the last.</summary>
        public void Leap(Sensor sensor, long before, long clock)
        {
            if (clock - before >= LeapNs)
                Advance(sensor, clock);
        }

        /// <summary>Brings the sensor to the clock, handing batches on as they become full.</summary>
        public void Advance(Sensor sensor, long clock)
        {
            for (var reached = sensor.AdvanceTowards(clock, Batch); reached < clock; reached = sensor.AdvanceTowards(clock, Batch))
                HandOn(reached);
        }

        /// <summary>Tells how far the ring has come, with what there is to tell.</summary>
        public void HandOn(long clock)
        {
            var hasEvents = Batch.Events.Length > 0;
            _pipeline._deliveries.Writer.Put(new Delivery(_ring, hasEvents ? Batch : null, clock, IsLast: false), _failure);
            var returned = _pipeline._returned[_ring].Reader;
            while (returned.TryRead(out var batch))
                Recycle(batch);
            if (!hasEvents)
                return;
            if (_free.Count == 0)
                Recycle(returned.Take(_failure));
            Batch = _free.Pop();
        }

        /// <summary>Hands the last events on.</summary>
        public void End() => _pipeline._deliveries.Writer.Put(new Delivery(_ring, Batch, long.MaxValue, IsLast: true), _failure);

        private void Recycle(EventBatch batch)
        {
            batch.Clear();
            _free.Push(batch);
        }
    }
}
