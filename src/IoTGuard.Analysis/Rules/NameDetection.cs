using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Application.Dns;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>What names give away: tunnels, computed domains, unknown resolvers, and hosts that answer for others.</summary>
internal sealed class NameDetection : TransactionDetection
{
    /// <summary>Most pairs of device and domain, and most devices, watched at once.</summary>
    public const int MaximumDomains = 8192;
    public const int MaximumDevices = 8192;

    /// <summary>Different names counted exactly.</summary>
    private const int ExactNames = 4096;

    private const ushort DnsPort = 53;
    private const byte NameError = 3;

    private readonly DetectionContext _context;
    private readonly Rule _tunnel;
    private readonly Rule _exfiltration;
    private readonly Rule _noSuch;
    private readonly Rule _newServer;
    private readonly Rule _poisoning;
    private readonly KeyedState<(IpAddress Client, ulong Domain), Domain> _domains;
    private readonly KeyedState<IpAddress, DistinctWindow> _missing;
    private readonly KeyedState<IpAddress, DistinctWindow> _answered;
    private readonly HashSet<IpAddress> _servers = [];
    private readonly Func<Domain> _makeDomain;
    private readonly Func<DistinctWindow> _makeMissing;
    private readonly Func<DistinctWindow> _makeAnswered;

    private sealed class Domain(DistinctWindow names)
    {
        public readonly DistinctWindow Names = names;
        public WindowSum Questions;
        public WindowSum Length;
        public WindowSum Opaque;
        public WindowSum Bytes;
    }

    public NameDetection(DetectionContext context)
    {
        _context = context;
        _tunnel = context.Of(NameRules.Tunnel);
        _exfiltration = context.Of(NameRules.Exfiltration);
        _noSuch = context.Of(NameRules.NoSuchNames);
        _newServer = context.Of(NameRules.NewServer);
        _poisoning = context.Of(NameRules.Poisoning);
        _domains = new(MaximumDomains, DetectionContext.Ns(_exfiltration["window"]));
        _missing = new(MaximumDevices, DetectionContext.Ns(_noSuch["window"]));
        _answered = new(MaximumDevices, DetectionContext.Ns(_poisoning["window"]));
        _makeDomain = () => new Domain(new DistinctWindow(DetectionContext.Ns(_tunnel["window"]), ExactNames));
        _makeMissing = () => new DistinctWindow(DetectionContext.Ns(_noSuch["window"]), ExactNames);
        _makeAnswered = () => new DistinctWindow(DetectionContext.Ns(_poisoning["window"]), ExactNames);
        foreach (var fact in context.Site.Facts.Keys)
        {
            if (fact.Kind is FactKind.Peer or FactKind.OutsideService && (ushort)fact.Number == DnsPort)
                _servers.Add(fact.B);
        }
    }

    public override void OnTransaction(Transaction transaction, long timeNs)
    {
        if (transaction is not DnsTransaction dns)
            return;
        switch (dns)
        {
            case { Kind: ApplicationProtocol.Dns, Event: DnsEvent.Query, NameLength: > 0 }:
                OnQuestion(dns, timeNs);
                break;
            case { Kind: ApplicationProtocol.Llmnr or ApplicationProtocol.Nbns, Event: DnsEvent.Response, ResponseCode: 0, Answers: > 0 }:
                OnAnswerForAll(dns, timeNs);
                break;
            default:
                break;
        }
    }

    private void OnQuestion(DnsTransaction dns, long timeNs)
    {
        // A resolver asks for everybody, and servers everywhere: what it asks is not its own.
        if (_context.Devices.Find(dns.Client) is { } device && device.Offered.Contains(new Inventory.ServicePort(IpProtocol.Udp, DnsPort)))
            return;
        CheckServer(dns, timeNs);
        var name = dns.Name.Bytes;
        var domain = DomainOf(name);
        if (dns.ResponseCode == NameError)
            CheckMissing(dns, domain, timeNs);
        if (domain.Length == name.Length || DnsReverse.TryRead(name, out _) || domain.SequenceEqual("in-addr.arpa"u8) || domain.SequenceEqual("ip6.arpa"u8))
            return;
        var window = DetectionContext.Ns(_tunnel["window"]);
        if (_domains.Touch((dns.Client, Fingerprint.Of(null, domain)), timeNs, _makeDomain) is not { } state)
            return;
        if (!state.Names.Add(Fingerprint.Of(null, name), timeNs))
            return;
        var carries = name.Length - domain.Length - 1;
        state.Questions.Add(1, timeNs, window);
        state.Length.Add(name.Length, timeNs, window);
        state.Opaque.Add(dns.Type is DnsType.Txt or DnsType.Null or DnsType.Key or DnsType.Private ? 1 : 0, timeNs, window);
        state.Bytes.Add(carries, timeNs, DetectionContext.Ns(_exfiltration["window"]));
        CheckTunnel(dns, state, domain, timeNs);
        if (state.Bytes.Total >= _exfiltration["bytes"])
            Emit(Report(_exfiltration, dns, state.Bytes.FirstNs, timeNs, 0.8)?.Number("bytes", state.Bytes.Total, "bytes", $"fewer than {_exfiltration["bytes"]}").Text("domain", TextOf(domain)));
    }

