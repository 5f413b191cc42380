using System.Buffers.Binary;
using System.Security.Cryptography;
using IoTGuard.Wire;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Transport;

namespace IoTGuard.Analysis.Flows;

/// <summary>The keyed hash of flows, and the shard that it says. The key is derived from the site's, so that runs can be repeated.</summary>
internal readonly struct FlowHasher
{
    private const int ShardShift = 64 - 6;
    private const byte TcpNumber = 6;
    private const byte UdpNumber = 17;
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

    /// <summary>True when flows of different VLANs and virtual networks are kept apart.</summary>
    public bool IsVlanAware => _vlanAware;

    /// <summary>The key of an IP packet, its hash, and which endpoint sent it.</summary>
    public FlowKey KeyOf(in PacketView view, out ulong hash, out Endpoint sender)
    {
        var key = FlowKey.From(view, _vlanAware, out sender);
        hash = key.GetHash(_key0, _key1);
        return key;
    }

    /// <summary>
    /// The hash of the usual frame (untagged Ethernet, IPv4 without options or fragments, TCP or UDP without a tunnel) from a few of its bytes; false for all others.
    /// Agrees with <see cref="KeyOf"/> after a full decode.
    /// </summary>
    public bool TryPeek(in FrameHeader header, ReadOnlySpan<byte> frame, out ulong hash)
    {
        const int Ip = 14;
        const int Transport = Ip + 20;
        hash = 0;
        if (header.Link != LinkType.Ethernet || header.AuxVlan != 0 || frame.Length < Transport + 20
            || BinaryPrimitives.ReadUInt32BigEndian(frame[(Ip - 2)..]) >> 8 != 0x0800_45
            || (BinaryPrimitives.ReadUInt16BigEndian(frame[(Ip + 6)..]) & 0x3FFF) != 0)
        {
            return false;
        }

        var protocol = frame[Ip + 9];
        var length = BinaryPrimitives.ReadUInt16BigEndian(frame[(Ip + 2)..]) - 20;
        var needed = protocol switch
        {
            TcpNumber => Math.Max(20, (frame[Transport + 12] >> 4) * 4),
            UdpNumber => BinaryPrimitives.ReadUInt16BigEndian(frame[(Transport + 4)..]),
            _ => int.MaxValue,
        };
        if (needed < 8 || needed > length || needed > frame.Length - Transport || (protocol == TcpNumber && frame[Transport + 12] < 0x50))
            return false;
        var source = BinaryPrimitives.ReadUInt16BigEndian(frame[Transport..]);
        var destination = BinaryPrimitives.ReadUInt16BigEndian(frame[(Transport + 2)..]);
        if (protocol == UdpNumber && UdpTunnel.IsTunnel(source, destination))
            return false;
        var key = FlowKey.Of(
            IpAddress.ReadIpv4(frame[(Ip + 12)..]),
            IpAddress.ReadIpv4(frame[(Ip + 16)..]),
            source,
            destination,
            protocol,
            0,
            out _);
        hash = key.GetHash(_key0, _key1);
        return true;
    }

    /// <summary>The hash of a key made otherwise.</summary>
    public ulong HashOf(in FlowKey key) => key.GetHash(_key0, _key1);

    /// <summary>The highest bits of the hash; the lowest place the flow in its shard.</summary>
    public static int ShardOf(ulong hash) => (int)(hash >> ShardShift);

    /// <summary>True for packets that belong to a flow.</summary>
    public static bool HasFlow(in PacketView view) => view.Kind is not (PacketKind.Other or PacketKind.Arp);
}
