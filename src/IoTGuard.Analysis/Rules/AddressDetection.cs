using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Application.Dhcp;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>
/// Who gives out addresses and routes. What a client said of itself before it had an address is kept until it gets one, and then said of its device.
/// </summary>
internal sealed class AddressDetection : TransactionDetection
{
    /// <summary>Most clients remembered, and most VLANs watched.</summary>
    public const int MaximumClients = 8192;
    public const int MaximumVlans = 4096;

    /// <summary>Hardware addresses counted exactly.</summary>
    private const int ExactClients = 4096;

    private const long ClientWindowNs = 300_000_000_000;

    private const string DhcpPrefix = "dhcp ";

    /// <summary>Vendor class (option 60) of firmware that boots from the network (PXE 2.1, 2.2).</summary>
    private const string NetworkBoot = "PXEClient";

    private const double OtherFingerprintWeight = 0.6;

    private readonly DetectionContext _context;
    private readonly Rule _rogue;
    private readonly Rule _new;
    private readonly Rule _other;
    private readonly Rule _starvation;
    private readonly Rule _router;
    private readonly Dictionary<MacAddress, HashSet<string>> _fingerprints = [];
    private readonly KeyedState<MacAddress, Client> _clients = new(MaximumClients, ClientWindowNs);
    private readonly KeyedState<ushort, Vlan> _vlans;
    private readonly Func<Vlan> _makeVlan;

    private sealed class Client
    {
        public DhcpFacts Asked;
        public bool HasAsked;

        /// <summary>The offer that came first.</summary>
        public DhcpFacts Offer;
        public long OfferNs;
        public MacAddress OfferMac;
    }

    private sealed class Vlan(DistinctWindow clients)
    {
        public readonly DistinctWindow Clients = clients;
        public RouterFacts Router;
        public IpAddress RouterAddress;
        public MacAddress RouterMac;
        public long RouterNs = long.MinValue;

        /// <summary>The server that offered last: who suffers when addresses are used up.</summary>
        public Party Server;
    }

