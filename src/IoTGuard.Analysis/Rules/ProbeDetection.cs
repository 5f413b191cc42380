using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>
/// Port, host and service scans: attempts that are refused, ignored, or answered and left without a word. An attempt counts from its
/// first packet and is taken back when the two exchange data; what crosses a threshold is judged after a grace time, so that many
/// connections opened at once are no scan.
/// </summary>
internal sealed class ProbeDetection
{
    /// <summary>Most pairs, and most sources, watched at once.</summary>
    public const int MaximumPairs = 8192;

    /// <summary>Different values counted exactly: of each pair and source, and of the first ones that become suspect.</summary>
    public const int SmallLimit = 192;
    public const int LargeLimit = 16_384;
    public const int MaximumLarge = 256;

    private static readonly (Technique, string)[] TechniqueNames =
    [
        (Technique.Syn, "SYN"), (Technique.Fin, "FIN"), (Technique.Xmas, "XMAS"), (Technique.NullOrAck, "NULL or ACK"), (Technique.Udp, "UDP"),
        (Technique.IcmpEcho, "ICMP echo"),
    ];

    private static readonly FlowRecord[] None = new FlowRecord[1];
    private readonly DetectionContext _context;
    private readonly Rule _port;
    private readonly Rule _host;
    private readonly Rule _service;
    private readonly KeyedState<(IpAddress Source, IpAddress Target), Probe> _pairs;
    private readonly KeyedState<IpAddress, Sweep> _sources;
    private readonly List<(long DueNs, Probe? Pair, Sweep? Source)> _suspects = [];
    private readonly long _portWindow;
    private readonly long _hostWindow;
    private readonly long _grace;
    private int _large;

    public ProbeDetection(DetectionContext context)
    {
        _context = context;
        _port = context.Of(NetworkRules.PortScan);
        _host = context.Of(NetworkRules.HostScan);
        _service = context.Of(NetworkRules.ServiceScan);
        _portWindow = DetectionContext.Ns(_port["window"]);
        _hostWindow = DetectionContext.Ns(_host["window"]);
        _grace = DetectionContext.Ns(_port["grace"]);
        _pairs = new(MaximumPairs, _portWindow);
        _sources = new(MaximumPairs, _hostWindow);
    }

    [Flags]
    private enum Technique : byte
    {
        None = 0,
        Syn = 1,
        Fin = 2,
        Xmas = 4,
        NullOrAck = 8,
        Udp = 16,
        IcmpEcho = 32,
    }

    /// <summary>The flow of the last suspicious attempt. Few sources ever have one, and a record is larger than all the rest of them.</summary>
    private struct Latest
    {
        private FlowRecord[]? _flow;

        public readonly ref readonly FlowRecord Flow => ref _flow is null ? ref None[0] : ref _flow[0];

        public void Set(in FlowRecord flow) => (_flow ??= new FlowRecord[1])[0] = flow;
    }

    /// <summary>Attempts at the ports of one host.</summary>
    private sealed class Probe(long windowNs)
    {
        public readonly DistinctWindow Ports = new(windowNs, SmallLimit);
        public Technique Techniques;
        public Party Source;
        public Party Target;
        public Latest Last;
        public int Refused;

        /// <summary>Of these, the ones that the alert holds.</summary>
        public int RefusedTold;
        public bool IsSuspect;
        public bool IsAlerted;
        public bool IsTold;
        public long LastNs;
    }

    /// <summary>Attempts at many hosts.</summary>
    private sealed class Sweep(long windowNs)
    {
        public readonly DistinctWindow Hosts = new(windowNs, SmallLimit);
        public readonly DistinctWindow Outside = new(windowNs, SmallLimit);
        public readonly DistinctWindow Services = new(windowNs, SmallLimit);
        public readonly DistinctWindow ServiceHosts = new(windowNs, SmallLimit);
        public Technique Techniques;
        public Party Source;
        public Party Target;
        public Latest Last;
        public ushort OutsidePort;

