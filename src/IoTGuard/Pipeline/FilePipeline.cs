using System.Threading.Channels;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;

namespace IoTGuard.Pipeline;

/// <summary>
/// Runs a frame source through sensors into one consumer: the calling thread reads and deals batches, each worker has a thread, and
/// one thread delivers the merged events. Queues are bounded, so the slowest stage sets the pace and memory stays constant.
/// </summary>
internal sealed class FilePipeline
{
    /// <summary>Batches on their way at once. Enough to ride out uneven batches; more only costs cache.</summary>
    private const int Depth = 4;

    private readonly IFrameSource _source;
    private readonly Sensor[] _sensors;
    private readonly FrameRouter _router;
    private readonly IEventConsumer _consumer;
    private readonly Channel<WorkItem> _freeItems;
    private readonly Channel<WorkItem>[] _work;
    private readonly Channel<EventBatch>[] _events;
    private readonly Channel<EventBatch>[] _freeEvents;
    private readonly Channel<long> _clocks;

    public FilePipeline(IFrameSource source, Sensor[] sensors, FrameRouter router, IEventConsumer consumer)
    {
        _router = router;
        _source = source;
        _sensors = sensors;
        _consumer = consumer;
        _freeItems = StageQueue.Create<WorkItem>(Depth);
        _clocks = StageQueue.Create<long>(Depth);
        _work = [.. sensors.Select(_ => StageQueue.Create<WorkItem>(Depth))];
        _events = [.. sensors.Select(_ => StageQueue.Create<EventBatch>(Depth))];
        _freeEvents = [.. sensors.Select(_ => StageQueue.Create<EventBatch>(Depth))];
        for (var i = 0; i < Depth; i++)
        {
            _freeItems.Writer.TryWrite(new WorkItem(sensors.Length));
            foreach (var free in _freeEvents)
                free.Writer.TryWrite(new EventBatch());
        }
    }

    /// <summary>The run's clock when the input ended, ns; 0 when there was no frame.</summary>
    public long EndClock { get; private set; }

    /// <summary>Reads to the end of the source, or until cancelled. What was read is delivered in full either way.</summary>
    /// <param name="onBatch">Called after each batch was dealt, for progress.</param>
    /// <param name="cancellation">Stops reading.</param>
    public void Run(Action<FrameBatch>? onBatch, CancellationToken cancellation)
    {
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

        var last = _freeEvents[worker].Reader.Take(failure);
        sensor.Complete(EndClock, last);
        _events[worker].Writer.Put(last, failure);
        _events[worker].Writer.Complete();
    }

    private void Deliver(CancellationToken failure)
    {
        var merger = new EventMerger(_sensors.Length);
        var batches = new EventBatch[_sensors.Length];
        while (true)
        {
            for (var i = 0; i < batches.Length; i++)
            {
                if (!_events[i].Reader.TryTake(failure, out batches[i]!))
                    return;
            }

            merger.Deliver(batches, _consumer);
            if (_clocks.Reader.TryRead(out var clock))
                _consumer.OnClock(clock);
            for (var i = 0; i < batches.Length; i++)
            {
                batches[i].Clear();
                _freeEvents[i].Writer.Put(batches[i], failure);
            }
        }
    }
}
