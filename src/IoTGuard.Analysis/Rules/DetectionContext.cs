using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>What all detections share.</summary>
internal sealed class DetectionContext
{
    /// <summary>Most addresses remembered as attackers.</summary>
    public const int MaximumOffenders = 65_536;

    private const string Reconnaissance = "reconnaissance";

    /// <summary>How long what a new device does is told with the alert about it, ns of packet time.</summary>
    private const long NewcomerNs = 600_000_000_000;

    /// <summary>Hours of learning from which on the work of a site is known.</summary>
    private const double EarlyHours = 1;

    /// <summary>Exploring is counted at most this often, ns of packet time.</summary>
    private const long ScanMinuteNs = 60_000_000_000;

    private DetectorOptions _options;
    private readonly HashSet<IpAddress> _offenders = [];
    private readonly HashSet<IpAddress> _attackers = [];
    private readonly HashSet<IpAddress> _scanners = [];
    private readonly Dictionary<(IpAddress, string), long> _scanMinutes = [];

    public DetectionContext(Site site, DetectorOptions options, IAlertSink sink)
    {
        Validate(options);
        _options = options;
        Site = site;
        Scope = new AddressScope(options.InsideNetworks);
        Devices = new DeviceInventory(Scope, options.MaximumDevices);
        foreach (var device in site.Devices)
            Devices.Restore(device.Copy());
        Facts = new FactBook(site.Facts, options.MaximumFacts, IdentityOf);
        Rates = new RateBook(site.Rates, IdentityOf);
        Novelty = new Novelty(site);
        Kin = new Kin(site);
        Alerts = new AlertCorrelator(Devices, Scope, options, sink);
    }

    /// <summary>Limits and choices in force.</summary>
    public DetectorOptions Options => _options;

    public Site Site { get; private set; }

    public AddressScope Scope { get; private set; }

    public DeviceInventory Devices { get; }

    public FactBook Facts { get; }

    public RateBook Rates { get; }

    public Novelty Novelty { get; private set; }

    public Kin Kin { get; private set; }

    public AlertCorrelator Alerts { get; }

    /// <summary>Addresses that an attack was seen of.</summary>
    public IReadOnlySet<IpAddress> Offenders => _offenders;

    /// <summary>Those of them that did more than explore the network.</summary>
    public IReadOnlySet<IpAddress> Attackers => _attackers;

    /// <summary>Those of them that explored the network.</summary>
    public IReadOnlySet<IpAddress> Scanners => _scanners;

    /// <summary>A rule with the thresholds of this run.</summary>
    public Rule Of(Rule rule) => RuleTable.With(rule, _options.Thresholds);

    /// <summary>Goes on with another site and other options: devices, facts, rates and open alerts stay.</summary>
    /// <returns>True when thresholds, indicators or the site are others, so that what holds them must be made again.</returns>
    public bool Reconfigure(Site site, DetectorOptions options)
    {
        Validate(options);
        var isOtherSite = !ReferenceEquals(site.Facts, Site.Facts);
        var isOther = isOtherSite || !_options.Indicators.SetEquals(options.Indicators)
            || _options.Thresholds.Count != options.Thresholds.Count || _options.Thresholds.Except(options.Thresholds).Any();
        _options = options;
        Scope = new AddressScope(options.InsideNetworks);
        Devices.Relearn(Scope, isOtherSite ? site.Devices : []);
        Site = site;
        Facts.Known = site.Facts;
        Rates.Known = site.Rates;
        Novelty = new Novelty(site);
        Kin = new Kin(site);
        Alerts.Reconfigure(Scope, options);
        return isOther;
    }

    /// <summary>Confidence in a new fact about a device, see <see cref="Baselines.Novelty"/>.</summary>
    public double Weigh(FactKind kind, IpAddress device, double settled) => Weigh(new Fact(kind, device), settled);

    /// <summary>The same for a fact whose number says how serious it is.</summary>
    public double Weigh(in Fact fact, double settled) => Novelty.Weigh(fact with { A = IdentityOf(fact.A) }, settled);

    /// <summary>True when the like of a known device did the same while the site was learned, see <see cref="Baselines.Kin"/>.</summary>
    public bool IsExpected(in Fact fact) => Kin.Expects(fact with { A = IdentityOf(fact.A), B = fact.B == default ? default : IdentityOf(fact.B) });

    /// <summary>
    /// True when what two known devices do with each other is expected though nobody saw it: a site that was learned in minutes saw few examinations and hardly a report.
    /// </summary>
    public bool IsEarlyWork(IpAddress client, IpAddress server) =>
        Site.IsLearned && Site.HoursLearned < EarlyHours && Devices.Find(client) is { IsLearned: true, IsOffender: false } && Devices.Find(server) is { IsLearned: true, IsOffender: false };

    /// <summary>As <see cref="IsExpected"/>, for the first use of a service: what a device did there before, it is not expected to change.</summary>
    public bool IsExpectedUse(Transaction transaction)
    {
        var use = new Fact(FactKind.Peer, transaction.Client, transaction.Server, Fact.NumberOf(IpProtocol.Tcp, transaction.ServerPort));
        return !Facts.IsLearned(use) && IsExpected(use);
    }

