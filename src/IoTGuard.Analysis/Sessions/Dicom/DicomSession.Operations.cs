using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Dicom;

namespace IoTGuard.Analysis.Sessions;

// Operations as transactions.
public sealed partial class DicomSession
{
    private static DicomEvent EventOf(DimseCommand command) => command switch
    {
        DimseCommand.CStore => DicomEvent.CStore,
        DimseCommand.CGet => DicomEvent.CGet,
        DimseCommand.CFind => DicomEvent.CFind,
        DimseCommand.CMove => DicomEvent.CMove,
        DimseCommand.CEcho => DicomEvent.CEcho,
        DimseCommand.NEventReport => DicomEvent.NEventReport,
        DimseCommand.NGet => DicomEvent.NGet,
        DimseCommand.NSet => DicomEvent.NSet,
        DimseCommand.NAction => DicomEvent.NAction,
        DimseCommand.NCreate => DicomEvent.NCreate,
        DimseCommand.NDelete => DicomEvent.NDelete,
        _ => DicomEvent.CCancel,
    };

    /// <summary>C-CANCEL has no response (PS3.7 9.3.2.3); the operation that it cancels goes on until its final one.</summary>
    private void EmitCancel(SessionContext context, FlowDirection direction, DicomStream stream)
    {
        var transaction = BeginInvoked(context, direction, DicomEvent.CCancel);
        transaction.TimeNs = stream.MessageNs;
        transaction.Bytes = stream.CommandBytes;
        transaction.MessageId = stream.Command.RespondedTo;
        transaction.ContextId = stream.Pdv.ContextId;
        transaction.SopClass = stream.Command.SopClass;
        context.Emit(transaction);
        PassDataSet(stream);
    }

    private DicomTransaction BeginInvoked(SessionContext context, FlowDirection invoker, DicomEvent kind)
    {
        var transaction = context.Begin<DicomTransaction>(invoker);
        transaction.Event = kind;
        transaction.CallingAe = _association.CallingAe;
        transaction.CalledAe = _association.CalledAe;
        transaction.PartialAssociation = _association.IsPartial;
        transaction.Operations = _association.Operations;
        return transaction;
    }

    private void EmitOperation(SessionContext context, DicomOperation operation)
    {
        var transaction = BeginInvoked(context, operation.Invoker, EventOf(operation.Command));
        transaction.TimeNs = operation.StartNs;
        transaction.DurationNs = operation is { RequestSeen: true, EndNs: > 0 } ? operation.EndNs - operation.StartNs : -1;
        transaction.Bytes = operation.Bytes;
        transaction.MessageId = operation.MessageId;
        transaction.ContextId = operation.ContextId;
        transaction.TransferSyntax = TransferSyntaxOf(operation);
        transaction.Status = operation.Status;
        transaction.PendingResponses = operation.PendingResponses;
        transaction.SubOperations = operation.SubOperations;
        transaction.MoveDestination = operation.MoveDestination;
        transaction.MoveOriginator = operation.MoveOriginator;
        transaction.TypeId = operation.TypeId;
        transaction.DataSetBytes = operation.DataSetBytes;
        transaction.PixelPrint = operation.PixelPrint;
        CopyFacts(operation, transaction);
        if (operation is { Command: DimseCommand.CStore, Status: >= 0 } && DimseStatus.ClassOf(operation.Status) != DimseStatusClass.Failure)
        {
            context.Flow.Counters.Objects++;
            context.Flow.Counters.ObjectBytes += operation.DataSetBytes;
        }

        context.Emit(transaction);
    }

    private static void CopyFacts(DicomOperation operation, DicomTransaction transaction)
    {
        var facts = operation.Facts;
        var syntax = TransferSyntax.Of(transaction.TransferSyntax);
        transaction.SopClass = operation.SopClass ?? facts.SopClass;
        transaction.Instance = operation.Instance.IsNone ? facts.Instance : operation.Instance;
        transaction.Patient = facts.Patient;
        transaction.Study = facts.Study;
        transaction.Series = facts.Series;
        transaction.QueryLevel = facts.QueryLevel;
        transaction.QueryKeys = facts.QueryKeys;
        transaction.EmptyKeys = facts.EmptyKeys;
        transaction.WildcardKeys = facts.WildcardKeys;
        transaction.Modality = facts.Modality;
        transaction.Manufacturer = facts.Manufacturer;
        transaction.ModelName = facts.ModelName;
        transaction.StationName = facts.StationName;
        transaction.DeviceSerial = facts.DeviceSerial;
        transaction.SoftwareVersions = facts.SoftwareVersions;
        transaction.Program = facts.Program;
        transaction.Rows = facts.Rows;
        transaction.Columns = facts.Columns;
        transaction.BitsAllocated = facts.BitsAllocated;
        transaction.SamplesPerPixel = facts.SamplesPerPixel;
        transaction.Frames = facts.Frames;
        transaction.IsDeflated = syntax.Encoding == DataSetEncoding.Deflated;
        transaction.ExpectedPixelBytes = syntax.IsNative ? ExpectedPixelBytes(facts) : -1;
    }

    /// <summary>Size of native pixel data (PS3.5 8.1.1), bytes; -1 when rows, columns or bits are not known.</summary>
    private static long ExpectedPixelBytes(DicomDataSetFacts facts)
    {
        if (facts.Rows == 0 || facts.Columns == 0 || facts.BitsAllocated == 0)
            return -1;
        var bits = (Int128)facts.Rows * facts.Columns * facts.BitsAllocated * Math.Max(1, facts.SamplesPerPixel) * Math.Max(1, facts.Frames);
        return (long)Int128.Min((bits + 7) / 8, long.MaxValue);
    }
}