    private void CheckTunnel(DnsTransaction dns, Domain state, ReadOnlySpan<byte> domain, long timeNs)
    {
        var names = state.Names.Count;
        if (names < _tunnel["opaque_names"])
            return;
        var mean = state.Length.Total / Math.Max(1, state.Questions.Total);
        var isOpaque = 2 * state.Opaque.Total >= state.Questions.Total;
        if (!(names >= _tunnel["names"] && mean >= _tunnel["length"]) && !(isOpaque && mean >= _tunnel["opaque_length"]))
            return;
        Emit(Report(_tunnel, dns, state.Names.FirstNs, timeNs, 0.85)?.Number("names", names, "names", $"fewer than {_tunnel["names"]}").Number("length", Math.Round(mean), "characters")
            .Text("domain", TextOf(domain)).Number("opaque", state.Opaque.Total, "questions"));
    }

    private void CheckMissing(DnsTransaction dns, ReadOnlySpan<byte> domain, long timeNs)
    {
        if (_missing.Touch(dns.Client, timeNs, _makeMissing) is not { } domains
            || !domains.Add(Fingerprint.Of(null, domain), timeNs) || domains.Count < _noSuch["domains"])
            return;
        Emit(Report(_noSuch, dns, domains.FirstNs, timeNs, 0.75)?.Number("domains", domains.Count, "domains", $"fewer than {_noSuch["domains"]}").Include("last", TextOf(domain)));
    }

    private void CheckServer(DnsTransaction dns, long timeNs)
    {
        if (!_context.Site.IsLearned || _servers.Count == 0 || dns.ResponseCode < 0 || dns.ServerPort != DnsPort
            || _servers.Contains(_context.IdentityOf(dns.Server)) || _servers.Contains(dns.Server))
            return;
        Emit(Report(_newServer, dns, dns.TimeNs, timeNs, 0.6, withPeer: true)?.Number("questions", 1, "questions", "0"));
    }

    private void OnAnswerForAll(DnsTransaction dns, long timeNs)
    {
        var name = dns.Name.Bytes;

        // Group names (domains, browsers) are answered by several hosts.
        if (dns.Kind == ApplicationProtocol.Nbns && dns.Suffix is not (0 or 0x20))
            return;
        if (_answered.Touch(dns.Server, timeNs, _makeAnswered) is not { } names)
            return;
        var isBait = name.SequenceEqual("wpad"u8) || name.SequenceEqual("isatap"u8) || name.StartsWith("wpad."u8) || name.StartsWith("isatap."u8);
        names.Add(Fingerprint.Of(null, name), timeNs);
        if (!isBait && names.Count < _poisoning["names"])
            return;
        var device = _context.ServerOf(dns);
        var open = _context.Observe(_poisoning, device, default, names.FirstNs, timeNs, isBait ? 0.85 : 0.8);
        if (open is null)
            return;
        open.Alert.Protocol = dns.Protocol;
        open.Number("names", names.Count, "names", $"fewer than {_poisoning["names"]}").Include("asked", TextOf(name)).Flow(dns);
        _context.Alerts.Emit(open);
    }

    private OpenAlert? Report(Rule rule, DnsTransaction dns, long firstNs, long timeNs, double confidence, bool withPeer = false)
    {
        var peer = withPeer ? _context.ServerOf(dns) : default;
        var open = _context.Observe(rule, _context.ClientOf(dns), peer, firstNs, timeNs, confidence);
        if (open is null)
            return null;
        open.Alert.Protocol = "dns";
        return open.Flow(dns);
    }

    private void Emit(OpenAlert? open)
    {
        if (open is not null)
            _context.Alerts.Emit(open);
    }

    private static string TextOf(ReadOnlySpan<byte> name) => System.Text.Encoding.Latin1.GetString(name[..Math.Min(name.Length, 64)]);

    /// <summary>The last two labels, or three when the last two are short, as in "example.co.uk": nearly what somebody registered.</summary>
    internal static ReadOnlySpan<byte> DomainOf(ReadOnlySpan<byte> name)
    {
        var last = name.LastIndexOf((byte)'.');
        if (last < 0)
            return name;
        var second = name[..last].LastIndexOf((byte)'.');
        if (second < 0)
            return name;
        if (name.Length - last - 1 <= 2 && last - second - 1 <= 3)
        {
            var third = name[..second].LastIndexOf((byte)'.');
            return third < 0 ? name : name[(third + 1)..];
        }

        return name[(second + 1)..];
    }
}
