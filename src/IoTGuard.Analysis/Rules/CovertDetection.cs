using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>Channels that hide: periodic calls to the outside, and data in ICMP echo.</summary>
internal sealed class CovertDetection : TransactionDetection
{
    /// <summary>Most pairs of device and outside service, and most outside addresses, watched at once.</summary>
    public const int MaximumPairs = 16_384;
    public const int MaximumDestinations = 16_384;

    /// <summary>A pair that is silent for longer is forgotten when room is needed, ns.</summary>
    private const long PairWindowNs = 4L * 3_600_000_000_000;

    /// <summary>Small flows this long after a large exchange belong to it, ns.</summary>
    private const long LargePauseNs = 600_000_000_000;

    private const byte EchoV4 = 8;
    private const byte EchoV6 = 128;
    private const int IcmpHeaders = 28;

    private static readonly ushort[] Periodic = [53, 123];

    private readonly DetectionContext _context;
    private readonly Rule _beacon;
    private readonly Rule _icmp;
    private readonly Dictionary<IpAddress, int> _learned = [];
    private readonly KeyedState<(IpAddress Client, IpAddress Server, ushort Port), Calls> _calls = new(MaximumPairs, PairWindowNs);
    private readonly KeyedState<IpAddress, Users> _users = new(MaximumDestinations, PairWindowNs);

    private sealed class Calls
    {
        public long FirstNs;
        public long LastNs;
        public ushort LastPort;

        /// <summary>Packet time at which a large exchange with the service was last seen to go on, ns.</summary>
        public long LargeNs = long.MinValue / 2;
        public Moments Intervals;

        /// <summary>Calls in the present rhythm; 0 after one that was too large.</summary>
        public long Flows;
    }

    /// <summary>The first few devices that use a destination; more need not be told apart.</summary>
    private sealed class Users
    {
        public readonly HashSet<IpAddress> Devices = [];
    }

    public CovertDetection(DetectionContext context)
    {
        _context = context;
        _beacon = context.Of(CovertRules.Beacon);
        _icmp = context.Of(CovertRules.IcmpTunnel);
        foreach (var fact in context.Site.Facts.Keys)
        {
            if (fact.Kind == FactKind.OutsideNetwork)
                _learned[fact.A] = _learned.GetValueOrDefault(fact.A) + 1;
        }
    }

    public override void OnTransaction(Transaction transaction, long timeNs)
    {
    }

    public override void OnUpdated(in FlowRecord flow, long timeNs)
    {
        if (flow.IpProtocol is IpProtocol.Icmp or IpProtocol.Icmpv6)
        {
            CheckEcho(in flow, timeNs);
            return;
        }

        // Who exchanges much with a service keeps that alive by small flows beside it.
        if (IsCall(in flow) && IsLarge(in flow) && TouchCalls(in flow, timeNs) is { } calls)
            calls.LargeNs = timeNs;
    }

    public override void OnClosed(in FlowRecord flow, long timeNs)
    {
        if (flow.IpProtocol is IpProtocol.Icmp or IpProtocol.Icmpv6)
            CheckEcho(in flow, timeNs);
        else if (IsCall(in flow))
            CheckCall(in flow, timeNs);
    }

    private bool IsCall(in FlowRecord flow) =>
        flow.IpProtocol is IpProtocol.Tcp or IpProtocol.Udp && _context.Scope.IsOutside(flow.Responder) && _context.Scope.IsInside(flow.Originator);

    private bool IsLarge(in FlowRecord flow) => flow.FromOriginator.PayloadBytes + flow.FromResponder.PayloadBytes > _beacon["bytes"];

    private Calls? TouchCalls(in FlowRecord flow, long timeNs) => _calls.Touch((flow.Originator, flow.Responder, flow.ResponderPort), timeNs, static () => new Calls());

