using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>Floods, and log-in services that are tried again and again.</summary>
internal sealed class LoadDetection(DetectionContext context)
{
    /// <summary>Most services, and most pairs, watched at once.</summary>
    public const int MaximumKeys = 8192;

    private const int MaximumLead = 1000;

    /// <summary>Packets from which on a stream of datagrams may be a part of a flood.</summary>
    private const int LeastOfStream = 1000;

    // SSH, Telnet, FTP, SMB, RDP, VNC, rlogin, WinRM.
    private static readonly HashSet<ushort> LoginPorts = [21, 22, 23, 139, 445, 513, 514, 3389, 5900, 5901, 5985, 5986];

    private readonly Rule _flood = context.Of(NetworkRules.SynFlood);
    private readonly Rule _datagrams = context.Of(NetworkRules.PacketFlood);
    private readonly Rule _guess = context.Of(NetworkRules.BruteForce);
    private readonly KeyedState<(IpAddress Server, ushort Port), Service> _services = new(MaximumKeys, 20_000_000_000);
    private readonly KeyedState<(IpAddress Target, byte IpProtocol), Service> _targets = new(MaximumKeys, 20_000_000_000);
    private readonly KeyedState<(IpAddress Sender, IpAddress Target, byte IpProtocol), Streams> _streams = new(MaximumKeys, 240_000_000_000);
    private readonly KeyedState<(IpAddress Client, IpAddress Server, ushort Port), Sessions> _sessions = new(MaximumKeys, 240_000_000_000);

    private sealed class Service
    {
        public WindowSum Opened;
        public WindowSum Completed;

        /// <summary>The sender of most, if one sent more than half (majority vote of Boyer and Moore), and its lead.</summary>
        public IpAddress Sender;
        private int _lead;

        public bool HasOneSender => 2 * _lead >= Math.Min(MaximumLead, Opened.Total);

        /// <summary>The hardware address of most, in the same way: invented senders share their inventor's.</summary>
        public MacAddress Mac;
        private int _macLead;

        public bool HasOneMac => 2 * _macLead >= Math.Min(MaximumLead, Opened.Total);

        public void Add(IpAddress sender, MacAddress mac, long timeNs, long windowNs)
        {
            Opened.Add(1, timeNs, windowNs);
            if (_macLead == 0)
                Mac = mac;
            _macLead = Math.Min(_macLead + (Mac == mac ? 1 : -1), MaximumLead);
            if (_lead == 0)
                Sender = sender;
            _lead = Math.Min(_lead + (Sender == sender ? 1 : -1), MaximumLead);
        }
    }

    private sealed class Streams
    {
        public long FirstNs;
        public long LastNs;
        public long Packets;
    }

    private sealed class Sessions
    {
        public WindowSum Short;

        /// <summary>Sessions told by the open alert.</summary>
        public double Told;
    }

    public void OnOpened(in FlowRecord flow, long timeNs)
    {
        if (flow.IpProtocol is IpProtocol.Udp or IpProtocol.Icmp or IpProtocol.Icmpv6)
        {
            OnDatagramFlow(in flow, timeNs);
            return;
        }

        if (flow.IpProtocol != IpProtocol.Tcp || flow.FromOriginator.Syn == 0)
            return;
        if (_services.Touch((flow.Responder, flow.ResponderPort), timeNs, static () => new Service()) is not { } service)
            return;
        var window = DetectionContext.Ns(_flood["window"]);
        service.Add(flow.Originator, flow.OriginatorMac, timeNs, window);
        var halfOpen = service.Opened.Total - service.Completed.Total;
        if (halfOpen < _flood["half_open"] || halfOpen < _flood["share"] * service.Opened.Total)
            return;
        var server = context.PartyOf(flow.Responder, flow.ResponderMac);
        var sender = SenderOf(service, in flow, out var senders);
        var open = sender != default
            ? context.Observe(_flood, sender, server, service.Opened.FirstNs, timeNs, 0.9)
            : context.Observe(_flood, server, default, service.Opened.FirstNs, timeNs, 0.9);
        if (open is null)
            return;
        open.Alert.Protocol = "tcp";
        open.Text("service", $"{flow.Responder} tcp/{flow.ResponderPort}").Text("senders", senders)
            .Number("half-open", halfOpen, "connections", $"fewer than {_flood["half_open"]}").Number("period", _flood["window"], "s").Flow(in flow);
        context.Alerts.Emit(open);
    }

