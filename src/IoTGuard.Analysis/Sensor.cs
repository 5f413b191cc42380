using System.Runtime.CompilerServices;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Streams;
using IoTGuard.Wire;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Transport;
using IoTGuard.Wire.Tunnels;

namespace IoTGuard.Analysis;

/// <summary>Limits and choices of a sensor. All sizes are for the whole run, whatever the number of workers.</summary>
public sealed record SensorOptions
{
    /// <summary>Most flows held at once, over all workers.</summary>
    public int MaximumFlows { get; init; } = 1_000_000;

    /// <summary>Keeps flows of different VLANs apart, and of different virtual networks of an overlay (VXLAN, Geneve, NVGRE, 802.1ah).</summary>
    public bool VlanAware { get; init; }

    /// <summary>Seed of Community IDs: tools agree on a flow's id only when they agree on it.</summary>
    public ushort CommunityIdSeed { get; init; }

    /// <summary>A flow without a packet for this time ends, ns of packet time.</summary>
    public long IdleTimeoutNs { get; init; } = 120_000_000_000;

    /// <summary>A TCP connection known to be established without a packet for this time ends, ns of packet time.</summary>
    public long EstablishedIdleTimeoutNs { get; init; } = 900_000_000_000;

    /// <summary>An active flow gives an interim record this often, ns of packet time.</summary>
    public long ActiveTimeoutNs { get; init; } = 60_000_000_000;

    /// <summary>Key of the site for pseudonyms, 32 bytes.</summary>
    public required ReadOnlyMemory<byte> PseudonymKey { get; init; }
}

/// <summary>
/// One worker's way from frames to events: decode, flows, streams, sessions. A flow always meets the same sensor; what a sensor emits
/// does not depend on how many there are.
/// </summary>
public sealed partial class Sensor
{
    /// <summary>Packets decoded before the first of them meets its flow, so that their memory accesses overlap.</summary>
    private const int Ahead = 32;

    private readonly FlowPacket[] _packets = new FlowPacket[Ahead];
    private readonly FlowHasher _hasher;
    private readonly FlowTracker _tracker;
    private readonly StreamStore _store;
    private readonly NeighborTable _neighbors = new();
    private readonly int _worker;
    private readonly int _workers;
    private long _touched;

    /// <param name="worker">Number of this sensor among the workers that share the frames: it has the shards <c>shard % workers == worker</c>.</param>
    /// <param name="workers">Number of workers.</param>
    public Sensor(SensorOptions options, int worker = 0, int workers = 1)
        : this(options, ProtocolTable.Streams, ProtocolTable.Datagrams, worker, workers)
    {
    }

    internal Sensor(SensorOptions options, ProtocolRow[] streams, ProtocolRow[] datagrams, int worker = 0, int workers = 1)
    {
        _worker = worker;
        _workers = workers;
        Context = new SessionContext(new Pseudonymizer(options.PseudonymKey.Span));
        _hasher = new FlowHasher(options);
        _store = new StreamStore(streams, datagrams);
        _tracker = new FlowTracker(options, Context, _store);
        _fragments = new FragmentReassembler(_hasher);
    }

    internal SessionContext Context { get; }

    /// <summary>Flows held now. Any thread may ask.</summary>
    public int FlowsHeld => _tracker.Held;

    /// <summary>What was counted so far. Any thread may ask, without holding the sensor up: each number is one that was or is true.</summary>
    public SensorCounters Counters
    {
        get
        {
            var counters = _store.Counters;
            counters.FaultsSuppressed = Context.FaultsSuppressed;

            // Every worker sees every fragment; they are counted once.
            if (_worker == 0)
                counters.Add(_fragments.Counters);
            return counters;
        }
    }

