using IoTGuard.Wire;

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
}

/// <summary>Numbers of sub-operations of C-MOVE and C-GET (PS3.7 C.4.2); -1 = not said.</summary>
public record struct SubOperations(int Remaining, int Completed, int Failed, int Warning);

/// <summary>One DICOM event. Texts are interned, trimmed of padding; null = not seen.</summary>
public sealed class DicomTransaction : Transaction
{
    private static readonly string[] EventNames =
    [
        "associate_accept", "associate_reject", "associate_request", "c_store", "c_find", "c_move", "c_get", "c_echo", "c_cancel",
        "n_event_report", "n_get", "n_set", "n_action", "n_create", "n_delete", "release", "abort", "fault",
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

    /// <summary>User identity type (PS3.7 D.3.3.7): 1 user name, 2 with passcode, 3 Kerberos, 4 SAML, 5 JWT; 0 = none. Never its secret.</summary>
    public byte UserIdentityType { get; set; }

    /// <summary>Result, source and reason of a reject; source and reason of an abort (PS3.8 tables 9-21, 9-26). -1 = none.</summary>
    public int Result { get; set; }

    public int Source { get; set; }

    public int Reason { get; set; }

    public int Rows { get; set; }

    public int Columns { get; set; }

    public int BitsAllocated { get; set; }

    public int Frames { get; set; }

    /// <summary>Bytes of the data set carried, without PDU and PDV headers.</summary>
    public long DataSetBytes { get; set; }

    /// <summary>True when the session was picked up in the middle of an association.</summary>
    public bool PartialAssociation { get; set; }

    /// <summary>The fault of a <see cref="DicomEvent.Fault"/> event.</summary>
    public Fault Fault { get; set; }

    /// <summary>A sentence that says what the fault is, without bytes of the message; null otherwise.</summary>
    public string? FaultText { get; set; }

    public override string Protocol => "dicom";

    public override string EventName => EventNames[(int)Event];

    public override void Reset()
    {
        CallingAe = CalledAe = SopClass = TransferSyntax = MoveDestination = QueryLevel = null;
        Modality = Manufacturer = ModelName = StationName = DeviceSerial = SoftwareVersions = FaultText = null;
        RequestorImplementationClass = RequestorImplementationVersion = AcceptorImplementationClass = AcceptorImplementationVersion = null;
        ContextId = UserIdentityType = 0;
        MessageId = Status = Result = Source = Reason = -1;
        PendingResponses = QueryKeys = EmptyKeys = WildcardKeys = ContextsProposed = ContextsAccepted = 0;
        Rows = Columns = BitsAllocated = Frames = 0;
        SubOperations = new SubOperations(-1, -1, -1, -1);
        Patient = Study = Series = Instance = default;
        RequestorMaximumLength = AcceptorMaximumLength = -1;
        DataSetBytes = 0;
        PartialAssociation = false;
        Fault = default;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("calling_ae", CallingAe);
        writer.Text("called_ae", CalledAe);
    }
}
