using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Streams;
using IoTGuard.Wire;
using IoTGuard.Wire.Transport;
using IoTGuard.Wire.Tunnels;

namespace IoTGuard.Analysis.Flows;

/// <summary>A decoded packet on its way to its flow.</summary>
internal struct FlowPacket
{
    public PacketView View;
    public FlowKey Key;
    public ulong Hash;

    /// <summary>What copies of the packet have in common, see <see cref="RecentPackets"/>.</summary>
    public ulong Print;
    public Endpoint Sender;

    /// <summary>What was found when it was looked ahead, perhaps wrongly: the flow's index or -1, the direction, and who reads the flow.</summary>
    public int Guess;
    public FlowDirection Direction;
    public Conversation? Conversation;

    /// <summary>False for frames without a flow.</summary>
    public bool HasFlow;
}

/// <summary>Packets to flows: opening, counting, TCP state, records, and the way to the streams.</summary>
internal sealed class FlowTracker(SensorOptions options, SessionContext context, StreamStore store)
{
    // Events that fall on the same time and first frame are kept apart, and in this order, by where their sequence numbers begin.
    private const int InterimSequence = 0x1000_0000;
    private const int EndSequence = 0x2000_0000;

    /// <summary>Flows that end in one go when the input ends: their events lie in memory until they are delivered.</summary>
    public const int EndedAtOnce = 1024;

    private const int MaximumConversationsPerShard = FlowLimits.MaximumConversations / FlowLimits.Shards;
    private const int MaximumDatagramConversationsPerShard = FlowLimits.MaximumDatagramConversations / FlowLimits.Shards;

    private readonly FlowShard[] _shards = [.. Enumerable.Range(0, FlowLimits.Shards).Select(_ => new FlowShard(options))];
    private readonly RecentPackets[] _recent = [.. Enumerable.Range(0, FlowLimits.Shards).Select(_ => new RecentPackets())];
    private readonly NeighborWatch[] _neighbors = [.. Enumerable.Range(0, FlowLimits.Shards).Select(_ => new NeighborWatch())];
    private FlowRecord _record;
    private (long FirstFrame, FlowShard Shard, int Index)[]? _ending;
    private int _ended;

    private FlowShard Shard(ulong hash) => _shards[FlowHasher.ShardOf(hash)];

    /// <summary>Flows held now. Any thread may ask; the answer is of about now.</summary>
    public int Held
    {
        get
        {
            var held = 0;
            foreach (var shard in _shards)
                held += shard.Count;
            return held;
        }
    }

    /// <summary>
    /// Touches what packets will need, so that the memory accesses of many overlap instead of following each other. The result says nothing.
    /// </summary>
    public long Touch(Span<FlowPacket> packets)
    {
        var sum = 0L;
        foreach (ref readonly var packet in packets)
            sum += Shard(packet.Hash).TouchSlot(packet.Hash) + _recent[FlowHasher.ShardOf(packet.Hash)].Touch(packet.Print);
        foreach (ref var packet in packets)
        {
            var shard = Shard(packet.Hash);
            packet.Guess = packet.HasFlow ? shard.Guess(packet.Hash) : -1;
            if (packet.Guess >= 0)
                sum += (long)shard.Head(packet.Guess).Key.A.High + shard.Head(packet.Guess).FirstFrameLow;
        }

        foreach (ref var packet in packets)
        {
            packet.Conversation = null;
            if (packet.Guess < 0)
                continue;
            var shard = Shard(packet.Hash);
            packet.Direction = DirectionOf(shard.Head(packet.Guess), packet.Sender);
            sum += shard.TouchDirection(packet.Guess, packet.Direction) + shard.TouchLinks(packet.Guess);
            if (packet.View.PayloadWireLength > 0 && !shard.IsPassedOver(packet.Guess, packet.Direction, packet.View.TcpSequence))
                packet.Conversation = shard.Conversations[packet.Guess];
        }

        for (var depth = 0; depth < Conversation.Depths; depth++)
        {
            foreach (ref readonly var packet in packets)
                sum += packet.Conversation?.Touch(packet.Direction, depth) ?? 0;
        }

        return sum;
    }

