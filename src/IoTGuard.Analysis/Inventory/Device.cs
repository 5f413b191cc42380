using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Inventory;

/// <summary>What a device is, judged by what it does.</summary>
public enum DeviceRole : byte
{
    Unknown,

    /// <summary>Makes images: sends C-STORE, asks a worklist, reports performed steps.</summary>
    Modality,

    /// <summary>Keeps images: accepts C-STORE, answers C-FIND, C-MOVE, C-GET.</summary>
    Pacs,

    /// <summary>Reads images: asks with C-FIND, C-MOVE, C-GET.</summary>
    Workstation,

    /// <summary>Answers modality worklist or performed procedure steps.</summary>
    WorklistServer,

    /// <summary>Receives and sends HL7.</summary>
    InterfaceEngine,

    /// <summary>Sends admissions and orders.</summary>
    HospitalInformationSystem,

    /// <summary>Sends results.</summary>
    Analyzer,

    /// <summary>Receives HL7 only.</summary>
    Hl7Receiver,

    /// <summary>DNS, DHCP, time, directory.</summary>
    InfrastructureServer,
    Router,

    /// <summary>Uses services, offers none.</summary>
    Client,

    /// <summary>Offers services that are none of the above.</summary>
    Server,
}

/// <summary>A service: IP protocol and port.</summary>
public readonly record struct ServicePort(byte IpProtocol, ushort Port) : IComparable<ServicePort>
{
    public int CompareTo(ServicePort other)
    {
        var order = IpProtocol.CompareTo(other.IpProtocol);
        return order != 0 ? order : Port.CompareTo(other.Port);
    }

    public override string ToString() => $"{(IpProtocol switch { 6 => "tcp", 17 => "udp", 132 => "sctp", _ => IpProtocol.ToString() })}/{Port}";

    public static bool operator <(ServicePort left, ServicePort right) => left.CompareTo(right) < 0;

    public static bool operator >(ServicePort left, ServicePort right) => left.CompareTo(right) > 0;

    public static bool operator <=(ServicePort left, ServicePort right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ServicePort left, ServicePort right) => left.CompareTo(right) >= 0;
}

/// <summary>How often a device was seen doing what roles are judged by.</summary>
public struct Deeds
{
    public int StoresSent;
    public int StoresAccepted;
    public int QueriesAsked;
    public int QueriesAnswered;
    public int RetrievesAsked;
    public int RetrievesAnswered;
    public int WorklistAsked;
    public int WorklistAnswered;
    public int StepsReported;
    public int StepsAccepted;
    public int EchoesSent;
    public int AdtSent;
    public int OrdersSent;
    public int ResultsSent;
    public int OtherHl7Sent;
    public int Hl7Received;
    public int InfrastructureAnswers;

    public readonly int Hl7Sent => AdtSent + OrdersSent + ResultsSent + OtherHl7Sent;

    /// <summary>True when the device took part in DICOM or HL7.</summary>
    public readonly bool IsMedical =>
        StoresSent + StoresAccepted + QueriesAsked + QueriesAnswered + RetrievesAsked + RetrievesAnswered + WorklistAsked + WorklistAnswered
        + StepsReported + StepsAccepted + EchoesSent + Hl7Sent + Hl7Received > 0;
}

/// <summary>A device of the site. Lists are bounded; what does not fit is dropped.</summary>
public sealed class Device
{
    /// <summary>Most addresses, names, AE titles or services kept per device, each.</summary>
    public const int MaximumListed = 32;

    private readonly List<IpAddress> _addresses = [];
    private readonly SortedSet<string> _names = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _aeTitles = new(StringComparer.Ordinal);
    private readonly SortedSet<ServicePort> _offered = [];
    private readonly SortedSet<ServicePort> _used = [];
    private Deeds _deeds;

    internal Device(IpAddress address, MacAddress mac, long timeNs)
    {
        _addresses.Add(address);
        Mac = mac;
        FirstSeenNs = LastSeenNs = timeNs;
    }

    /// <summary>The address it was first seen with; further ones are in <see cref="Addresses"/>.</summary>
    public IpAddress Address => _addresses[0];

    public IReadOnlyList<IpAddress> Addresses => _addresses;

    /// <summary>Hardware address; none when it is behind a router.</summary>
    public MacAddress Mac { get; internal set; }

    /// <summary>True when the hardware address was claimed in ARP for one of its addresses.</summary>
    public bool MacFromArp { get; internal set; }

    public bool IsRouter { get; internal set; }

    /// <summary>True when the device stands in the learned site.</summary>
    public bool IsLearned { get; internal set; }

    /// <summary>True once a packet of the device was answered or answered one, or it was heard in ARP.</summary>
    public bool IsConfirmed { get; internal set; }

    /// <summary>Packet times, ns since 1970.</summary>
    public long FirstSeenNs { get; internal set; }

    public long LastSeenNs { get; internal set; }

    public string? Vendor { get; internal set; }

    public string? Model { get; internal set; }

    public string? Software { get; internal set; }

    public string? Serial { get; internal set; }

    public string? Modality { get; internal set; }

    /// <summary>DICOM station names and HL7 application names.</summary>
    public IReadOnlyCollection<string> Names => _names;

    public IReadOnlyCollection<string> AeTitles => _aeTitles;

    /// <summary>Services that answered on this device.</summary>
    public IReadOnlyCollection<ServicePort> Offered => _offered;

    /// <summary>Services of others that it uses.</summary>
    public IReadOnlyCollection<ServicePort> Used => _used;

    public ref Deeds Deeds => ref _deeds;

    /// <summary>The role with its confidence (0 to 1) and why.</summary>
    public RoleJudgement Role => RoleJudgement.Of(this);

    /// <summary>Name for people: station or application name, else the AE title, else null.</summary>
    public string? DisplayName => _names.Min ?? _aeTitles.Min;

    internal bool AddAddress(IpAddress address)
    {
        if (_addresses.Count >= MaximumListed || _addresses.Contains(address))
            return false;
        _addresses.Add(address);
        return true;
    }

    internal void RemoveAddress(IpAddress address)
    {
        if (_addresses.Count > 1)
            _addresses.Remove(address);
    }

    internal void AddName(string? name) => Add(_names, name);

    internal void AddAeTitle(string? title) => Add(_aeTitles, title);

    /// <summary>True when the service is new here.</summary>
    internal bool AddOffered(ServicePort service) => _offered.Count < MaximumListed && _offered.Add(service);

    internal void AddUsed(ServicePort service)
    {
        if (_used.Count < MaximumListed)
            _used.Add(service);
    }

    /// <summary>A copy that changes on its own.</summary>
    internal Device Copy()
    {
        var copy = new Device(Address, Mac, FirstSeenNs)
        {
            LastSeenNs = LastSeenNs,
            MacFromArp = MacFromArp,
            IsRouter = IsRouter,
            IsLearned = IsLearned,
            IsConfirmed = IsConfirmed,
            Vendor = Vendor,
            Model = Model,
            Software = Software,
            Serial = Serial,
            Modality = Modality,
            _deeds = _deeds,
        };
        copy._addresses.AddRange(_addresses.Skip(1));
        copy._names.UnionWith(_names);
        copy._aeTitles.UnionWith(_aeTitles);
        copy._offered.UnionWith(_offered);
        copy._used.UnionWith(_used);
        return copy;
    }

    private static void Add(SortedSet<string> set, string? text)
    {
        if (text is not null && set.Count < MaximumListed)
            set.Add(text);
    }
}
