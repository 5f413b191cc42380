using IoTGuard.Wire;

namespace IoTGuard.Analysis.Flows;

/// <summary>What a TCP segment is to its direction.</summary>
internal enum SegmentKind : byte
{
    /// <summary>Occupies no sequence number.</summary>
    Empty,

    /// <summary>Brings bytes at, across or behind the expected number.</summary>
    New,

    /// <summary>Fills a hole that a later segment left.</summary>
    OutOfOrder,

    /// <summary>All of it was seen before.</summary>
    Retransmission,

    /// <summary>A keep-alive (RFC 9293, 3.8.4): the last byte again, or none.</summary>
    KeepAlive,

    /// <summary>Too far from the expected number.</summary>
    OutOfWindow,
}

/// <summary>Places segments on the sequence numbers continued over 2³², and counts retransmissions, reordering and holes.</summary>
internal static class SequenceTracker
{
    /// <summary>Where a sequence number lies relative to the expected one.</summary>
    public static long Extend(long next, uint number) => next + (int)(number - (uint)next);

    /// <summary>Takes a segment. Returns what it is.</summary>
    /// <param name="offset">Receives the place of its first payload byte.</param>
    public static SegmentKind Add(FlowShard shard, int index, FlowDirection direction, in PacketView view, out long offset)
    {
        ref var state = ref shard.Direction(index, direction);
        var number = view.TcpSequence;
        var syn = (view.TcpFlags & TcpFlags.Syn) != 0 ? 1 : 0;
        var length = view.PayloadWireLength + syn + ((view.TcpFlags & TcpFlags.Fin) != 0 ? 1 : 0);
        if (state.Next == 0)
        {
            // One turn up, so that numbers before the first one stay positive.
            var start = (1L << 32) + number;
            state.Next = start + length;
            offset = start + syn;
            return length == 0 ? SegmentKind.Empty : SegmentKind.New;
        }

        var first = Extend(state.Next, number);
        offset = first + syn;
        if (first == state.Next)
        {
            state.Next += length;
            return length == 0 ? SegmentKind.Empty : SegmentKind.New;
        }

        return Odd(shard, index, direction, view, length, first, ref offset);
    }

    /// <summary>A segment that does not begin at the expected number.</summary>
    private static SegmentKind Odd(FlowShard shard, int index, FlowDirection direction, in PacketView view, int length, long first, ref long offset)
    {
        ref var state = ref shard.Direction(index, direction);
        var distance = first - state.Next;
        if (Math.Abs(distance) > FlowLimits.MaximumWindowBytes)
        {
            ref var far = ref shard.OdditiesOf(index, direction);
            var believed = length > 0 && far.ResynchronizeAt == view.TcpSequence;
            far.ResynchronizeAt = view.TcpSequence + (uint)length;
            if (!believed)
                return SegmentKind.OutOfWindow;
            var forward = (long)(view.TcpSequence - (uint)state.Next);
            offset += forward - distance;
            first = state.Next + forward;
        }

        if (length == 0)
            return distance == -1 ? SegmentKind.KeepAlive : SegmentKind.Empty;
        var end = first + length;
        if (end <= state.Next && distance == -1 && view.PayloadWireLength == 1 && length == 1)
            return SegmentKind.KeepAlive;
        ref var oddities = ref shard.OdditiesOf(index, direction);
        if (end <= state.Next)
        {
            var filled = Fill(ref oddities, (uint)first, (uint)end);
            oddities.GapBytes -= filled;
            if (filled > 0)
                oddities.OutOfOrder++;
            else
                oddities.Retransmissions++;
            return filled > 0 ? SegmentKind.OutOfOrder : SegmentKind.Retransmission;
        }

        if (first > state.Next)
        {
            oddities.GapBytes += first - state.Next;
            oddities.Hole2 = oddities.Hole1;
            oddities.Hole1 = oddities.Hole0;
            oddities.Hole0 = new SequenceHole { Start = (uint)state.Next, End = (uint)first };
        }
        else
        {
            oddities.GapBytes -= Fill(ref oddities, (uint)first, (uint)state.Next);
        }

        state.Next = end;
        return SegmentKind.New;
    }

    private static int Fill(ref DirectionOddities oddities, uint start, uint end) =>
        Fill(ref oddities.Hole0, start, end) + Fill(ref oddities.Hole1, start, end) + Fill(ref oddities.Hole2, start, end);

    /// <summary>Takes a range out of a hole; of a hole that falls in two the later part is kept open. Returns the bytes filled.</summary>
    private static int Fill(ref SequenceHole hole, uint start, uint end)
    {
        if (hole.Start == hole.End)
            return 0;
        var from = (int)(start - hole.Start) > 0 ? start : hole.Start;
        var to = (int)(end - hole.End) < 0 ? end : hole.End;
        var bytes = (int)(to - from);
        if (bytes <= 0)
            return 0;
        if (to == hole.End)
            hole.End = from;
        else
            hole.Start = to;
        return bytes;
    }
}