    /// <summary>A packet of a flow. The context is not yet at its frame.</summary>
    public void OnPacket(ReadOnlySpan<byte> frame, in FlowPacket packet, long timeNs, long clock, long number, EventBatch output)
    {
        var shard = Shard(packet.Hash);
        if (clock >= shard.NextDue)
            Expire(shard, clock, output);
        context.AtFrame(clock, number, output);
        store.Clock = clock;

        ref readonly var view = ref packet.View;
        var index = shard.Find(packet.Key, packet.Hash);
        var renewed = index >= 0 && view.Kind == PacketKind.Tcp && IsNewConnection(shard, index, packet);
        var recent = _recent[FlowHasher.ShardOf(packet.Hash)];
        if (recent.IsCopy(view, packet.Print, index >= 0 ? shard.Head(index).FirstFrameLow : (uint)number, !renewed, clock))
        {
            store.Counters.MirrorCopies++;
            if (index >= 0)
                shard.OdditiesOf(index).MirrorCopies++;
            return;
        }

        if (renewed)
        {
            recent.IsCopy(view, packet.Print, (uint)number, mayRepeat: false, clock);
            End(shard, index, FlowEndReason.Finished);
            index = -1;
        }

        var opened = index < 0;
        if (opened)
            index = Open(shard, frame, packet, timeNs, clock, number);
        else
            shard.Touch(index, clock);
        Count(shard, index, opened, frame, packet, timeNs);
    }

    /// <summary>Does what is due in all shards at or before the clock.</summary>
    public void Advance(long clock, EventBatch output)
    {
        foreach (var shard in _shards)
        {
            if (clock >= shard.NextDue)
                Expire(shard, clock, output);
        }
    }

    /// <summary>
    /// Does what is due in all shards in steps of time, as far as the batch has room: after a pause or a step of the clock the whole table may be due at once.
    /// Returns the clock that it has come to, up to which all events are in the batch.
    /// </summary>
    public long AdvanceTowards(long clock, EventBatch output)
    {
        while (true)
        {
            var due = long.MaxValue;
            foreach (var shard in _shards)
                due = Math.Min(due, shard.NextDue);
            if (due > clock)
                return clock;
            var step = Math.Min(clock, due + FlowLimits.ExpiryStepNs);
            Advance(step, output);
            if (step == clock || output.IsFull)
                return step;
        }
    }

    /// <summary>
    /// Ends all flows, a nanosecond after everything else, in the order of their first frames: <see cref="EndedAtOnce"/> of them in each call.
    /// Returns false when there are no more.
    /// </summary>
    public bool Complete(long clock, EventBatch output)
    {
        if (_ending is null)
        {
            Advance(clock, output);
            _ending = OpenFlows();
        }

        store.Clock = clock + 1;
        for (var last = Math.Min(_ending.Length, _ended + EndedAtOnce); _ended < last; _ended++)
        {
            var (firstFrame, shard, index) = _ending[_ended];
            context.AtDue(clock + 1, firstFrame, EndSequence, output);
            End(shard, index, FlowEndReason.EndOfCapture);
        }

        return _ended < _ending.Length;
    }

    private (long FirstFrame, FlowShard Shard, int Index)[] OpenFlows()
    {
        var open = new List<(long FirstFrame, FlowShard Shard, int Index)>(_shards.Sum(static s => s.Count));
        foreach (var shard in _shards)
        {
            for (var index = shard.Any(); index >= 0; index = shard.After(index))
                open.Add((shard.FirstFrame(index), shard, index));
        }

        open.Sort(static (x, y) => x.FirstFrame.CompareTo(y.FirstFrame));
        return [.. open];
    }

