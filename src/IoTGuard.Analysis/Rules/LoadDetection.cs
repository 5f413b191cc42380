using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>SYN floods, and log-in services that are tried again and again.</summary>
internal sealed class LoadDetection(DetectionContext context)
{
    /// <summary>Most services, and most pairs, watched at once.</summary>
    public const int MaximumKeys = 8192;

    private const int MaximumLead = 1000;

    // SSH, Telnet, FTP, SMB, RDP, VNC, rlogin, WinRM.
    private static readonly HashSet<ushort> LoginPorts = [21, 22, 23, 139, 445, 513, 514, 3389, 5900, 5901, 5985, 5986];

    private readonly Rule _flood = context.Of(NetworkRules.SynFlood);
    private readonly Rule _guess = context.Of(NetworkRules.BruteForce);
    private readonly KeyedState<(IpAddress Server, ushort Port), Service> _services = new(MaximumKeys, 20_000_000_000);
    private readonly KeyedState<(IpAddress Client, IpAddress Server, ushort Port), Sessions> _sessions = new(MaximumKeys, 240_000_000_000);

    private sealed class Service
    {
        public WindowSum Opened;
        public WindowSum Completed;

        /// <summary>The sender of most, if one sent more than half (majority vote of Boyer and Moore), and its lead.</summary>
        public IpAddress Sender;
        public int Lead;
    }

    private sealed class Sessions
    {
        public WindowSum Short;

        /// <summary>Sessions told by the open alert.</summary>
        public double Told;
    }

    public void OnOpened(in FlowRecord flow, long timeNs)
    {
        if (flow.IpProtocol != IpProtocol.Tcp || flow.FromOriginator.Syn == 0)
            return;
        if (_services.Touch((flow.Responder, flow.ResponderPort), timeNs, static () => new Service()) is not { } service)
            return;
        var window = DetectionContext.Ns(_flood["window"]);
        service.Opened.Add(1, timeNs, window);
        if (service.Lead == 0)
            service.Sender = flow.Originator;
        service.Lead = Math.Min(service.Lead + (service.Sender == flow.Originator ? 1 : -1), MaximumLead);
        var halfOpen = service.Opened.Total - service.Completed.Total;
        if (halfOpen < _flood["half_open"] || halfOpen < _flood["share"] * service.Opened.Total)
            return;
        // Invented senders are no devices: then the alert is about the server.
        var server = context.PartyOf(flow.Responder, flow.ResponderMac);
        var isOne = 2 * service.Lead >= Math.Min(MaximumLead, service.Opened.Total);
        var open = isOne && service.Sender == flow.Originator
            ? context.Observe(_flood, context.PartyOf(flow.Originator, flow.OriginatorMac), server, service.Opened.FirstNs, timeNs, 0.9)
            : context.Observe(_flood, server, default, service.Opened.FirstNs, timeNs, 0.9);
        if (open is null)
            return;
        open.Alert.Protocol = "tcp";
        open.Text("service", $"{flow.Responder} tcp/{flow.ResponderPort}").Text("senders", isOne ? service.Sender.ToString() : "many, perhaps invented, addresses")
            .Number("half-open", halfOpen, "connections", $"fewer than {_flood["half_open"]}").Number("period", _flood["window"], "s").Flow(in flow);
        context.Alerts.Emit(open);
    }

    public void OnEstablished(in FlowRecord flow, long timeNs)
    {
        if (flow.IpProtocol == IpProtocol.Tcp && _services.Find((flow.Responder, flow.ResponderPort)) is { } service)
            service.Completed.Add(1, timeNs, DetectionContext.Ns(_flood["window"]));
    }

    public void OnClosed(in FlowRecord flow, long timeNs)
    {
        if (flow.IpProtocol != IpProtocol.Tcp)
            return;
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