    /// <summary>Who floods: one address, or one device that invents many; default when the senders are many, so that the alert is about the server.</summary>
    private Party SenderOf(Service service, in FlowRecord flow, out string senders)
    {
        senders = service.HasOneSender ? service.Sender.ToString() : "many, perhaps invented, addresses";
        if (service.HasOneSender)
            return service.Sender == flow.Originator ? context.PartyOf(flow.Originator, flow.OriginatorMac) : default;
        if (!service.HasOneMac || context.Devices.Find(service.Mac) is not { } device)
            return default;
        senders += $" behind the hardware address {service.Mac}";
        return new Party(device.Address, device.Mac);
    }

    /// <summary>Ever new flows of datagrams to one host.</summary>
    private void OnDatagramFlow(in FlowRecord flow, long timeNs)
    {
        if (!AddressScope.IsHost(flow.Responder) || _targets.Touch((flow.Responder, flow.IpProtocol), timeNs, static () => new Service()) is not { } target)
            return;
        target.Add(flow.Originator, flow.OriginatorMac, timeNs, DetectionContext.Ns(_datagrams["window"]));
        var unanswered = target.Opened.Total - target.Completed.Total;
        if (unanswered < _datagrams["flows"] || unanswered < _datagrams["share"] * target.Opened.Total)
            return;
        var sender = SenderOf(target, in flow, out var senders);
        TellFlood(in flow, sender, senders, 1, target.Opened.FirstNs, timeNs);
    }

    /// <summary>One stream of datagrams, as far as it went.</summary>
    public void OnUpdated(in FlowRecord flow, long timeNs)
    {
        if (flow.FromOriginator.Packets >= _datagrams["packets"])
            CheckStream(in flow, flow.FromOriginator.Packets, flow.FromOriginator.FirstNs, timeNs);
    }

    /// <summary>A stream that ended, with those between the same two hosts at the same time: a flood may use many ports.</summary>
    private void OnStreamClosed(in FlowRecord flow, long timeNs)
    {
        if (flow.FromOriginator.Packets < LeastOfStream)
        {
            OnUpdated(in flow, timeNs);
            return;
        }

        if (_streams.Touch((flow.Originator, flow.Responder, flow.IpProtocol), timeNs, static () => new Streams()) is not { } streams)
            return;
        if (flow.FromOriginator.FirstNs > streams.LastNs)
            (streams.FirstNs, streams.LastNs, streams.Packets) = (flow.FromOriginator.FirstNs, 0, 0);
        streams.FirstNs = Math.Min(streams.FirstNs, flow.FromOriginator.FirstNs);
        streams.LastNs = Math.Max(streams.LastNs, flow.FromOriginator.LastNs);
        streams.Packets += flow.FromOriginator.Packets;
        if (streams.Packets >= _datagrams["packets"])
            CheckStream(in flow, streams.Packets, streams.FirstNs, timeNs);
    }

    private void CheckStream(in FlowRecord flow, long packets, long firstNs, long timeNs)
    {
        var isEcho = flow.IpProtocol is IpProtocol.Icmp or IpProtocol.Icmpv6;
        if ((flow.IpProtocol != IpProtocol.Udp && !isEcho) || !AddressScope.IsHost(flow.Responder))
            return;
        var seconds = Math.Max(0.001, (flow.FromOriginator.LastNs - firstNs) / 1e9);
        if (packets / seconds < _datagrams[isEcho ? "echo_rate" : "udp_rate"] || (!isEcho && 20 * flow.FromResponder.Packets > flow.FromOriginator.Packets))
            return;
        if (!isEcho && context.Facts.IsLearned(new Fact(FactKind.Stream, flow.Originator, flow.Responder)))
            return;
        context.Facts.Note(new Fact(FactKind.Stream, flow.Originator, flow.Responder), timeNs);
        TellFlood(in flow, context.PartyOf(flow.Originator, flow.OriginatorMac), flow.Originator.ToString(), packets, firstNs, timeNs);
    }

