using System.Security.Cryptography;
using System.Text;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Rules;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Alerts;

/// <summary>
/// Joins observations into alerts: one per rule, device (and peer) and burst. It opens at the first observation, is updated at most every
/// so often, and closes after the rule's quiet time. At most <paramref name="options"/>.MaximumOpenAlerts are open: beyond it the quarter
/// that is longest quiet is closed.
/// </summary>
internal sealed class AlertCorrelator(DeviceInventory devices, AddressScope scope, DetectorOptions options, IAlertSink sink)
{
    /// <summary>Medical roles less sure than this are not named in alerts: one message makes no hospital information system.</summary>
    private const double LeastRoleConfidence = 0.5;

    private readonly Dictionary<AlertKey, OpenAlert> _open = [];
    private readonly List<OpenAlert> _due = [];
    private readonly IncidentBook _incidents = new(options.IncidentWindowNs);
    private readonly ushort _seed = options.CommunityIdSeed;
    private AddressScope _scope = scope;
    private DetectorOptions _options = options;

    /// <summary>Alerts closed before their time because too many were open.</summary>
    public long Overflows { get; private set; }

    /// <summary>Alerts open now.</summary>
    public int Open => _open.Count;

    /// <summary>Goes on with other options; what is open stays open. The incidents' window stays as it was.</summary>
    public void Reconfigure(AddressScope scope, DetectorOptions options) => (_scope, _options) = (scope, options);

    /// <summary>The open alert of a finding, if there is one.</summary>
    public OpenAlert? Find(Rule rule, in Party device, IpAddress peer) => _open.GetValueOrDefault(KeyOf(rule, device, peer));

    /// <summary>Notes an observation. The caller adds what was measured, then calls <see cref="Emit"/>.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="device">The device that the alert is about.</param>
    /// <param name="peer">The other side; default = none.</param>
    /// <param name="firstNs">Packet time of the first observation of the burst, ns; used when the alert opens.</param>
    /// <param name="timeNs">Packet time of this observation, ns.</param>
    /// <param name="confidence">0 to 1; the alert keeps the greatest.</param>
    /// <param name="count">Observations that this stands for.</param>
    public OpenAlert Observe(Rule rule, in Party device, in Party peer, long firstNs, long timeNs, double confidence, long count = 1)
    {
        var key = KeyOf(rule, device, peer.Address);
        if (_open.TryGetValue(key, out var open))
        {
            if (timeNs - open.Alert.LastSeenNs <= QuietNs(rule))
            {
                open.Alert.Count += count;
                open.Alert.LastSeenNs = Math.Max(open.Alert.LastSeenNs, timeNs);
                open.Alert.Confidence = Math.Max(open.Alert.Confidence, confidence);
                open.Peer ??= peer == default ? null : peer;
                if (rule.Has(RuleTraits.Hostile))
                    open.Incident.LastNs = Math.Max(open.Incident.LastNs, timeNs);
                return open;
            }

            Close(open);
        }

        if (_open.Count >= _options.MaximumOpenAlerts)
            MakeRoom();
        firstNs = Math.Min(firstNs, timeNs);
        var id = IdOf(key, firstNs);
        var incident = _incidents.Join(rule, Identified(device), Identified(peer), id, timeNs);
        open = new OpenAlert(key, new Alert
        {
            Id = id,
            Incident = incident.Id,
            Rule = rule.Id,
            Title = rule.Title,
            Category = rule.Category,
            Severity = rule.Severity,
            Confidence = confidence,
            FirstSeenNs = firstNs,
            LastSeenNs = timeNs,
            RaisedNs = timeNs,
            Count = count,
            Device = EndpointOf(device),
            Description = "",
            Attack = rule.Attack,
            Recommendation = rule.Recommendation,
        }, _seed)
        {
            Peer = peer == default ? null : peer,
            Incident = incident,
        };
        _open.Add(key, open);
        return open;
    }

    /// <summary>Hands an alert to the sink when it is new, or when its last emission is long enough ago.</summary>
    public void Emit(OpenAlert open)
    {
        var now = open.Alert.LastSeenNs;
        if (!open.IsNew && now - open.EmittedNs < _options.UpdateIntervalNs)
            return;
        var phase = open.IsNew ? AlertPhase.Opened : AlertPhase.Updated;
        open.IsNew = false;
        open.EmittedNs = now;
        Render(open);
        sink.OnAlert(open.Alert, phase);
    }

    /// <summary>Closes alerts whose quiet time has passed.</summary>
    public void CloseDue(long clockNs)
    {
        foreach (var open in _open.Values)
        {
            if (clockNs - open.Alert.LastSeenNs > QuietNs(open.Key.Rule))
                _due.Add(open);
        }

        CloseAllDue();
    }

    /// <summary>Closes everything.</summary>
    public void CloseAll()
    {
        _due.AddRange(_open.Values);
        CloseAllDue();
    }

