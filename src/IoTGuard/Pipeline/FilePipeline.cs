using IoTGuard.Analysis;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;

namespace IoTGuard.Pipeline;

/// <summary>
/// Runs a frame source through sensors into one consumer, on as many threads as there are sensors. No thread belongs to a stage: whoever has nothing
/// to do takes the next piece of work that may be done, so that no processor waits while there is any, and none is fought over by more
/// threads than workers. Batches are numbered. Reading goes on by number, so does each sensor, and so does delivery, which begins when all sensors are
/// done with a batch; what is under way is bounded, so the slowest stage sets the pace and memory stays constant.
/// </summary>
internal sealed class FilePipeline
{
    /// <summary>Batches under way at once. Enough for uneven ones; more only costs cache and memory.</summary>
    private const int Depth = 8;

    /// <summary>Batches to be read or delivered for which a sleeping worker is woken: it takes longer to wake than a small batch to read.</summary>
    private const int WorthWaking = 2;

    private readonly IFrameSource _source;
    private readonly Sensor[] _sensors;
    private readonly FrameRouter _router;
    private readonly IEventConsumer _consumer;
    private readonly EventMerger _merger;
    private readonly WorkItem[] _items;

    // All below is looked at and changed under this lock, once for each piece of work.
    private readonly object _gate = new();
    private readonly bool[] _isSensing;
    private readonly long[] _sensed;
    private bool _isReading;
    private bool _isDelivering;
    private bool _hasEnded;
    private bool _hasFailed;
    private long _read;
    private long _delivered;
    private int _waiting;

    private Action<FrameBatch>? _onBatch;
    private CancellationToken _cancellation;
    private long _frames;

    /// <param name="source">Frames in.</param>
    /// <param name="sensors">One for each worker.</param>
    /// <param name="router">Says which worker takes a frame.</param>
    /// <param name="consumer">Receives the events in order, on one thread at a time.</param>
    public FilePipeline(IFrameSource source, Sensor[] sensors, FrameRouter router, IEventConsumer consumer)
    {
        _source = source;
        _sensors = sensors;
        _router = router;
        _consumer = consumer;
        _merger = new EventMerger(sensors.Length);
        // One worker delivers what it has read before it reads on.
        _items = [.. Enumerable.Range(0, sensors.Length == 1 ? 1 : Depth).Select(_ => new WorkItem(sensors.Length))];
        _isSensing = new bool[sensors.Length];
        _sensed = new long[sensors.Length];
    }

    private enum Duty
    {
        None,
        Sense,
        Deliver,
        Read,
    }

    /// <summary>The run's clock when the input ended, ns; 0 when there was no frame.</summary>
    public long EndClock { get; private set; }

    /// <summary>Reads to the end of the source, or until cancelled. What was read is delivered in full either way.</summary>
    /// <param name="onBatch">Called after each batch was dealt, for progress.</param>
    /// <param name="cancellation">Stops reading.</param>
    public void Run(Action<FrameBatch>? onBatch, CancellationToken cancellation)
    {
        _onBatch = onBatch;
        _cancellation = cancellation;
        if (_sensors.Length == 1)
        {
            Work(0);
        }
        else
        {
            using var failure = new CancellationTokenSource();
            using var stop = failure.Token.Register(Fail);
            PipelineThread.JoinAll([.. _sensors.Select((_, worker) => new PipelineThread($"worker {worker}", () => Work(worker), failure))]);
        }

        DeliverRest();
    }

    private WorkItem Item(long number) => _items[number % _items.Length];

    private void Work(int worker)
    {
        var (duty, sensor) = (Duty.None, 0);
        while (Next(worker, ref duty, ref sensor))
        {
            switch (duty)
            {
                case Duty.Sense:
                    Sense(sensor, Item(_sensed[sensor]));
                    break;
                case Duty.Deliver:
                    Deliver(Item(_delivered));
                    break;
                case Duty.Read:
                    Read(Item(_read));
                    break;
            }
        }
    }

