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
    /// <summary>Longest text held, in bytes: the longest MSH-10 of HL7 2.9.</summary>
    public const int Capacity = 199;

    // The length first: who asks for an empty or short text touches no more than its beginning.
    private byte _length;
    private Buffer _bytes;

    public readonly int Length => _length;

    public void Set(ReadOnlySpan<byte> text)
    {
        _length = (byte)Math.Min(text.Length, Capacity);
        text[.._length].CopyTo(_bytes);
    }

    public void Clear() => _length = 0;

    /// <summary>The bytes; valid while the struct is.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Bytes => ((ReadOnlySpan<byte>)_bytes)[.._length];

    [InlineArray(Capacity)]
    private struct Buffer
    {
        private byte _first;
    }
}

/// <summary>
/// One HL7 v2 event. Texts are interned; null = not seen. No field holds patient data.
/// The client is the endpoint that sent the message, for an acknowledgement the one that is acknowledged.
/// A message's duration runs from its first byte to its acknowledgement, and the same span is the acknowledgement's duration.
/// Bytes run from MSH to the end of the last segment, block characters excluded; in a fault, from the start of the frame.
/// </summary>
public sealed class Hl7Transaction : Transaction
{
    private static readonly string[] EventNames = ["message", "ack", "fault"];
    private static readonly string[] FaultNames = Array.ConvertAll(Enum.GetNames<FaultKind>(), System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName);

    private ShortText _controlId;
    private ShortText _acknowledges;
    private DeferredPseudonym _patient;
    private DeferredPseudonym _visit;

    public Hl7Event Event { get; set; }

    /// <summary>MSH-9: message code and trigger event joined by ^, e.g. "ADT^A01"; the structure component is kept apart.</summary>
    public string? MessageType { get; set; }

    /// <summary>MSH-9.3, e.g. "ADT_A01".</summary>
    public string? MessageStructure { get; set; }

    /// <summary>EVN-1, which old versions use for the trigger event.</summary>
    public string? EventType { get; set; }

    /// <summary>MSH-3 as sent, all components.</summary>
    public string? SendingApplication { get; set; }

    /// <summary>MSH-4 as sent.</summary>
    public string? SendingFacility { get; set; }

    /// <summary>MSH-5 as sent.</summary>
    public string? ReceivingApplication { get; set; }

    /// <summary>MSH-6 as sent.</summary>
    public string? ReceivingFacility { get; set; }

    /// <summary>MSH-12.1.</summary>
    public string? Version { get; set; }

    /// <summary>MSH-11.1.</summary>
    public string? ProcessingId { get; set; }

    /// <summary>MSH-15: when the sender wants commit acknowledgements (AL, NE, ER, SU); null in original mode.</summary>
    public string? AcceptAcknowledgement { get; set; }

    /// <summary>MSH-16: the same for application acknowledgements.</summary>
    public string? ApplicationAcknowledgement { get; set; }

    /// <summary>MSH-18, first repetition.</summary>
    public string? CharacterSet { get; set; }

    /// <summary>MSA-1 (AA, AE, AR, CA, CE, CR): of an acknowledgement its own, of a message that of the last acknowledgement seen; null = none seen.</summary>
    public string? AckCode { get; set; }

    /// <summary>ERR-3.1 (or ERR-1.4 of old versions) of the first ERR segment, table 0357.</summary>
    public string? ErrorCode { get; set; }

    /// <summary>MSH-10.</summary>
    public ref ShortText ControlId => ref _controlId;

    /// <summary>MSA-2, the control id acknowledged.</summary>
    public ref ShortText Acknowledges => ref _acknowledges;

    /// <summary>Segments in the message.</summary>
    public int Segments { get; set; }

    /// <summary>OBX segments.</summary>
    public int Observations { get; set; }

    /// <summary>OBR segments.</summary>
    public int Orders { get; set; }

    /// <summary>PID segments.</summary>
    public int Patients { get; set; }

    /// <summary>PID-3.1, else PID-2.1, of the first PID as a pseudonym.</summary>
    public Pseudonym Patient
    {
        get => _patient.Value;
        set => _patient.Value = value;
    }

    /// <summary>PV1-19.1 as a pseudonym.</summary>
    public Pseudonym Visit
    {
        get => _visit.Value;
        set => _visit.Value = value;
    }

    /// <summary>PV1-2.</summary>
    public string? PatientClass { get; set; }

    /// <summary>PRT-16 (UDI device identifier), else PRT-10.1, else OBX-18.1 of the first segment that has one; not a patient's.</summary>
    public string? DeviceIdentifier { get; set; }

    /// <summary>PRT-19 (UDI lot number).</summary>
    public string? DeviceLot { get; set; }

    /// <summary>PRT-20 (UDI serial number).</summary>
    public string? DeviceSerial { get; set; }

    /// <summary>MSH-7 as ns since 1970 when it could be read with its zone, else 0.</summary>
    public long MessageTimeNs { get; set; }

    /// <summary>Stands for the PID and OBX segments; default = there were none. Never written.</summary>
    internal ContentPrint Content;

    /// <summary>False when the message came without MLLP framing.</summary>
    public bool Framed { get; set; }

    /// <summary>True for a message in the body of an HTTP message.</summary>
    public bool OverHttp { get; set; }

    /// <summary>True for a message of a batch (FHS, BHS).</summary>
    public bool Batched { get; set; }

    /// <summary>In an acknowledgement: how often the same message was acknowledged with the same code before, as far as the session remembers.</summary>
    public int Repeats { get; set; }

    /// <summary>Number of ERR segments.</summary>
    public int Errors { get; set; }