    private void Expire(FlowShard shard, long clock, EventBatch output)
    {
        while (shard.TryNextDue(clock, out var index, out var due, out var ends))
        {
            ref var head = ref shard.Head(index);
            store.Clock = due;
            if (ends)
            {
                context.AtDue(due, shard.FirstFrame(index), EndSequence, output);
                End(shard, index, head.List == FlowList.Closing ? FlowEndReason.Finished : FlowEndReason.Idle);
                continue;
            }

            if (head.Has(FlowFlags.Touched))
            {
                context.AtDue(due, shard.FirstFrame(index), InterimSequence, output);
                Tell(shard, index, SensorEventKind.FlowUpdated, FlowEndReason.Active);
                head.Flags &= ~FlowFlags.Touched;
            }

            shard.RenewInterim(index);
        }
    }

    /// <summary>A SYN that cannot belong to the flow as it stands: the endpoints use their ports again (RFC 9293, 3.6.1).</summary>
    private static bool IsNewConnection(FlowShard shard, int index, in FlowPacket packet)
    {
        if ((packet.View.TcpFlags & (TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Rst)) != TcpFlags.Syn)
            return false;
        ref readonly var head = ref shard.Head(index);
        if (head.State is ConnectionState.Closed or ConnectionState.Reset)
            return true;
        ref readonly var state = ref shard.Direction(index, DirectionOf(head, packet.Sender));
        if (state.Next == 0)
            return head.State != ConnectionState.SynSent;
        return state.PayloadPackets > 0 || (uint)state.Next != packet.View.TcpSequence + 1;
    }

    private static FlowDirection DirectionOf(in FlowHead head, Endpoint sender) =>
        (sender == Endpoint.B) == head.Has(FlowFlags.OriginatorIsB) ? FlowDirection.FromOriginator : FlowDirection.FromResponder;

    private int Open(FlowShard shard, ReadOnlySpan<byte> frame, in FlowPacket packet, long timeNs, long clock, long number)
    {
        if (shard.IsFull)
        {
            store.Counters.FlowsEvicted++;
            End(shard, shard.Victim(), FlowEndReason.Evicted);
        }

        store.Counters.FlowsOpened++;
        var index = shard.Add(packet.Key, packet.Hash, clock);
        ref readonly var view = ref packet.View;
        ref var head = ref shard.Head(index);
        ref var details = ref shard.Details(index);
        var answer = view.Kind == PacketKind.Tcp && (view.TcpFlags & (TcpFlags.Syn | TcpFlags.Ack)) == (TcpFlags.Syn | TcpFlags.Ack);
        if ((packet.Sender == Endpoint.B) != answer)
            head.Flags |= FlowFlags.OriginatorIsB;
        head.FirstFrameLow = (uint)number;
        head.LastNs = timeNs;
        details.FirstNs = timeNs;
        details.FirstFrameHigh = (uint)(number >> 32);
        details.Vlan = view.Vlan;
        if (view.Tunnel != TunnelKind.None)
            shard.SetEncapsulation(index, Encapsulation.Of(frame, view));
        return index;
    }