        /// <summary>Hosts tried on ports of administration.</summary>
        public readonly DistinctWindow Administered = new(windowNs, SmallLimit);
        public int Answered;
        public bool IsSuspect;
        public bool IsHostAlerted;
        public bool IsServiceAlerted;
        public long LastNs;
    }

    public void OnOpened(in FlowRecord flow, long timeNs)
    {
        var technique = TechniqueOf(in flow);
        if (technique != Technique.None)
            Attempt(in flow, technique, timeNs, refused: false);
    }

    public void OnEstablished(in FlowRecord flow) => TakeBack(in flow);

    public void OnClosed(in FlowRecord flow, long timeNs)
    {
        if (HasDialogue(in flow))
        {
            TakeBack(in flow);
            return;
        }

        if (flow.IpProtocol != IpProtocol.Tcp || flow.FromOriginator.PayloadBytes > 0)
            return;
        var refused = flow.State == ConnectionState.Rejected || (flow.FromResponder.Rst > 0 && flow.FromResponder.PayloadBytes == 0);
        var wordless = flow.FromOriginator.Syn > 0 && flow.FromResponder.Syn > 0;
        if (!refused && !wordless)
            return;
        var technique = TechniqueOf(in flow);
        if (technique == Technique.None && flow.FromOriginator.Packets <= 3 && flow.State is ConnectionState.MidStream or ConnectionState.Reset)
            technique = Technique.NullOrAck;
        if (technique != Technique.None)
            Attempt(in flow, technique, timeNs, refused);
    }

    /// <summary>Judges what became suspect before the grace time.</summary>
    public void Tick(long timeNs)
    {
        if (_suspects.Count == 0)
            return;
        for (var i = 0; i < _suspects.Count; i++)
        {
            var (due, pair, source) = _suspects[i];
            if (due > timeNs)
                continue;
            if (pair is not null)
            {
                pair.IsSuspect = false;
                JudgePair(pair);
            }

            if (source is not null)
            {
                source.IsSuspect = false;
                JudgeSource(source);
            }
        }

        _suspects.RemoveAll(s => s.DueNs <= timeNs);
    }

    /// <summary>The kind of probe that the first packet of a flow may be; null when it can be none.</summary>
    private static Technique TechniqueOf(in FlowRecord flow)
    {
        if (!AddressScope.IsHost(flow.Responder) || !AddressScope.IsHost(flow.Originator))
            return Technique.None;
        switch (flow.IpProtocol)
        {
            case IpProtocol.Tcp:
                if (flow.FromOriginator.Syn > 0)
                    return Technique.Syn;
                if (flow.FromOriginator.PayloadBytes > 0 || flow.FromOriginator.Fin == 0 || flow.FromOriginator.Packets > 2)
                    return Technique.None;
                return flow.FromOriginator.Urg > 0 ? Technique.Xmas : Technique.Fin;
            case IpProtocol.Udp:
                // A server's answer whose question was not seen, and traceroute.
                var isAnswer = flow.OriginatorPort < 1024 && flow.ResponderPort >= 1024;
                return isAnswer || flow.ResponderPort is >= 33434 and <= 33534 ? Technique.None : Technique.Udp;
            case IpProtocol.Icmp:
                return flow.OriginatorPort == 8 ? Technique.IcmpEcho : Technique.None;
            case IpProtocol.Icmpv6:
                return flow.OriginatorPort == 128 ? Technique.IcmpEcho : Technique.None;
            default:
                return Technique.None;
        }
    }

    private static string TextOf(Technique techniques)
    {
        var names = new List<string>();
        foreach (var (technique, name) in TechniqueNames)
        {
            if ((techniques & technique) != Technique.None)
                names.Add(name);
        }

        return string.Join(", ", names);
    }

    private static bool HasDialogue(in FlowRecord flow) => flow.IpProtocol switch
    {
        IpProtocol.Tcp => flow.FromResponder.PayloadBytes > 0 || flow.FromOriginator.PayloadBytes > 0,
        _ => flow.FromResponder.Packets > 0,
    };

