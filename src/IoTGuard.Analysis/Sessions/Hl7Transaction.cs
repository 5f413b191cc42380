using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened on an HL7 v2 connection.</summary>
public enum Hl7Event : byte
{
    /// <summary>A message, with its acknowledgement when that was seen.</summary>
    Message,

    /// <summary>An acknowledgement as a message of its own.</summary>
    Ack,
    Fault,
}

/// <summary>A short text held by value, so that unique identifiers cost no allocation. Longer texts are cut.</summary>
public struct ShortText
{
    /// <summary>Longest text held, in bytes.</summary>
    public const int Capacity = 63;

    private Buffer _bytes;
    private byte _length;

    public readonly int Length => _length;

    public void Set(ReadOnlySpan<byte> text)
    {
        _length = (byte)Math.Min(text.Length, Capacity);
        text[.._length].CopyTo(_bytes);
    }

    /// <summary>The bytes; valid while the struct is.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Bytes => ((ReadOnlySpan<byte>)_bytes)[.._length];

    [InlineArray(Capacity)]
    private struct Buffer
    {
        private byte _first;
    }
}

/// <summary>One HL7 v2 event. Texts are interned; null = not seen. No field holds patient data.</summary>
public sealed class Hl7Transaction : Transaction
{
    private static readonly string[] EventNames = ["message", "ack", "fault"];

    private ShortText _controlId;
    private ShortText _acknowledges;

    public Hl7Event Event { get; set; }

    /// <summary>MSH-9 as sent, e.g. "ADT^A01" (message code and trigger event; a structure component is kept apart).</summary>
    public string? MessageType { get; set; }

    public string? MessageStructure { get; set; }

    public string? SendingApplication { get; set; }

    public string? SendingFacility { get; set; }

    public string? ReceivingApplication { get; set; }

    public string? ReceivingFacility { get; set; }

    /// <summary>MSH-12.</summary>
    public string? Version { get; set; }

    /// <summary>MSH-11.</summary>
    public string? ProcessingId { get; set; }

    /// <summary>MSH-18, first repetition.</summary>
    public string? CharacterSet { get; set; }

    /// <summary>MSA-1: AA, AE, AR, CA, CE, CR; null = no acknowledgement seen.</summary>
    public string? AckCode { get; set; }

    /// <summary>MSH-10.</summary>
    public ref ShortText ControlId => ref _controlId;

    /// <summary>MSA-2, the control id acknowledged.</summary>
    public ref ShortText Acknowledges => ref _acknowledges;

    /// <summary>Segments in the message.</summary>
    public int Segments { get; set; }

    public int Observations { get; set; }

    public int Orders { get; set; }

    /// <summary>PID-3 as a pseudonym.</summary>
    public Pseudonym Patient { get; set; }

    /// <summary>PV1-19 as a pseudonym.</summary>
    public Pseudonym Visit { get; set; }

    /// <summary>PV1-2.</summary>
    public string? PatientClass { get; set; }

    /// <summary>Device identifier of PRT-10 or the UDI of PRT-16..20; not a patient's.</summary>
    public string? DeviceIdentifier { get; set; }

    /// <summary>MSH-7 as ns since 1970 when it could be read with its zone, else 0.</summary>
    public long MessageTimeNs { get; set; }

    /// <summary>False when the message came without MLLP framing.</summary>
    public bool Framed { get; set; }

    /// <summary>How often this acknowledgement was sent before, or the message was acknowledged more than once.</summary>
    public int Repeats { get; set; }

    /// <summary>Number of ERR segments.</summary>
    public int Errors { get; set; }

    public Fault Fault { get; set; }

    /// <summary>A sentence that says what the fault is, without bytes of the message; null otherwise.</summary>
    public string? FaultText { get; set; }

    public override string Protocol => "hl7";

    public override string EventName => EventNames[(int)Event];

    public override void Reset()
    {
        MessageType = MessageStructure = SendingApplication = SendingFacility = ReceivingApplication = ReceivingFacility = null;
        Version = ProcessingId = CharacterSet = AckCode = PatientClass = DeviceIdentifier = FaultText = null;
        _controlId = default;
        _acknowledges = default;
        Segments = Observations = Orders = Repeats = Errors = 0;
        Patient = Visit = default;
        MessageTimeNs = 0;
        Framed = true;
        Fault = default;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("message_type", MessageType);
        writer.Text("control_id", _controlId.Bytes);
    }
}