    private void Count(FlowShard shard, int index, bool opened, ReadOnlySpan<byte> frame, in FlowPacket packet, long timeNs)
    {
        ref var head = ref shard.Head(index);
        ref readonly var view = ref packet.View;
        var direction = DirectionOf(head, packet.Sender);
        ref var state = ref shard.Direction(index, direction);

        var pause = timeNs - head.LastNs;
        if (pause > 0)
        {
            head.LastNs = timeNs;
            if (pause > FlowLimits.IdlePeriodNs)
            {
                shard.Details(index).IdlePeriods++;
                shard.Details(index).IdleNs += pause;
            }
        }

        if (state.Packets == 0)
            Meet(ref shard.Details(index), direction, view);
        state.Count(timeNs, view.PayloadOffset - view.NetworkOffset + view.PayloadWireLength, view.PayloadWireLength);
        head.Flags |= FlowFlags.Touched;
        if (state.Packets % FlowLimits.HeavyPackets == 0)
            Tell(shard, index, SensorEventKind.FlowUpdated, FlowEndReason.Active);
        if (state.PayloadPackets == 1 && view.PayloadLength > 0)
            Sample(ref shard.Details(index).Senders[(int)direction], frame.Slice(view.PayloadOffset, view.PayloadLength));

        if (view.Kind == PacketKind.Tcp)
        {
            OnSegment(shard, index, opened, direction, frame, view);
            return;
        }

        if (opened)
            Tell(shard, index, SensorEventKind.FlowOpened, FlowEndReason.Active);
        if (direction == FlowDirection.FromResponder && !head.Has(FlowFlags.Established))
        {
            head.Flags |= FlowFlags.Established;
            Tell(shard, index, SensorEventKind.FlowEstablished, FlowEndReason.Active);
        }

        if (view.Kind == PacketKind.Icmpv6 && _neighbors[FlowHasher.ShardOf(packet.Hash)].OnPacket(context, frame, view, shard, index, direction, store.Clock))
            store.Counters.Neighbors++;
        if (view.Kind != PacketKind.Udp)
            return;
        if (view.PayloadLength > 0 && !head.Has(FlowFlags.Unread))
            ReadDatagram(shard, index, direction, frame.Slice(view.PayloadOffset, view.PayloadLength), view.PayloadWireLength - view.PayloadLength);
        shard.Move(index, !head.Has(FlowFlags.Established) && shard.Conversations[index] is DatagramConversation { IsAsking: true } ? FlowList.Asking : FlowList.Idle);
    }

    private static void Meet(ref FlowDetails details, FlowDirection direction, in PacketView view)
    {
        ref var sender = ref details.Senders[(int)direction];
        sender.Mac = view.SourceMac;
        sender.Ttl = view.TimeToLive;
        ref var other = ref details.Senders[(int)direction.Opposite()];
        if (other.Mac.IsNone)
            other.Mac = view.DestinationMac;
    }

    private static void Sample(ref SenderDetails sender, ReadOnlySpan<byte> payload)
    {
        if (float.IsNaN(sender.Entropy))
            (sender.Entropy, sender.Printable) = PayloadSample.Measure(payload);
    }

    private void OnSegment(FlowShard shard, int index, bool opened, FlowDirection direction, ReadOnlySpan<byte> frame, in PacketView view)
    {
        ref var state = ref shard.Direction(index, direction);
        var expected = state.Next;
        var kind = SequenceTracker.Add(shard, index, direction, view, out var offset);
        if ((view.TcpFlags & TcpFlags.Psh) != 0)
            state.Psh++;
        if ((view.TcpFlags & ~(TcpFlags.Ack | TcpFlags.Psh)) != 0 || view.TcpWindow == 0 || kind > SegmentKind.New)
            CountOdd(shard, index, direction, view, kind);

        var established = TcpState.Update(shard, index, opened, direction, view, kind);
        if (opened)
            Tell(shard, index, SensorEventKind.FlowOpened, FlowEndReason.Active);
        if (established)
            Tell(shard, index, SensorEventKind.FlowEstablished, FlowEndReason.Active);
        if (kind == SegmentKind.OutOfWindow)
            return;
        ref var head = ref shard.Head(index);
        if ((view.TcpFlags & TcpFlags.Ack) != 0)
            Acknowledge(ref head, ref state, shard.Direction(index, direction.Opposite()).Packets == 0, direction, view.TcpAcknowledgment);
        if (head.Has(FlowFlags.Unread))
            return;
        var brings = view.PayloadWireLength > 0 || (view.TcpFlags & TcpFlags.Fin) != 0;
        if (head.Has(FlowFlags.Waiting) || (brings && !IsSkipped(state, view, kind, expected, offset)))
            Read(shard, index, direction, frame, view, expected, offset, kind);
    }