    /// <summary>Works on the frames of a batch that fall to this sensor.</summary>
    /// <param name="batch">The frames.</param>
    /// <param name="clocks">The run's clock at each frame: the largest packet time up to it, ns.</param>
    /// <param name="mine">Indices of this sensor's frames, ascending. The split must be by <see cref="FrameRouter"/>.</param>
    /// <param name="output">Receives the events.</param>
    public void Process(FrameBatch batch, ReadOnlySpan<long> clocks, ReadOnlySpan<ushort> mine, EventBatch output)
    {
        var memory = batch.Memory.Span;
        var frames = batch.Frames;
        if (memory.IsEmpty)
            memory = [0];
        for (; mine.Length > 0; mine = mine[Math.Min(Ahead, mine.Length)..])
        {
            var count = Math.Min(Ahead, mine.Length);
            for (var i = 0; i < count; i++)
                _touched += memory[Math.Min(frames[mine[i]].Offset, memory.Length - 1)];
            for (var i = 0; i < count; i++)
                Decode(frames[mine[i]], memory, ref _packets[i]);
            _touched += _tracker.Touch(_packets.AsSpan(0, count));
            for (var i = 0; i < count; i++)
            {
                int at = mine[i];
                ref readonly var header = ref frames[at];
                ref readonly var packet = ref _packets[i];
                var frame = memory.Slice(header.Offset, header.Length);
                if (packet.HasFlow)
                    _tracker.OnPacket(frame, packet, header.TimeNs, clocks[at], batch.FirstFrame + at, output);
                else if (packet.View.IsFragment)
                    OnFragment(frame, packet.View, header.TimeNs, clocks[at], batch.FirstFrame + at, output);
                else if (packet.View.Kind == PacketKind.Arp)
                    OnArp(frame, packet.View, clocks[at], batch.FirstFrame + at, output);
            }
        }
    }

    /// <summary>Brings the sensor's clock to the end of a batch: expires what is due at or before it, then sorts the events.</summary>
    public void Advance(long clockNs, EventBatch output)
    {
        _tracker.Advance(clockNs, output);
        output.Sort();
    }

    /// <summary>
    /// Like <see cref="Advance"/>, but only as far as the batch has room. Returns the clock that the sensor has come to: when it is an earlier one, the batch is to be
    /// handed on, and the rest asked for with an empty one, before further frames.
    /// </summary>
    public long AdvanceTowards(long clockNs, EventBatch output)
    {
        var reached = _tracker.AdvanceTowards(clockNs, output);
        output.Sort();
        return reached;
    }

    /// <summary>
    /// Ends flows at the end of the input, one nanosecond after the clock, then sorts the events. Called again and again, and with an empty batch so
    /// that memory stays small, until it returns false: then all have ended.
    /// </summary>
    public bool Complete(long clockNs, EventBatch output)
    {
        _fragments.Complete();
        var more = _tracker.Complete(clockNs, output);
        output.Sort();
        return more;
    }

    private void Decode(in FrameHeader header, ReadOnlySpan<byte> memory, ref FlowPacket packet)
    {
        ref var view = ref packet.View;
        var frame = memory.Slice(header.Offset, header.Length);
        PacketDecoder.Decode(frame, header, ref view);
        if (view.IsFragment)
        {
            packet.HasFlow = false;
            packet.Hash = 0;
            _fragments.Count(header, view);
            return;
        }

        ref var counters = ref _store.Counters;
        counters.Frames++;
        counters.Bytes += header.WireLength;
        Take(frame, ref packet);
    }

    /// <summary>Counts a packet whose headers are decoded, and finds its flow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Take(ReadOnlySpan<byte> frame, ref FlowPacket packet)
    {
        ref var view = ref packet.View;
        ref var counters = ref _store.Counters;
        counters.CutBytes += view.PayloadWireLength - view.PayloadLength;
        if (!view.Fault.IsNone)
            counters.Faults.Count(view.Fault);
        if (view.Tunnel != TunnelKind.None)
            counters.Tunnels[(int)view.Tunnel]++;
        packet.HasFlow = FlowHasher.HasFlow(view);
        if (packet.HasFlow)
        {
            packet.Key = _hasher.KeyOf(view, out packet.Hash, out packet.Sender);
            packet.Print = RecentPackets.Fingerprint(frame, view, packet.Sender == Endpoint.A ? packet.Hash : ~packet.Hash);
            if (view.Kind == PacketKind.Tcp)
                counters.TcpPackets++;
            else if (view.Kind == PacketKind.Udp)
                counters.UdpPackets++;
        }
        else if (view.Kind == PacketKind.Arp)
        {
            counters.ArpPackets++;
        }
        else
        {
            counters.OtherFrames++;
        }
    }

    private void OnArp(ReadOnlySpan<byte> frame, in PacketView view, long clock, long number, EventBatch output)
    {
        if (!ArpView.TryRead(frame, view, out var arp))
            return;
        var asked = arp.Operation == ArpOperation.Reply || arp.Target == arp.Sender ? default : arp.Target;
        if (!_neighbors.IsNews(arp.SenderMac, arp.Sender, asked, view.Vlan, clock))
            return;
        _store.Counters.Neighbors++;
        Context.AtFrame(clock, number, output);
        Context.Emit(new Neighbor(arp.SenderMac, arp.Sender, arp.TargetMac, arp.Target, arp.Operation == ArpOperation.Reply, view.Vlan, arp.SenderMac != view.SourceMac));
    }
}
