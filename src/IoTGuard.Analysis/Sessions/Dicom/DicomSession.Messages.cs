using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;
using IoTGuard.Wire.Application.Dicom;

namespace IoTGuard.Analysis.Sessions;

// DIMSE messages in presentation data values (PS3.8 annex E, PS3.7 chapter 6 and 9 to 10), and their pairing into operations.
public sealed partial class DicomSession
{
    /// <summary>Largest command set read, bytes; only an attribute identifier list can be long.</summary>
    public const int MaximumCommandBytes = 64 * 1024;

    /// <summary>Reads a PDV header, or what is too short for one; returns the bytes used.</summary>
    private int OnPdvHeader(SessionContext context, FlowDirection direction, DicomStream stream, ReadOnlySpan<byte> bytes)
    {
        if (stream.PduRemaining < PdvHeader.Size)
        {
            Fail(context, direction, FaultKind.BadLength, 0, PdvHeader.Size, stream.PduRemaining, "P-DATA-TF with a rest too short for a presentation data value");
            stream.Phase = DicomStreamPhase.Passing;
            return 0;
        }

        var pdv = PdvHeader.Read(bytes);
        var room = stream.PduRemaining - 4;
        if (pdv.Length < PdvHeader.CountedHeaderBytes || pdv.Length > room)
        {
            var text = pdv.Length > room ? "presentation data value longer than its PDU" : "presentation data value too short for its header";
            Fail(context, direction, FaultKind.BadLength, 0, pdv.Length, room, text);
            stream.DropMessage();
            stream.IsResynchronised = true;
            stream.Phase = DicomStreamPhase.Passing;
            return 0;
        }

        stream.Pdv = pdv;
        stream.PdvRemaining = pdv.FragmentLength;
        stream.PduRemaining = room - pdv.Length;
        stream.Phase = DicomStreamPhase.Fragment;
        CheckContext(context, direction, pdv.ContextId);
        BeginFragment(context, direction, stream);
        var charged = 4 + pdv.Length + stream.UnchargedHeaderBytes;
        stream.UnchargedHeaderBytes = 0;
        if (stream.Operation is { } operation)
            operation.Bytes += charged;
        else
            stream.CommandBytes += charged;
        return PdvHeader.Size;
    }

    private void CheckContext(SessionContext context, FlowDirection direction, byte contextId)
    {
        if (_association.Phase is DicomAssociationPhase.None or DicomAssociationPhase.Requested || _association.IsPartial || _association.BadContextTold)
            return;
        if ((contextId & 1) == 1 && _association.Context(contextId).IsAccepted)
            return;
        _association.BadContextTold = true;
        Fail(context, direction, FaultKind.BadValue, 4, contextId, 0, "presentation context that was not accepted");
    }

    /// <summary>Decides what a fragment belongs to.</summary>
    private void BeginFragment(SessionContext context, FlowDirection direction, DicomStream stream)
    {
        if (stream.Pdv.IsCommand)
        {
            if (stream.Message == DicomMessagePhase.Command)
                return;
            if (stream.Message == DicomMessagePhase.DataSet && !stream.IsResynchronised && !MayHaveMissed(context))
                Fail(context, direction, FaultKind.UnexpectedMessage, 0, 0, 0, "command set before the end of the data set before it");
            BeginCommand(stream);
            return;
        }

        if (stream.Message == DicomMessagePhase.DataSet)
        {
            if (stream.Operation is { } operation && !stream.IsResponse)
                operation.DataSetBytes += stream.PdvRemaining;
            return;
        }

        if (!stream.IsResynchronised && !MayHaveMissed(context))
            Fail(context, direction, FaultKind.UnexpectedMessage, 0, 0, 0, "data set without a command set before it");
        stream.DropMessage();
        stream.IsResynchronised = true;
    }

    private static void BeginCommand(DicomStream stream)
    {
        stream.DropMessage();
        stream.Message = DicomMessagePhase.Command;
        stream.MessageNs = stream.PduStartNs;
        stream.CommandBytes = 0;
        stream.Command = DicomCommand.Empty;
        stream.IsResponse = stream.IsFinalResponse = false;
        stream.Reader.Reset(DataSetEncoding.ImplicitLittleEndian);
        stream.IsReading = true;
    }

