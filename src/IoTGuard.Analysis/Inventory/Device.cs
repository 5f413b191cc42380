using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Inventory;

/// <summary>How often a text was seen.</summary>
internal sealed class TextCount
{
    public int Times { get; private set; }

    public void Add(int times) => Times = (int)Math.Min((long)Times + times, int.MaxValue);
}

/// <summary>A device of the site. Lists are bounded; what does not fit is dropped.</summary>
public sealed class Device
{
    /// <summary>Most addresses, names, AE titles or services kept per device, each.</summary>
    public const int MaximumListed = 32;

    private readonly List<IpAddress> _addresses = new(1);

    // Made when needed: most devices have none of most of these.
    private SortedDictionary<string, TextCount>? _names;
    private SortedDictionary<string, TextCount>? _aeTitles;
    private SortedDictionary<string, TextCount>? _hostNames;
    private SortedSet<string>? _fingerprints;
    private SortedSet<string>? _classes;
    private SortedSet<ServicePort>? _offered;
    private SortedSet<ServicePort>? _used;
    private Deeds _deeds;
    private ActivityRhythm _rhythm;
    private ActivityRhythm _learnedRhythm;

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

    /// <summary>True when it was seen to attack at a learned site: what it does then says nothing about what it is.</summary>
    public bool IsOffender { get; internal set; }

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
    public IReadOnlyCollection<string> Names => _names is null ? [] : _names.Keys;

    public IReadOnlyCollection<string> AeTitles => _aeTitles is null ? [] : _aeTitles.Keys;

    /// <summary>Names in DNS, DHCP, mDNS, NetBIOS, certificates.</summary>
    public IReadOnlyCollection<string> HostNames => _hostNames is null ? [] : _hostNames.Keys;

    /// <summary>Fingerprints of its software, each with its kind in front, see <see cref="Sessions.ClaimKind.Fingerprint"/>.</summary>
    public IReadOnlyCollection<string> Fingerprints => _fingerprints is null ? [] : _fingerprints;

    /// <summary>What protocols say that it is: DHCP vendor classes, mDNS service types.</summary>
    public IReadOnlyCollection<string> Classes => _classes is null ? [] : _classes;

    /// <summary>Services that answered on this device.</summary>
    public IReadOnlyCollection<ServicePort> Offered => _offered is null ? [] : _offered;

    /// <summary>Services of others that it uses.</summary>
    public IReadOnlyCollection<ServicePort> Used => _used is null ? [] : _used;

    public ref Deeds Deeds => ref _deeds;

    /// <summary>When it spoke in this run.</summary>
    public ref readonly ActivityRhythm Rhythm => ref _rhythm;

    /// <summary>When it spoke while the site was learned.</summary>
    public ref readonly ActivityRhythm LearnedRhythm => ref _learnedRhythm;

    /// <summary>Notes that it was heard; ns of packet time.</summary>
    internal void Hear(long timeNs)
    {
        if (timeNs <= LastSeenNs)
            return;

        // What lies between runs is no pause.
        _rhythm.Add(_rhythm.Count == 0 ? timeNs : LastSeenNs, timeNs);
        LastSeenNs = timeNs;
    }

    internal void Learned(in ActivityRhythm rhythm) => _learnedRhythm = rhythm;

    /// <summary>Takes its place in the inventory of a run, as a site knows it.</summary>
    internal void Restored() => LearnedRole = Role;

    /// <summary>The role with its confidence (0 to 1) and why.</summary>
    public RoleJudgement Role => RoleJudgement.Of(this);

    /// <summary>The role that it had when the site was learned; unknown of a device that the site does not know.</summary>
    public RoleJudgement LearnedRole { get; private set; }

    /// <summary>Name for people: the AE title used most, else the station or application name, else the host name, else null.</summary>
    public string? DisplayName => MostUsed(_aeTitles) ?? MostUsed(_names) ?? MostUsed(_hostNames);

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

    /// <summary>Adds a name; null when there is none, or no room for it.</summary>
    internal TextCount? AddName(string? name, int times = 1) => Add(ref _names, StringComparer.Ordinal, name, times);

