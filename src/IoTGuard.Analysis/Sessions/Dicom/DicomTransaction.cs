using IoTGuard.Wire;
using IoTGuard.Wire.Application.Dicom;
using IoTGuard.Wire.Application.Files;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened on a DICOM association.</summary>
public enum DicomEvent : byte
{
    AssociateAccept,
    AssociateReject,

    /// <summary>An A-ASSOCIATE-RQ that was never answered.</summary>
    AssociateRequest,
    CStore,
    CFind,
    CMove,
    CGet,
    CEcho,
    CCancel,
    NEventReport,
    NGet,
    NSet,
    NAction,
    NCreate,
    NDelete,
    Release,
    Abort,
    Fault,

    /// <summary>The connection ended (closed, reset, idle, end of capture) without release or abort.</summary>
    AssociationEnd,
}

/// <summary>Numbers of sub-operations of C-MOVE and C-GET (PS3.7 C.4.2); -1 = not said.</summary>
public record struct SubOperations(int Remaining, int Completed, int Failed, int Warning);

/// <summary>
/// One DICOM event. Texts are interned, trimmed of padding; null = not seen. The client is the requestor of the association, or the invoker
/// of the operation. <see cref="Transaction.Bytes"/> counts PDUs with their headers: request and answer of an association event, all fragments in both
/// directions of an operation.
/// </summary>
public sealed class DicomTransaction : Transaction
{
    private static readonly string[] EventNames =
    [
        "associate_accept", "associate_reject", "associate_request", "c_store", "c_find", "c_move", "c_get", "c_echo", "c_cancel",
        "n_event_report", "n_get", "n_set", "n_action", "n_create", "n_delete", "release", "abort", "fault",
        "association_end",
    ];

    public DicomEvent Event { get; set; }

    public string? CallingAe { get; set; }

    public string? CalledAe { get; set; }

    /// <summary>SOP class UID of the operation.</summary>
    public string? SopClass { get; set; }

    /// <summary>Transfer syntax UID of the presentation context.</summary>
    public string? TransferSyntax { get; set; }

    /// <summary>Presentation context id; 0 = none.</summary>
    public byte ContextId { get; set; }

    /// <summary>Message ID (0000,0110) or the one responded to; -1 = none.</summary>
    public int MessageId { get; set; }

    /// <summary>Final status (0000,0900); -1 = none seen.</summary>
    public int Status { get; set; }

    /// <summary>Pending responses before the final one.</summary>
    public int PendingResponses { get; set; }

    public SubOperations SubOperations { get; set; }

    /// <summary>Move destination AE (0000,0600).</summary>
    public string? MoveDestination { get; set; }

    /// <summary>Move originator AE (0000,1030) of a C-STORE that a C-MOVE caused.</summary>
    public string? MoveOriginator { get; set; }

    /// <summary>Event type (0000,1002) or action type (0000,1008); -1 = none.</summary>
    public int TypeId { get; set; }

    /// <summary>Query/retrieve level (0008,0052).</summary>
    public string? QueryLevel { get; set; }

    /// <summary>Matching keys of a query: all, empty (universal matching), and with wildcards.</summary>
    public int QueryKeys { get; set; }

    public int EmptyKeys { get; set; }

    public int WildcardKeys { get; set; }

    public Pseudonym Patient { get; set; }

    public Pseudonym Study { get; set; }

    public Pseudonym Series { get; set; }

    public Pseudonym Instance { get; set; }

    public string? Modality { get; set; }

    public string? Manufacturer { get; set; }

    public string? ModelName { get; set; }

    public string? StationName { get; set; }

    public string? DeviceSerial { get; set; }

    public string? SoftwareVersions { get; set; }

    public string? RequestorImplementationClass { get; set; }

    public string? RequestorImplementationVersion { get; set; }

    public string? AcceptorImplementationClass { get; set; }

    public string? AcceptorImplementationVersion { get; set; }

