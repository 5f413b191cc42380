using IoTGuard.Benchmarks.Inputs;
using IoTGuard.Wire;

namespace IoTGuard.Benchmarks.Stages;

/// <summary>Frame to <see cref="PacketView"/>: TCP and UDP over IPv4 in Ethernet.</summary>
internal sealed class DecodeStage : Stage
{
    public const int Packets = FrameBatch.Capacity;

    private readonly FrameBatch _batch = new();
    private PacketView _view;

    public DecodeStage()
    {
        var frames = new FrameWriter();
        var payload = new byte[512];
        for (var i = 0; i < Packets; i++)
        {
            if (i % 3 == 0)
                frames.AddUdp(0x0A000000u + (uint)i, 0x0A010000, 5000, 53, payload);
            else
                frames.AddTcp(0x0A000000u + (uint)i, 0x0A010000, 5000, 80, TcpFlags.Ack | TcpFlags.Psh, 1, 1, payload);
        }

        frames.Fill(_batch, new long[Packets], 0, Packets, 1, 1000);
    }

    public override string Name => "decode";

    public override string Unit => "packet";

    public override int Operations => Packets;

    /// <summary>Bytes of payload seen, so that nothing is optimised away.</summary>
    public long PayloadBytes { get; private set; }

    public FrameBatch Batch => _batch;

    public override void Run()
    {
        var memory = _batch.Memory.Span;
        foreach (ref readonly var header in _batch.Frames)
        {
            PacketDecoder.Decode(memory.Slice(header.Offset, header.Length), header, ref _view);
            PayloadBytes += _view.PayloadLength;
        }
    }
}
