using IoTGuard.Wire;

namespace IoTGuard.Analysis.Flows;

/// <summary>How far a TCP connection is, as both sides' segments show it (RFC 9293, 3.3.2, seen from between).</summary>
internal static class TcpState
{
    /// <summary>Furthest a RST may lie behind the expected sequence number, bytes; one before it would be refused (RFC 5961, 3).</summary>
    private const int MaximumResetDistance = 1 << 20;

    /// <summary>Takes a segment. True when it establishes the connection.</summary>
    public static bool Update(FlowShard shard, int index, bool opened, FlowDirection direction, in PacketView view, SegmentKind kind)
    {
        ref var head = ref shard.Head(index);
        var flags = view.TcpFlags;
        if (opened)
            head.State = (flags & TcpFlags.Syn) != 0 ? ConnectionState.SynSent : ConnectionState.MidStream;
        if (kind == SegmentKind.OutOfWindow && (flags & TcpFlags.Rst) == 0)
            return false;

        var forward = direction == FlowDirection.FromOriginator;
        if ((flags & TcpFlags.Syn) != 0)
            head.Flags |= forward ? FlowFlags.OriginatorSyn : FlowFlags.ResponderSyn;
        if ((flags & TcpFlags.Rst) != 0)
        {
            Reset(shard, index, direction, view);
            return false;
        }

        if ((flags & TcpFlags.Fin) != 0)
        {
            head.Flags |= forward ? FlowFlags.OriginatorFin : FlowFlags.ResponderFin;
            const FlowFlags Both = FlowFlags.OriginatorFin | FlowFlags.ResponderFin;
            if ((head.Flags & Both) == Both)
            {
                if (head.State is not ConnectionState.Reset)
                    head.State = ConnectionState.Closed;
                shard.Move(index, FlowList.Closing);
                return false;
            }
        }

        if (head.State is not (ConnectionState.SynSent or ConnectionState.MidStream) || !IsEstablished(shard, index, forward, flags))
            return false;
        head.State = ConnectionState.Established;
        head.Flags |= FlowFlags.Established;
        shard.Move(index, FlowList.Established);
        return true;
    }

    /// <summary>The originator acknowledged the responder's SYN, or both sent data.</summary>
    private static bool IsEstablished(FlowShard shard, int index, bool forward, TcpFlags flags)
    {
        if (forward && (flags & (TcpFlags.Syn | TcpFlags.Ack)) == TcpFlags.Ack && shard.Head(index).Has(FlowFlags.ResponderSyn))
            return true;
        return shard.Direction(index, FlowDirection.FromOriginator).PayloadPackets > 0 && shard.Direction(index, FlowDirection.FromResponder).PayloadPackets > 0;
    }

    private static void Reset(FlowShard shard, int index, FlowDirection direction, in PacketView view)
    {
        ref var head = ref shard.Head(index);
        ref readonly var state = ref shard.Direction(index, direction);
        ref readonly var other = ref shard.Direction(index, direction.Opposite());
        if (head.State == ConnectionState.SynSent)
        {
            // RFC 9293, 3.5.2: a reset of a SYN is acceptable when it acknowledges the SYN.
            if (direction == FlowDirection.FromResponder && (view.TcpFlags & TcpFlags.Ack) != 0 && view.TcpAcknowledgment == (uint)other.Next)
                head.State = ConnectionState.Rejected;
            shard.Move(index, FlowList.Closing);
            return;
        }

        var distance = SequenceTracker.Extend(state.Next, view.TcpSequence) - state.Next;
        if (distance is < -1 or > MaximumResetDistance)
            return;
        if (head.State is ConnectionState.Established or ConnectionState.MidStream)
            head.State = ConnectionState.Reset;
        shard.Move(index, FlowList.Closing);
    }
}
