using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis;

/// <summary>What a sensor tells the detector.</summary>
public enum SensorEventKind : byte
{
    /// <summary>First packet of a flow.</summary>
    FlowOpened,

    /// <summary>The responder answered: TCP handshake done, or first packet back.</summary>
    FlowEstablished,

    /// <summary>Interim record at the active timeout.</summary>
    FlowUpdated,
    FlowClosed,
    Transaction,
    FlowFault,

    /// <summary>An address was seen in ARP or in neighbour discovery.</summary>
    Neighbor,
}

/// <summary>
/// Place of an event in the run, the same for any number of workers: the run's clock, then the frame that caused it (for an expiry, the
/// flow's first frame), then the order within.
/// </summary>
public readonly record struct EventKey(long TimeNs, long Frame, int Sequence) : IComparable<EventKey>
{
    public int CompareTo(EventKey other)
    {
        var order = TimeNs.CompareTo(other.TimeNs);
        if (order == 0)
            order = Frame.CompareTo(other.Frame);
        return order != 0 ? order : Sequence.CompareTo(other.Sequence);
    }

    public static bool operator <(EventKey left, EventKey right) => left.CompareTo(right) < 0;

    public static bool operator >(EventKey left, EventKey right) => left.CompareTo(right) > 0;

    public static bool operator <=(EventKey left, EventKey right) => left.CompareTo(right) <= 0;

    public static bool operator >=(EventKey left, EventKey right) => left.CompareTo(right) >= 0;
}

/// <summary>An event: its place, its kind, and its index in the list of that kind in the batch.</summary>
public readonly record struct SensorEvent(EventKey Key, SensorEventKind Kind, int Index);

/// <summary>A stream fault with the flow it happened in.</summary>
public readonly record struct FlowFault(Fault Fault, FlowRecord Flow);

/// <summary>A sender of ARP or of neighbour discovery: this hardware address says that it has this protocol address.</summary>
/// <param name="IsReply">True for a reply, false for a request or announcement.</param>
/// <param name="IsIndirect">True when the frame came from another hardware address than the message names.</param>
public readonly record struct Neighbor(MacAddress Mac, IpAddress Address, MacAddress TargetMac, IpAddress Target, bool IsReply, ushort Vlan, bool IsIndirect = false);

/// <summary>
/// The events of one sensor for one stretch of frames, in order after <see cref="Sort"/>. Everything in it comes from a pool: readers keep
/// nothing of it past <see cref="Clear"/>.
/// </summary>
/// <param name="pool">Where flow records and transactions come from, and go back to.</param>
public sealed class EventBatch(EventPool pool)
{
    /// <summary>Events from which on a batch is handed on before more is added that can wait: what ends because of time.</summary>
    public const int FullEvents = 2048;

    /// <summary>Longest lists that an empty batch keeps, in events: a full batch, and what the frames of one more may add.</summary>
    public const int KeptEvents = 2 * FullEvents;

    // Events mostly come in order: what comes late is sorted apart and merged.
    private readonly List<SensorEvent> _late = [];
    private List<SensorEvent> _events = [];
    private List<SensorEvent> _merged = [];
    private readonly List<Transaction> _transactions = [];
    private readonly List<FlowRecord[]> _pages = [];
    private int _flowCount;
    private readonly List<(Fault Fault, int Flow)> _faults = [];
    private readonly List<Neighbor> _neighbors = [];

    /// <summary>A batch with a pool of its own.</summary>
    public EventBatch()
        : this(new EventPool())
    {
    }

    /// <summary>True when there are <see cref="FullEvents"/> or more.</summary>
    public bool IsFull => _events.Count + _late.Count >= FullEvents;

    /// <summary>True once the detector looked ahead in these events.</summary>
    internal bool IsLookedThrough { get; set; }

    internal ReadOnlySpan<Transaction> Transactions => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_transactions);

    /// <summary>Events, in order of their keys.</summary>
    public ReadOnlySpan<SensorEvent> Events
    {
        get
        {
            Sort();
            return System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_events);
        }
    }

    public ref readonly FlowRecord Flow(int index) => ref _pages[index >> EventPool.PageBits][index & ((1 << EventPool.PageBits) - 1)];

    public Transaction Transaction(int index) => _transactions[index];

    public FlowFault Fault(int index) => new(_faults[index].Fault, Flow(_faults[index].Flow));

    public Neighbor Neighbor(int index) => _neighbors[index];

    /// <summary>A transaction from the pool; it is given back by <see cref="Clear"/> once added.</summary>
    public T Rent<T>()
        where T : Transaction, new() => pool.Rent<T>();

    public void Add(EventKey key, Transaction transaction)
    {
        Add(new SensorEvent(key, SensorEventKind.Transaction, _transactions.Count));
        _transactions.Add(transaction);
    }

    public void Add(EventKey key, SensorEventKind kind, in FlowRecord flow) => Add(new SensorEvent(key, kind, AddFlow(flow)));

    public void Add(EventKey key, in FlowFault fault)
    {
        Add(new SensorEvent(key, SensorEventKind.FlowFault, _faults.Count));
        _faults.Add((fault.Fault, AddFlow(fault.Flow)));
    }

    public void Add(EventKey key, in Neighbor neighbor)
    {
        Add(new SensorEvent(key, SensorEventKind.Neighbor, _neighbors.Count));
        _neighbors.Add(neighbor);
    }

    /// <summary>Puts the events in order of their keys.</summary>
    public void Sort()
    {
        if (_late.Count == 0)
            return;
        _late.Sort(static (x, y) => x.Key.CompareTo(y.Key));
        var late = 0;
        foreach (var happened in _events)
        {
            while (late < _late.Count && _late[late].Key < happened.Key)
                _merged.Add(_late[late++]);
            _merged.Add(happened);
        }

        while (late < _late.Count)
            _merged.Add(_late[late++]);
        (_events, _merged) = (_merged, _events);
        _merged.Clear();
        _late.Clear();
    }

    /// <summary>Empties the batch: flow records and transactions go back into the pool, and lists that grew beyond <see cref="KeptEvents"/> are given up.</summary>
    public void Clear()
    {
        foreach (var transaction in _transactions)
            pool.Return(transaction);
        foreach (var page in _pages)
            pool.Return(page);
        IsLookedThrough = false;
        _flowCount = 0;
        Empty(_events);
        Empty(_merged);
        Empty(_late);
        Empty(_transactions);
        Empty(_pages);
        Empty(_faults);
        Empty(_neighbors);
    }

    private static void Empty<T>(List<T> list)
    {
        list.Clear();
        if (list.Capacity > KeptEvents)
            list.Capacity = 0;
    }

    private int AddFlow(in FlowRecord flow)
    {
        var index = _flowCount++;
        if (index >> EventPool.PageBits == _pages.Count)
            _pages.Add(pool.RentPage());
        _pages[index >> EventPool.PageBits][index & ((1 << EventPool.PageBits) - 1)] = flow;
        return index;
    }

    private void Add(in SensorEvent happened)
    {
        if (_events.Count == 0 || _events[^1].Key <= happened.Key)
            _events.Add(happened);
        else
            _late.Add(happened);
    }
}
