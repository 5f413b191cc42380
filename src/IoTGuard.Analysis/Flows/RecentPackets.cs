using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Flows;

/// <summary>
/// The last packets of a shard, to recognise the second copy that a mirror delivers. Two packets are copies of each other when flow, direction,
/// IP identification, TCP numbers, flags and window, lengths, transport checksum and samples of the first payload bytes are equal and
/// <list type="bullet">
/// <item>routed: TTL differs by at most <see cref="MaximumHops"/>, and VLAN, MAC addresses or tunnel differ, within <see cref="RoutedWindowNs"/>; where
/// the packet has an IP identification, the TTL alone tells (a mirror's tunnel may carry neither VLAN nor MAC addresses);</item>
/// <item>switched: the TTL is equal and VLAN, MACs or tunnel differ (one trunk seen tagged and untagged, or plain and in a mirror's tunnel),
/// within <see cref="RoutedWindowNs"/>;</item>
/// <item>repeated: all is equal, with an IP identification, within <see cref="RepeatedWindowNs"/> (a retransmission has a new identification
/// and comes later);</item>
/// <item>repeated without identification (IPv6, or 0): all is equal within <see cref="UnidentifiedWindowNs"/>, and the packet carries bytes, SYN or
/// FIN (genuine duplicate acknowledgements are equal and follow at once).</item>
/// </list>
/// A set of <see cref="Ways"/> entries is replaced in turn: a copy that comes later than so many packets is missed and then counted as a
/// retransmission.
/// </summary>
internal sealed class RecentPackets
{
    /// <summary>Longest time between routed or switched copies, ns.</summary>
    public const long RoutedWindowNs = 50_000_000;

    /// <summary>Longest time between equal packets with an IP identification, ns.</summary>
    public const long RepeatedWindowNs = 5_000_000;

    /// <summary>Longest time between equal packets without an IP identification, ns.</summary>
    public const long UnidentifiedWindowNs = 1_000_000;

    /// <summary>Most routers between the two places that the mirror shows.</summary>
    public const int MaximumHops = 2;

    /// <summary>Entries in a set.</summary>
    public const int Ways = 4;

    /// <summary>Sets in a shard.</summary>
    public const int Sets = 128;

    /// <summary>First payload bytes that are compared.</summary>
    private const int SampleBytes = 48;

    private Entry[] _entries = new Entry[Sets * Ways];

    /// <summary>Touches the set of a packet. The result says nothing.</summary>
    public long Touch(ulong print) => _entries[(int)(print >> 57) * Ways].Clock;

    /// <summary>True when the packet is a copy of a recent one; otherwise it is remembered.</summary>
    /// <param name="print">The packet's <see cref="Fingerprint"/>.</param>
    /// <param name="connection">Tells the connection from earlier ones between the same endpoints.</param>
    /// <param name="mayRepeat">False when the same packet on the same way cannot be a copy, because it begins a connection anew.</param>
    public bool IsCopy(in PacketView view, ulong print, uint connection, bool mayRepeat, long clock)
    {
        var tag = (uint)print ^ connection;
        var path = (uint)Mix((view.SourceMac.Value << 1) ^ view.DestinationMac.Value ^ ((ulong)view.Vlan << 48) ^ ((ulong)view.Tunnel << 40) ^ view.TunnelId);
        var set = _entries.AsSpan((int)(print >> 57) * Ways, Ways);
        var oldest = 0;
        for (var i = 0; i < set.Length; i++)
        {
            ref readonly var entry = ref set[i];
            if (entry.Tag == tag && (mayRepeat || path != entry.Path) && IsCopy(entry, view, path, clock - entry.Clock))
                return true;
            if (entry.Clock < set[oldest].Clock)
                oldest = i;
        }

        set[oldest] = new Entry { Tag = tag, Path = path, Clock = (clock & ~0xFFL) | view.TimeToLive };
        return false;
    }

    private static bool IsCopy(in Entry entry, in PacketView view, uint path, long age)
    {
        var hops = Math.Abs((int)(byte)entry.Clock - view.TimeToLive);
        if (path != entry.Path)
            return hops <= MaximumHops && age <= RoutedWindowNs;
        if (hops != 0)
            return hops <= MaximumHops && age <= RoutedWindowNs && view.IpIdentification != 0;
        if (view.IpIdentification != 0)
            return age <= RepeatedWindowNs;
        return age <= UnidentifiedWindowNs && (view.PayloadWireLength > 0 || (view.TcpFlags & (TcpFlags.Syn | TcpFlags.Fin)) != 0);
    }

    /// <summary>A hash of all that copies have in common.</summary>
    /// <param name="seed">Hash of the flow and the direction.</param>
    public static ulong Fingerprint(ReadOnlySpan<byte> frame, in PacketView view, ulong seed)
    {
        var numbers = ((ulong)view.TcpSequence << 32) | view.TcpAcknowledgment;
        var fields = ((ulong)view.IpIdentification << 48) | ((ulong)view.TransportChecksum << 32) | ((ulong)view.TcpWindow << 16)
            | ((ulong)view.TcpFlags << 8) | view.IpProtocol;
        var hash = Mix(seed ^ numbers) ^ fields;
        hash = Mix(hash) ^ ((ulong)view.IcmpTypeCode << 32) ^ (uint)view.PayloadWireLength;
        var payload = frame.Slice(view.PayloadOffset, view.PayloadLength);
        if (payload.Length >= 8)
        {
            // With checksum offload the checksum says little, so the payload is sampled too: where it is in the cache already.
            var sample = Math.Min(payload.Length, SampleBytes);
            hash ^= BinaryPrimitives.ReadUInt64LittleEndian(payload);
            hash = Mix(hash) ^ BinaryPrimitives.ReadUInt64LittleEndian(payload[(sample - 8)..]);
        }
        else
        {
            foreach (var octet in payload)
                hash = (hash << 8) ^ (hash >> 56) ^ octet;
        }

        return Mix(hash);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 32)) * 0x9E3779B97F4A7C15;
        return x ^ (x >> 29);
    }

    /// <summary>A packet: part of its fingerprint, its way (VLAN, MACs and tunnel), and the clock with the TTL in its lowest byte.</summary>
    private struct Entry
    {
        public uint Tag;
        public uint Path;
        public long Clock;
    }
}
