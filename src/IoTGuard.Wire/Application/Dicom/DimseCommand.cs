namespace IoTGuard.Wire.Application.Dicom;

/// <summary>Command Field (0000,0100) of the requests (PS3.7 E.1); a response has bit 15 set besides.</summary>
public enum DimseCommand : ushort
{
    None = 0,
    CStore = 0x0001,
    CGet = 0x0010,
    CFind = 0x0020,
    CMove = 0x0021,
    CEcho = 0x0030,
    NEventReport = 0x0100,
    NGet = 0x0110,
    NSet = 0x0120,
    NAction = 0x0130,
    NCreate = 0x0140,
    NDelete = 0x0150,
    CCancel = 0x0FFF,
}

/// <summary>Values and elements of command sets (PS3.7 E.1).</summary>
public static class Dimse
{
    /// <summary>Bit of the Command Field that makes a response.</summary>
    public const ushort ResponseBit = 0x8000;

    /// <summary>Command Data Set Type (0000,0800) of a message without a data set.</summary>
    public const ushort NoDataSet = 0x0101;

    public const uint GroupLength = 0x0000_0000;
    public const uint AffectedSopClass = 0x0000_0002;
    public const uint RequestedSopClass = 0x0000_0003;
    public const uint CommandField = 0x0000_0100;
    public const uint MessageId = 0x0000_0110;
    public const uint MessageIdBeingRespondedTo = 0x0000_0120;
    public const uint MoveDestination = 0x0000_0600;
    public const uint DataSetType = 0x0000_0800;
    public const uint Status = 0x0000_0900;
    public const uint AffectedSopInstance = 0x0000_1000;
    public const uint RequestedSopInstance = 0x0000_1001;
    public const uint EventTypeId = 0x0000_1002;
    public const uint ActionTypeId = 0x0000_1008;
    public const uint RemainingSubOperations = 0x0000_1020;
    public const uint CompletedSubOperations = 0x0000_1021;
    public const uint FailedSubOperations = 0x0000_1022;
    public const uint WarningSubOperations = 0x0000_1023;
    public const uint MoveOriginatorAe = 0x0000_1030;

    /// <summary>The request's command of a Command Field; <see cref="DimseCommand.None"/> when PS3.7 does not know it.</summary>
    public static DimseCommand CommandOf(int commandField)
    {
        var command = (DimseCommand)(commandField & ~ResponseBit);
        if (command == DimseCommand.CCancel)
            return commandField == (int)DimseCommand.CCancel ? command : DimseCommand.None;
        return command is DimseCommand.CStore or DimseCommand.CGet or DimseCommand.CFind or DimseCommand.CMove or DimseCommand.CEcho
            or DimseCommand.NEventReport or DimseCommand.NGet or DimseCommand.NSet or DimseCommand.NAction or DimseCommand.NCreate
            or DimseCommand.NDelete
            ? command
            : DimseCommand.None;
    }
}

/// <summary>Class of a status (PS3.7 annex C).</summary>
public enum DimseStatusClass : byte
{
    Success,
    Pending,
    Cancel,
    Warning,
    Failure,
}

/// <summary>Classifies status codes (0000,0900).</summary>
public static class DimseStatus
{
    /// <summary>
    /// The class of a status: 0000 success; FF00 and FF01 pending; FE00 cancel; 0001, 0107, 0116 and Bxxx warning; all others failure
    /// (PS3.7 C.1 to C.5: Axxx, Cxxx, 01xx, 02xx).
    /// </summary>
    public static DimseStatusClass ClassOf(int status) => status switch
    {
        0x0000 => DimseStatusClass.Success,
        0xFF00 or 0xFF01 => DimseStatusClass.Pending,
        0xFE00 => DimseStatusClass.Cancel,
        0x0001 or 0x0107 or 0x0116 => DimseStatusClass.Warning,
        >= 0xB000 and <= 0xBFFF => DimseStatusClass.Warning,
        _ => DimseStatusClass.Failure,
    };

    /// <summary>The name of a class as it stands in outputs.</summary>
    public static string NameOf(DimseStatusClass statusClass) => statusClass switch
    {
        DimseStatusClass.Success => "success",
        DimseStatusClass.Pending => "pending",
        DimseStatusClass.Cancel => "cancel",
        DimseStatusClass.Warning => "warning",
        _ => "failure",
    };
}
