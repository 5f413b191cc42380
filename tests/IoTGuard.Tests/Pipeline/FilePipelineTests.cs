using IoTGuard.Analysis;
using IoTGuard.Analysis.Flows;
using IoTGuard.Pipeline;
using IoTGuard.TestSupport;
using IoTGuard.Wire;
using CaptureFile = IoTGuard.Capture.CaptureFile;

namespace IoTGuard.Tests.Pipeline;

/// <summary>Work that several workers share out among themselves: the same events in the same order, no stage entered twice, and failures that end the run.</summary>
public sealed class FilePipelineTests
{
    private static readonly string Capture = Repository.PathOf("captures", "hospital-attacks.pcapng");

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(16)]
    public void Events_and_clocks_come_in_the_same_order_for_any_number_of_workers(int workers)
    {
        var one = new Recorder();
        var many = new Recorder();
        Run(1, one);
        Run(workers, many);
        Assert.True(one.Seen.Count > 1000);
        Assert.Equal(one.Seen, many.Seen);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void What_the_consumer_throws_ends_the_run(int workers) =>
        Assert.Throws<TimeoutException>(() => Run(workers, new Recorder { FailAfter = 500 }));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void What_the_source_throws_ends_the_run(int workers)
    {
        using var source = new FailingSource(CaptureFile.Open(Capture), batches: 5);
        Assert.Throws<TimeoutException>(() => Run(workers, new Recorder(), source));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void What_was_read_before_a_stop_is_delivered_in_full(int workers)
    {
        using var stop = new CancellationTokenSource();
        var consumer = new Recorder();
        long read = 0;
        Run(
            workers,
            consumer,
            onBatch: batch =>
            {
                read += batch.Count;
                if (read > 2000)
                    stop.Cancel();
            },
            stop: stop.Token);
        Assert.InRange(read, 2001, 2001 + FrameBatch.Capacity);
        Assert.Equal(read, consumer.Batches.Sum());
    }

    private static void Run(int workers, Recorder consumer, IFrameSource? source = null, Action<FrameBatch>? onBatch = null, CancellationToken? stop = null)
    {
        using var own = source is null ? CaptureFile.Open(Capture) : null;
        var options = new SensorOptions { PseudonymKey = new byte[32] };
        Sensor[] sensors = [.. Enumerable.Range(0, workers).Select(worker => new Sensor(options, worker, workers))];
        var batches = new Queue<int>();
        consumer.Deliverable = batches;
        new FilePipeline(source ?? own!, sensors, new FrameRouter(options), consumer).Run(
            batch =>
            {
                lock (batches)
                    batches.Enqueue(batch.Count);
                onBatch?.Invoke(batch);
            },
            stop ?? TestContext.Current.CancellationToken);
    }

    private sealed class Recorder : IEventConsumer
    {
        private int _inside;

        public int FailAfter { get; init; } = int.MaxValue;

        public List<string> Seen { get; } = [];

        /// <summary>Frames of the batches that were delivered.</summary>
        public List<int> Batches { get; } = [];

        public Queue<int> Deliverable { get; set; } = [];

        public void OnEvent(EventBatch batch, in SensorEvent e)
        {
            Assert.Equal(1, Interlocked.Increment(ref _inside));
            Seen.Add($"{e.Key} {e.Kind}");
            if (Seen.Count > FailAfter)
                throw new TimeoutException();
            Interlocked.Decrement(ref _inside);
        }

        public void OnClock(long clockNs)
        {
            Assert.Equal(1, Interlocked.Increment(ref _inside));
            Seen.Add($"clock {clockNs}");
            lock (Deliverable)
                Batches.Add(Deliverable.Dequeue());
            Interlocked.Decrement(ref _inside);
        }
    }

    private sealed class FailingSource(IFrameSource source, int batches) : IFrameSource
    {
        private int _left = batches;

        public CaptureStatistics Statistics => source.Statistics;

        public IReadOnlyList<CaptureProblem> Problems => source.Problems;

        public double? Progress => source.Progress;

        public bool Read(FrameBatch batch) => _left-- > 0 ? source.Read(batch) : throw new TimeoutException();

        public void Dispose() => source.Dispose();
    }
}