    private static ulong HostValue(IpAddress address) => Fingerprint.Of(address);

    private static ulong ServiceValue(in FlowRecord flow) => Fingerprint.Of(flow.Responder, flow.IpProtocol, flow.ResponderPort);

    private void Attempt(in FlowRecord flow, Technique technique, long timeNs, bool refused)
    {
        var source = _sources.Touch(flow.Originator, timeNs, _hostWindow, static window => new Sweep(window));
        if (source is not null)
            AttemptHost(source, in flow, technique, timeNs);
        if (flow.IpProtocol is not (IpProtocol.Tcp or IpProtocol.Udp))
            return;
        var pair = _pairs.Touch((flow.Originator, flow.Responder), timeNs, _portWindow, static window => new Probe(window));
        if (pair is null)
            return;
        var isNew = pair.Ports.Add(((ulong)flow.IpProtocol << 16) | flow.ResponderPort, timeNs);
        if (refused)
            pair.Refused++;
        if (!isNew && !refused)
            return;
        pair.Techniques |= technique;
        pair.LastNs = timeNs;
        if (pair.Ports.Count < _port["ports"])
            return;
        pair.Last.Set(in flow);
        pair.Source = _context.PartyOf(flow.Originator, flow.OriginatorMac);
        pair.Target = _context.PartyOf(flow.Responder, flow.ResponderMac);
        if (pair.IsAlerted || pair.Refused >= _port["ports"])
            JudgePair(pair, isNew ? 1 : 0);
        else
            Suspect(ref pair.IsSuspect, timeNs, pair, null);
    }

    private void AttemptHost(Sweep source, in FlowRecord flow, Technique technique, long timeNs)
    {
        var inside = _context.Scope.IsInside(flow.Responder);
        var isNew = false;
        if (inside)
        {
            isNew = source.Hosts.Add(HostValue(flow.Responder), timeNs);
            if (flow.IpProtocol == IpProtocol.Tcp)
            {
                isNew |= source.Services.Add(ServiceValue(in flow), timeNs);
                source.ServiceHosts.Add(HostValue(flow.Responder), timeNs);
                if (Novelty.AdministrationPorts.Contains(flow.ResponderPort))
                    source.Administered.Add(HostValue(flow.Responder), timeNs);
            }
        }
        else
        {
            if (source.Outside.Count == 0)
                source.OutsidePort = flow.ResponderPort;
            if (source.OutsidePort == flow.ResponderPort)
                isNew = source.Outside.Add(HostValue(flow.Responder), timeNs);
        }

        if (!isNew)
            return;
        source.Administered.Rotate(timeNs);
        source.Techniques |= technique;
        source.LastNs = timeNs;
        if (!IsHostScan(source) && !IsServiceScan(source))
            return;
        source.Last.Set(in flow);
        source.Source = _context.PartyOf(flow.Originator, flow.OriginatorMac);
        source.Target = _context.PartyOf(flow.Responder, flow.ResponderMac);
        if (source.IsHostAlerted || source.IsServiceAlerted)
            JudgeSource(source);
        if (!source.IsHostAlerted)
            Suspect(ref source.IsSuspect, timeNs, null, source);
    }

    private void TakeBack(in FlowRecord flow)
    {
        if (flow.IpProtocol is IpProtocol.Tcp or IpProtocol.Udp)
            _pairs.Find((flow.Originator, flow.Responder))?.Ports.Remove(((ulong)flow.IpProtocol << 16) | flow.ResponderPort);
        if (_sources.Find(flow.Originator) is not { } source)
            return;
        var host = HostValue(flow.Responder);
        source.Hosts.Remove(host);
        source.Administered.Remove(host);
        source.Outside.Remove(host);
        if (flow.IpProtocol == IpProtocol.Tcp && source.Services.Contains(ServiceValue(in flow)))
        {
            source.Services.Remove(ServiceValue(in flow));
            source.Answered++;
        }
    }

