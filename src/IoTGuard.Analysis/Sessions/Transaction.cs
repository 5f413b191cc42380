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

/// <summary>
/// One protocol event: a DICOM operation from request to final response, an HL7 message with its acknowledgement, a fault.
/// Instances are pooled: nobody keeps one past the <see cref="EventBatch"/> that it came in.
/// </summary>
public abstract class Transaction
{
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

    /// <summary>Name of the protocol as it stands in outputs: "dicom", "hl7".</summary>
    public abstract string Protocol { get; }

    /// <summary>Name of the event as it stands in outputs.</summary>
    public abstract string EventName { get; }

    /// <summary>Puts every own field back to its initial value.</summary>
    public abstract void Reset();

    /// <summary>Writes the protocol's own fields; time, protocol, event and endpoints are written by the caller.</summary>
    public abstract void WriteFields<TWriter>(ref TWriter writer)
        where TWriter : IFieldWriter, allows ref struct;
}