    /// <summary>Reads a piece of a fragment.</summary>
    private void OnFragment(SessionContext context, FlowDirection direction, DicomStream stream, ReadOnlySpan<byte> bytes)
    {
        var reader = stream.Reader;
        while (true)
        {
            switch (reader.Read(ref bytes, out var value))
            {
                case DataSetToken.NeedMore:
                    if (stream.Message == DicomMessagePhase.Command && reader.Position > MaximumCommandBytes)
                        AbandonCommand(context, direction, stream, FaultKind.TooLarge, "command set above any sane size");
                    return;
                case DataSetToken.Faulted:
                    OnUnreadable(context, direction, stream);
                    return;
                case DataSetToken.Element when stream.Message == DicomMessagePhase.Command:
                    if (DicomTag.Group(reader.Tag) != 0)
                    {
                        AbandonCommand(context, direction, stream, FaultKind.BadValue, "command set with elements of other groups");
                        return;
                    }

                    if (reader.Length is >= 0 and <= DataSetReader.MaximumValueBytes)
                        reader.Take();
                    break;
                case DataSetToken.Element:
                    if (stream.Operation!.Facts.Wants(reader))
                        reader.Take();
                    if (stream.Operation.Facts.IsDone)
                    {
                        EndOfInterest(stream, bytes);
                        return;
                    }

                    break;
                default:
                    if (stream.Message == DicomMessagePhase.Command)
                        TakeCommandElement(context, stream, value);
                    else
                        stream.Operation!.Facts.Take(reader, value, context);
                    break;
            }
        }
    }

    /// <summary>Nothing more of a data set is read, but a sample of the pixel data of a stored object.</summary>
    private static void EndOfInterest(DicomStream stream, ReadOnlySpan<byte> rest)
    {
        stream.IsReading = false;
        if (stream.Operation!.Command != DimseCommand.CStore)
            return;
        stream.Pixels.Begin();
        stream.Pixels.Add(rest);
    }

    private void OnUnreadable(SessionContext context, FlowDirection direction, DicomStream stream)
    {
        var fault = stream.Reader.Fault;
        if (stream.Message == DicomMessagePhase.Command)
        {
            AbandonCommand(context, direction, stream, fault.Kind, "command set that is not implicit VR little endian elements");
            return;
        }

        stream.StopReading();
        // What encoding a partial association's data sets have is a guess.
        if (!_association.IsPartial)
            Fail(context, direction, fault.Kind, fault.Offset, fault.Required, fault.Available, "data set that its transfer syntax does not explain");
    }

    private void AbandonCommand(SessionContext context, FlowDirection direction, DicomStream stream, FaultKind kind, string text)
    {
        if (!stream.IsResynchronised)
            Fail(context, direction, kind, (int)Math.Min(stream.Reader.Position, int.MaxValue), 0, 0, text);
        stream.DropMessage();
        stream.IsResynchronised = true;
    }

    private static void TakeCommandElement(SessionContext context, DicomStream stream, ReadOnlySpan<byte> value)
    {
        ref var command = ref stream.Command;
        switch (stream.Reader.Tag)
        {
            case Dimse.AffectedSopClass or Dimse.RequestedSopClass:
                command.SopClass = Text(context, value, DicomText.MaximumUidLength);
                command.HasBadUid |= !DicomText.IsUid(value);
                break;
            case Dimse.AffectedSopInstance or Dimse.RequestedSopInstance:
                command.Instance = context.Pseudonyms.Of(PseudonymKind.Instance, value);
                command.HasBadUid |= !DicomText.IsUid(value);
                break;
            case Dimse.MoveDestination:
                command.MoveDestination = Text(context, value, AssociatePdu.AeTitleLength);
                command.HasBadAe |= !DicomText.IsAeTitle(value);
                break;
            case Dimse.MoveOriginatorAe:
                command.MoveOriginator = Text(context, value, AssociatePdu.AeTitleLength);
                command.HasBadAe |= !DicomText.IsAeTitle(value);
                break;
            default:
                if (value.Length >= 2)
                    TakeCommandNumber(ref command, stream.Reader.Tag, BinaryPrimitives.ReadUInt16LittleEndian(value));
                break;
        }
    }

    private static void TakeCommandNumber(ref DicomCommand command, uint tag, int value)
    {
        switch (tag)
        {
            case Dimse.CommandField:
                command.Field = value;
                break;
            case Dimse.MessageId:
                command.MessageId = value;
                break;
            case Dimse.MessageIdBeingRespondedTo:
                command.RespondedTo = value;
                break;
            case Dimse.DataSetType:
                command.DataSetType = value;
                break;
            case Dimse.Status:
                command.Status = value;
                break;
            case Dimse.EventTypeId or Dimse.ActionTypeId:
                command.TypeId = value;
                break;
            case Dimse.RemainingSubOperations:
                command.SubOperations.Remaining = value;
                break;
            case Dimse.CompletedSubOperations:
                command.SubOperations.Completed = value;
                break;
            case Dimse.FailedSubOperations:
                command.SubOperations.Failed = value;
                break;
            case Dimse.WarningSubOperations:
                command.SubOperations.Warning = value;
                break;
        }
    }

