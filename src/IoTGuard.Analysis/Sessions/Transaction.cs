using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Receives the fields of a transaction by name, in a fixed order. Absent values are not written.</summary>
public interface IFieldWriter
{
    void Text(string name, string? value);

    /// <summary>UTF-8 or Latin-1 bytes that were checked to hold no patient data.</summary>
    void Text(string name, ReadOnlySpan<byte> value);

    void Number(string name, long value);

    void Real(string name, double value);

    void Flag(string name, bool value);

    void Pseudonym(string name, Pseudonym value);

    void List(string name, ReadOnlySpan<string> values);

    void BeginObject(string name);

    void EndObject();
}

/// <summary>What a transaction can say about a device.</summary>
public enum ClaimKind : byte
{
    /// <summary>Its name in DNS, DHCP, mDNS, NetBIOS, a certificate ...</summary>
    HostName,
    Vendor,
    Model,

    /// <summary>Operating system or firmware, with version.</summary>
    Software,
    Serial,

    /// <summary>A fingerprint with its kind in front: "ja4 t13d1516h2_8daaf6152771_b186095e22b6", "hassh ...", "dhcp 1,3,6,15".</summary>
    Fingerprint,

    /// <summary>A hint at the role, in the words of the protocol: a DHCP vendor class, an mDNS service type.</summary>
    Class,
}

/// <summary>Something said about a device: by itself or by who knows it.</summary>
/// <param name="Device">Address of the device.</param>
/// <param name="Kind">What it is about.</param>
/// <param name="Value">Text of at most <see cref="Transaction.MaximumClaimLength"/> characters, never a patient's.</param>
public readonly record struct DeviceClaim(IpAddress Device, ClaimKind Kind, string Value);

/// <summary>
/// One protocol event: a DICOM operation from request to final response, an HL7 message with its acknowledgement, a fault.
/// Instances are pooled: nobody keeps one past the <see cref="EventBatch"/> that it came in.
/// </summary>
public abstract class Transaction
{
    /// <summary>Most claims of one transaction; further ones are dropped.</summary>
    public const int MaximumClaims = 8;

    /// <summary>Longest text of a claim in characters; the rest is cut.</summary>
    public const int MaximumClaimLength = 128;

    private DeviceClaim[] _claims = [];
    private int _claimCount;

    /// <summary>Number of the pool of its type; −1 = not of a pool.</summary>
    internal int Pool { get; init; } = -1;

    /// <summary>Packet time of the event's first byte, ns since 1970.</summary>
    public long TimeNs { get; set; }

    /// <summary>From first byte to final response, ns; -1 when it is not known.</summary>
    public long DurationNs { get; set; }

    /// <summary>Bytes carried, protocol headers included; the protocol's docs say of what.</summary>
    public long Bytes { get; set; }

    public IpAddress Client { get; set; }

    public IpAddress Server { get; set; }

    public ushort ClientPort { get; set; }

    public ushort ServerPort { get; set; }

    public MacAddress ClientMac { get; set; }

    public MacAddress ServerMac { get; set; }

    /// <summary>IP protocol number.</summary>
    public byte IpProtocol { get; set; }

    /// <summary>True when the server is known to be there: over TCP, or when a datagram was answered.</summary>
    public bool IsAnswered { get; set; } = true;

    /// <summary>What the event says about devices.</summary>
    public ReadOnlySpan<DeviceClaim> Claims => _claims.AsSpan(0, _claimCount);

    /// <summary>Tunnel that the flow came in.</summary>
    public Encapsulation Encapsulation { get; set; }

    /// <summary>Name of the protocol as it stands in outputs: "dicom", "hl7".</summary>
    public abstract string Protocol { get; }

    /// <summary>Name of the event as it stands in outputs.</summary>
    public abstract string EventName { get; }

    /// <summary>Adds what the event says about a device; nothing for an empty value.</summary>
    public void Claim(IpAddress device, ClaimKind kind, string? value)
    {
        if (string.IsNullOrEmpty(value) || _claimCount == MaximumClaims)
            return;
        if (_claims.Length == 0)
            _claims = new DeviceClaim[MaximumClaims];
        _claims[_claimCount++] = new DeviceClaim(device, kind, value.Length > MaximumClaimLength ? value[..MaximumClaimLength] : value);
    }

    internal void ForgetClaims() => _claimCount = 0;

    /// <summary>Puts every own field back to its initial value.</summary>
    public abstract void Reset();

    /// <summary>Writes the protocol's own fields; time, protocol, event and endpoints are written by the caller.</summary>
    public abstract void WriteFields<TWriter>(ref TWriter writer)
        where TWriter : IFieldWriter, allows ref struct;
}