    /// <summary>How an alert names a device.</summary>
    public AlertEndpoint EndpointOf(in Party party)
    {
        var device = devices.Find(party.Address) ?? devices.Find(party.Mac);
        var ip = AddressOf(party, device);
        if (device is null)
        {
            var own = party.Mac.IsNone || (party.Address != default && (devices.IsRouter(party.Mac) || _scope.IsOutside(party.Address))) ? null : party.Mac.ToString();
            return new AlertEndpoint(ip, own, _scope.IsOutside(party.Address) ? "outside" : null, null, null, null, _options.Policy.ZoneOf(party.Address));
        }

        var role = device.IsOffender ? device.LearnedRole : device.Role;
        return new AlertEndpoint(ip, device.Mac.IsNone ? null : device.Mac.ToString(), !IsSure(role) ? null : RoleJudgement.NameOf(role.Role),
            device.DisplayName, device.Vendor, device.Model, _options.Policy.ZoneOf(party.Address != default ? party.Address : device.Address));
    }

    /// <summary>The address that people know a party by: its own, or that of its device in place of none and of a link-local one.</summary>
    private static string? AddressOf(in Party party, Device? device)
    {
        if (device is not null && (party.Address == default || party.Address.High >> 54 == 0xFE80 >> 6))
        {
            foreach (var address in device.Addresses)
            {
                if (address.IsIpv4)
                    return address.ToString();
            }
        }

        return party.Address != default ? party.Address.ToString() : device?.Address.ToString();
    }

    /// <summary>A party by the first of its device's addresses.</summary>
    private Party Identified(in Party party) => devices.Find(party.Address) is { } device ? party with { Address = device.Address } : party;

    private static bool IsSure(RoleJudgement role) =>
        role.Confidence >= LeastRoleConfidence || (role.Role != DeviceRole.Unknown && !RoleJudgement.IsMedical(role.Role));

    private static AlertKey KeyOf(Rule rule, in Party device, IpAddress peer) =>
        new(rule, device.Address == default ? device : device with { Mac = default }, rule.Has(RuleTraits.PerPeer) ? peer : default);

    private static double QuietNs(Rule rule) => rule.Has(RuleTraits.Standing) ? double.PositiveInfinity : rule.QuietSeconds * 1e9;

    private static string IdOf(in AlertKey key, long firstNs)
    {
        var text = $"{key.Rule.Id}\n{key.Device.Address}\n{key.Device.Mac}\n{key.Peer}\n{firstNs}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
    }

    private static int ByFirstSeen(OpenAlert x, OpenAlert y)
    {
        var order = x.Alert.FirstSeenNs.CompareTo(y.Alert.FirstSeenNs);
        return order != 0 ? order : string.CompareOrdinal(x.Alert.Id, y.Alert.Id);
    }

    private void CloseAllDue()
    {
        _due.Sort(ByFirstSeen);
        foreach (var open in _due)
            Close(open);
        _due.Clear();
    }

    private void Close(OpenAlert open)
    {
        _open.Remove(open.Key);
        Render(open);
        sink.OnAlert(open.Alert, AlertPhase.Closed);
    }

    private void MakeRoom()
    {
        _due.AddRange(_open.Values.OrderBy(static o => o.Alert.LastSeenNs).ThenBy(static o => o.Alert.Id, StringComparer.Ordinal).Take(1 + (_open.Count / 4)));
        Overflows += _due.Count;
        CloseAllDue();
    }

    private void Render(OpenAlert open)
    {
        var alert = open.Alert;
        var role = alert.Device.Role;
        alert.Device = EndpointOf(open.Key.Device);

        // What the site knows a device to be, the deeds of an attack do not change.
        if (devices.Find(open.Key.Device.Address) is { IsLearned: true })
            alert.Device = alert.Device with { Role = role };
        alert.Peer = open.Peer is { } peer ? EndpointOf(peer) : null;
        alert.Ports = [.. open.Ports];
        alert.CommunityIds = [.. open.CommunityIds];
        alert.PatientsAffected = open.Patients;
        alert.Evidence = [.. open.Measures.Select(static m => new Evidence(m.Name, m.Observed, m.Normal, m.Unit))];
        alert.Severity = SeverityOf(open.Key.Rule, alert);
        alert.Description = AlertText.Render(open.Key.Rule.Template, open);
    }

    /// <summary>The rule's severity, one more when care depends on either side, one more from ten patients on, two from a hundred; one less when unsure.</summary>
    private static int SeverityOf(Rule rule, Alert alert)
    {
        var severity = rule.Severity;
        if (rule.Has(RuleTraits.Standing) && severity < 5)
            return severity;
        if (RoleJudgement.IsVital(alert.Peer?.Role) || RoleJudgement.IsVital(alert.Device.Role))
            severity++;
        severity += alert.PatientsAffected switch { >= 100 => 2, >= 10 => 1, _ => 0 };
        if (alert.Confidence < 0.5)
            severity--;
        return Math.Clamp(severity, 0, 10);
    }
}