    /// <summary>A fragment ended.</summary>
    private void EndPdv(SessionContext context, FlowDirection direction, DicomStream stream)
    {
        stream.Phase = DicomStreamPhase.PdvStart;
        if (!stream.Pdv.IsLast || stream.Pdv.IsCommand != (stream.Message == DicomMessagePhase.Command))
            return;
        if (stream.Message == DicomMessagePhase.Command)
            EndCommand(context, direction, stream);
        else if (stream.Message == DicomMessagePhase.DataSet)
            EndDataSet(context, direction, stream);
    }

    private void EndCommand(SessionContext context, FlowDirection direction, DicomStream stream)
    {
        ref readonly var command = ref stream.Command;
        if (!stream.Reader.MayEnd)
        {
            AbandonCommand(context, direction, stream, FaultKind.Truncated, "command set that ends within an element");
            return;
        }

        var kind = Dimse.CommandOf(command.Field);
        var isResponse = (command.Field & Dimse.ResponseBit) != 0;
        if (kind == DimseCommand.None || (isResponse || kind == DimseCommand.CCancel ? command.RespondedTo : command.MessageId) < 0)
        {
            var isMissing = command.Field < 0 || kind != DimseCommand.None;
            AbandonCommand(
                context,
                direction,
                stream,
                isMissing ? FaultKind.MissingItem : FaultKind.BadValue,
                isMissing ? "command set without command field or message id" : "command field that the standard does not know");
            return;
        }

        if (command.HasBadUid)
            Fail(context, direction, FaultKind.BadCharacters, 0, 0, 0, "UID with other characters than digits and dots");
        if (command.HasBadAe)
            Fail(context, direction, FaultKind.BadCharacters, 0, 0, 0, "AE title with characters that no AE title needs");
        stream.IsResynchronised = false;
        stream.IsReading = false;
        stream.IsResponse = isResponse;
        CompleteEarlierRequests(context, direction);
        if (kind == DimseCommand.CCancel)
            EmitCancel(context, direction, stream);
        else if (isResponse)
            OnResponse(context, direction, stream, kind);
        else
            OnRequest(context, direction, stream, kind);
    }

    /// <summary>A new message of a direction ends what it still owed: fragments of earlier requests were lost.</summary>
    private void CompleteEarlierRequests(SessionContext context, FlowDirection direction)
    {
        for (var i = _operations.Count - 1; i >= 0; i--)
        {
            var operation = _operations[i];
            if (operation.Invoker != direction || operation.RequestComplete)
                continue;
            operation.RequestComplete = true;
            if (operation.EndNs != 0)
                Finish(context, operation);
        }
    }

    private void OnRequest(SessionContext context, FlowDirection direction, DicomStream stream, DimseCommand kind)
    {
        ref readonly var command = ref stream.Command;
        if (_operations.Find(direction, command.MessageId) is { } stale)
        {
            if (!MayHaveMissed(context))
                Fail(context, direction, FaultKind.UnexpectedMessage, 0, command.MessageId, 0, "message id of an operation that has no final response yet");
            Finish(context, stale);
        }

        if (_association is { IsPartial: true, Operations: 0 })
            _association.Requestor = direction;
        var operation = AddOperation(context, direction, stream, kind, direction, command.MessageId);
        operation.RequestSeen = true;
        context.Flow.Counters.Requests++;
        if (command.DataSetType is Dimse.NoDataSet or < 0)
        {
            operation.RequestComplete = true;
            EndMessage(stream);
            return;
        }

        BeginDataSet(stream, operation);
        var encoding = TransferSyntax.Of(TransferSyntaxOf(operation)).Encoding;
        if (encoding == DataSetEncoding.Deflated)
            return;
        stream.Reader.Reset(encoding);
        operation.Facts.Begin(kind);
        stream.IsReading = true;
    }

