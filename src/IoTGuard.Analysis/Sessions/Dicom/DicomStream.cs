using IoTGuard.Wire.Application.Dicom;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What the next bytes of a direction are.</summary>
internal enum DicomStreamPhase : byte
{
    /// <summary>A PDU header.</summary>
    PduStart,

    /// <summary>The body of a PDU that is read as a whole.</summary>
    PduBody,

    /// <summary>A PDV header, or the end of the P-DATA-TF.</summary>
    PdvStart,

    /// <summary>A fragment of a message.</summary>
    Fragment,

    /// <summary>The rest of a PDU that nobody reads.</summary>
    Passing,

    /// <summary>Anything: a PDU header is looked for.</summary>
    Scanning,

    /// <summary>Anything, and no PDU header was found for long.</summary>
    Ignoring,
}

/// <summary>Where in a DIMSE message a direction is.</summary>
internal enum DicomMessagePhase : byte
{
    /// <summary>Before a command set.</summary>
    None,
    Command,
    DataSet,
}

/// <summary>The command set of the message that a direction sends; -1 and null = element not there.</summary>
internal struct DicomCommand
{
    public int Field;
    public int MessageId;
    public int RespondedTo;
    public int DataSetType;
    public int Status;
    public int TypeId;
    public string? SopClass;
    public Pseudonym Instance;
    public string? MoveDestination;
    public string? MoveOriginator;
    public SubOperations SubOperations;
    public bool HasBadUid;
    public bool HasBadAe;

    public static DicomCommand Empty => new()
    {
        Field = -1,
        MessageId = -1,
        RespondedTo = -1,
        DataSetType = -1,
        Status = -1,
        TypeId = -1,
        SubOperations = new SubOperations(-1, -1, -1, -1),
    };
}

/// <summary>One direction of a DICOM connection.</summary>
internal sealed class DicomStream
{
    public DicomStreamPhase Phase;

    /// <summary>Header of the present PDU.</summary>
    public PduHeader Pdu;

    /// <summary>Bytes of the present PDU after the present PDV.</summary>
    public long PduRemaining;

    public PdvHeader Pdv;
    public long PdvRemaining;

    /// <summary>Packet time of the present PDU's first byte, ns; -1 between PDUs.</summary>
    public long PduStartNs;

    /// <summary>PDU header bytes that the next PDV is charged with.</summary>
    public int UnchargedHeaderBytes;

    /// <summary>True once a PDU was recognised.</summary>
    public bool IsRecognised;

    /// <summary>True once bytes were lost, so that what is missing is no fault of the sender.</summary>
    public bool HadGap;

    /// <summary>True until the first message after a pick-up, so that a message's rest is no fault.</summary>
    public bool IsResynchronised;

    /// <summary>Bytes looked through for a PDU header since the last one.</summary>
    public long Scanned;

    /// <summary>True once a PDU above the negotiated maximum was told.</summary>
    public bool OverlongTold;

    public DicomMessagePhase Message;

    /// <summary>Packet time of the present message's first byte, ns.</summary>
    public long MessageNs;

    /// <summary>Bytes of the present message's command set, PDU and PDV headers included.</summary>
    public long CommandBytes;

    public DicomCommand Command;

    /// <summary>The operation that the present message belongs to; null when it is not followed.</summary>
    public DicomOperation? Operation;

    /// <summary>True when the present message is a response.</summary>
    public bool IsResponse;

    /// <summary>True when the present message is the final response of <see cref="Operation"/>.</summary>
    public bool IsFinalResponse;

    /// <summary>True while <see cref="Reader"/> reads the present fragments; otherwise they are passed over.</summary>
    public bool IsReading;

    /// <summary>What is read of the pixel data, once the elements before them are done with.</summary>
    public PixelSample Pixels;

    public DataSetReader Reader { get; } = new();

    public void Reset()
    {
        Phase = DicomStreamPhase.PduStart;
        PduRemaining = PdvRemaining = Scanned = 0;
        PduStartNs = -1;
        UnchargedHeaderBytes = 0;
        IsRecognised = HadGap = IsResynchronised = OverlongTold = IsReading = IsResponse = IsFinalResponse = false;
        DropMessage();
    }

    /// <summary>Forgets the present message; what still comes of it is passed over.</summary>
    public void DropMessage()
    {
        Message = DicomMessagePhase.None;
        Operation = null;
        StopReading();
    }

    /// <summary>Passes over what is still to come of the data set.</summary>
    public void StopReading()
    {
        IsReading = false;
        Pixels.Stop();
    }
}