    /// <summary>Maximum length received (PS3.8 D.1) of requestor and acceptor, bytes; -1 = not said.</summary>
    public long RequestorMaximumLength { get; set; }

    public long AcceptorMaximumLength { get; set; }

    public int ContextsProposed { get; set; }

    public int ContextsAccepted { get; set; }

    /// <summary>Different abstract syntaxes proposed.</summary>
    public int AbstractSyntaxes { get; set; }

    /// <summary>Asynchronous operations window that was agreed on (PS3.7 D.3.3.3), 0 = no limit; -1 = not negotiated, which means 1.</summary>
    public int OperationsInvoked { get; set; }

    public int OperationsPerformed { get; set; }

    /// <summary>Sub-items of the request for role selection, extended and common extended negotiation (PS3.7 D.3.3.4 to D.3.3.6).</summary>
    public int RoleSelections { get; set; }

    public int ExtendedNegotiations { get; set; }

    public int CommonExtendedNegotiations { get; set; }

    /// <summary>Operations begun on the association so far; on release, abort and end 0 means that it was never used.</summary>
    public int Operations { get; set; }

    /// <summary>User identity type (PS3.7 D.3.3.7): 1 user name, 2 with passcode, 3 Kerberos, 4 SAML, 5 JWT; 0 = none. Never its secret.</summary>
    public byte UserIdentityType { get; set; }

    /// <summary>True when the accept answers the user identity.</summary>
    public bool UserIdentityConfirmed { get; set; }

    /// <summary>Result, source and reason of a reject; source and reason of an abort (PS3.8 tables 9-21, 9-26). -1 = none.</summary>
    public int Result { get; set; }

    public int Source { get; set; }

    public int Reason { get; set; }

    /// <summary>The kind of program that a private element or an encapsulated document of the object is; unknown = none.</summary>
    public FileKind Program { get; set; }

    public int Rows { get; set; }

    public int Columns { get; set; }

    public int BitsAllocated { get; set; }

    public int SamplesPerPixel { get; set; }

    public int Frames { get; set; }

    /// <summary>Bytes that rows, columns, bits, samples and frames ask for; -1 when they are not known or the transfer syntax compresses pixels.</summary>
    public long ExpectedPixelBytes { get; set; }

    /// <summary>True when the data set is deflated as a whole and was not looked into.</summary>
    public bool IsDeflated { get; set; }

    /// <summary>Bytes of the data set carried, without PDU and PDV headers.</summary>
    public long DataSetBytes { get; set; }

    /// <summary>True when the session was picked up in the middle of an association.</summary>
    public bool PartialAssociation { get; set; }

    /// <summary>The fault of a <see cref="DicomEvent.Fault"/> event.</summary>
    public Fault Fault { get; set; }

    /// <summary>A sentence that says what the fault is, without bytes of the message; null otherwise.</summary>
    public string? FaultText { get; set; }

    /// <summary>Stands for a sample of the pixel data of a C-STORE; 0 = not known. Never written.</summary>
    internal ulong PixelPrint { get; set; }

    /// <summary>True when the server of the transaction sent the faulty bytes, or the abort.</summary>
    public bool SentByServer { get; set; }

    public override string Protocol => "dicom";

    public override string EventName => EventNames[(int)Event];