    public AddressDetection(DetectionContext context)
    {
        _context = context;
        _rogue = context.Of(AddressRules.RogueDhcp);
        _new = context.Of(AddressRules.NewDhcp);
        _starvation = context.Of(AddressRules.Starvation);
        _router = context.Of(AddressRules.RogueRouter);
        _other = context.Of(AddressRules.OtherFingerprint);
        foreach (var device in context.Site.Devices)
        {
            var known = device.Fingerprints.Where(static f => f.StartsWith(DhcpPrefix, StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
            if (known.Count > 0 && !device.Mac.IsNone)
                _fingerprints[device.Mac] = known;
        }

        _vlans = new(MaximumVlans, DetectionContext.Ns(_router["active_within"]));
        _makeVlan = () => new Vlan(new DistinctWindow(DetectionContext.Ns(_starvation["window"]), ExactClients));
    }

    public override void OnTransaction(Transaction transaction, long timeNs)
    {
        if (transaction is DhcpTransaction dhcp)
            OnDhcp(dhcp, timeNs);
        else if (transaction is RouterTransaction { Facts: { IsRedirect: false, Lifetime: > 0 } } router)
            OnRouter(router, timeNs);
    }

    private void OnDhcp(DhcpTransaction dhcp, long timeNs)
    {
        ref readonly var facts = ref dhcp.Facts;
        if (facts.Hardware.IsNone || facts.Hardware.IsGroup)
            return;
        if (facts.Type is DhcpMessageType.Discover or DhcpMessageType.Request)
            CheckStarvation(dhcp, timeNs);
        if (_clients.Touch(facts.Hardware, timeNs, static () => new Client()) is not { } client)
            return;
        switch (facts.Type)
        {
            case DhcpMessageType.Discover or DhcpMessageType.Request:
                client.Asked = facts;
                client.HasAsked = true;
                break;
            case DhcpMessageType.Offer:
                CheckOffer(dhcp, client, timeNs);
                break;
            case DhcpMessageType.Ack when client.HasAsked && client.Asked.TransactionId == facts.TransactionId:
                CheckOffer(dhcp, client, timeNs);
                OnLease(dhcp, client, timeNs);
                break;
            default:
                break;
        }
    }

    /// <summary>The client has its address now: what it said of itself is said of the device.</summary>
    private void OnLease(DhcpTransaction dhcp, Client client, long timeNs)
    {
        ref readonly var facts = ref dhcp.Facts;
        var address = facts.Your != default ? facts.Your : facts.Client;
        if (!_context.Scope.IsInside(address) || _context.Devices.ObserveClaim(address, facts.Hardware, timeNs) is not { } device)
            return;
        if (client.Asked.HostName is { } name)
            device.Add(new DeviceClaim(address, ClaimKind.HostName, name));
        if (client.Asked.VendorClass is { } vendor)
            device.Add(new DeviceClaim(address, ClaimKind.Class, vendor));
        if (client.Asked.ParameterList is { } list)
        {
            device.Add(new DeviceClaim(address, ClaimKind.Fingerprint, DhcpPrefix + list));
            CheckFingerprint(dhcp, client.Asked, device, timeNs);
        }

        client.HasAsked = false;
    }

    private void CheckFingerprint(DhcpTransaction dhcp, in DhcpFacts asked, Device device, long timeNs)
    {
        var fingerprint = DhcpPrefix + asked.ParameterList;
        if (!_fingerprints.TryGetValue(asked.Hardware, out var known) || known.Contains(fingerprint) || asked.VendorClass?.StartsWith(NetworkBoot, StringComparison.Ordinal) == true)
            return;
        var open = _context.Observe(_other, _context.PartyOf(device.Address, asked.Hardware), default, timeNs, timeNs, OtherFingerprintWeight);
        if (open is null)
            return;
        open.Alert.Protocol = "dhcp";
        open.Include("fingerprint", asked.VendorClass is { } vendor ? $"{fingerprint} ({vendor})" : fingerprint).Text("before", string.Join(", ", known.Take(2))).Flow(dhcp);
        _context.Alerts.Emit(open);
    }

    private void CheckOffer(DhcpTransaction dhcp, Client client, long timeNs)
    {
        ref readonly var facts = ref dhcp.Facts;
        var server = facts.Server != default ? facts.Server : dhcp.Server;
        if (_vlans.Touch(facts.Vlan, timeNs, _makeVlan) is { } vlan)
            vlan.Server = _context.PartyOf(server, dhcp.ServerMac);
        ref readonly var first = ref client.Offer;
        if (client.OfferNs == 0 || timeNs - client.OfferNs > DetectionContext.Ns(_rogue["window"]) || first.TransactionId != facts.TransactionId)
        {
            client.Offer = facts;
            client.Offer.Server = server;
            (client.OfferNs, client.OfferMac) = (timeNs, dhcp.ServerMac);
            CheckServer(dhcp, server, timeNs);
            return;
        }

        if (first.Server == server
            || ((first.Router == facts.Router || facts.Router == default) && (first.DnsServer == facts.DnsServer || facts.DnsServer == default)))
            return;

        // Which of the two is the rogue nobody can tell from one exchange: the one whose settings lead to itself, else the later one.
        var isFirst = first.Router == first.Server && facts.Router != server;
        var rogue = isFirst ? _context.PartyOf(first.Server, client.OfferMac) : _context.PartyOf(server, dhcp.ServerMac);
        var other = isFirst ? _context.PartyOf(server, dhcp.ServerMac) : _context.PartyOf(first.Server, client.OfferMac);
        var open = _context.Observe(_rogue, rogue, other, client.OfferNs, timeNs, 0.75);
        if (open is null)
            return;
        var offer = isFirst ? first : facts;
        open.Alert.Protocol = "dhcp";
        open.Number("clients", open.Alert.Count, "clients", "0").Include("offered", $"gateway {Text(offer.Router)}, DNS server {Text(offer.DnsServer)}").Flow(dhcp);
        _context.Alerts.Emit(open);
    }

    private void CheckServer(DhcpTransaction dhcp, IpAddress server, long timeNs)
    {
        if (_context.Devices.Find(server) is { IsLearned: true } || _context.Observe(_new, _context.PartyOf(server, dhcp.ServerMac), default, timeNs, timeNs, 0.7) is not { } open)
            return;
        open.Alert.Protocol = "dhcp";
        open.Number("clients", open.Alert.Count, "clients", "0").Include("offered", $"gateway {Text(dhcp.Facts.Router)}, DNS server {Text(dhcp.Facts.DnsServer)}").Flow(dhcp);
        _context.Alerts.Emit(open);
    }

    private void CheckStarvation(DhcpTransaction dhcp, long timeNs)
    {
        if (_vlans.Touch(dhcp.Facts.Vlan, timeNs, _makeVlan) is not { } vlan || !vlan.Clients.Add(dhcp.Facts.Hardware.Value, timeNs) || vlan.Clients.Count < _starvation["clients"])
            return;
        var open = _context.Observe(_starvation, vlan.Server, default, vlan.Clients.FirstNs, timeNs, 0.8);
        if (open is null)
            return;
        open.Alert.Protocol = "dhcp";
        open.Number("clients", vlan.Clients.Count, "clients", $"fewer than {_starvation["clients"]}").Number("period", _starvation["window"], "s")
            .Text("mac", dhcp.ClientMac.ToString()).Number("vlan", dhcp.Facts.Vlan, "").Flow(dhcp);
        _context.Alerts.Emit(open);
    }

    private void OnRouter(RouterTransaction router, long timeNs)
    {
        if (_vlans.Touch(router.Facts.Vlan, timeNs, _makeVlan) is not { } vlan)
            return;
        ref readonly var facts = ref router.Facts;
        if (vlan.RouterNs == long.MinValue || timeNs - vlan.RouterNs > DetectionContext.Ns(_router["active_within"]) || vlan.RouterAddress == router.Client)
        {
            (vlan.Router, vlan.RouterAddress, vlan.RouterMac, vlan.RouterNs) = (facts, router.Client, router.ClientMac, timeNs);
            return;
        }

        var isOtherPrefix = facts.Prefixes > 0 && (facts.Prefix != vlan.Router.Prefix || facts.PrefixLength != vlan.Router.PrefixLength);
        var isOtherServer = facts.DnsServer != default && facts.DnsServer != vlan.Router.DnsServer;
        if (!isOtherPrefix && !isOtherServer)
            return;
        var open = _context.Observe(_router, _context.ClientOf(router), _context.PartyOf(vlan.RouterAddress, vlan.RouterMac), timeNs, timeNs, 0.7);
        if (open is null)
            return;
        open.Alert.Protocol = "icmpv6";
        open.Include("prefix", isOtherPrefix ? $"the prefix {facts.Prefix}/{facts.PrefixLength}" : $"the DNS server {facts.DnsServer}", Text(vlan.Router.Prefix))
            .Number("advertisements", open.Alert.Count, "advertisements", "0").Flow(router);
        _context.Alerts.Emit(open);
    }

    private static string Text(IpAddress address) => address == default ? "none" : address.ToString();
}
