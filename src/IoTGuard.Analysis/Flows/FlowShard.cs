using System.Runtime.CompilerServices;
using IoTGuard.Analysis.Streams;
using IoTGuard.Wire.Transport;

namespace IoTGuard.Analysis.Flows;

/// <summary>
/// One of the <see cref="FlowLimits.Shards"/> parts of the flow table: an open-addressed index over slabs of flow state, and lists of
/// flows ordered by their last packet, one for each timeout, so that what is due is always at a head.
/// Full, it gives up the flow that is idle longest: closing ones first, then unanswered questions, those not established, and the others.
/// </summary>
internal sealed partial class FlowShard
{
    private const int InterimList = 4;
    private const int Lists = 5;

    /// <summary>Flows in a slab, as a power of two: 21 KB each, so that 64 shards with a few flows take little.</summary>
    private const int SlabBits = 6;

    private const int SlabFlows = 1 << SlabBits;

    private readonly int _capacity;
    private readonly long[] _timeouts;
    private readonly long _interimNs;
    private readonly int[] _heads = [-1, -1, -1, -1, -1];
    private readonly int[] _tails = [-1, -1, -1, -1, -1];
    private FlowCell[][] _slabs = [];

    // Apart from the cells: a packet changes those of three flows, of which the cache holds one.
    private FlowLink[] _links = [];
    private FlowLink[] _interimLinks = [];
    private FlowOddities[][] _oddities = [];
    private int _freeOddities;
    private int _usedOddities;
    private Slot[] _slots = [];
    private int _free = -1;
    private int _used;

    public FlowShard(SensorOptions options)
    {
        _capacity = Math.Max(1, options.MaximumFlows / FlowLimits.Shards);
        _timeouts = [options.IdleTimeoutNs, options.EstablishedIdleTimeoutNs, FlowLimits.ClosingTimeoutNs, Math.Min(FlowLimits.AnswerTimeoutNs, options.IdleTimeoutNs)];
        _interimNs = options.ActiveTimeoutNs;
    }

    /// <summary>Who reads a flow, by its index.</summary>
    public Conversation?[] Conversations = [];

    /// <summary>Tunnels by flow index; empty until the first flow comes in one.</summary>
    public Encapsulation[] Encapsulations = [];

    public int Count { get; private set; }

    /// <summary>Nothing is due before this clock.</summary>
    public long NextDue { get; private set; } = long.MaxValue;

    /// <summary>Bytes held for streams, against <see cref="FlowLimits.MaximumStreamBytesPerShard"/>.</summary>
    public long StreamBytes;

    public int ConversationCount;

    /// <summary>UDP flows that are read.</summary>
    public int DatagramConversationCount;

    public bool IsFull => Count == _capacity;

    /// <summary>What every packet of a flow touches.</summary>
    public ref FlowHead Head(int index) => ref Cell(index).Head;

    /// <summary>What every packet of one direction of a flow touches.</summary>
    public ref DirectionState Direction(int index, FlowDirection direction) => ref Cell(index).Directions[(int)direction];

    /// <summary>What is touched when a flow begins, pauses or is told.</summary>
    public ref FlowDetails Details(int index) => ref Cell(index).Details;

    /// <summary>What is counted of odd packets of a flow, from now on if there was none.</summary>
    public ref FlowOddities OdditiesOf(int index)
    {
        ref var details = ref Details(index);
        if (details.Oddities == 0)
            details.Oddities = AddOddities() + 1;
        return ref Oddities(details.Oddities - 1);
    }

    /// <summary>What is counted of odd packets of one direction of a flow.</summary>
    public ref DirectionOddities OdditiesOf(int index, FlowDirection direction) => ref OdditiesOf(index).Directions[(int)direction];

    /// <summary>Number of the flow's first frame.</summary>
    public long FirstFrame(int index) => ((long)Details(index).FirstFrameHigh << 32) | Head(index).FirstFrameLow;

    /// <summary>Touches what a look-up needs first, so that several misses can be under way at once. The result says nothing.</summary>
    public long TouchSlot(ulong hash)
    {
        var slots = _slots;
        return slots.Length == 0 ? 0 : slots[(int)hash & (slots.Length - 1)].Index;
    }

    /// <summary>The index of the flow if it is where it is usually found, else -1. Reads no more than the index of the table.</summary>
    public int Guess(ulong hash)
    {
        var slots = _slots;
        if (slots.Length == 0)
            return -1;
        ref readonly var slot = ref slots[(int)hash & (slots.Length - 1)];
        return slot.Tag == (uint)hash ? slot.Index - 1 : -1;
    }

    /// <summary>Touches what a packet of one direction of a flow changes. The result says nothing.</summary>
    public long TouchDirection(int index, FlowDirection direction)
    {
        ref readonly var state = ref Direction(index, direction);
        return state.Packets + state.Acknowledgment;
    }