    public override void Reset()
    {
        Event = DicomEvent.Fault;
        CallingAe = CalledAe = SopClass = TransferSyntax = MoveDestination = MoveOriginator = QueryLevel = null;
        Program = FileKind.Unknown;
        Modality = Manufacturer = ModelName = StationName = DeviceSerial = SoftwareVersions = FaultText = null;
        RequestorImplementationClass = RequestorImplementationVersion = AcceptorImplementationClass = AcceptorImplementationVersion = null;
        ContextId = UserIdentityType = 0;
        MessageId = Status = Result = Source = Reason = TypeId = OperationsInvoked = OperationsPerformed = -1;
        PendingResponses = QueryKeys = EmptyKeys = WildcardKeys = ContextsProposed = ContextsAccepted = AbstractSyntaxes = 0;
        RoleSelections = ExtendedNegotiations = CommonExtendedNegotiations = Operations = 0;
        Rows = Columns = BitsAllocated = SamplesPerPixel = Frames = 0;
        SubOperations = new SubOperations(-1, -1, -1, -1);
        Patient = Study = Series = Instance = default;
        RequestorMaximumLength = AcceptorMaximumLength = ExpectedPixelBytes = -1;
        DataSetBytes = 0;
        PixelPrint = 0;
        PartialAssociation = UserIdentityConfirmed = IsDeflated = SentByServer = false;
        Fault = default;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("calling_ae", CallingAe);
        writer.Text("called_ae", CalledAe);
        if (PartialAssociation)
            writer.Flag("partial", true);
        switch (Event)
        {
            case DicomEvent.AssociateAccept or DicomEvent.AssociateReject or DicomEvent.AssociateRequest:
                WriteAssociation(ref writer);
                break;
            case DicomEvent.Release or DicomEvent.AssociationEnd:
                writer.Number("operations", Operations);
                break;
            case DicomEvent.Abort:
                writer.Number("operations", Operations);
                writer.BeginObject("abort");
                writer.Number("source", Source);
                writer.Text("source_name", UpperLayerReason.AbortSource(Source));
                writer.Number("reason", Reason);
                writer.Text("reason_name", UpperLayerReason.AbortReason(Source, Reason));
                writer.EndObject();
                writer.Text("sent_by", SentByServer ? "server" : "client");
                break;
            case DicomEvent.Fault:
                writer.Text("fault", FaultText);
                writer.Text("fault_kind", Fault.Kind.ToString());
                writer.Number("fault_offset", Fault.Offset);
                writer.Number("fault_required", Fault.Required);
                writer.Number("fault_available", Fault.Available);
                writer.Text("sent_by", SentByServer ? "server" : "client");
                break;
            default:
                WriteOperation(ref writer);
                break;
        }
    }

    private static void WriteUid<TWriter>(ref TWriter writer, string name, string nameOfName, string? uid)
        where TWriter : IFieldWriter, allows ref struct
    {
        writer.Text(name, uid);
        writer.Text(nameOfName, DicomUid.NameOf(uid));
    }

    private static void WriteKnown<TWriter>(ref TWriter writer, string name, long value)
        where TWriter : IFieldWriter, allows ref struct
    {
        if (value >= 0)
            writer.Number(name, value);
    }

    private static void WriteCount<TWriter>(ref TWriter writer, string name, long value)
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

    private void WriteAssociation<TWriter>(ref TWriter writer)
        where TWriter : IFieldWriter, allows ref struct
    {
        writer.Number("contexts_proposed", ContextsProposed);
        writer.Number("abstract_syntaxes", AbstractSyntaxes);
        if (Event == DicomEvent.AssociateAccept)
            writer.Number("contexts_accepted", ContextsAccepted);
        writer.Text("requestor_implementation_class", RequestorImplementationClass);
        writer.Text("requestor_implementation_version", RequestorImplementationVersion);
        WriteKnown(ref writer, "requestor_maximum_length", RequestorMaximumLength);
        writer.Text("acceptor_implementation_class", AcceptorImplementationClass);
        writer.Text("acceptor_implementation_version", AcceptorImplementationVersion);
        WriteKnown(ref writer, "acceptor_maximum_length", AcceptorMaximumLength);
        WriteKnown(ref writer, "operations_invoked", OperationsInvoked);
        WriteKnown(ref writer, "operations_performed", OperationsPerformed);
        WriteCount(ref writer, "role_selections", RoleSelections);
        WriteCount(ref writer, "extended_negotiations", ExtendedNegotiations);
        WriteCount(ref writer, "common_extended_negotiations", CommonExtendedNegotiations);
        if (UserIdentityType != 0)
        {
            writer.Text("user_identity", NameOfIdentity(UserIdentityType));
            writer.Flag("user_identity_confirmed", UserIdentityConfirmed);
        }

        if (Event != DicomEvent.AssociateReject)
            return;
        writer.BeginObject("reject");
        writer.Number("result", Result);
        writer.Text("result_name", UpperLayerReason.RejectResult(Result));
        writer.Number("source", Source);
        writer.Text("source_name", UpperLayerReason.RejectSource(Source));
        writer.Number("reason", Reason);
        writer.Text("reason_name", UpperLayerReason.RejectReason(Source, Reason));
        writer.EndObject();
    }