    /// <summary>True when a segment brings only new bytes that the session has passed over already: the stream need not be touched.</summary>
    private static bool IsSkipped(in DirectionState state, in PacketView view, SegmentKind kind, long expected, long offset) =>
        state.Next <= state.SkippedTo && kind == SegmentKind.New && offset >= expected && (view.TcpFlags & TcpFlags.Fin) == 0;

    private void Acknowledge(ref FlowHead head, ref DirectionState state, bool isOtherUnseen, FlowDirection direction, uint number)
    {
        var flag = direction == FlowDirection.FromOriginator ? FlowFlags.OriginatorAck : FlowFlags.ResponderAck;
        if (head.Has(flag))
        {
            var advance = (int)(number - state.Acknowledgment);
            if (advance <= 0)
                return;
            store.Counters.AcknowledgedBytes += advance;
            if (isOtherUnseen)
                store.Counters.UnseenBytes += advance;
        }

        head.Flags |= flag;
        state.Acknowledgment = number;
    }

    private void CountOdd(FlowShard shard, int index, FlowDirection direction, in PacketView view, SegmentKind kind)
    {
        var flags = view.TcpFlags;
        ref var controls = ref shard.Details(index).Controls[(int)direction];
        if ((flags & TcpFlags.Syn) != 0 && ++controls.Syn == 0)
            shard.OdditiesOf(index, direction).Syn += byte.MaxValue + 1;
        if ((flags & TcpFlags.Fin) != 0 && ++controls.Fin == 0)
            shard.OdditiesOf(index, direction).Fin += byte.MaxValue + 1;
        if ((flags & TcpFlags.Rst) != 0 && ++controls.Rst == 0)
            shard.OdditiesOf(index, direction).Rst += byte.MaxValue + 1;
        if ((flags & TcpFlags.Urg) != 0)
            shard.OdditiesOf(index, direction).Urg++;
        if (view.TcpWindow == 0 && (flags & (TcpFlags.Syn | TcpFlags.Fin | TcpFlags.Rst)) == 0)
        {
            shard.OdditiesOf(index, direction).ZeroWindows++;
            store.Counters.ZeroWindows++;
        }

        if (kind == SegmentKind.Retransmission)
            store.Counters.Retransmissions++;
        else if (kind == SegmentKind.OutOfOrder)
            store.Counters.OutOfOrder++;
        else if (kind == SegmentKind.OutOfWindow)
            store.Counters.OutOfWindow++;
    }

    /// <summary>Brings a segment to the conversation; makes one when payload begins that a probe may want.</summary>
    private void Read(
        FlowShard shard, int index, FlowDirection direction, ReadOnlySpan<byte> frame, in PacketView view, long expected, long offset, SegmentKind kind)
    {
        var conversation = (StreamConversation?)shard.Conversations[index];
        var payload = frame.Slice(view.PayloadOffset, view.PayloadLength);
        if (conversation is null)
        {
            if (view.PayloadWireLength == 0)
                return;
            conversation = Begin(shard, index, direction, payload, expected, offset);
            if (conversation is null)
                return;
        }

        if (!conversation.IsStarted(direction))
            conversation.Start(direction, expected != 0 ? Math.Min(expected, offset) : offset, rejected: false);
        var fin = (view.TcpFlags & TcpFlags.Fin) != 0;
        if (kind != SegmentKind.KeepAlive && (view.PayloadWireLength > 0 || fin))
            conversation.OnSegment(direction, offset, payload, view.PayloadWireLength - view.PayloadLength, fin);

        if (shard.Head(index).Has(FlowFlags.Waiting))
            conversation.Settle(direction.Opposite());
        if (conversation.IsHopeless)
        {
            shard.Head(index).Flags |= FlowFlags.Unread;
            Release(shard, index, conversation);
        }
    }