    private void CheckCall(in FlowRecord flow, long timeNs)
    {
        if (Array.IndexOf(Periodic, flow.ResponderPort) >= 0 || flow.FromResponder.Packets == 0)
            return;
        if (_users.Touch(flow.Responder, timeNs, static () => new Users()) is not { } users
            || TouchCalls(in flow, timeNs) is not { } calls || timeNs - calls.LargeNs < LargePauseNs)
            return;
        if (users.Devices.Count <= _beacon["users"])
            users.Devices.Add(_context.IdentityOf(flow.Originator));

        // Datagrams from the same port after a pause go on with what was: a call that is kept alive, not a new one.
        if (flow.IpProtocol == IpProtocol.Udp && calls.Flows > 0 && calls.LastPort == flow.OriginatorPort)
            return;
        calls.LastPort = flow.OriginatorPort;

        // Flows close in the order of their ends; the time between their starts is the rhythm.
        var interval = (flow.FirstNs - calls.LastNs) / 1e9;
        var isLarge = IsLarge(in flow);
        if (calls.Flows == 0 || isLarge || interval < 0)
        {
            if (calls.Flows == 0 || isLarge)
                Restart(calls, in flow, isLarge);
            return;
        }

        calls.LastNs = flow.FirstNs;
        calls.Flows++;
        calls.Intervals.Add(interval);
        ref readonly var intervals = ref calls.Intervals;

        // One pause of many intervals (the device slept) begins anew instead of blurring the rhythm for ever.
        if (intervals.Count > 3 && interval > 4 * intervals.Mean)
        {
            Restart(calls, in flow, isLarge: false);
            return;
        }

        // A known device that goes to few places has no business at a new one: that needs less proof.
        var isNew = IsNewPlace(in flow);
        if (calls.Flows < _beacon[isNew ? "flows_new" : "flows"] || intervals.Mean < _beacon[isNew ? "interval_new" : "interval"] || intervals.StandardDeviation > _beacon["jitter"] * intervals.Mean
            || users.Devices.Count > _beacon["users"])
            return;
        if (_context.Facts.IsLearned(new Fact(FactKind.OutsideNetwork, flow.Originator, AddressScope.NetworkOf(flow.Responder))))
            return;
        var open = _context.Observe(_beacon, _context.PartyOf(flow.Originator, flow.OriginatorMac), _context.PartyOf(flow.Responder, flow.ResponderMac), calls.FirstNs, timeNs, 0.6);
        if (open is null)
            return;
        open.Alert.Protocol = flow.IpProtocol == IpProtocol.Tcp ? "tcp" : "udp";
        open.Number("flows", calls.Flows, "flows", $"fewer than {_beacon["flows"]} in a rhythm").Number("interval", Math.Round(intervals.Mean, 1), "s")
            .Number("jitter", Math.Round(100 * intervals.StandardDeviation / intervals.Mean), "%").Flow(in flow);
        _context.Alerts.Emit(open);
    }

    private bool IsNewPlace(in FlowRecord flow)
    {
        if (!_context.Site.IsLearned || _context.Devices.Find(flow.Originator) is not { IsLearned: true } device)
            return false;
        return _learned.GetValueOrDefault(device.Address) < NoveltyDetection.MaximumOutside
            && !_context.Facts.IsLearned(new Fact(FactKind.OutsideNetwork, flow.Originator, AddressScope.NetworkOf(flow.Responder)));
    }

    private static void Restart(Calls calls, in FlowRecord flow, bool isLarge)
    {
        calls.FirstNs = calls.LastNs = flow.FirstNs;
        calls.Intervals = default;
        calls.Flows = isLarge ? 0 : 1;
    }

    private void CheckEcho(in FlowRecord flow, long timeNs)
    {
        var isEcho = flow.IpProtocol == IpProtocol.Icmp ? flow.OriginatorPort is EchoV4 or 0 : flow.OriginatorPort is EchoV6 or EchoV6 + 1;
        var packets = flow.FromOriginator.Packets + flow.FromResponder.Packets;
        var bytes = flow.FromOriginator.Bytes + flow.FromResponder.Bytes - (packets * IcmpHeaders);
        if (!isEcho || packets < _icmp["packets"] || bytes < _icmp["bytes"])
            return;
        var rate = packets / Math.Max(1e-3, (flow.LastNs - flow.FirstNs) / 1e9);
        var changes = Math.Max(flow.FromOriginator.Size.StandardDeviation, flow.FromResponder.Size.StandardDeviation) >= _icmp["deviation"];
        var hurries = _context.Scope.IsOutside(flow.Responder) && rate >= _icmp["outside_rate"] && bytes >= _icmp["outside_size"] * packets;
        if (!changes && !hurries)
            return;
        var open = _context.Observe(_icmp, _context.PartyOf(flow.Originator, flow.OriginatorMac), _context.PartyOf(flow.Responder, flow.ResponderMac), flow.FirstNs, timeNs, 0.75);
        if (open is null)
            return;
        open.Alert.Protocol = "icmp";
        open.Raise("bytes", bytes, "bytes", $"fewer than {_icmp["bytes"]}").Include("manner", changes ? "their size changes" : $"{rate:0} a second").Number("deviation", Math.Round(flow.FromOriginator.Size.StandardDeviation), "bytes", "0").Flow(in flow);
        _context.Alerts.Emit(open);
    }
}
