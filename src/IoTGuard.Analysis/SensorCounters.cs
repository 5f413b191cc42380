using System.Runtime.CompilerServices;
using IoTGuard.Wire;
using IoTGuard.Wire.Tunnels;

namespace IoTGuard.Analysis;

/// <summary>Numbers of faults by kind and layer.</summary>
[InlineArray(Kinds * Layers)]
public struct FaultCounts
{
    /// <summary>Kinds counted, <see cref="FaultKind.None"/> among them.</summary>
    public const int Kinds = 32;

    /// <summary>Layers counted.</summary>
    public const int Layers = 8;

    private long _first;

    /// <summary>Frames or streams with this fault.</summary>
    public readonly long Of(FaultKind kind, Layer layer) => this[Index(kind, layer)];

    internal void Count(in Fault fault) => this[Index(fault.Kind, fault.Layer)]++;

    private static int Index(FaultKind kind, Layer layer) => (((int)layer & (Layers - 1)) * Kinds) + ((int)kind & (Kinds - 1));
}

/// <summary>Numbers of packets by the encapsulation next to them.</summary>
[InlineArray(TunnelKinds.Count)]
public struct TunnelCounts
{
    private long _first;

    /// <summary>Packets in this encapsulation.</summary>
    public readonly long Of(TunnelKind kind) => this[(int)kind];
}

/// <summary>
/// What a sensor counted. Sums over the sensors of a run do not depend on how many there are.
/// </summary>
public struct SensorCounters
{
    public long Frames;

    /// <summary>Bytes on the wire, link headers included.</summary>
    public long Bytes;

    public long TcpPackets;
    public long UdpPackets;
    public long ArpPackets;

    /// <summary>Frames without a decodable IP or ARP header.</summary>
    public long OtherFrames;

    /// <summary>Fragments of IP datagrams, and the datagrams made of them.</summary>
    public long Fragments;
    public long Datagrams;

    /// <summary>Fragments that came again, or after their datagram was whole.</summary>
    public long FragmentCopies;

    /// <summary>Fragments of datagrams that were never whole, or were at fault.</summary>
    public long FragmentsUnused;

    /// <summary>Fragments given up because a limit of <see cref="Flows.FragmentLimits"/> was reached.</summary>
    public long FragmentsDropped;

    /// <summary>Transport payload bytes on the wire that the capture does not hold.</summary>
    public long CutBytes;

    /// <summary>Second copies of packets that the mirror delivered; used once.</summary>
    public long MirrorCopies;

    public long FlowsOpened;

    /// <summary>Flows removed before their time because their shard of the table was full.</summary>
    public long FlowsEvicted;

    public long Retransmissions;
    public long OutOfOrder;
    public long ZeroWindows;

    /// <summary>TCP segments too far from the expected sequence number to belong to the connection.</summary>
    public long OutOfWindow;

    /// <summary>Connections whose bytes a session reads.</summary>
    public long Sessions;

    /// <summary>Connections that were not reassembled because <see cref="Flows.FlowLimits.MaximumConversations"/> was reached.</summary>
    public long SessionsRefused;

    /// <summary>Bytes by which TCP acknowledgments advanced, and those of them of connections whose other direction was never seen.</summary>
    public long AcknowledgedBytes;
    public long UnseenBytes;

    /// <summary>Gaps told to sessions, and the bytes in them.</summary>
    public long Gaps;
    public long GapBytes;

    /// <summary>Bytes whose second copy differed from the first.</summary>
    public long ConflictingBytes;

    /// <summary>Segments not buffered because an out-of-order limit was reached.</summary>
    public long OutOfOrderDropped;

    /// <summary>Times that bytes waiting for a session were dropped because a limit was reached.</summary>
    public long PendingOverflows;

    /// <summary>Stream and session faults beyond <see cref="Flows.FlowLimits.MaximumFaultsPerFlow"/>, counted only.</summary>
    public long FaultsSuppressed;

    public long Neighbors;

    /// <summary>Decode faults by kind and layer.</summary>
    public FaultCounts Faults;

    /// <summary>Packets in tunnels, by kind.</summary>
    public TunnelCounts Tunnels;

    /// <summary>The counts of several sensors together.</summary>
    public static SensorCounters Of(IEnumerable<Sensor> sensors)
    {
        var sum = new SensorCounters();
        foreach (var sensor in sensors)
            sum.Add(sensor.Counters);
        return sum;
    }

    /// <summary>Adds the counts of another sensor.</summary>
    public void Add(in SensorCounters other)
    {
        var sum = AsLongs(ref this);
        var more = AsLongs(ref Unsafe.AsRef(in other));
        for (var i = 0; i < sum.Length; i++)
            sum[i] += more[i];
    }

    private static Span<long> AsLongs(ref SensorCounters counters) =>
        System.Runtime.InteropServices.MemoryMarshal.Cast<SensorCounters, long>(
            System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref counters, 1));
}