    private StreamConversation? Begin(
        FlowShard shard, int index, FlowDirection direction, ReadOnlySpan<byte> payload, long expected, long offset)
    {
        ref var head = ref shard.Head(index);
        var rejected = direction == FlowDirection.FromOriginator ? FlowFlags.OriginatorRejected : FlowFlags.ResponderRejected;
        if (head.Has(rejected))
            return null;
        var midStream = (head.Flags & (FlowFlags.OriginatorSyn | FlowFlags.ResponderSyn)) == 0;
        var candidates = store.Streams.AllRows;
        if (!midStream && offset == expected && payload.Length > 0 && store.Streams.Recognise(direction, payload, head.Key.PortA, head.Key.PortB, ref candidates) < 0 && candidates == 0)
        {
            head.Flags |= rejected;
            if ((head.Flags & (FlowFlags.OriginatorRejected | FlowFlags.ResponderRejected)) == (FlowFlags.OriginatorRejected | FlowFlags.ResponderRejected))
                head.Flags |= FlowFlags.Unread;
            return null;
        }

        if (shard.ConversationCount == MaximumConversationsPerShard || store.Streams.AllRows == 0)
        {
            store.Counters.SessionsRefused++;
            head.Flags |= FlowFlags.Unread;
            return null;
        }

        shard.ConversationCount++;
        var conversation = store.RentStream();
        shard.Conversations[index] = conversation;
        conversation.Begin(context, shard, index, midStream);
        var other = direction.Opposite();
        var otherNext = shard.Direction(index, other).Next;
        if (otherNext != 0)
        {
            var otherRejected = direction == FlowDirection.FromOriginator ? FlowFlags.ResponderRejected : FlowFlags.OriginatorRejected;
            conversation.Start(other, otherNext, head.Has(otherRejected));
        }

        return conversation;
    }

    /// <summary>Brings a datagram to the conversation; makes one when a probe recognises it.</summary>
    private void ReadDatagram(FlowShard shard, int index, FlowDirection direction, ReadOnlySpan<byte> payload, int cut)
    {
        if (shard.Conversations[index] is DatagramConversation known)
        {
            known.OnDatagram(direction, payload, cut);
            return;
        }

        ref var head = ref shard.Head(index);
        var candidates = store.Datagrams.AllRows;
        var row = store.Datagrams.Recognise(direction, payload, head.Key.PortA, head.Key.PortB, ref candidates);
        if (row < 0)
        {
            var shown = shard.Direction(index, FlowDirection.FromOriginator).PayloadPackets + shard.Direction(index, FlowDirection.FromResponder).PayloadPackets;
            if (shown >= FlowLimits.MaximumDatagramProbes)
                head.Flags |= FlowFlags.Unread;
            return;
        }

        if (shard.DatagramConversationCount == MaximumDatagramConversationsPerShard)
        {
            store.Counters.SessionsRefused++;
            head.Flags |= FlowFlags.Unread;
            return;
        }

        shard.DatagramConversationCount++;
        var conversation = store.RentDatagrams();
        shard.Conversations[index] = conversation;
        conversation.Begin(context, shard, index, row);
        conversation.OnDatagram(direction, payload, cut);
    }

    private void Release(FlowShard shard, int index, Conversation conversation)
    {
        store.Return(conversation);
        shard.Conversations[index] = null;
        if (conversation is StreamConversation)
            shard.ConversationCount--;
        else
            shard.DatagramConversationCount--;
    }

    private void Tell(FlowShard shard, int index, SensorEventKind kind, FlowEndReason reason)
    {
        var conversation = shard.Conversations[index];
        if (conversation is null)
            shard.Fill(index, ref _record, default, ApplicationProtocol.Unknown);
        else
            shard.Fill(index, ref _record, conversation.Record.Counters, conversation.Record.Application);
        _record.End = reason;
        context.Emit(kind, _record);
    }

    private void End(FlowShard shard, int index, FlowEndReason reason)
    {
        var conversation = shard.Conversations[index];
        conversation?.End(reason);
        Tell(shard, index, SensorEventKind.FlowClosed, reason);
        if (conversation is not null)
            Release(shard, index, conversation);
        shard.Remove(index);
    }
}
