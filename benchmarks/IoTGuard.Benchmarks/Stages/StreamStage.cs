using IoTGuard.Analysis;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Benchmarks.Inputs;
using IoTGuard.Wire;

namespace IoTGuard.Benchmarks.Stages;

/// <summary>Reassembly in order: 64 connections send full segments to a session that takes everything, every second one acknowledged.</summary>
internal sealed class StreamStage : Stage
{
    public const int Packets = Connections * (SegmentsPerConnection + (SegmentsPerConnection / 2));

    private const int Connections = 64;
    private const int SegmentsPerConnection = 40;
    private const long IntervalNs = 10_000;

    private readonly FrameWriter _frames = new();
    private readonly List<(int Index, uint Sequence, uint Acknowledgment, bool FromClient)> _places = [];
    private readonly FrameBatch _batch = new();
    private readonly long[] _clocks = new long[FrameBatch.Capacity];
    private readonly ushort[] _all = [.. Enumerable.Range(0, FrameBatch.Capacity).Select(i => (ushort)i)];
    private readonly EventBatch _output = new();
    private readonly Sensor _sensor = new(
        new SensorOptions { PseudonymKey = new byte[32] },
        [new ProtocolRow("sink", static (_, _) => ProbeResult.Certain, static () => new Sink(), [])],
        []);

    private long _timeNs = 1_767_323_045_000_000_000;
    private long _frame;
    private uint _sent;

    public StreamStage()
    {
        const uint Server = 0x0A800001;
        for (uint c = 0; c < Connections; c++)
        {
            _frames.AddTcp(0x0A000000 + c, Server, 5000, 9000, TcpFlags.Syn, 0, 0, []);
            _frames.AddTcp(Server, 0x0A000000 + c, 9000, 5000, TcpFlags.Syn | TcpFlags.Ack, 0, 1, []);
            _frames.AddTcp(0x0A000000 + c, Server, 5000, 9000, TcpFlags.Ack, 1, 1, []);
        }

        Process(0, _frames.Count);
        var payload = new byte[SessionPlayer.SegmentBytes];
        new Random(1).NextBytes(payload);
        for (uint segment = 0; segment < SegmentsPerConnection; segment++)
        {
            for (uint c = 0; c < Connections; c++)
            {
                var sequence = 1 + (segment * SessionPlayer.SegmentBytes);
                _places.Add((_frames.AddTcp(0x0A000000 + c, Server, 5000, 9000, TcpFlags.Ack, 0, 0, payload), sequence, 1, true));
                if (segment % 2 == 1)
                    _places.Add((_frames.AddTcp(Server, 0x0A000000 + c, 9000, 5000, TcpFlags.Ack, 0, 0, []), 1, sequence + SessionPlayer.SegmentBytes, false));
            }
        }
    }

    public override string Name => "stream";

    public override string Unit => "packet";

    public override int Operations => Packets;

    public override void Run()
    {
        foreach (var (index, sequence, acknowledgment, fromClient) in _places)
            _frames.Move(index, fromClient ? sequence + _sent : sequence, fromClient ? acknowledgment : acknowledgment + _sent);
        Process(_places[0].Index, _places.Count);
        _sent += SegmentsPerConnection * SessionPlayer.SegmentBytes;
    }

    private void Process(int first, int count)
    {
        for (var end = first + count; first < end; first += FrameBatch.Capacity)
        {
            var frames = Math.Min(FrameBatch.Capacity, end - first);
            _timeNs = _frames.Fill(_batch, _clocks, first, frames, _timeNs, IntervalNs);
            _batch.FirstFrame = _frame;
            _frame += frames;
            _sensor.Process(_batch, _clocks, _all.AsSpan(0, frames), _output);
            _sensor.Advance(_timeNs, _output);
            _output.Clear();
        }

        if (_sensor.Counters.Gaps > 0)
            throw new InvalidOperationException("the streams are not in order");
    }

    private sealed class Sink : StreamSession
    {
        public override ApplicationProtocol Protocol => ApplicationProtocol.Unknown;

        public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data) => new(data.Length);

        public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
        {
        }

        public override void OnEnd(SessionContext context)
        {
        }

        public override void Reset()
        {
        }
    }
}