    private void TellFlood(in FlowRecord flow, in Party sender, string senders, long packets, long firstNs, long timeNs)
    {
        var target = context.PartyOf(flow.Responder, flow.ResponderMac);
        var open = sender != default
            ? context.Observe(_datagrams, sender, target, firstNs, timeNs, 0.85, packets)
            : context.Observe(_datagrams, target, default, firstNs, timeNs, 0.85, packets);
        if (open is null)
            return;
        var isUdp = flow.IpProtocol == IpProtocol.Udp;
        open.Alert.Protocol = isUdp ? "udp" : "icmp";
        open.Text("kind", isUdp ? "UDP" : "ICMP").Text("target", flow.Responder.ToString()).Text("senders", senders)
            .Number("packets", open.Alert.Count, "packets", $"fewer than {_datagrams["packets"]}").Number("period", Math.Max(1, Math.Ceiling((timeNs - open.Alert.FirstSeenNs) / 1e9)), "s")
            .Flow(in flow);
        context.Alerts.Emit(open);
    }

    public void OnEstablished(in FlowRecord flow, long timeNs)
    {
        if (flow.IpProtocol is IpProtocol.Udp or IpProtocol.Icmp or IpProtocol.Icmpv6)
        {
            _targets.Find((flow.Responder, flow.IpProtocol))?.Completed.Add(1, timeNs, DetectionContext.Ns(_datagrams["window"]));
            return;
        }

        if (flow.IpProtocol == IpProtocol.Tcp && _services.Find((flow.Responder, flow.ResponderPort)) is { } service)
            service.Completed.Add(1, timeNs, DetectionContext.Ns(_flood["window"]));
    }

    public void OnClosed(in FlowRecord flow, long timeNs)
    {
        if (flow.IpProtocol != IpProtocol.Tcp)
        {
            OnStreamClosed(in flow, timeNs);
            return;
        }

        if (flow.State == ConnectionState.Rejected)
            OnEstablished(in flow, timeNs);
        if (!LoginPorts.Contains(flow.ResponderPort) || flow.FromOriginator.Syn == 0 || flow.FromResponder.PayloadBytes == 0)
            return;
        if (flow.DurationSeconds > _guess["short"] || flow.FromOriginator.Bytes + flow.FromResponder.Bytes > _guess["bytes"])
            return;
        if (_sessions.Touch((flow.Originator, flow.Responder, flow.ResponderPort), timeNs, static () => new Sessions()) is not { } sessions)
            return;
        sessions.Short.Add(1, timeNs, DetectionContext.Ns(_guess["window"]));
        var usual = UsualSessions(in flow);
        if (sessions.Short.Total < Math.Max(_guess["sessions"], 3 * usual))
            return;
        var open = context.Observe(_guess, context.PartyOf(flow.Originator, flow.OriginatorMac), context.PartyOf(flow.Responder, flow.ResponderMac),
            sessions.Short.FirstNs, timeNs, 0.85);
        if (open is null)
            return;
        var service = new Inventory.ServicePort(flow.IpProtocol, flow.ResponderPort);
        open.Alert.Protocol = "tcp";
        sessions.Told = open.IsNew || sessions.Told == 0 ? sessions.Short.Total : sessions.Told + 1;
        open.Number("sessions", sessions.Told, "sessions", usual > 0 ? $"about {usual:0.#}" : null).Raise("refused", 0, "log-ins")
            .Number("period", _guess["window"], "s").Text("services", service.ToString()).Flow(in flow);
        context.Alerts.Emit(open);
    }

    /// <summary>Sessions per window that the pair had while the site was learned.</summary>
    private double UsualSessions(in FlowRecord flow)
    {
        var fact = new Fact(FactKind.Peer, context.IdentityOf(flow.Originator), context.IdentityOf(flow.Responder), Fact.NumberOf(flow.IpProtocol, flow.ResponderPort));
        return context.Site.Facts.TryGetValue(fact, out var history) && context.Site.HoursLearned > 0
            ? history.Count / (context.Site.HoursLearned * 3600) * _guess["window"]
            : 0;
    }
}