    private void WriteOperation<TWriter>(ref TWriter writer)
        where TWriter : IFieldWriter, allows ref struct
    {
        WriteUid(ref writer, "sop_class", "sop_class_name", SopClass);
        WriteUid(ref writer, "transfer_syntax", "transfer_syntax_name", TransferSyntax);
        WriteCount(ref writer, "context_id", ContextId);
        WriteKnown(ref writer, "message_id", MessageId);
        if (Status >= 0)
        {
            writer.Number("status", Status);
            writer.Text("status_class", DimseStatus.NameOf(DimseStatus.ClassOf(Status)));
        }

        WriteCount(ref writer, "pending_responses", PendingResponses);
        if (SubOperations != new SubOperations(-1, -1, -1, -1))
        {
            writer.BeginObject("sub_operations");
            WriteKnown(ref writer, "remaining", SubOperations.Remaining);
            WriteKnown(ref writer, "completed", SubOperations.Completed);
            WriteKnown(ref writer, "failed", SubOperations.Failed);
            WriteKnown(ref writer, "warning", SubOperations.Warning);
            writer.EndObject();
        }

        writer.Text("move_destination", MoveDestination);
        writer.Text("move_originator", MoveOriginator);
        WriteKnown(ref writer, Event == DicomEvent.NAction ? "action_type" : "event_type", TypeId);
        writer.Text("query_level", QueryLevel);
        if (QueryKeys > 0)
        {
            writer.Number("query_keys", QueryKeys);
            writer.Number("empty_keys", EmptyKeys);
            writer.Number("wildcard_keys", WildcardKeys);
        }

        WritePseudonym(ref writer, "patient", Patient);
        WritePseudonym(ref writer, "study", Study);
        WritePseudonym(ref writer, "series", Series);
        WritePseudonym(ref writer, "instance", Instance);
        WriteObject(ref writer);
    }

    private void WriteObject<TWriter>(ref TWriter writer)
        where TWriter : IFieldWriter, allows ref struct
    {
        writer.Text("modality", Modality);
        writer.Text("manufacturer", Manufacturer);
        writer.Text("model_name", ModelName);
        writer.Text("station_name", StationName);
        writer.Text("device_serial", DeviceSerial);
        writer.Text("software_versions", SoftwareVersions);
        if (Program != FileKind.Unknown)
            writer.Text("program", FileKinds.NameOf(Program));
        WriteCount(ref writer, "rows", Rows);
        WriteCount(ref writer, "columns", Columns);
        WriteCount(ref writer, "bits_allocated", BitsAllocated);
        WriteCount(ref writer, "samples_per_pixel", SamplesPerPixel);
        WriteCount(ref writer, "frames", Frames);
        WriteKnown(ref writer, "expected_pixel_bytes", ExpectedPixelBytes);
        WriteCount(ref writer, "data_set_bytes", DataSetBytes);
        if (IsDeflated)
            writer.Flag("deflated", true);
    }

    private static string NameOfIdentity(byte type) => type switch
    {
        1 => "username",
        2 => "username and passcode",
        3 => "Kerberos",
        4 => "SAML",
        5 => "JWT",
        _ => "unknown",
    };
}
