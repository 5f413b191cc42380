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

    /// <summary>Its place in the list of its timeout.</summary>
    public FlowLink Link;

    /// <summary>Low half of the first frame's number.</summary>
    public uint FirstFrame;
    public FlowFlags Flags;
    public FlowList List;
    public ConnectionState State;

    public readonly bool Has(FlowFlags flag) => (Flags & flag) != 0;
}

/// <summary>What is touched when a flow begins, is told, or is odd.</summary>
internal struct FlowDetails
{
    public MacAddress OriginatorMac;
    public MacAddress ResponderMac;
    public long FirstFrame;
    public long FirstNs;

    /// <summary>Low half of the key's hash.</summary>
    public uint Tag;

    /// <summary>Clock at which the next interim record is due.</summary>
    public long InterimClock;
    public long MirrorCopies;
    public long IdleNs;
    public int IdlePeriods;
    public ushort Vlan;
    public byte OriginatorTtl;
    public byte ResponderTtl;

    /// <summary>Segments shown to the probes in the middle of the connection.</summary>
    public byte MidStreamProbes;
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
    public long IntervalMinimumNs;
    public long IntervalMaximumNs;

    /// <summary>Sum of squares of the intervals, s².</summary>
    public double IntervalSquares;
    public double SizeSquares;
    public int SizeMinimum;
    public int SizeMaximum;

    /// <summary>
    /// Sequence number after the highest one seen, continued over 2³²: its low 32 bits are the number on the wire. 0 = none seen.
    /// </summary>
    public long Next;

    /// <summary>Where the session wants the next byte: what lies before it and was not seen before needs no stream. On the same scale as <see cref="Next"/>.</summary>
    public long SkippedTo;
    public int Psh;

    /// <summary>Newest number that this side acknowledged; meaningful with <see cref="FlowFlags.OriginatorAck"/> or its counterpart.</summary>
    public uint Acknowledgment;

    public void Count(long timeNs, int size, int payload)
    {
        if (Packets == 0)
        {
            FirstNs = timeNs;
            LastNs = timeNs;
            SizeMinimum = size;
            SizeMaximum = size;
        }
        else
        {
            var interval = Math.Max(0, timeNs - LastNs);
            LastNs += interval;
            var seconds = interval * 1e-9;
            IntervalSquares += seconds * seconds;
            if (Packets == 1)
            {
                IntervalMinimumNs = interval;
                IntervalMaximumNs = interval;
            }
            else
            {
                IntervalMinimumNs = Math.Min(IntervalMinimumNs, interval);
                IntervalMaximumNs = Math.Max(IntervalMaximumNs, interval);
            }

            SizeMinimum = Math.Min(SizeMinimum, size);
            SizeMaximum = Math.Max(SizeMaximum, size);
        }

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

/// <summary>What odd packets of one direction touch.</summary>
internal struct DirectionDetails
{
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
    public float Entropy;
    public float Printable;

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
    public PerDirection<DirectionDetails> DirectionDetails;

    /// <summary>Its place in the order of the next interim records.</summary>
    public FlowLink InterimLink;
}