    /// <summary>Touches what the list of a flow's timeout will need when the flow moves to its end. The result says nothing.</summary>
    public long TouchLinks(int index)
    {
        var link = _links[index];
        return _links[Math.Max(0, link.Previous)].Next + _links[Math.Max(0, link.Next)].Previous;
    }

    /// <summary>True when a segment with this sequence number probably lies in bytes that the session has passed over.</summary>
    public bool IsPassedOver(int index, FlowDirection direction, uint sequence)
    {
        ref readonly var state = ref Direction(index, direction);
        return SequenceTracker.Extend(state.Next, sequence) < state.SkippedTo;
    }

    /// <summary>The flow's index, or -1.</summary>
    public int Find(in FlowKey key, ulong hash)
    {
        var slots = _slots;
        if (slots.Length == 0)
            return -1;
        var tag = (uint)hash;
        var mask = slots.Length - 1;
        for (var i = (int)tag & mask; ; i = (i + 1) & mask)
        {
            ref readonly var slot = ref slots[i];
            if (slot.Index == 0)
                return -1;
            if (slot.Tag == tag && Head(slot.Index - 1).Key == key)
                return slot.Index - 1;
        }
    }

    /// <summary>A cleared flow under a new key; the shard must not be full.</summary>
    public int Add(in FlowKey key, ulong hash, long clock)
    {
        var index = _free;
        if (index >= 0)
        {
            _free = _links[index].Next;
        }
        else
        {
            if (_used == _slabs.Length * SlabFlows)
                Grow();
            index = _used++;
        }

        Count++;
        var tag = (uint)hash;
        ref var cell = ref Cell(index);
        cell = default;
        cell.Head.Key = key;
        cell.Head.LastClock = clock;
        cell.Details.Tag = tag;
        cell.Details.InterimClock = clock + _interimNs;
        foreach (ref var sender in cell.Details.Senders)
            (sender.Entropy, sender.Printable) = (float.NaN, float.NaN);
        if (Encapsulations.Length > 0)
            Encapsulations[index] = default;
        Insert(tag, index);
        Append((int)FlowList.Idle, index);
        Append(InterimList, index);
        NextDue = Math.Min(NextDue, Math.Min(clock + _timeouts[(int)FlowList.Idle], clock + _interimNs));
        return index;
    }

    /// <summary>Notes the tunnel that a flow came in.</summary>
    public void SetEncapsulation(int index, in Encapsulation encapsulation)
    {
        if (Encapsulations.Length == 0)
            Encapsulations = new Encapsulation[Conversations.Length];
        Encapsulations[index] = encapsulation;
    }

    /// <summary>Notes a packet of the flow: it is now the last one to time out.</summary>
    public void Touch(int index, long clock)
    {
        ref var head = ref Head(index);
        head.LastClock = clock;
        var list = (int)head.List;
        if (_tails[list] == index)
            return;
        Unlink(list, index);
        Append(list, index);
    }

    /// <summary>Puts the flow under another timeout.</summary>
    public void Move(int index, FlowList list)
    {
        ref var head = ref Head(index);
        if (head.List == list)
            return;
        Unlink((int)head.List, index);
        head.List = list;
        Append((int)list, index);
        NextDue = Math.Min(NextDue, head.LastClock + _timeouts[(int)list]);
    }

    public void Remove(int index)
    {
        ref var head = ref Head(index);
        Unlink((int)head.List, index);
        Unlink(InterimList, index);
        ref var details = ref Details(index);
        Delete(details.Tag, index);
        if (details.Oddities != 0)
        {
            Oddities(details.Oddities - 1).NextFree = _freeOddities;
            _freeOddities = details.Oddities;
        }

        _links[index].Next = _free;
        _free = index;
        Count--;
    }

    /// <summary>
    /// The flow that is due first at or before the clock, and when: either its end, or an interim record. In order of time.
    /// </summary>
    public bool TryNextDue(long clock, out int index, out long due, out bool ends)
    {
        index = -1;
        due = long.MaxValue;
        ends = true;
        for (var list = 0; list < InterimList; list++)
        {
            var head = _heads[list];
            if (head < 0)
                continue;
            var time = Head(head).LastClock + _timeouts[list];
            if (time < due)
                (index, due) = (head, time);
        }

        var interim = _heads[InterimList];
        if (interim >= 0 && Details(interim).InterimClock < due)
            (index, due, ends) = (interim, Details(interim).InterimClock, false);
        NextDue = due;
        return due <= clock;
    }

    /// <summary>Sets the flow's next interim record; its present one must have been the first due.</summary>
    public void RenewInterim(int index)
    {
        Details(index).InterimClock += _interimNs;
        Unlink(InterimList, index);
        Append(InterimList, index);
    }

    /// <summary>The flow to give up when the table is full.</summary>
    public int Victim()
    {
        var closing = _heads[(int)FlowList.Closing];
        if (closing >= 0)
            return closing;
        var asking = _heads[(int)FlowList.Asking];
        if (asking >= 0)
            return asking;
        var idle = _heads[(int)FlowList.Idle];
        return idle >= 0 ? idle : _heads[(int)FlowList.Established];
    }