    /// <summary>Takes in what a protocol said about the device.</summary>
    internal void Add(in Sessions.DeviceClaim claim)
    {
        switch (claim.Kind)
        {
            case Sessions.ClaimKind.HostName:
                AddHostName(claim.Value);
                break;
            case Sessions.ClaimKind.Vendor:
                Vendor ??= claim.Value;
                break;
            case Sessions.ClaimKind.Model:
                Model ??= claim.Value;
                break;
            case Sessions.ClaimKind.Software:
                Software = claim.Value;
                break;
            case Sessions.ClaimKind.Serial:
                Serial ??= claim.Value;
                break;
            case Sessions.ClaimKind.Fingerprint:
                AddFingerprint(claim.Value);
                break;
            case Sessions.ClaimKind.Class:
                AddClass(claim.Value);
                break;
        }
    }

    internal void AddHostName(string name, int times = 1) => Add(ref _hostNames, StringComparer.OrdinalIgnoreCase, name, times);

    /// <summary>True when the fingerprint is new here.</summary>
    internal bool AddFingerprint(string fingerprint) => Add(_fingerprints ??= new(StringComparer.Ordinal), fingerprint);

    internal void AddClass(string name) => Add(_classes ??= new(StringComparer.Ordinal), name);

    internal void AddAeTitle(string? title, int times = 1) => Add(ref _aeTitles, StringComparer.Ordinal, title, times);

    /// <summary>True when the service is new here.</summary>
    internal bool AddOffered(ServicePort service) => Add(_offered ??= [], service);

    internal void AddUsed(ServicePort service) => Add(_used ??= [], service);

    /// <summary>Takes over what was seen of the same device under another address.</summary>
    internal void Absorb(Device other)
    {
        FirstSeenNs = Math.Min(FirstSeenNs, other.FirstSeenNs);
        LastSeenNs = Math.Max(LastSeenNs, other.LastSeenNs);
        IsConfirmed |= other.IsConfirmed;
        Vendor ??= other.Vendor;
        Model ??= other.Model;
        Software ??= other.Software;
        Serial ??= other.Serial;
        Modality ??= other.Modality;
        _deeds.Add(other._deeds);
        _rhythm = _rhythm.With(other._rhythm);
        AddListed(other);
    }

    private void AddListed(Device other)
    {
        foreach (var (name, times) in other._names ?? [])
            AddName(name, times.Times);
        foreach (var (title, times) in other._aeTitles ?? [])
            AddAeTitle(title, times.Times);
        foreach (var (name, times) in other._hostNames ?? [])
            AddHostName(name, times.Times);
        foreach (var fingerprint in other.Fingerprints)
            AddFingerprint(fingerprint);
        foreach (var name in other.Classes)
            AddClass(name);
        foreach (var service in other.Offered)
            AddOffered(service);
        foreach (var service in other.Used)
            AddUsed(service);
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
            _rhythm = _rhythm,
            _learnedRhythm = _learnedRhythm,
        };
        copy._addresses.AddRange(_addresses.Skip(1));
        copy.AddListed(this);
        return copy;
    }

    /// <summary>A copy as it stands in a site.</summary>
    internal Device AsLearned()
    {
        var copy = Copy();
        copy.IsLearned = true;
        copy._learnedRhythm = _learnedRhythm.With(_rhythm);
        copy._rhythm = default;
        return copy;
    }

    private static bool Add<T>(SortedSet<T> set, T value) => set.Count < MaximumListed && set.Add(value);

    private static TextCount? Add(ref SortedDictionary<string, TextCount>? set, StringComparer comparer, string? text, int times)
    {
        if (text is null)
            return null;
        set ??= new(comparer);
        if (!set.TryGetValue(text, out var count) && set.Count < MaximumListed)
            set.Add(text, count = new TextCount());
        count?.Add(times);
        return count;
    }

    private static string? MostUsed(SortedDictionary<string, TextCount>? set)
    {
        string? best = null;
        var most = 0;
        foreach (var (text, count) in set ?? [])
        {
            if (count.Times > most)
                (best, most) = (text, count.Times);
        }

        return best;
    }
}