    /// <summary>Puts down the duty that was done and takes the next, waiting for it; false when nothing is left to do.</summary>
    private bool Next(int worker, ref Duty duty, ref int sensor)
    {
        lock (_gate)
        {
            PutDown(duty, sensor);
            while (true)
            {
                if (_hasFailed || (_hasEnded && _delivered == _read))
                {
                    Monitor.PulseAll(_gate);
                    return false;
                }

                sensor = worker;
                duty = Choose(ref sensor);
                if (duty != Duty.None)
                {
                    if (_waiting > 0 && IsMuchLeft())
                        Monitor.Pulse(_gate);
                    return true;
                }

                _waiting++;
                Monitor.Wait(_gate);
                _waiting--;
            }
        }
    }

    private void PutDown(Duty duty, int sensor)
    {
        switch (duty)
        {
            case Duty.Sense:
                _isSensing[sensor] = false;
                _sensed[sensor]++;
                break;
            case Duty.Deliver:
                _isDelivering = false;
                _delivered++;
                break;
            case Duty.Read:
                _isReading = false;
                if (!_hasEnded)
                    _read++;
                break;
        }
    }

    /// <summary>True when there is enough to do for one more thread. What is not, those who are awake come to by themselves: none sleeps while it may do anything.</summary>
    private bool IsMuchLeft()
    {
        if (!_isDelivering && _sensed.Min() - _delivered >= WorthWaking)
            return true;
        if (!_isReading && !_hasEnded && _delivered + _items.Length - _read >= WorthWaking)
            return true;
        for (var i = 0; i < _sensors.Length; i++)
        {
            if (!_isSensing[i] && _sensed[i] < _read)
                return true;
        }

        return false;
    }

    /// <summary>What may be done and helps most. A worker's own sensor comes first, since its flows are in the cache of the processor; others' sensors come last.</summary>
    private Duty Choose(ref int sensor)
    {
        if (TryTakeSensor(sensor))
            return Duty.Sense;
        if (!_isDelivering && _delivered < _sensed.Min())
        {
            _isDelivering = true;
            return Duty.Deliver;
        }

        if (!_isReading && !_hasEnded && _read < _delivered + _items.Length)
        {
            _isReading = true;
            return Duty.Read;
        }

        for (var other = 0; other < _sensors.Length; other++)
        {
            if (TryTakeSensor(other))
            {
                sensor = other;
                return Duty.Sense;
            }
        }

        return Duty.None;
    }

    private bool TryTakeSensor(int sensor)
    {
        if (_isSensing[sensor] || _sensed[sensor] == _read)
            return false;
        return _isSensing[sensor] = true;
    }

    private void Read(WorkItem item)
    {
        if (_cancellation.IsCancellationRequested || !_source.Read(item.Frames))
        {
            item.Frames.Release();
            _hasEnded = true;
            return;
        }

        item.Deal(_frames, EndClock, _router);
        _frames += item.Frames.Count;
        EndClock = item.EndClock;
        _onBatch?.Invoke(item.Frames);
    }

    private void Sense(int sensor, WorkItem item)
    {
        var events = item.Events[sensor];
        _sensors[sensor].Process(item.Frames, item.Clocks, item.IndicesOf(sensor), events);
        _sensors[sensor].Advance(item.EndClock, events);
        item.Finished();
    }

    private void Deliver(WorkItem item)
    {
        _merger.Deliver(item.Events, _consumer);
        foreach (var events in item.Events)
            events.Clear();
        _consumer.OnClock(item.EndClock);
    }

    private void DeliverRest()
    {
        var events = _items[0].Events;
        var open = new bool[_sensors.Length];
        Array.Fill(open, true);
        _merger.DeliverRest(
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

    private void Fail()
    {
        lock (_gate)
        {
            _hasFailed = true;
            Monitor.PulseAll(_gate);
        }
    }
}