    /// <summary>Of a fault event, what happened; of a message, the first fault met in it.</summary>
    public Fault Fault { get; set; }

    /// <summary>A sentence that says what the fault is, without bytes of the message; null otherwise.</summary>
    public string? FaultText { get; set; }

    public override string Protocol => "hl7";

    public override string EventName => EventNames[(int)Event];

    public override void Reset()
    {
        Event = Hl7Event.Message;
        MessageType = MessageStructure = EventType = SendingApplication = SendingFacility = ReceivingApplication = ReceivingFacility = null;
        Version = ProcessingId = AcceptAcknowledgement = ApplicationAcknowledgement = CharacterSet = AckCode = ErrorCode = null;
        PatientClass = DeviceIdentifier = DeviceLot = DeviceSerial = FaultText = null;
        _controlId.Clear();
        _acknowledges.Clear();
        Segments = Observations = Orders = Patients = Repeats = Errors = 0;
        _patient.Clear();
        _visit.Clear();
        MessageTimeNs = 0;
        Content = default;
        Framed = true;
        Batched = OverHttp = false;
        Fault = default;
    }

    internal ref DeferredPseudonym PatientIdentifier => ref _patient;

    internal ref DeferredPseudonym VisitIdentifier => ref _visit;

    /// <summary>Touches what an acknowledgement of the message will need. The result says nothing.</summary>
    internal long Touch() => TimeNs + ClientPort + Segments + _controlId.Length + _acknowledges.Length + (_patient.IsNone ? 0 : 1) + (MessageType is null ? 0 : 1);

    /// <summary>Takes over what another transaction says of a message; endpoints stay.</summary>
    internal void CopyMessageFrom(Hl7Transaction other)
    {
        (TimeNs, DurationNs, Bytes) = (other.TimeNs, other.DurationNs, other.Bytes);
        (Event, MessageType, MessageStructure, EventType) = (other.Event, other.MessageType, other.MessageStructure, other.EventType);
        (SendingApplication, SendingFacility) = (other.SendingApplication, other.SendingFacility);
        (ReceivingApplication, ReceivingFacility) = (other.ReceivingApplication, other.ReceivingFacility);
        (Version, ProcessingId, CharacterSet) = (other.Version, other.ProcessingId, other.CharacterSet);
        (AcceptAcknowledgement, ApplicationAcknowledgement) = (other.AcceptAcknowledgement, other.ApplicationAcknowledgement);
        (AckCode, ErrorCode, Errors, Repeats) = (other.AckCode, other.ErrorCode, other.Errors, other.Repeats);
        _controlId.Set(other._controlId.Bytes);
        _acknowledges.Set(other._acknowledges.Bytes);
        (Segments, Observations, Orders, Patients) = (other.Segments, other.Observations, other.Orders, other.Patients);
        (_patient, _visit, PatientClass) = (other._patient, other._visit, other.PatientClass);
        (DeviceIdentifier, DeviceLot, DeviceSerial) = (other.DeviceIdentifier, other.DeviceLot, other.DeviceSerial);
        (MessageTimeNs, Framed, Batched) = (other.MessageTimeNs, other.Framed, other.Batched);
        (Fault, FaultText) = (other.Fault, other.FaultText);
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("message_type", MessageType);
        writer.Text("message_structure", MessageStructure);
        writer.Text("event_type", EventType);
        if (_controlId.Length > 0)
            writer.Text("control_id", _controlId.Bytes);
        writer.Text("sending_application", SendingApplication);
        writer.Text("sending_facility", SendingFacility);
        writer.Text("receiving_application", ReceivingApplication);
        writer.Text("receiving_facility", ReceivingFacility);
        writer.Text("version", Version);
        writer.Text("processing_id", ProcessingId);
        writer.Text("accept_acknowledgement", AcceptAcknowledgement);
        writer.Text("application_acknowledgement", ApplicationAcknowledgement);
        writer.Text("character_set", CharacterSet);
        writer.Text("ack_code", AckCode);
        if (_acknowledges.Length > 0)
            writer.Text("acknowledges", _acknowledges.Bytes);
        writer.Text("error_code", ErrorCode);
        writer.Number("segments", Segments);
        WriteCount(ref writer, "observations", Observations);
        WriteCount(ref writer, "orders", Orders);
        WriteCount(ref writer, "patients", Patients);
        WriteCount(ref writer, "errors", Errors);
        WriteCount(ref writer, "repeats", Repeats);
        WritePseudonym(ref writer, "patient", Patient);
        WritePseudonym(ref writer, "visit", Visit);
        writer.Text("patient_class", PatientClass);
        writer.Text("device_identifier", DeviceIdentifier);
        writer.Text("device_lot", DeviceLot);
        writer.Text("device_serial", DeviceSerial);
        if (MessageTimeNs != 0)
            writer.Number("message_time_ns", MessageTimeNs);
        writer.Flag("framed", Framed);
        if (Batched)
            writer.Flag("batched", true);
        if (Fault.IsNone)
            return;
        writer.Text("fault", FaultNames[(int)Fault.Kind]);
        writer.Text("fault_text", FaultText);
        if (Fault.Required != 0)
            writer.Number("fault_required", Fault.Required);
        if (Fault.Available != 0)
            writer.Number("fault_limit", Fault.Available);
    }

    private static void WriteCount<TWriter>(ref TWriter writer, string name, int value)
        where TWriter : IFieldWriter, allows ref struct
    {
        if (value > 0)
            writer.Number(name, value);
    }

    private static void WritePseudonym<TWriter>(ref TWriter writer, string name, Pseudonym value)
        where TWriter : IFieldWriter, allows ref struct
    {
        if (!value.IsNone)
            writer.Pseudonym(name, value);
    }
}
