using IoTGuard.Analysis;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Pipeline;
using IoTGuard.TestSupport;
using IoTGuard.Wire;
using CaptureFile = IoTGuard.Capture.CaptureFile;

namespace IoTGuard.Tests.Pipeline;

/// <summary>
/// The live pipeline while the clock of the machine is set: stamps of packets leap a day ahead and two back. The run's clock never goes back nor stands still, every frame is
/// analysed, and what opened is closed.
/// </summary>
public sealed class LiveClockTests
{
    private const long Day = 86_400_000_000_000;

    private const long Second = 1_000_000_000;

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

        // A quarter slower after a step back, and no slower.
        var ahead = Math.Max(0, first) + Math.Max(0, second);
        Assert.InRange(consumer.Clock - consumer.FirstClock - ahead, source.Lasted * 3 / 4, source.Lasted + 1);
    }

    [Fact]
    public void A_clock_that_was_set_back_is_caught_up_with()
    {
        var clock = default(RunClock);
        Assert.Equal(1000 * Second, clock.Take(1000 * Second, 0));

        // A late packet keeps its time.
        Assert.Equal(998 * Second, clock.Take(998 * Second, 0));
        Assert.Equal(1000 * Second, clock.Now);
        Assert.Equal(1001 * Second, clock.Take(1001 * Second, 0));
        Assert.Equal(1002 * Second, clock.Take(901 * Second, 1002 * Second));
        Assert.Equal(1005 * Second, clock.Take(905 * Second, 0));
        Assert.Equal((905 + 396 + 1) * Second, clock.Take((905 + 396) * Second, 0));
        Assert.Equal(1400 * Second, clock.Take(1400 * Second, 0));
        Assert.Equal(1400 * Second, clock.Now);
    }

    [Fact]
    public void What_a_step_makes_due_at_once_is_told_in_batches_with_a_limit()
    {
        var source = new ManyFlows(200_000, Day);
        var sensor = new Sensor(new SensorOptions { PseudonymKey = new byte[32] });
        var consumer = new Largest();
        new LivePipeline([source], [sensor], consumer, new PipelineLoad(1)).Run(TestContext.Current.CancellationToken);
        Assert.Equal(200_000 + 1, consumer.Closed);
        Assert.InRange(consumer.Events, 1, EventBatch.KeptEvents);
    }

    private sealed class Largest : IEventConsumer
    {
        public int Events { get; private set; }

        public int Closed { get; private set; }

        public void OnEvent(EventBatch batch, in SensorEvent e)
        {
            Events = Math.Max(Events, batch.Events.Length);
            Closed += e.Kind == SensorEventKind.FlowClosed ? 1 : 0;
        }

        public void OnClock(long clockNs)
        {
        }
    }

    /// <summary>A datagram of each of so many flows within four seconds, and one more after a pause.</summary>
    private sealed class ManyFlows(int flows, long pause) : ILiveSource
    {
        private readonly byte[] _memory = new byte[64 * FrameBatch.Capacity];
        private int _frames;

        public CaptureStatistics Statistics => default;

        public IReadOnlyList<CaptureProblem> Problems => [];

        public double? Progress => null;

        public TimeSpan Waited => default;

        public bool Read(FrameBatch batch)
        {
            if (_frames > flows)
                return false;
            batch.Reset(_memory, null);
            for (var i = 0; i < FrameBatch.Capacity && _frames <= flows; i++, _frames++)
            {
                var frame = _memory.AsSpan(i * 64, 64);
                Convert.FromHexString("020000000002020000000001080045000024000000004011000000000000C0A80001040013880010000030313233343536373839").CopyTo(frame);
                System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame[26..], 0x0A000000 + _frames);
                batch.Add(new FrameHeader(Second + (_frames * 20_000L) + (_frames == flows ? pause : 0), i * 64, 50, 50, LinkType.Ethernet));
            }

            return true;
        }

        public void Stop()
        {
        }

        public void Dispose()
        {
        }
    }

    private sealed class Consumer : IEventConsumer, IAlertSink
    {
        private readonly Detector _detector;
        /// <summary>The first clock after that before the first packet.</summary>
        public long FirstClock { get; private set; }

        public long Clock { get; private set; }

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
            Assert.True(clockNs >= Clock, "the run's clock went back");
            if (FirstClock == 0)
                FirstClock = clockNs;
            if (clockNs < long.MaxValue)
                Clock = clockNs;
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
        private long _first;
        private long _newest;

        /// <summary>Time from the first packet to the last without the steps, ns.</summary>
        public long Lasted => _newest - _first;

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
                _first = _first == 0 ? frame.TimeNs : _first;
                _newest = Math.Max(_newest, frame.TimeNs);
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