    /// <summary>The zone of an address in the site's policy; null when none holds it.</summary>
    public string? ZoneOf(IpAddress address) => _options.Policy.ZoneOf(address);

    /// <summary>A threshold of seconds as nanoseconds.</summary>
    public static long Ns(double seconds) => (long)(seconds * 1e9);

    /// <summary>The address that stands for a device in facts and rates: the first of its addresses.</summary>
    public IpAddress IdentityOf(IpAddress address) => Devices.Find(address)?.Address ?? address;

    /// <summary>True in the first minutes of a device whose appearance was told: all that it does is new, and belongs to that alert.</summary>
    public bool IsNewcomer(Device device, long timeNs) =>
        !device.IsLearned && timeNs - device.FirstSeenNs <= NewcomerNs && Alerts.Find(NetworkRules.NewDevice, new Party(device.Address, device.Mac), default) is not null;

    /// <summary>A party as alerts name it: with its own hardware address when that is known, never a router's.</summary>
    public Party PartyOf(IpAddress address, MacAddress mac)
    {
        if (Devices.Find(address) is { } device)
            return new Party(address, device.Mac);
        return new Party(address, Devices.IsRouter(mac) || Scope.IsOutside(address) ? default : mac);
    }

    public Party ClientOf(Transaction transaction) => PartyOf(transaction.Client, transaction.ClientMac);

    public Party ServerOf(Transaction transaction) => PartyOf(transaction.Server, transaction.ServerMac);

    /// <summary>A party for people, see <see cref="AlertText.Name"/>.</summary>
    public string NameOf(in Party party) => AlertText.Name(Alerts.EndpointOf(party));

    /// <summary>Tells what a transaction showed: an observation with its measures, or null when there is nothing to tell.</summary>
    public void Emit(OpenAlert? open, Transaction transaction)
    {
        if (open is null)
            return;
        open.Alert.Protocol = transaction.Protocol;
        open.Flow(transaction);
        Alerts.Emit(open);
    }

    /// <summary>
    /// Notes an observation of a rule. Null when there is nothing to tell: a baseline rule on the first day, or a standing finding
    /// that was there when the site was learned.
    /// </summary>
    public OpenAlert? Observe(Rule rule, in Party device, in Party peer, long firstNs, long timeNs, double confidence, long count = 1)
    {
        if (rule.Has(RuleTraits.Baseline) && !Site.IsLearned)
            return null;
        if (rule.Category == Reconnaissance && (IsExempt(device.Address) || IsLearnedScanner(rule, device.Address, timeNs)))
            return null;
        if (rule.Has(RuleTraits.Standing) || (rule.IsToldOnce && Site.IsLearned))
        {
            var finding = new Fact(FactKind.Finding, device.Address, rule.Has(RuleTraits.PerPeer) ? peer.Address : default, Text: rule.Id);
            Facts.Note(finding, timeNs);
            if (Facts.IsLearned(finding))
                return null;
        }

        if (rule.Has(RuleTraits.Hostile) && device.Address != default && _offenders.Count < MaximumOffenders)
        {
            if (_offenders.Add(device.Address) && Site.IsLearned && Devices.Find(device.Address) is { } offender)
                offender.IsOffender = true;
            (rule.Category == Reconnaissance ? _scanners : _attackers).Add(device.Address);
        }

        return Alerts.Observe(rule, device, peer, firstNs, timeNs, confidence, count);
    }

    /// <summary>Notes that a client gives a server reason for a finding. True when it did so while the site was learned.</summary>
    /// <param name="rule">The finding's rule.</param>
    /// <param name="transaction">What the client did with the server.</param>
    /// <param name="seen">Receives where it is noted; null when there is no room.</param>
    public bool IsUsual(Rule rule, Transaction transaction, out SeenFact? seen)
    {
        var finding = new Fact(FactKind.Finding, transaction.Client, transaction.Server, Text: rule.Id);
        Facts.Note(finding, transaction.TimeNs, out seen);
        return Facts.IsLearned(finding);
    }

    private static void Validate(DetectorOptions options)
    {
        foreach (var name in options.Thresholds.Keys)
        {
            if (!RuleTable.Rules.Any(r => r.Thresholds.Any(t => $"{r.Id}.{t.Name}" == name)))
                throw new ArgumentException($"no rule has the threshold \"{name}\"", nameof(options));
        }
    }

    /// <summary>Notes that a device explores. True when it did so again and again while the site was learned: monitoring and inventory.</summary>
    private bool IsLearnedScanner(Rule rule, IpAddress address, long timeNs)
    {
        if (address == default)
            return false;
        var fact = new Fact(FactKind.Scanner, address, Text: rule.Id);
        if (!_scanMinutes.TryGetValue((address, rule.Id), out var last) || timeNs - last >= ScanMinuteNs)
        {
            Facts.Note(fact, timeNs);
            if (_scanMinutes.Count < MaximumOffenders)
                _scanMinutes[(address, rule.Id)] = timeNs;
        }

        return Facts.IsLearned(fact);
    }

    private bool IsExempt(IpAddress address)
    {
        foreach (var network in _options.ExemptScanners)
        {
            if (address != default && network.Contains(address))
                return true;
        }

        return false;
    }
}
