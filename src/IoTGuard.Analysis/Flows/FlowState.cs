using System.Runtime.CompilerServices;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Transport;

namespace IoTGuard.Analysis.Flows;

/// <summary>The ordered lists of a shard, one for each timeout; a flow stands in exactly one.</summary>
internal enum FlowList : byte
{
    Idle,
    Established,
    Closing,

    /// <summary>Datagrams with a question that nobody has answered.</summary>
    Asking,
}

[Flags]
internal enum FlowFlags : ushort
{
    None = 0,

    /// <summary>The originator is endpoint B of the key.</summary>
    OriginatorIsB = 0x01,

    /// <summary>FlowEstablished was told.</summary>
    Established = 0x02,

    /// <summary>Packets came since the last record.</summary>
    Touched = 0x04,
    OriginatorSyn = 0x08,
    ResponderSyn = 0x10,
    OriginatorFin = 0x20,
    ResponderFin = 0x40,

    /// <summary>The probes want nothing of the originator's, the responder's bytes.</summary>
    OriginatorRejected = 0x80,
    ResponderRejected = 0x100,

    /// <summary>No session will read this flow.</summary>
    Unread = 0x200,

    /// <summary>Segments of a stream wait for earlier ones.</summary>
    Waiting = 0x400,

    /// <summary>The originator, the responder acknowledged something.</summary>
    OriginatorAck = 0x800,
    ResponderAck = 0x1000,
}

/// <summary>Neighbours in a list of flows; -1 = none.</summary>
internal struct FlowLink
{
    public int Previous;
    public int Next;
}

/// <summary>What every packet of a flow touches.</summary>
internal struct FlowHead
{
    public FlowKey Key;

    /// <summary>Run's clock at the last packet, ns.</summary>
    public long LastClock;

    /// <summary>Packet time of the newest packet, ns.</summary>
    public long LastNs;

    /// <summary>Low half of the first frame's number.</summary>
    public uint FirstFrameLow;
    public FlowFlags Flags;
    public FlowList List;
    public ConnectionState State;

    public readonly bool Has(FlowFlags flag) => (Flags & flag) != 0;
}

/// <summary>What is touched when a flow begins, pauses or is told.</summary>
internal struct FlowDetails
{
    public long FirstNs;

    /// <summary>Clock at which the next interim record is due.</summary>
    public long InterimClock;
    public long IdleNs;
    public PerDirection<SenderDetails> Senders;

    /// <summary>Low half of the key's hash.</summary>
    public uint Tag;

    /// <summary>High half of the first frame's number.</summary>
    public uint FirstFrameHigh;
    public int IdlePeriods;

    /// <summary>Place of the flow's <see cref="FlowOddities"/>, plus one; 0 = nothing odd happened yet.</summary>
    public int Oddities;
    public PerDirection<ControlCounts> Controls;
    public ushort Vlan;
}

/// <summary>What the first packets of an endpoint tell about it.</summary>
internal struct SenderDetails
{
    // The MAC address above, the TTL in the lowest byte.
    private ulong _macAndTtl;
    public float Entropy;
    public float Printable;

    public MacAddress Mac
    {
        readonly get => new(_macAndTtl >> 8);
        set => _macAndTtl = (value.Value << 8) | Ttl;
    }

    public byte Ttl
    {
        readonly get => (byte)_macAndTtl;
        set => _macAndTtl = (_macAndTtl & ~0xFFUL) | value;
    }
}

/// <summary>Segments with these flags; what a byte does not hold is counted in <see cref="DirectionOddities"/>.</summary>
internal struct ControlCounts
{
    public byte Syn;
    public byte Fin;
    public byte Rst;
}

/// <summary>What every packet of one direction touches.</summary>
internal struct DirectionState
{
    public long Packets;
    public long Bytes;
    public long PayloadBytes;
    public long PayloadPackets;
    public long FirstNs;
    public long LastNs;

    /// <summary>Sum of squares of the intervals, s².</summary>
    public double IntervalSquares;
    public double SizeSquares;

    /// <summary>
    /// Sequence number after the highest one seen, continued over 2³²: its low 32 bits are the number on the wire. 0 = none seen.
    /// </summary>
    public long Next;

    /// <summary>Where the session wants the next byte: what lies before it and was not seen before needs no stream. On the same scale as <see cref="Next"/>.</summary>
    public long SkippedTo;
    public int SizeMaximum;
    public int Psh;

    /// <summary>Longest interval, s; as exact as the features, which is enough.</summary>
    public float IntervalMaximum;

    /// <summary>Newest number that this side acknowledged; meaningful with <see cref="FlowFlags.OriginatorAck"/> or its counterpart.</summary>
    public uint Acknowledgment;

    public void Count(long timeNs, int size, int payload)
    {
        if (Packets == 0)
        {
            FirstNs = timeNs;
            LastNs = timeNs;
        }
        else
        {
            var interval = Math.Max(0, timeNs - LastNs);
            LastNs += interval;
            var seconds = interval * 1e-9;
            IntervalSquares += seconds * seconds;
            IntervalMaximum = Math.Max(IntervalMaximum, (float)(interval / 1e9));
        }

        SizeMaximum = Math.Max(SizeMaximum, size);
        Packets++;
        Bytes += size;
        SizeSquares += (double)size * size;
        if (payload > 0)
        {
            PayloadBytes += payload;
            PayloadPackets++;
        }
    }
}

/// <summary>A range of sequence numbers not seen, behind <see cref="DirectionState.Next"/>.</summary>
internal struct SequenceHole
{
    public uint Start;
    public uint End;
}

/// <summary>What most flows never have: kept apart, from the first odd packet on.</summary>
internal struct FlowOddities
{
    public long MirrorCopies;
    public PerDirection<DirectionOddities> Directions;

    /// <summary>The next free place, while this one is free.</summary>
    public int NextFree;
}

/// <summary>What odd packets of one direction touch.</summary>
internal struct DirectionOddities
{
    // What the bytes of ControlCounts did not hold.
    public int Syn;
    public int Fin;
    public int Rst;
    public int Urg;
    public int Retransmissions;
    public int OutOfOrder;
    public int ZeroWindows;

    /// <summary>Where the next segment must start for an out-of-window one to be believed.</summary>
    public uint ResynchronizeAt;
    public long GapBytes;
    public long ConflictingBytes;

    /// <summary>The newest holes; empty ones have equal ends.</summary>
    public SequenceHole Hole0;
    public SequenceHole Hole1;
    public SequenceHole Hole2;
}

/// <summary>One value for each direction of a flow, by <see cref="FlowDirection"/>.</summary>
[InlineArray(2)]
internal struct PerDirection<T>
    where T : unmanaged
{
    private T _originator;
}

/// <summary>All state of a flow. What every packet touches lies together at its beginning.</summary>
internal struct FlowCell
{
    public FlowHead Head;
    public PerDirection<DirectionState> Directions;
    public FlowDetails Details;
}
