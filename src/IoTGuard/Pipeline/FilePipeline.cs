using System.Threading.Channels;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;

namespace IoTGuard.Pipeline;

/// <summary>
/// Runs a frame source through sensors into one consumer: the calling thread reads and deals batches, each worker has a thread, and
/// one thread delivers the merged events. Queues are bounded, so the slowest stage sets the pace and memory stays constant.
/// With a single processor the calling thread does it all in turn: there, threads would only take the processor and its cache from each other.
/// </summary>
internal sealed class FilePipeline
{
    /// <summary>Batches on their way at once. Enough to ride out uneven batches; more only costs cache.</summary>
    private const int Depth = 4;

    private readonly IFrameSource _source;
    private readonly Sensor[] _sensors;
    private readonly FrameRouter _router;
    private readonly IEventConsumer _consumer;
    private readonly bool _onThreads;
    private readonly Channel<WorkItem> _freeItems;
    private readonly Channel<WorkItem>[] _work;
    private readonly Channel<EventBatch>[] _events;
    private readonly Channel<EventBatch>[] _freeEvents;
    private readonly Channel<long> _clocks;

    /// <param name="source">Frames in.</param>
    /// <param name="sensors">One for each worker.</param>
    /// <param name="router">Says which worker takes a frame.</param>
    /// <param name="consumer">Receives the events in order.</param>
    /// <param name="onThreads">Whether stages run on threads of their own; null when the processors there are shall decide.</param>
    public FilePipeline(IFrameSource source, Sensor[] sensors, FrameRouter router, IEventConsumer consumer, bool? onThreads = null)
    {
        _onThreads = onThreads ?? Environment.ProcessorCount > 1;
        _router = router;
        _source = source;
        _sensors = sensors;
        _consumer = consumer;
        _freeItems = StageQueue.Create<WorkItem>(Depth);
        _clocks = StageQueue.Create<long>(Depth);
        _work = [.. sensors.Select(_ => StageQueue.Create<WorkItem>(Depth))];
        _events = [.. sensors.Select(_ => StageQueue.Create<EventBatch>(Depth))];
        _freeEvents = [.. sensors.Select(_ => StageQueue.Create<EventBatch>(Depth))];
    }

    /// <summary>The run's clock when the input ended, ns; 0 when there was no frame.</summary>
    public long EndClock { get; private set; }

    /// <summary>Reads to the end of the source, or until cancelled. What was read is delivered in full either way.</summary>
    /// <param name="onBatch">Called after each batch was dealt, for progress.</param>
    /// <param name="cancellation">Stops reading.</param>
    public void Run(Action<FrameBatch>? onBatch, CancellationToken cancellation)
    {
        if (_onThreads)
            RunOnThreads(onBatch, cancellation);
        else
            RunHere(onBatch, cancellation);
    }

    private void RunHere(Action<FrameBatch>? onBatch, CancellationToken cancellation)
    {
        var item = new WorkItem(_sensors.Length);
        EventBatch[] events = [.. _sensors.Select(static _ => new EventBatch())];
        var merger = new EventMerger(_sensors.Length);
        long frames = 0;
        while (!cancellation.IsCancellationRequested && _source.Read(item.Frames))
        {
            item.Deal(frames, EndClock, _router);
            frames += item.Frames.Count;
            EndClock = item.EndClock;
            onBatch?.Invoke(item.Frames);
            for (var i = 0; i < _sensors.Length; i++)
            {
                _sensors[i].Process(item.Frames, item.Clocks, item.IndicesOf(i), events[i]);
                _sensors[i].Advance(EndClock, events[i]);
                item.Finished();
            }

            merger.Deliver(events, _consumer);
            foreach (var batch in events)
                batch.Clear();
            _consumer.OnClock(EndClock);
        }

        var open = new bool[_sensors.Length];
        Array.Fill(open, true);
        merger.DeliverRest(
            i =>
            {
                if (!open[i])
                    return null;
                events[i].Clear();
                open[i] = _sensors[i].Complete(EndClock, events[i]);
                return events[i];
            },
            _consumer);
    }

    private void RunOnThreads(Action<FrameBatch>? onBatch, CancellationToken cancellation)
    {
        for (var i = 0; i < Depth; i++)
        {
            _freeItems.Writer.TryWrite(new WorkItem(_sensors.Length));
            foreach (var free in _freeEvents)
                free.Writer.TryWrite(new EventBatch());
        }

        using var failure = new CancellationTokenSource();
        var threads = new List<PipelineThread> { new("deliver", () => Deliver(failure.Token), failure) };
        for (var i = 0; i < _sensors.Length; i++)
        {
            var worker = i;
            threads.Add(new PipelineThread($"worker {worker}", () => Work(worker, failure.Token), failure));
        }

        try
        {
            Feed(onBatch, cancellation, failure.Token);
        }
        catch (OperationCanceledException) when (failure.IsCancellationRequested)
        {
            // A stage failed; its exception is rethrown below.
        }
        finally
        {
            _clocks.Writer.TryComplete();
            foreach (var work in _work)
                work.Writer.TryComplete();
        }

        foreach (var thread in threads)
            thread.Join();
    }

    private void Feed(Action<FrameBatch>? onBatch, CancellationToken cancellation, CancellationToken failure)
    {
        long frames = 0;
        while (!cancellation.IsCancellationRequested)
        {
            var item = _freeItems.Reader.Take(failure);
            if (!_source.Read(item.Frames))
            {
                item.Frames.Release();
                return;
            }

            item.Deal(frames, EndClock, _router);
            frames += item.Frames.Count;
            EndClock = item.EndClock;
            onBatch?.Invoke(item.Frames);
            _clocks.Writer.Put(item.EndClock, failure);
            foreach (var work in _work)
                work.Writer.Put(item, failure);
        }
    }

    private void Work(int worker, CancellationToken failure)
    {
        var sensor = _sensors[worker];
        var input = _work[worker].Reader;
        while (input.TryTake(failure, out var item))
        {
            var output = _freeEvents[worker].Reader.Take(failure);
            sensor.Process(item.Frames, item.Clocks, item.IndicesOf(worker), output);
            sensor.Advance(item.EndClock, output);
            if (item.Finished())
                _freeItems.Writer.Put(item, failure);
            _events[worker].Writer.Put(output, failure);
        }

        bool more;
        do
        {
            var output = _freeEvents[worker].Reader.Take(failure);
            more = sensor.Complete(EndClock, output);
            _events[worker].Writer.Put(output, failure);
        }
        while (more);
        _events[worker].Writer.Complete();
    }

    private void Deliver(CancellationToken failure)
    {
        var merger = new EventMerger(_sensors.Length);
        var batches = new EventBatch[_sensors.Length];
        while (_clocks.Reader.TryTake(failure, out var clock))
        {
            for (var i = 0; i < batches.Length; i++)
                batches[i] = _events[i].Reader.Take(failure);
            merger.Deliver(batches, _consumer);
            _consumer.OnClock(clock);
            for (var i = 0; i < batches.Length; i++)
                GiveBack(i, batches[i], failure);
        }

        var last = new EventBatch?[_sensors.Length];
        merger.DeliverRest(
            i =>
            {
                if (last[i] is { } read)
                    GiveBack(i, read, failure);
                return last[i] = _events[i].Reader.TryTake(failure, out var batch) ? batch : null;
            },
            _consumer);
    }

    private void GiveBack(int worker, EventBatch batch, CancellationToken failure)
    {
        batch.Clear();
        _freeEvents[worker].Writer.Put(batch, failure);
    }
}
