using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Rules;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Transport;

namespace IoTGuard.Analysis.Alerts;

/// <summary>One side of a finding. Without an address it is known by its hardware address only.</summary>
internal readonly record struct Party(IpAddress Address, MacAddress Mac);

/// <summary>What makes two observations one alert.</summary>
internal readonly record struct AlertKey(Rule Rule, Party Device, IpAddress Peer);

/// <summary>An alert while observations may still join it. Lists are bounded; what does not fit is dropped.</summary>
internal sealed class OpenAlert(AlertKey key, Alert alert, ushort communityIdSeed)
{
    /// <summary>Most Community IDs listed.</summary>
    public const int MaximumCommunityIds = 16;

    /// <summary>Most ports listed.</summary>
    public const int MaximumPorts = 64;

    /// <summary>Patients counted exactly; from here on the number is a lower bound.</summary>
    public const int MaximumPatients = 10_000;

    private readonly List<Measure> _measures = [];
    private readonly SortedSet<int> _ports = [];
    private readonly List<string> _communityIds = [];
    private readonly HashSet<FlowKey> _flows = [];
    private HashSet<Pseudonym>? _patients;

    public AlertKey Key { get; } = key;

    public Alert Alert { get; } = alert;

    public Party? Peer { get; set; }

    public required Incident Incident { get; init; }

    public bool IsNew { get; set; } = true;

    /// <summary>Packet time of the last emission, ns.</summary>
    public long EmittedNs { get; set; }

    public IReadOnlyList<Measure> Measures => _measures;

    public IReadOnlyCollection<int> Ports => _ports;

    public IReadOnlyList<string> CommunityIds => _communityIds;

    public int? Patients => _patients?.Count;

    public OpenAlert Number(string name, double value, string unit, string? normal = null)
    {
        var measure = Of(name, unit);
        measure.Set(value);
        measure.Normal = normal ?? measure.Normal;
        return this;
    }

    /// <summary>Adds to a number.</summary>
    public OpenAlert Raise(string name, double by, string unit, string? normal = null)
    {
        var measure = Of(name, unit);
        measure.Set(measure.Number + by);
        measure.Normal = normal ?? measure.Normal;
        return this;
    }

    public OpenAlert Text(string name, string value, string? normal = null)
    {
        var measure = Of(name, "");
        measure.Set(value);
        measure.Normal = normal ?? measure.Normal;
        return this;
    }

    /// <summary>Adds a text to a measure that is a list.</summary>
    public OpenAlert Include(string name, string value, string? normal = null)
    {
        var measure = Of(name, "");
        measure.Include(value);
        measure.Normal = normal ?? measure.Normal;
        return this;
    }

    public OpenAlert Patient(Pseudonym patient)
    {
        _patients ??= [];
        if (!patient.IsNone && _patients.Count < MaximumPatients)
            _patients.Add(patient);
        return this;
    }

    public OpenAlert Port(int port)
    {
        if (_ports.Count < MaximumPorts)
            _ports.Add(port);
        return this;
    }

    public OpenAlert Flow(in FlowRecord flow) =>
        Flow(flow.Originator, flow.OriginatorPort, flow.Responder, flow.ResponderPort, flow.IpProtocol);

    public OpenAlert Flow(Transaction transaction) =>
        Flow(transaction.Client, transaction.ClientPort, transaction.Server, transaction.ServerPort, transaction.IpProtocol);

    private OpenAlert Flow(IpAddress source, ushort sourcePort, IpAddress destination, ushort destinationPort, byte protocol)
    {
        if (protocol is 6 or 17 or 132)
            Port(destinationPort);
        if (_communityIds.Count >= MaximumCommunityIds)
            return this;
        var flow = FlowKey.Of(source, destination, sourcePort, destinationPort, protocol, 0, out var sender);
        if (_flows.Add(flow))
            _communityIds.Add(CommunityId.ToString(flow, sender, communityIdSeed));
        return this;
    }

    private Measure Of(string name, string unit)
    {
        foreach (var measure in _measures)
        {
            if (measure.Name == name)
                return measure;
        }

        var fresh = new Measure(name, unit);
        _measures.Add(fresh);
        return fresh;
    }
}
