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
    private const double PopularOutsideFactor = 0.5;
    private const double NewServiceWeight = 0.75;
    private const double NewDeviceWeight = 0.8;
    private const double NewOutsideWeight = 0.7;
    private const double NewPlaceOutsideWeight = 0.5;

    /// <summary>Known networks outside with which one more means half as much as with the first.</summary>
    private const double HalvingOutside = 4;

    /// <summary>How long a device with nothing but IPv6 addresses is waited for, ns of packet time, and how many are at once.</summary>
    private const long WaitNs = 20_000_000_000;
    private const int MaximumWaiting = 1024;

    /// <summary>Learned clients from which on one more client of a service is little news.</summary>
    private const int PopularClients = 4;

    /// <summary>Learned users of a network outside from which on one more is little news.</summary>
    private const int PopularOutside = 3;

    /// <summary>Networks outside that are kept of a device; who knows that many goes anywhere.</summary>
    public const int MaximumOutside = 16;

    // Names, addresses, time, directory, logs, management, discovery: every device uses them.
    private static readonly HashSet<ushort> InfrastructurePorts =
        [53, 67, 68, 88, 111, 123, 137, 138, 161, 162, 389, 464, 514, 546, 547, 636, 853, 1900, 3268, 3269, 3702, 5353, 5355, 6514];

    private const ushort DnsPort = 53;

    // Clients answer on them, and offer nothing (RFC 2131 4.1, RFC 8415 7.2).
    private const ushort DhcpClient = 68;
    private const ushort Dhcp6Client = 546;

    private readonly DetectionContext _context;
    private readonly Rule _device;
    private readonly Rule _peer;
    private readonly Rule _service;
    private readonly Rule _outside;
    private readonly Rule _changed;
    private readonly Rule _medicalOutside;
    private readonly Dictionary<IpAddress, int> _outsideNetworks = [];
    private readonly Dictionary<IpAddress, int> _outsideUsers = [];
    private readonly HashSet<IpAddress> _outsideNeighbors = [];
    private readonly HashSet<(IpAddress Outside, IpAddress Network)> _outsideOfNeighbors = [];
    private readonly Dictionary<IpAddress, MacAddress> _learnedMacs = [];
    private readonly HashSet<MacAddress> _knownMacs = [];
    private readonly Dictionary<(IpAddress Server, int Number), int> _learnedClients = [];

    // The same by the network of the client.
    private readonly HashSet<(IpAddress Server, int Number, IpAddress Network)> _learnedNetworks = [];
    private readonly Dictionary<(IpAddress Client, int Number), int> _learnedServers = [];
    private readonly HashSet<(IpAddress Archive, IpAddress Client)> _imagingClients = [];
    private readonly CommonNews _common;
    private readonly List<(long DueNs, Device Device)> _waiting = [];
    private readonly HashSet<Device> _told = [];

    public NoveltyDetection(DetectionContext context)
    {
        _context = context;
        _common = new CommonNews(context);
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

        _changed = context.Of(NetworkRules.ChangedDevice);
        _medicalOutside = context.Of(NetworkRules.MedicalOutside);
        foreach (var device in context.Site.Devices)
        {
            if (device.Mac.IsNone)
                continue;
            _knownMacs.Add(device.Mac);
            if (device is { MacFromArp: true, IsRouter: false, Address.IsIpv4: true })
                _learnedMacs[device.Address] = device.Mac;
        }

        foreach (var fact in context.Site.Facts.Keys)
        {
            if (fact.Kind == FactKind.OutsideNetwork)
            {
                _outsideNetworks[fact.A] = _outsideNetworks.GetValueOrDefault(fact.A) + 1;
                _outsideNeighbors.Add(Kin.NetworkOf(fact.A));
                _outsideOfNeighbors.Add((fact.B, Kin.NetworkOf(fact.A)));
                _outsideUsers[fact.B] = _outsideUsers.GetValueOrDefault(fact.B) + 1;
            }
            else if (fact.Kind == FactKind.AePair)
            {
                _imagingClients.Add((fact.B, fact.A));
            }
            else if (fact.Kind == FactKind.Peer)
            {
                _learnedClients[(fact.B, fact.Number)] = _learnedClients.GetValueOrDefault((fact.B, fact.Number)) + 1;
                _learnedServers[(fact.A, fact.Number)] = _learnedServers.GetValueOrDefault((fact.A, fact.Number)) + 1;
                _learnedNetworks.Add((fact.B, fact.Number, Kin.NetworkOf(fact.A)));
            }
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

        // A host tells its IPv6 addresses before it has an IPv4 one, by which it may turn out to be known.
        if (!device.Address.IsIpv4 && _waiting.Count < MaximumWaiting)
            _waiting.Add((timeNs + WaitNs, device));
        else
            TellDevice(device, timeNs);
    }

    /// <summary>Packet time went on.</summary>
    public void Tick(long timeNs)
    {
        for (var i = 0; i < _waiting.Count; i++)
        {
            var (due, device) = _waiting[i];
            if (due > timeNs)
                break;
            if (_context.Devices.Find(device.Address) == device && !(device.Mac is { IsNone: false } mac && _context.Devices.Find(mac) is { } other && other != device))
                TellDevice(device, due);
        }

        _waiting.RemoveAll(w => w.DueNs <= timeNs);
    }

    private void TellDevice(Device device, long timeNs)
    {
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

    /// <summary>A hardware address claims an address that nobody else claims now.</summary>
    public void OnClaim(IpAddress address, MacAddress mac, long timeNs)
    {
        if (!_learnedMacs.TryGetValue(address, out var before) || before == mac || _knownMacs.Contains(mac) || NeighborDetection.IsFailover(mac))
            return;
        _learnedMacs.Remove(address);
        var open = _context.Observe(_changed, new Party(address, mac), default, timeNs, timeNs, NewDeviceWeight);
        if (open is null)
            return;
        open.Alert.Protocol = "arp";
        open.Text("address", address.ToString()).Text("hardware address", mac.ToString(), before.ToString()).Text("before", before.ToString());
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
                server.Deeds[Deed.InfrastructureAnswers]++;
        }

        var isFollowed = false;
        if (_context.Devices.Find(flow.Originator) is { } client)
        {
            client.AddUsed(new ServicePort(flow.IpProtocol, PortOf(in flow)));
            isFollowed = Follow(client, in flow, timeNs);
        }

        // One event makes one alert: the change of the server, or that of the client when it weighs more.
        var newService = serverInside ? NoteService(in flow, number, timeNs) : 0;
        var newPeer = serverInside && clientInside ? NotePeer(in flow, number, timeNs) : 0;
        if (newService > newPeer)
        {
            Emit(Tell(_service, in flow, flow.Responder, flow.ResponderMac, flow.Originator, flow.OriginatorMac, newService, timeNs));
            _common.Begin(_service, flow.Responder, number, in flow);
        }
        else if (newPeer > 0 && !isFollowed)
        {
            TellPeer(in flow, number, newPeer, timeNs);
        }

        if (clientInside && !serverInside && AddressScope.IsHost(flow.Responder))
            NoteOutside(in flow, number, timeNs);
    }

    private void TellPeer(in FlowRecord flow, int number, double confidence, long timeNs)
    {
        if ((_common.Join(_service, flow.Responder, number, in flow, timeNs) ?? _common.Join(_peer, flow.Responder, number, in flow, timeNs)) is { } common)
        {
            _context.Alerts.Emit(common);
            return;
        }

        var server = _context.NameOf(_context.PartyOf(flow.Responder, flow.ResponderMac));
        Emit(Tell(_peer, in flow, flow.Originator, flow.OriginatorMac, flow.Responder, flow.ResponderMac, confidence, timeNs)?.Include("hosts", server));
        _common.Begin(_peer, flow.Responder, number, in flow);
    }

    /// <summary>What a new device does in its first minutes belongs to the alert about it. True when it does.</summary>
    private bool Follow(Device client, in FlowRecord flow, long timeNs)
    {
        if (!_context.IsNewcomer(client, timeNs))
            return false;
        var open = _context.Observe(_device, new Party(client.Address, client.Mac), default, client.FirstSeenNs, timeNs, 0);
        if (open is null)
            return false;
        open.Include("uses", $"{ServiceName(in flow)} of {flow.Responder}").Flow(in flow);
        _context.Alerts.Emit(open);
        return true;
    }

    private static bool IsExchange(in FlowRecord flow) => flow.IpProtocol switch
    {
        IpProtocol.Tcp => flow.FromOriginator.Syn > 0 && flow.FromOriginator.PayloadBytes > 0 && flow.FromResponder.PayloadBytes > 0,
        IpProtocol.Udp => flow.FromResponder.PayloadBytes > 0 && (flow.ResponderPort < flow.OriginatorPort || flow.ResponderPort < 1024) && flow.ResponderPort is not (DhcpClient or Dhcp6Client),
        _ => false,
    };

    private static ushort PortOf(in FlowRecord flow) =>
        flow.ResponderPort >= FirstDynamicPort && flow.Application == ApplicationProtocol.Unknown ? (ushort)0 : flow.ResponderPort;

    /// <returns>Confidence in the news that a client uses a service; 0 = none worth telling.</returns>
    private double NotePeer(in FlowRecord flow, int number, long timeNs)
    {
        var fact = new Fact(FactKind.Peer, flow.Originator, flow.Responder, number);
        if (!_context.Facts.Note(fact, timeNs) || !_context.Site.IsLearned || InfrastructurePorts.Contains(flow.ResponderPort))
            return 0;
        var isAdministration = Baselines.Novelty.AdministrationPorts.Contains(flow.ResponderPort);
        var isMedical = ApplicationProtocols.IsMedical(flow.Application);
        var weight = isMedical ? MedicalWeight : isAdministration ? AdministrationWeight : OtherWeight;
        var (client, server) = (_context.IdentityOf(flow.Originator), _context.IdentityOf(flow.Responder));

        // An archive sends its clients what a C-MOVE asked for.
        if (flow.Application == ApplicationProtocol.Dicom && _imagingClients.Contains((client, server)))
            return 0;
        var isKnown = _context.Devices.Find(flow.Originator) is { IsLearned: true };
        var clients = _learnedClients.GetValueOrDefault((server, number));
        if (isKnown && clients >= PopularClients)
            weight *= PopularFactor;

        // What its neighbours in the network do; of a new device too, whose first steps are told with it.
        if (isMedical ? _context.IsExpected(fact) || _context.IsEarlyWork(client, server) : _learnedNetworks.Contains((server, number, Kin.NetworkOf(client))))
            weight *= Kin.Factor;
        else if (!isKnown && !isMedical && !isAdministration && clients > 0)
            weight *= PopularFactor;

        // Who administers, or watches, one host will do so with the next.
        weight *= FamiliarityOf(client, number);
        var confidence = _context.Weigh(fact, weight);
        return confidence >= _peer["confidence"] ? confidence : 0;
    }

    private double FamiliarityOf(IpAddress client, int number) =>
        _learnedServers.GetValueOrDefault((client, number)) switch { 0 => 1, 1 => PopularFactor, _ => Kin.Factor };

    /// <returns>Confidence in the news that a server offers a service; 0 = none worth telling.</returns>
    private double NoteService(in FlowRecord flow, int number, long timeNs)
    {
        var fact = new Fact(FactKind.Service, flow.Responder, Number: number);
        if (!_context.Facts.Note(fact, timeNs) || !_context.Site.IsLearned || flow.ResponderPort >= FirstDynamicPort)
            return 0;

        // Who probes everything, or is a stranger, finds services that were always there.
        if (_context.Devices.Find(flow.Responder) is not { IsLearned: true } || _context.Devices.Find(flow.Originator) is not { IsLearned: true }
            || _context.Scanners.Contains(flow.Originator))
            return 0;
        var weight = NewServiceWeight * FamiliarityOf(_context.IdentityOf(flow.Originator), number);
        if (ApplicationProtocols.IsMedical(flow.Application) && _context.IsEarlyWork(flow.Originator, flow.Responder))
            weight *= Kin.Factor;
        var confidence = _context.Weigh(fact, weight);
        return confidence >= _service["confidence"] ? confidence : 0;
    }

    private void NoteOutside(in FlowRecord flow, int number, long timeNs)
    {
        _context.Facts.Note(new Fact(FactKind.OutsideService, flow.Originator, flow.ResponderPort == DnsPort ? flow.Responder : default, number), timeNs);
        var device = _context.IdentityOf(flow.Originator);
        var network = AddressScope.NetworkOf(flow.Responder);
        var known = _outsideNetworks.GetValueOrDefault(device);
        if (known >= MaximumOutside || !_context.Facts.Note(new Fact(FactKind.OutsideNetwork, device, network), timeNs))
            return;
        if (_outsideNetworks.Count < DetectionContext.MaximumOffenders || known > 0)
            _outsideNetworks[device] = known + 1;
        if (InfrastructurePorts.Contains(flow.ResponderPort))
            return;
        if (!_context.Site.IsLearned)
        {
            if (_context.Devices.Find(flow.Originator) is { Deeds.IsMedical: true } && !ApplicationProtocols.IsMedical(flow.Application))
                Emit(Tell(_medicalOutside, in flow, flow.Originator, flow.OriginatorMac, flow.Responder, flow.ResponderMac, 0.8, timeNs));
            return;
        }

        if (ApplicationProtocols.IsMedical(flow.Application))
            return;
        var weight = known == 0 ? NewOutsideWeight : NewPlaceOutsideWeight * HalvingOutside / (HalvingOutside + known - 1);

        // Where many go is little news, but of a modality or an analyser that went nowhere.
        var isDevice = known == 0 && _context.Devices.Find(device) is { Role.Role: DeviceRole.Modality or DeviceRole.Analyzer };
        if (_outsideUsers.GetValueOrDefault(network) >= PopularOutside && !isDevice)
            weight *= PopularOutsideFactor;
        var isNearby = known == 0 ? _outsideNeighbors.Contains(Kin.NetworkOf(device)) : _outsideOfNeighbors.Contains((network, Kin.NetworkOf(device)));
        if (isNearby && _context.Devices.Find(device) is not { Deeds.IsMedical: true })
            weight *= Kin.Factor;
        var confidence = _context.Weigh(FactKind.OutsideNetwork, flow.Originator, weight);
        if (confidence < _outside["confidence"])
            return;
        if (!isDevice && _common.Join(_outside, network, number, in flow, timeNs) is { } common)
        {
            _context.Alerts.Emit(common);
            return;
        }

        Emit(Tell(_outside, in flow, flow.Originator, flow.OriginatorMac, flow.Responder, flow.ResponderMac, confidence, timeNs)
            ?.Text("before", known == 0 ? "nobody outside" : known == 1 ? "one network outside" : $"{known} networks outside"));
        _common.Begin(_outside, network, number, in flow);
    }

    private OpenAlert? Tell(Rule rule, in FlowRecord flow, IpAddress device, MacAddress deviceMac, IpAddress peer, MacAddress peerMac, double confidence, long timeNs)
    {
        var open = _context.Observe(rule, _context.PartyOf(device, deviceMac), _context.PartyOf(peer, peerMac), flow.FirstNs, timeNs, confidence);
        if (open is null)
            return null;
        open.Alert.Protocol = ProtocolOf(in flow);
        return open.Include("services", ServiceName(in flow), "not seen while the site was learned").Flow(in flow);
    }

    private void Emit(OpenAlert? open)
    {
        if (open is not null)
            _context.Alerts.Emit(open);
    }

    private static string ProtocolOf(in FlowRecord flow) => flow.Application switch
    {
        ApplicationProtocol.Unknown => flow.IpProtocol == IpProtocol.Udp ? "udp" : "tcp",
        _ => ApplicationProtocols.NameOf(flow.Application),
    };

    private static string ServiceName(in FlowRecord flow) => new ServicePort(flow.IpProtocol, flow.ResponderPort).ToString();
}