    private void Suspect(ref bool isSuspect, long timeNs, Probe? pair, Sweep? source)
    {
        if (isSuspect || _suspects.Count >= MaximumPairs)
            return;
        isSuspect = true;
        if (pair is not null)
            Enlarge(pair.Ports);
        if (source is not null)
            Enlarge(source.Hosts);
        _suspects.Add((timeNs + _grace, pair, source));
    }

    private bool IsHostScan(Sweep source) =>
        source.Hosts.Count >= _host["hosts"] || source.Outside.Count >= _host["outside_hosts"] || (source.Administered.Count >= _host["administered_hosts"] && source.Services.Count <= 2 * source.Administered.Count);

    private bool IsServiceScan(Sweep source) =>
        source.Services.Count >= _service["services"] && source.ServiceHosts.Count >= _service["hosts"]
        && source.Services.Count >= _service["services_per_host"] * source.ServiceHosts.Count
        && source.Services.Count >= _service["share"] * (source.Services.Count + source.Answered);

    private void JudgePair(Probe pair, long count = 0)
    {
        if (pair.Ports.Count < _port["ports"])
            return;

        // A few ports of each of many hosts are told as one.
        if (!pair.IsAlerted && pair.Ports.Count < _port["ports_of_many"] && _sources.Find(pair.Source.Address) is { } source && IsServiceScan(source))
        {
            if (!source.IsServiceAlerted)
                JudgeSource(source);
            return;
        }

        if (!pair.IsAlerted)
        {
            pair.IsAlerted = true;
            count = pair.Ports.Count;
        }

        var open = _context.Observe(_port, pair.Source, pair.Target, pair.Ports.FirstNs, pair.LastNs, 0.9, count);
        if (open is null)
            return;
        open.Alert.Protocol = pair.Last.Flow.IpProtocol == IpProtocol.Udp ? "udp" : "tcp";
        open.Raise("ports", open.IsNew ? pair.Ports.Count : count, "ports", $"fewer than {_port["ports"]} of a host").Raise("refused", pair.Refused - pair.RefusedTold, "ports");
        if (!pair.IsTold || open.IsNew)
            open.Include("hosts", _context.NameOf(pair.Target));
        pair.IsTold = true;
        foreach (var (technique, name) in TechniqueNames)
        {
            if ((pair.Techniques & technique) != Technique.None)
                open.Include("technique", name);
        }

        pair.RefusedTold = pair.Refused;
        open.Flow(in pair.Last.Flow);
        _context.Alerts.Emit(open);
    }

    private void JudgeSource(Sweep source)
    {
        if (IsHostScan(source))
        {
            source.IsHostAlerted = true;
            var open = _context.Observe(_host, source.Source, source.Target, Math.Min(source.Hosts.FirstNs, source.LastNs), source.LastNs, 0.9);
            if (open is null)
                return;
            open.Number("hosts", Math.Max(Math.Max(source.Hosts.Count, source.Outside.Count), source.Administered.Count), "hosts", $"fewer than {_host["hosts"]}")
                .Text("technique", TextOf(source.Techniques)).Flow(in source.Last.Flow);
            _context.Alerts.Emit(open);
        }
        else if (IsServiceScan(source))
        {
            source.IsServiceAlerted = true;
            var open = _context.Observe(_service, source.Source, source.Target, source.Services.FirstNs, source.LastNs, 0.8);
            if (open is null)
                return;
            open.Alert.Protocol = "tcp";
            open.Number("services", source.Services.Count, "services", $"fewer than {_service["services"]}").Number("hosts", source.ServiceHosts.Count, "hosts")
                .Flow(in source.Last.Flow);
            _context.Alerts.Emit(open);
        }
    }

    private void Enlarge(DistinctWindow window)
    {
        if (window.Limit == LargeLimit || _large >= MaximumLarge)
            return;
        _large++;
        window.Limit = LargeLimit;
    }
}
