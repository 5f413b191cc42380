using IoTGuard.Analysis;
using IoTGuard.Benchmarks.Inputs;
using IoTGuard.Wire;

namespace IoTGuard.Benchmarks.Stages;

/// <summary>Decode, look-up and counters with 20,000 flows in turn, so that look-ups miss the nearest caches as they do on a trunk.</summary>
internal sealed class FlowStage : Stage
{
    public const int Packets = Flows;

    private const int Flows = 20_000;
    private const long IntervalNs = 10_000;

    private readonly FrameWriter _frames = new();
    private readonly FrameBatch _batch = new();
    private readonly long[] _clocks = new long[FrameBatch.Capacity];
    private readonly ushort[] _all = [.. Enumerable.Range(0, FrameBatch.Capacity).Select(i => (ushort)i)];
    private readonly EventBatch _output = new();
    private readonly Sensor _sensor = new(new SensorOptions { PseudonymKey = new byte[32] });
    private long _timeNs = 1_767_323_045_000_000_000;
    private long _frame;

    public FlowStage()
    {
        var payload = new byte[64];
        for (var i = 0; i < Flows; i++)
            _frames.AddUdp(0x0A000000u + (uint)(i * 7919 % Flows), 0x0A800000u + (uint)(i % 200), (ushort)(1024 + i), 5004, payload);
    }

    public override string Name => "flow";

    public override string Unit => "packet";

    public override int Operations => Packets;

    public override void Run()
    {
        for (var first = 0; first < Flows; first += FrameBatch.Capacity)
        {
            var count = Math.Min(FrameBatch.Capacity, Flows - first);
            _timeNs = _frames.Fill(_batch, _clocks, first, count, _timeNs, IntervalNs);
            _batch.FirstFrame = _frame;
            _frame += count;
            _sensor.Process(_batch, _clocks, _all.AsSpan(0, count), _output);
            _sensor.Advance(_timeNs, _output);
            _output.Clear();
        }
    }
}
