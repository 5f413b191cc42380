using System.Buffers.Binary;
using System.Security.Cryptography;
using IoTGuard.Wire;
using IoTGuard.Wire.Transport;

namespace IoTGuard.Analysis.Flows;

/// <summary>The keyed hash of flows, and the shard that it says. The key is derived from the site's, so that runs can be repeated.</summary>
internal readonly struct FlowHasher
{
    private const int ShardShift = 64 - 6;
    private readonly ulong _key0;
    private readonly ulong _key1;
    private readonly bool _vlanAware;

    public FlowHasher(SensorOptions options)
    {
        Span<byte> key = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(options.PseudonymKey.Span, "flow hash"u8, key);
        _key0 = BinaryPrimitives.ReadUInt64LittleEndian(key);
        _key1 = BinaryPrimitives.ReadUInt64LittleEndian(key[8..]);
        _vlanAware = options.VlanAware;
    }

    /// <summary>The key of an IP packet, its hash, and which endpoint sent it.</summary>
    public FlowKey KeyOf(in PacketView view, out ulong hash, out Endpoint sender)
    {
        var key = FlowKey.From(view, _vlanAware, out sender);
        hash = key.GetHash(_key0, _key1);
        return key;
    }

    /// <summary>The highest bits of the hash; the lowest place the flow in its shard.</summary>
    public static int ShardOf(ulong hash) => (int)(hash >> ShardShift);

    /// <summary>True for packets that belong to a flow.</summary>
    public static bool HasFlow(in PacketView view) => view.Kind is not (PacketKind.Other or PacketKind.Arp);
}
