using System.Runtime.InteropServices;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Baselines;

/// <summary>Kinds of facts that are learned of a site and news when first seen later.</summary>
public enum FactKind : byte
{
    /// <summary>A uses B's service: Number = IP protocol × 65536 + port.</summary>
    Peer,

    /// <summary>A offers a service: Number as above.</summary>
    Service,

    /// <summary>A uses a service outside of the site: Number as above; B = the server, of DNS only.</summary>
    OutsideService,

    /// <summary>A opened an association to B: Text = calling, OtherText = called AE title.</summary>
    AePair,

    /// <summary>A stored objects of the SOP class Text.</summary>
    SopClass,

    /// <summary>A did the DICOM operation Text at B.</summary>
    DicomOperation,

    /// <summary>A had B send images to the AE title Text.</summary>
    MoveDestination,

    /// <summary>A asked B queries without a specific key.</summary>
    BroadQuery,

    /// <summary>A sent HL7 as application Text of facility OtherText.</summary>
    Hl7Sender,

    /// <summary>A sent B messages of the type Text.</summary>
    Hl7Type,

    /// <summary>A offers the application protocol Text on the port Number.</summary>
    MedicalService,

    /// <summary>A sent B faults of the kind Number in the protocol Text.</summary>
    ProtocolFault,

    /// <summary>The finding of rule Text about A (and peer B) stood when the site was learned.</summary>
    Finding,

    /// <summary>A showed a certificate of the subject Text by the issuer OtherText on the port Number.</summary>
    TlsCertificate,

    /// <summary>A used TLS 1.2 or better with a strong suite at B's port Number.</summary>
    TlsStrong,

    /// <summary>A exchanged the medical protocol Text with B over TLS.</summary>
    TlsCarried,

    /// <summary>A sends B datagrams at a high rate.</summary>
    Stream,

    /// <summary>A exchanges data with hosts of B, a network outside of the site (/24, /48). Of a device that knows many such networks only the first are kept.</summary>
    OutsideNetwork,

    /// <summary>A explores the network as the rule Text says; counted at most once a minute.</summary>
    Scanner,
}

/// <summary>One fact. Unused parts are default.</summary>
public readonly record struct Fact(FactKind Kind, IpAddress A, IpAddress B = default, int Number = 0, string? Text = null, string? OtherText = null)
    : IComparable<Fact>
{
    /// <summary>A service as a fact's number.</summary>
    public static int NumberOf(byte ipProtocol, ushort port) => (ipProtocol << 16) | port;

    public int CompareTo(Fact other)
    {
        var order = Kind.CompareTo(other.Kind);
        if (order == 0)
            order = A.CompareTo(other.A);
        if (order == 0)
            order = B.CompareTo(other.B);
        if (order == 0)
            order = Number.CompareTo(other.Number);
        if (order == 0)
            order = string.CompareOrdinal(Text, other.Text);
        return order != 0 ? order : string.CompareOrdinal(OtherText, other.OtherText);
    }

    public static bool operator <(Fact left, Fact right) => left.CompareTo(right) < 0;

    public static bool operator >(Fact left, Fact right) => left.CompareTo(right) > 0;

    public static bool operator <=(Fact left, Fact right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Fact left, Fact right) => left.CompareTo(right) >= 0;
}

/// <summary>When a fact was seen, and how often.</summary>
/// <param name="FirstNs">Packet time of the first sighting, ns.</param>
/// <param name="LastNs">Packet time of the last sighting, ns.</param>
/// <param name="Count">Sightings.</param>
public readonly record struct FactHistory(long FirstNs, long LastNs, long Count);

/// <summary>A fact that this run saw. Who notes it again and again keeps this instead of searching for it.</summary>
internal sealed class SeenFact(long timeNs)
{
    private readonly long _firstNs = timeNs;
    private long _lastNs = timeNs;
    private long _count = 1;

    public FactHistory History => new(_firstNs, _lastNs, _count);

    /// <summary>The result says nothing.</summary>
    public long Touch() => _count;

    /// <summary>Notes one more sighting.</summary>
    public void Again(long timeNs)
    {
        _lastNs = timeNs;
        _count++;
    }
}

/// <summary>What a run sees, beside what the site knew. Bounded: when full, new facts are neither kept nor news.</summary>
internal sealed class FactBook(IReadOnlyDictionary<Fact, FactHistory> known, int maximum, Func<IpAddress, IpAddress> identity)
{
    private readonly Dictionary<Fact, SeenFact> _seen = [];

    /// <summary>What the site knew before this run.</summary>
    public IReadOnlyDictionary<Fact, FactHistory> Known { get; set; } = known;

    /// <summary>Facts of this run.</summary>
    public IReadOnlyDictionary<Fact, SeenFact> Seen => _seen;

    /// <summary>Sightings of new facts that found the book full.</summary>
    public long Overflows { get; private set; }

    /// <summary>True when the site or this run knows the fact.</summary>
    public bool Contains(in Fact fact) => _seen.ContainsKey(Identified(fact)) || IsLearned(fact);

    /// <summary>True when the site knew the fact before this run.</summary>
    public bool IsLearned(in Fact fact) => Known.Count > 0 && Known.ContainsKey(Identified(fact));

    /// <summary>Notes a sighting. True when the fact is new to the run and to the site.</summary>
    public bool Note(in Fact sighted, long timeNs) => Note(sighted, timeNs, out _);

    /// <summary>Notes a sighting. True when the fact is new to the run and to the site.</summary>
    /// <param name="seen">Receives the fact; null when the book is full.</param>
    public bool Note(in Fact sighted, long timeNs, out SeenFact? seen)
    {
        var fact = Identified(sighted);
        if (_seen.Count >= maximum && !_seen.ContainsKey(fact))
        {
            seen = null;
            Overflows++;
            return false;
        }

        // Looked up once: the book is larger than any cache.
        ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(_seen, fact, out var isSeen);
        seen = place ??= new SeenFact(timeNs);
        if (isSeen)
        {
            seen.Again(timeNs);
            return false;
        }

        return Known.Count == 0 || !Known.ContainsKey(fact);
    }

    /// <summary>The fact about devices, whichever of their addresses they used.</summary>
    private Fact Identified(in Fact fact) => fact with { A = identity(fact.A), B = fact.B == default ? default : identity(fact.B) };
}
