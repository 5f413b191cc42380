using IoTGuard.Analysis;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Pipeline;
using IoTGuard.TestSupport;
using IoTGuard.Wire;
using CaptureFile = IoTGuard.Capture.CaptureFile;

namespace IoTGuard.Tests.Pipeline;

/// <summary>
/// The live pipeline while the clock of the machine is set: stamps of packets leap a day ahead and two back. The run's clock never goes back, every frame is
/// analysed, and what opened is closed.
/// </summary>
public sealed class LiveClockTests
{
    private const long Day = 86_400_000_000_000;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(Day, 0)]
    [InlineData(-Day, 0)]
    [InlineData(Day, -2 * Day)]
    public void Steps_of_the_clock_lose_no_frame_and_leave_nothing_open(long first, long second)
    {
        using var file = CaptureFile.Open(Repository.PathOf("captures", "hospital-attacks.pcapng"));
        var source = new SteppedSource(file, (20_000, first), (40_000, second));
        var sensor = new Sensor(new SensorOptions { PseudonymKey = new byte[32] });
        var consumer = new Consumer();
        new LivePipeline([source], [sensor], consumer, new PipelineLoad(1)).Run(TestContext.Current.CancellationToken);
        consumer.Complete();
        Assert.True(source.Statistics.Frames > 50_000);
        Assert.Equal(source.Statistics.Frames, sensor.Counters.Frames);
        Assert.Equal(0, sensor.FlowsHeld);
        Assert.Equal(sensor.Counters.FlowsOpened, consumer.FlowsOpened);
        Assert.True(consumer.Transactions > 1000, $"{consumer.Transactions} transactions");
        Assert.True(consumer.Opened > 5, $"{consumer.Opened} alerts");
        Assert.Equal(consumer.Opened, consumer.Closed);
    }

    private sealed class Consumer : IEventConsumer, IAlertSink
    {
        private readonly Detector _detector;
        private long _clock;

        public Consumer() => _detector = new Detector(Site.Empty, new DetectorOptions(), this);

        public long FlowsOpened { get; private set; }

        public int Transactions { get; private set; }

        public int Opened { get; private set; }

        public int Closed { get; private set; }

        public void OnEvent(EventBatch batch, in SensorEvent e)
        {
            FlowsOpened += e.Kind == SensorEventKind.FlowOpened ? 1 : 0;
            Transactions += e.Kind == SensorEventKind.Transaction ? 1 : 0;
            _detector.OnEvent(batch, e);
        }

        public void OnClock(long clockNs)
        {
            Assert.True(clockNs >= _clock, "the run's clock went back");
            _clock = clockNs;
            if (clockNs > 0)
                _detector.AdvanceTo(clockNs);
        }

        public void OnAlert(Alert alert, AlertPhase phase)
        {
            Opened += phase == AlertPhase.Opened ? 1 : 0;
            Closed += phase == AlertPhase.Closed ? 1 : 0;
        }

        public void Complete() => _detector.Complete();
    }

    /// <summary>A capture whose stamps are set by so much from so many frames on.</summary>
    private sealed class SteppedSource(IFrameSource file, params (long From, long Ns)[] steps) : ILiveSource
    {
        private readonly FrameBatch _read = new();
        private long _frames;

        public CaptureStatistics Statistics => file.Statistics;

        public IReadOnlyList<CaptureProblem> Problems => file.Problems;

        public double? Progress => null;

        public TimeSpan Waited => default;

        public bool Read(FrameBatch batch)
        {
            if (!file.Read(_read))
                return false;
            batch.Reset(_read.Memory, _ => _read.Release());
            foreach (ref readonly var frame in _read.Frames)
            {
                var at = _frames++;
                batch.Add(frame with { TimeNs = frame.TimeNs + steps.Where(s => at >= s.From).Sum(static s => s.Ns) });
            }

            return true;
        }

        public void Stop()
        {
        }

        public void Dispose() => file.Dispose();
    }
}