    /// <summary>True when the receiver of a direction acknowledged everything before a sequence number, and something at it.</summary>
    public bool IsAcknowledged(int index, FlowDirection direction, long offset)
    {
        if (!Head(index).Has(direction == FlowDirection.FromOriginator ? FlowFlags.ResponderAck : FlowFlags.OriginatorAck))
            return false;
        var receiver = Direction(index, direction.Opposite()).Acknowledgment;
        return SequenceTracker.Extend(Direction(index, direction).Next, receiver) >= offset;
    }

    /// <summary>True when both endpoints sent packets.</summary>
    public bool IsTwoSided(int index) => Direction(index, FlowDirection.FromOriginator).Packets > 0 && Direction(index, FlowDirection.FromResponder).Packets > 0;

    /// <summary>Any flow still held, or -1.</summary>
    public int Any() => _heads[InterimList];

    /// <summary>The flow behind another one, in the order that starts with <see cref="Any"/>; -1 behind the last.</summary>
    public int After(int index) => _interimLinks[index].Next;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref FlowCell Cell(int index) => ref _slabs[index >> SlabBits][index & (SlabFlows - 1)];

    private ref FlowOddities Oddities(int place) => ref _oddities[place >> SlabBits][place & (SlabFlows - 1)];

    private int AddOddities()
    {
        var place = _freeOddities - 1;
        if (place >= 0)
        {
            _freeOddities = Oddities(place).NextFree;
            Oddities(place) = default;
            return place;
        }

        if (_usedOddities == _oddities.Length * SlabFlows)
        {
            Array.Resize(ref _oddities, _oddities.Length + 1);
            _oddities[^1] = new FlowOddities[SlabFlows];
        }

        return _usedOddities++;
    }

    /// <summary>Adds a slab. What refers to cells stays valid: no flow's state is ever moved.</summary>
    private void Grow()
    {
        // Pinned, so that the collector never copies it.
        Array.Resize(ref _slabs, _slabs.Length + 1);
        _slabs[^1] = GC.AllocateArray<FlowCell>(SlabFlows, pinned: true);
        var flows = _slabs.Length * SlabFlows;
        if (flows <= Conversations.Length)
            return;
        var size = Math.Max(flows, Conversations.Length * 2);
        Array.Resize(ref Conversations, size);
        Array.Resize(ref _links, size);
        Array.Resize(ref _interimLinks, size);
        if (Encapsulations.Length > 0)
            Array.Resize(ref Encapsulations, size);

        // At most two thirds full, so that probe sequences stay short and end.
        var slots = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(size + (size / 2) + 1));
        if (slots == _slots.Length)
            return;
        var old = _slots;
        _slots = new Slot[slots];
        foreach (ref readonly var slot in old.AsSpan())
        {
            if (slot.Index != 0)
                Insert(slot.Tag, slot.Index - 1);
        }
    }

    private void Insert(uint tag, int index)
    {
        var mask = _slots.Length - 1;
        var i = (int)tag & mask;
        while (_slots[i].Index != 0)
            i = (i + 1) & mask;
        _slots[i] = new Slot { Tag = tag, Index = index + 1 };
    }

    /// <summary>Deletes by shifting back what follows, so that no tombstones lengthen later look-ups.</summary>
    private void Delete(uint tag, int index)
    {
        var slots = _slots;
        var mask = slots.Length - 1;
        var hole = (int)tag & mask;
        while (slots[hole].Index != index + 1)
            hole = (hole + 1) & mask;
        for (var i = (hole + 1) & mask; slots[i].Index != 0; i = (i + 1) & mask)
        {
            var home = (int)slots[i].Tag & mask;
            if (((i - home) & mask) >= ((i - hole) & mask))
            {
                slots[hole] = slots[i];
                hole = i;
            }
        }

        slots[hole] = default;
    }

    private void Append(int list, int index)
    {
        var links = LinksOf(list);
        var tail = _tails[list];
        links[index] = new FlowLink { Previous = tail, Next = -1 };
        if (tail >= 0)
            links[tail].Next = index;
        else
            _heads[list] = index;
        _tails[list] = index;
    }

    private void Unlink(int list, int index)
    {
        var links = LinksOf(list);
        var link = links[index];
        if (link.Previous >= 0)
            links[link.Previous].Next = link.Next;
        else
            _heads[list] = link.Next;
        if (link.Next >= 0)
            links[link.Next].Previous = link.Previous;
        else
            _tails[list] = link.Previous;
    }

    private FlowLink[] LinksOf(int list) => list == InterimList ? _interimLinks : _links;

    /// <summary>An entry of the index: the hash's low half, and the flow's index plus one (0 = empty).</summary>
    private struct Slot
    {
        public uint Tag;
        public int Index;
    }
}
