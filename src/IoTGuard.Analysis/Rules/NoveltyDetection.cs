using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Wire;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>New devices, peers, services and uses of the outside, by flows in which both sides sent data.</summary>
internal sealed class NoveltyDetection
{
    /// <summary>Ports from here on are given out as needed (RFC 6335); they name no service.</summary>
    public const ushort FirstDynamicPort = 49_152;

    // What a new use of a service by a known device would mean at a settled site.
    private const double AdministrationWeight = 0.9;
    private const double MedicalWeight = 0.7;
    private const double OtherWeight = 0.5;
    private const double PopularFactor = 0.6;
    private const double NewServiceWeight = 0.75;
    private const double NewDeviceWeight = 0.8;
    private const double NewOutsideWeight = 0.7;

    /// <summary>How long what a new device does is told with the alert about it, ns of packet time.</summary>
    private const long FollowNs = 600_000_000_000;

    /// <summary>Learned clients from which on one more client of a service is little news.</summary>
    private const int PopularClients = 4;

    private static readonly HashSet<ushort> AdministrationPorts = [21, 22, 23, 135, 139, 445, 512, 513, 514, 2049, 3389, 5900, 5901, 5985, 5986];

    // Names, addresses, time, directory, logs, management, discovery: every device uses them.
    private static readonly HashSet<ushort> InfrastructurePorts =
        [53, 67, 68, 88, 111, 123, 137, 138, 161, 162, 389, 464, 514, 546, 547, 636, 853, 1900, 3268, 3269, 3702, 5353, 5355, 6514];

    private readonly DetectionContext _context;
    private readonly Rule _device;
    private readonly Rule _peer;
    private readonly Rule _service;
    private readonly Rule _outside;
    private readonly HashSet<IpAddress> _outsideUsers = [];
    private readonly Dictionary<(IpAddress Server, int Number), int> _learnedClients = [];
    private readonly HashSet<Device> _told = [];

    public NoveltyDetection(DetectionContext context)
    {
        _context = context;
        _device = context.Of(NetworkRules.NewDevice);
        _peer = context.Of(NetworkRules.NewPeer);
        _service = context.Of(NetworkRules.NewService);
        _outside = context.Of(NetworkRules.NewOutsideUse);
        // Those that were there before a reconfiguration were told, or need not be.
        foreach (var device in context.Devices.Devices)
        {
            if (device is { IsConfirmed: true, IsLearned: false })
                _told.Add(device);
        }

        foreach (var fact in context.Site.Facts.Keys)
        {
            if (fact.Kind == FactKind.OutsideService)
                _outsideUsers.Add(fact.A);
            else if (fact.Kind == FactKind.Peer)
                _learnedClients[(fact.B, fact.Number)] = _learnedClients.GetValueOrDefault((fact.B, fact.Number)) + 1;
        }
    }

    /// <summary>A device was seen whose traffic goes both ways.</summary>
    public void OnDevice(Device device, MacAddress mac, long timeNs)
    {
        if (device.IsLearned || !_context.Site.IsLearned)
            return;
        if (!mac.IsNone && _context.Devices.Find(mac) is { IsLearned: true } known && known != device)
        {
            device.IsLearned = true;
            return;
        }

        // Temporary IPv6 addresses (RFC 8981) of hosts behind a router come and go.
        if (!device.Address.IsIpv4 && device.Mac.IsNone)
            return;
        if (!_told.Add(device))
            return;
        var confidence = _context.Novelty.WeighDevice(NewDeviceWeight);
        if (confidence < _device["confidence"])
            return;
        var open = _context.Observe(_device, new Party(device.Address, device.Mac), default, device.FirstSeenNs, timeNs, confidence);
        if (open is null)
            return;
        open.Text("address", device.Address.ToString());
        if (!device.Mac.IsNone)
            open.Text("hardware address", device.Mac.ToString());
        _context.Alerts.Emit(open);
    }

    /// <summary>A flow ended or goes on; it counts when both sides sent data.</summary>
    public void OnFlow(in FlowRecord flow, long timeNs)
    {
        if (!IsExchange(in flow))
            return;
        var number = Fact.NumberOf(flow.IpProtocol, PortOf(in flow));
        var serverInside = _context.Scope.IsInside(flow.Responder);
        var clientInside = _context.Scope.IsInside(flow.Originator);
        if (_context.Devices.Find(flow.Responder) is { } server)
        {
            server.AddOffered(new ServicePort(flow.IpProtocol, PortOf(in flow)));
            if (InfrastructurePorts.Contains(flow.ResponderPort) && flow.ResponderPort is 53 or 67 or 88 or 123 or 389)
                server.Deeds.InfrastructureAnswers++;
        }

        if (_context.Devices.Find(flow.Originator) is { } client)
        {
            client.AddUsed(new ServicePort(flow.IpProtocol, PortOf(in flow)));
            Follow(client, in flow, timeNs);
        }

        if (serverInside)
            NoteService(in flow, number, timeNs);
        if (serverInside && clientInside)
            NotePeer(in flow, number, timeNs);
        else if (clientInside && AddressScope.IsHost(flow.Responder))
            NoteOutside(in flow, number, timeNs);
    }

