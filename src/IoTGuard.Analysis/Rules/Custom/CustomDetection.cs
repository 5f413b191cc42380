using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Transport;

namespace IoTGuard.Analysis.Rules.Custom;

/// <summary>The rules that a site wrote itself. Without any it costs nothing.</summary>
internal sealed class CustomDetection
{
    /// <summary>Devices are looked at this often, ns of packet time.</summary>
    private const long DevicesNs = 60_000_000_000;

    /// <summary>Confidence of what a site itself asked to be told.</summary>
    private const double Confidence = 0.9;

    private readonly DetectionContext _context;
    private readonly Part _transactions;
    private readonly Part _flows;
    private readonly Part _devices;
    private readonly (int Slot, FeatureExtractor<FlowRecord> Extract)[] _features;
    private readonly HashSet<(CompiledRule Rule, IpAddress Device)> _told = [];
    private long _nextDevicesNs = long.MinValue;
    private long _nowNs;

    /// <summary>Rules of one source, and the fields they ask for.</summary>
    private sealed class Part
    {
        public Part(IReadOnlyList<CustomRule> rules, RuleSource source)
        {
            CustomRule[] own = [.. rules.Where(r => r.Source == source)];
            Bag = new FieldBag(own.SelectMany(static r => r.Fields).Append("patient"));
            Rules = [.. own.Select(r => new CompiledRule(r, Bag))];
        }

        public FieldBag Bag { get; }

        public CompiledRule[] Rules { get; }
    }

    public CustomDetection(DetectionContext context, IReadOnlyList<CustomRule> rules)
    {
        _context = context;
        _transactions = new Part(rules, RuleSource.Transaction);
        _flows = new Part(rules, RuleSource.Flow);
        _devices = new Part(rules, RuleSource.Device);
        _features = [.. FlowFeatures.Schema.Features.Where(f => _flows.Bag.Wants(f.Name)).Select(f => (_flows.Bag.SlotOf(f.Name), f.Extract))];
    }

    public void OnTransaction(Transaction transaction)
    {
        _nowNs = transaction.TimeNs;
        if (_transactions.Rules.Length == 0)
            return;
        var bag = _transactions.Bag;
        bag.Clear();
        bag.Take(transaction);
        bag.Set("protocol", FieldValue.Of(transaction.Protocol));
        bag.Set("event", FieldValue.Of(transaction.EventName));
        bag.Set("bytes", FieldValue.Of((double)transaction.Bytes));
        if (transaction.DurationNs >= 0)
            bag.Set("duration", FieldValue.Of(transaction.DurationNs / 1e9));
        SetSide(bag, "client", transaction.Client, transaction.ClientPort);
        SetSide(bag, "server", transaction.Server, transaction.ServerPort);
        foreach (var rule in _transactions.Rules)
        {
            if (!rule.Holds(bag) || !rule.Counts(bag, transaction.TimeNs, out var count, out var firstNs))
                continue;
            var client = _context.ClientOf(transaction);
            var server = _context.ServerOf(transaction);
            if (Report(rule, bag, client, server, firstNs, transaction.TimeNs, count) is not { } open)
                continue;
            open.Alert.Protocol = transaction.Protocol;
            if (transaction is DicomTransaction { Patient.IsNone: false } dicom)
                open.Patient(dicom.Patient);
            else if (transaction is Hl7Transaction { Patient.IsNone: false } hl7)
                open.Patient(hl7.Patient);
            open.Flow(transaction);
            _context.Alerts.Emit(open);
        }
    }

    public void OnClosed(in FlowRecord flow, long timeNs)
    {
        _nowNs = timeNs;
        if (_flows.Rules.Length == 0)
            return;
        Fill(in flow);
        foreach (var rule in _flows.Rules)
        {
            if (!rule.Holds(_flows.Bag) || !rule.Counts(_flows.Bag, timeNs, out var count, out var firstNs))
                continue;
            var originator = _context.PartyOf(flow.Originator, flow.OriginatorMac);
            var responder = _context.PartyOf(flow.Responder, flow.ResponderMac);
            if (Report(rule, _flows.Bag, originator, responder, Math.Min(firstNs, flow.FirstNs), timeNs, count) is not { } open)
                continue;
            open.Alert.Protocol = flow.Application != ApplicationProtocol.Unknown ? ApplicationProtocols.NameOf(flow.Application) : flow.IpProtocol == Wire.Network.IpProtocol.Udp ? "udp" : "tcp";
            open.Flow(in flow);
            _context.Alerts.Emit(open);
        }
    }

