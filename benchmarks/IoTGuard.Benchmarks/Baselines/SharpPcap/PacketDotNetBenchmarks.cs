using BenchmarkDotNet.Attributes;
using IoTGuard.Benchmarks.Stages;
using PacketDotNet;

namespace IoTGuard.Benchmarks.Baselines;

/// <summary>The frames of the decode stage, decoded by PacketDotNet, and what a flow table would ask of each.</summary>
public class PacketDotNetBenchmarks
{
    private readonly byte[][] _frames;

    public PacketDotNetBenchmarks()
    {
        var batch = new DecodeStage().Batch;
        _frames = new byte[batch.Count][];
        for (var i = 0; i < _frames.Length; i++)
            _frames[i] = batch.Memory.Slice(batch.Frames[i].Offset, batch.Frames[i].Length).ToArray();
    }

    [Benchmark(OperationsPerInvoke = DecodeStage.Packets)]
    public long Packet()
    {
        long sum = 0;
        foreach (var frame in _frames)
        {
            var packet = PacketDotNet.Packet.ParsePacket(LinkLayers.Ethernet, frame);
            if (packet.Extract<IPPacket>() is { PayloadPacket: TransportPacket transport } ip)
                sum += ip.TotalLength + transport.SourcePort + transport.DestinationPort;
        }

        return sum;
    }
}