    /// <summary>What a new device does in its first minutes belongs to the alert about it.</summary>
    private void Follow(Device client, in FlowRecord flow, long timeNs)
    {
        if (client.IsLearned || timeNs - client.FirstSeenNs > FollowNs
            || _context.Alerts.Find(_device, new Party(client.Address, client.Mac), default) is null)
            return;
        var open = _context.Observe(_device, new Party(client.Address, client.Mac), default, client.FirstSeenNs, timeNs, 0);
        if (open is null)
            return;
        open.Include("uses", $"{ServiceName(in flow)} of {flow.Responder}").Flow(in flow);
        _context.Alerts.Emit(open);
    }

    private static bool IsExchange(in FlowRecord flow) => flow.IpProtocol switch
    {
        IpProtocol.Tcp => flow.FromOriginator.Syn > 0 && flow.FromOriginator.PayloadBytes > 0 && flow.FromResponder.PayloadBytes > 0,
        IpProtocol.Udp => flow.FromResponder.PayloadBytes > 0 && (flow.ResponderPort < flow.OriginatorPort || flow.ResponderPort < 1024),
        _ => false,
    };

    private static ushort PortOf(in FlowRecord flow) =>
        flow.ResponderPort >= FirstDynamicPort && flow.Application == ApplicationProtocol.Unknown ? (ushort)0 : flow.ResponderPort;

    private void NotePeer(in FlowRecord flow, int number, long timeNs)
    {
        var fact = new Fact(FactKind.Peer, flow.Originator, flow.Responder, number);
        if (!_context.Facts.Note(fact, timeNs) || !_context.Site.IsLearned || InfrastructurePorts.Contains(flow.ResponderPort))
            return;
        var weight = ApplicationProtocols.IsMedical(flow.Application) ? MedicalWeight
            : AdministrationPorts.Contains(flow.ResponderPort) ? AdministrationWeight
            : OtherWeight;
        var client = _context.Devices.Find(flow.Originator);
        if (client is { IsLearned: true } && _learnedClients.GetValueOrDefault((_context.IdentityOf(flow.Responder), number)) >= PopularClients)
            weight *= PopularFactor;
        var confidence = _context.Weigh(FactKind.Peer, flow.Originator, weight);
        if (confidence >= _peer["confidence"])
            Tell(_peer, in flow, flow.Originator, flow.OriginatorMac, flow.Responder, flow.ResponderMac, confidence, timeNs);
    }

    private void NoteService(in FlowRecord flow, int number, long timeNs)
    {
        var fact = new Fact(FactKind.Service, flow.Responder, Number: number);
        if (!_context.Facts.Note(fact, timeNs) || !_context.Site.IsLearned || flow.ResponderPort >= FirstDynamicPort)
            return;

        // Who probes everything, or is a stranger, finds services that were always there.
        if (_context.Devices.Find(flow.Responder) is not { IsLearned: true } || _context.Devices.Find(flow.Originator) is not { IsLearned: true }
            || _context.Scanners.Contains(flow.Originator))
            return;
        var confidence = _context.Weigh(FactKind.Service, flow.Responder, NewServiceWeight);
        if (confidence >= _service["confidence"])
            Tell(_service, in flow, flow.Responder, flow.ResponderMac, flow.Originator, flow.OriginatorMac, confidence, timeNs);
    }

    private void NoteOutside(in FlowRecord flow, int number, long timeNs)
    {
        var fact = new Fact(FactKind.OutsideService, flow.Originator, Number: number);
        if (!_context.Facts.Note(fact, timeNs) || !_context.Site.IsLearned || _outsideUsers.Contains(_context.IdentityOf(flow.Originator)) || ApplicationProtocols.IsMedical(flow.Application)
            || InfrastructurePorts.Contains(flow.ResponderPort))
            return;
        var confidence = _context.Weigh(FactKind.OutsideService, flow.Originator, NewOutsideWeight);
        if (confidence >= _outside["confidence"])
            Tell(_outside, in flow, flow.Originator, flow.OriginatorMac, flow.Responder, flow.ResponderMac, confidence, timeNs);
    }

    private void Tell(Rule rule, in FlowRecord flow, IpAddress device, MacAddress deviceMac, IpAddress peer, MacAddress peerMac, double confidence, long timeNs)
    {
        var open = _context.Observe(rule, _context.PartyOf(device, deviceMac), _context.PartyOf(peer, peerMac), flow.FirstNs, timeNs, confidence);
        if (open is null)
            return;
        open.Alert.Protocol = ProtocolOf(in flow);
        open.Include("services", ServiceName(in flow), "not seen while the site was learned").Flow(in flow);
        _context.Alerts.Emit(open);
    }

    private static string ProtocolOf(in FlowRecord flow) => flow.Application switch
    {
        ApplicationProtocol.Unknown => flow.IpProtocol == IpProtocol.Udp ? "udp" : "tcp",
        _ => ApplicationProtocols.NameOf(flow.Application),
    };

    private static string ServiceName(in FlowRecord flow) => new ServicePort(flow.IpProtocol, flow.ResponderPort).ToString();
}