    private void OnResponse(SessionContext context, FlowDirection direction, DicomStream stream, DimseCommand kind)
    {
        ref readonly var command = ref stream.Command;
        var operation = _operations.Find(Opposite(direction), command.RespondedTo);
        if (operation is null && !MayHaveMissed(context))
        {
            Fail(context, direction, FaultKind.OutOfStep, 0, command.RespondedTo, 0, "response to a message id without an open request");
            PassDataSet(stream);
            return;
        }

        if (operation is null)
        {
            operation = AddOperation(context, direction, stream, kind, Opposite(direction), command.RespondedTo);
            operation.RequestComplete = true;
        }
        else
        {
            operation.Bytes += stream.CommandBytes;
        }

        if (operation.Command != kind)
            Fail(context, direction, FaultKind.UnexpectedMessage, 0, command.Field, (long)operation.Command, "response of another kind than its request");
        if (command.Status < 0)
            Fail(context, direction, FaultKind.MissingItem, 0, 0, 0, "response without a status");
        operation.SopClass ??= command.SopClass;
        if (operation.Instance.IsNone)
            operation.Instance = command.Instance;
        if (command.SubOperations != new SubOperations(-1, -1, -1, -1))
            operation.SubOperations = command.SubOperations;
        stream.IsFinalResponse = DimseStatus.ClassOf(command.Status) != DimseStatusClass.Pending;
        if (stream.IsFinalResponse)
        {
            operation.Status = command.Status;
        }
        else
        {
            operation.PendingResponses++;
            context.Flow.Counters.Interim++;
        }

        if (command.DataSetType is not (Dimse.NoDataSet or < 0))
            BeginDataSet(stream, operation);
        else
            EndResponse(context, stream, operation);
    }

    private DicomOperation AddOperation(SessionContext context, FlowDirection sender, DicomStream stream, DimseCommand kind, FlowDirection invoker, int messageId)
    {
        if (_operations.IsFull)
        {
            Fail(context, sender, FaultKind.Overflow, 0, DicomOperationTable.Capacity + 1, DicomOperationTable.Capacity, "more operations without a final response than are followed");
            Finish(context, _operations[0]);
        }

        ref readonly var command = ref stream.Command;
        var operation = _operations.Add();
        operation.Reset(invoker, kind, messageId, stream.Pdv.ContextId, stream.MessageNs);
        operation.SopClass = command.SopClass;
        operation.Instance = command.Instance;
        operation.MoveDestination = command.MoveDestination;
        operation.MoveOriginator = command.MoveOriginator;
        operation.TypeId = command.TypeId;
        operation.Bytes = stream.CommandBytes;
        _association.Operations++;
        return operation;
    }

    private static void BeginDataSet(DicomStream stream, DicomOperation? operation)
    {
        stream.Message = DicomMessagePhase.DataSet;
        stream.Operation = operation;
        stream.CommandBytes = 0;
    }

    private static void PassDataSet(DicomStream stream)
    {
        if (stream.Command.DataSetType is Dimse.NoDataSet or < 0)
            EndMessage(stream);
        else
            BeginDataSet(stream, null);
    }

    private static void EndMessage(DicomStream stream)
    {
        stream.DropMessage();
        stream.CommandBytes = 0;
    }

    private void EndDataSet(SessionContext context, FlowDirection direction, DicomStream stream)
    {
        var operation = stream.Operation;
        if (stream.IsReading && !stream.Reader.MayEnd && !stream.IsResynchronised && !_association.IsPartial)
            Fail(context, direction, FaultKind.Truncated, (int)Math.Min(stream.Reader.Position, int.MaxValue), 0, 0, "data set that ends within an element");
        var isResponse = stream.IsResponse;
        if (operation is null)
        {
            EndMessage(stream);
            return;
        }

        if (operation.Facts.HasBadUid && !isResponse)
            Fail(context, direction, FaultKind.BadCharacters, 0, 0, 0, "UID with other characters than digits and dots");
        if (isResponse)
        {
            EndResponse(context, stream, operation);
            return;
        }

        operation.PixelPrint = stream.Pixels.Value;
        EndMessage(stream);
        operation.RequestComplete = true;
        if (operation.EndNs != 0)
            Finish(context, operation);
    }

    private void EndResponse(SessionContext context, DicomStream stream, DicomOperation operation)
    {
        var isFinal = stream.IsFinalResponse;
        EndMessage(stream);
        if (!isFinal)
            return;
        operation.EndNs = context.TimeNs;
        context.Flow.Counters.Responses++;
        if (DimseStatus.ClassOf(operation.Status) == DimseStatusClass.Failure)
            context.Flow.Counters.Failures++;
        if (operation.RequestComplete)
            Finish(context, operation);
    }

    /// <summary>Emits an operation and forgets it.</summary>
    private void Finish(SessionContext context, DicomOperation operation)
    {
        foreach (var stream in _streams)
        {
            if (ReferenceEquals(stream.Operation, operation))
            {
                stream.Operation = null;
                stream.StopReading();
            }
        }

        EmitOperation(context, operation);
        _operations.Remove(operation);
    }

    private void EndOperations(SessionContext context)
    {
        while (_operations.Count > 0)
            Finish(context, _operations[0]);
    }

    private string? TransferSyntaxOf(DicomOperation operation) =>
        (operation.ContextId & 1) == 1 ? _association.Context(operation.ContextId).TransferSyntax : null;
}