    /// <summary>Packet time passed a whole second.</summary>
    public void Tick(long timeNs)
    {
        if (_devices.Rules.Length == 0 || timeNs < _nextDevicesNs)
            return;
        _nextDevicesNs = timeNs + DevicesNs;
        LookAtDevices(timeNs);
    }

    /// <summary>The run ends: devices are looked at a last time.</summary>
    public void Complete()
    {
        if (_devices.Rules.Length > 0)
            LookAtDevices(_nowNs);
    }

    private void LookAtDevices(long timeNs)
    {
        var bag = _devices.Bag;
        foreach (var device in _context.Devices.Devices)
        {
            if (!device.IsConfirmed)
                continue;
            bag.Clear();
            foreach (var field in DeviceFields.All)
            {
                if (bag.Wants(field.Name))
                    bag.Set(field.Name, field.Of(device, _context));
            }

            foreach (var rule in _devices.Rules)
            {
                if (!rule.Holds(bag) || !_told.Add((rule, device.Address)))
                    continue;
                if (Report(rule, bag, new Party(device.Address, device.Mac), default, device.LastSeenNs, Math.Max(timeNs, device.LastSeenNs), 1) is { } open)
                    _context.Alerts.Emit(open);
            }
        }
    }

    private OpenAlert? Report(CompiledRule compiled, FieldBag bag, in Party client, in Party server, long firstNs, long timeNs, double count)
    {
        var rule = compiled.Rule;
        var (device, peer) = rule.AboutServer ? (server, client) : (client, server);
        var known = _context.Alerts.Find(rule.Rule, device, peer.Address) is not null;
        var open = _context.Observe(rule.Rule, device, peer, firstNs, timeNs, Confidence, known || rule.Window?.DistinctField is not null ? 1 : (long)count);
        if (open is null)
            return null;
        if (rule.Window is { } window)
        {
            var name = window.DistinctField is { } field ? $"different {field}" : "events";
            open.Number(name, count, "", $"fewer than {window.AtLeast} in {window.WindowNs / 1e9:0.###} s");
        }

        foreach (var (field, slot) in compiled.Told)
        {
            if (bag[slot].Kind is not (FieldKind.Absent or FieldKind.Pseudonym) && field != rule.Window?.DistinctField)
                open.Include(field, bag[slot].ForPeople);
        }

        return open;
    }

    private void SetSide(FieldBag bag, string side, IpAddress address, ushort port)
    {
        var names = SideFields.Of(side);
        bag.Set(names.Ip, FieldValue.Of(address));
        bag.Set(names.Port, FieldValue.Of((double)port));
        foreach (var (name, field) in names.Device)
        {
            if (bag.Wants(name) && _context.Devices.Find(address) is { } device)
                bag.Set(name, field.Of(device, _context));
            else if (field.Name == "zone" && bag.Wants(name))
                bag.Set(name, FieldValue.Of(_context.ZoneOf(address)));
        }
    }

    private void Fill(in FlowRecord flow)
    {
        var bag = _flows.Bag;
        bag.Clear();
        bag.Set("originator_ip", FieldValue.Of(flow.Originator));
        bag.Set("originator_port", FieldValue.Of((double)flow.OriginatorPort));
        bag.Set("responder_ip", FieldValue.Of(flow.Responder));
        bag.Set("responder_port", FieldValue.Of((double)flow.ResponderPort));
        bag.Set("ip_protocol", FieldValue.Of((double)flow.IpProtocol));
        bag.Set("vlan", FieldValue.Of((double)flow.Vlan));
        bag.Set("application", FieldValue.Of(flow.Application.ToString().ToLowerInvariant()));
        bag.Set("state", FieldValue.Of(flow.State.ToString()));
        bag.Set("end", FieldValue.Of(flow.End.ToString()));
        if (bag.Wants("community_id"))
            bag.Set("community_id", FieldValue.Of(CommunityId.ToString(FlowKey.Of(flow.Originator, flow.Responder, flow.OriginatorPort, flow.ResponderPort, flow.IpProtocol, 0, out var sender), sender, _context.Options.CommunityIdSeed)));
        foreach (var (slot, extract) in _features)
            bag.Set(slot, FieldValue.Of((double)extract(in flow)));
        SetSide(bag, "originator", flow.Originator, flow.OriginatorPort);
        SetSide(bag, "responder", flow.Responder, flow.ResponderPort);
    }
}
