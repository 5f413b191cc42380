using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Dicom;

namespace IoTGuard.Analysis.Sessions;

/// <summary>One DIMSE operation from its request to its final response. Instances are reused.</summary>
internal sealed class DicomOperation
{
    /// <summary>The direction that the invoker sends in.</summary>
    public FlowDirection Invoker { get; set; }

    public DimseCommand Command { get; set; }

    public int MessageId { get; set; }

    public byte ContextId { get; set; }

    public string? SopClass { get; set; }

    public Pseudonym Instance { get; set; }

    public string? MoveDestination { get; set; }

    public string? MoveOriginator { get; set; }

    /// <summary>Event or action type of N-EVENT-REPORT and N-ACTION; -1 = none.</summary>
    public int TypeId { get; set; }

    /// <summary>Packet time of the request's first byte; of the first response when the request was not seen.</summary>
    public long StartNs { get; set; }

    /// <summary>False when only responses were seen.</summary>
    public bool RequestSeen { get; set; }

    /// <summary>True once the request's last fragment was seen.</summary>
    public bool RequestComplete { get; set; }

    /// <summary>Packet time at which the final response was complete; 0 = not yet.</summary>
    public long EndNs { get; set; }

    /// <summary>Final status; -1 = none seen.</summary>
    public int Status { get; set; }

    public int PendingResponses { get; set; }

    public SubOperations SubOperations { get; set; }

    /// <summary>Bytes of all its fragments in both directions, PDU and PDV headers included.</summary>
    public long Bytes { get; set; }

    /// <summary>Bytes of the request's data set.</summary>
    public long DataSetBytes { get; set; }

    /// <summary>Stands for the pixel data, see <see cref="PixelSample"/>; 0 = not known.</summary>
    public ulong PixelPrint { get; set; }

    public DicomDataSetFacts Facts { get; } = new();

    public void Reset(FlowDirection invoker, DimseCommand command, int messageId, byte contextId, long startNs)
    {
        Invoker = invoker;
        Command = command;
        MessageId = messageId;
        ContextId = contextId;
        StartNs = startNs;
        SopClass = MoveDestination = MoveOriginator = null;
        Instance = default;
        TypeId = Status = -1;
        RequestSeen = RequestComplete = false;
        EndNs = Bytes = DataSetBytes = 0;
        PixelPrint = 0;
        PendingResponses = 0;
        SubOperations = new SubOperations(-1, -1, -1, -1);
        Facts.Reset();
    }
}

/// <summary>
/// The operations of an association that wait for their final response, oldest first. The asynchronous operations window (PS3.7 D.3.3.3)
/// allows several; when <see cref="Capacity"/> wait, the oldest makes room.
/// </summary>
internal sealed class DicomOperationTable
{
    /// <summary>Most operations that wait at once.</summary>
    public const int Capacity = 64;

    private readonly DicomOperation?[] _slots = new DicomOperation?[Capacity];

    /// <summary>Operations that wait.</summary>
    public int Count { get; private set; }

    public DicomOperation this[int index] => _slots[index]!;

    public bool IsFull => Count == Capacity;

    /// <summary>Adds an operation; the table must not be full.</summary>
    public DicomOperation Add() => _slots[Count++] ??= new DicomOperation();

    public DicomOperation? Find(FlowDirection invoker, int messageId)
    {
        for (var i = 0; i < Count; i++)
        {
            var operation = _slots[i]!;
            if (operation.MessageId == messageId && operation.Invoker == invoker)
                return operation;
        }

        return null;
    }

    /// <summary>Takes an operation out; its object is kept for the next one.</summary>
    public void Remove(DicomOperation operation)
    {
        var at = Array.IndexOf(_slots, operation, 0, Count);
        Count--;
        Array.Copy(_slots, at + 1, _slots, at, Count - at);
        _slots[Count] = operation;
    }

    public void Clear() => Count = 0;
}
