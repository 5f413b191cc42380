using System.Runtime.CompilerServices;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;

namespace IoTGuard.Analysis;

public sealed partial class Sensor
{
    private readonly FragmentReassembler _fragments;
    private FlowPacket _whole;

    /// <summary>
    /// A fragment; when its datagram is whole, the datagram takes the fragment's place. Every worker puts all datagrams together and uses those
    /// of its own shards, so that who reads a datagram does not depend on the number of workers.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void OnFragment(ReadOnlySpan<byte> frame, in PacketView view, long timeNs, long clock, long number, EventBatch output)
    {
        var bytes = frame;
        ref var packet = ref _whole;
        packet.View = view;

        // What a datagram carries may be a fragment again: of another datagram, in a tunnel.
        for (var nested = 0; packet.View.IsFragment; nested++)
        {
            if (nested == FragmentLimits.MaximumNested)
            {
                _fragments.GiveUp(FaultKind.TooDeep, nested, FragmentLimits.MaximumNested);
                break;
            }

            if (!_fragments.Add(bytes, packet.View, clock, out var whole))
                break;
            bytes = whole.Bytes;
            PacketDecoder.DecodeDatagram(bytes, whole.Offset, whole.CarrierOffset, whole.First, ref packet.View);
        }

        if (!packet.View.IsFragment)
            Use(bytes, ref packet, timeNs, clock, number, output);
        _fragments.Release();
    }

    private void Use(ReadOnlySpan<byte> bytes, ref FlowPacket packet, long timeNs, long clock, long number, EventBatch output)
    {
        ulong hash = 0;
        if (FlowHasher.HasFlow(packet.View))
            _hasher.KeyOf(packet.View, out hash, out _);
        if (FlowHasher.ShardOf(hash) % _workers != _worker)
            return;
        Take(bytes, ref packet);
        if (packet.HasFlow)
            _tracker.OnPacket(bytes, packet, timeNs, clock, number, output);
        else if (packet.View.Kind == PacketKind.Arp)
            OnArp(bytes, packet.View, clock, number, output);
    }
}
