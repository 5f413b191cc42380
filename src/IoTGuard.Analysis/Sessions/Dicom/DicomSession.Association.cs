using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;
using IoTGuard.Wire.Application.Dicom;

namespace IoTGuard.Analysis.Sessions;

// Associations: request, accept, reject, release, abort (PS3.8 chapter 7 and 9).
public sealed partial class DicomSession
{
    /// <summary>How long data may come before its accept without being a fault, ns: a mirror port delivers directions out of order.</summary>
    public const long EarlyDataToleranceNs = 10_000_000;

    /// <summary>Longest implementation version name (PS3.7 D.3.3.2.3), bytes.</summary>
    private const int MaximumVersionLength = 16;

    /// <summary>A text of a header; none when it is too long or holds what no text does, which may be anything.</summary>
    private static string? Text(SessionContext context, ReadOnlySpan<byte> bytes, int maximum)
    {
        bytes = DicomText.Trim(bytes);
        return bytes.Length > maximum || bytes.ContainsAnyExceptInRange((byte)0x20, (byte)0x7E) ? null : context.Texts.Of(bytes);
    }

    private DicomTransaction BeginEvent(SessionContext context, DicomEvent kind)
    {
        var transaction = context.Begin<DicomTransaction>(_association.Requestor);
        transaction.Event = kind;
        transaction.CallingAe = _association.CallingAe;
        transaction.CalledAe = _association.CalledAe;
        transaction.PartialAssociation = _association.IsPartial;
        transaction.Operations = _association.Operations;
        return transaction;
    }

    private void OnAssociateRequest(SessionContext context, FlowDirection direction, DicomStream stream, ReadOnlySpan<byte> body)
    {
        AssociatePdu.TryRead(body, out var pdu);
        if (_association.Phase != DicomAssociationPhase.None)
        {
            // Within an association this is more likely a broken stream than a request: its texts might be anything.
            if ((pdu.ProtocolVersion & 1) == 0 || pdu.HasReservedContent)
            {
                Fail(context, direction, FaultKind.UnexpectedMessage, 0, 0, 0, "A-ASSOCIATE-RQ within an association");
                return;
            }

            if (!MayHaveMissed(context))
                Fail(context, direction, FaultKind.UnexpectedMessage, 0, 0, 0, "A-ASSOCIATE-RQ within an association");
            EndOperations(context);
            EndAssociation(context);
        }

        _association.Reset();
        _association.Phase = DicomAssociationPhase.Requested;
        _association.Requestor = direction;
        _association.RequestNs = stream.PduStartNs;
        _association.Bytes = PduHeader.Size + body.Length;
        _beginningSeen = true;
        foreach (var each in _streams)
            each.HadGap = false;
        ForgetMessages();
        _association.CallingAe = Text(context, pdu.CallingAe, AssociatePdu.AeTitleLength);
        _association.CalledAe = Text(context, pdu.CalledAe, AssociatePdu.AeTitleLength);
        if ((pdu.ProtocolVersion & 1) == 0)
            Fail(context, direction, FaultKind.BadValue, 6, pdu.ProtocolVersion, 1, "A-ASSOCIATE-RQ of an unknown protocol version");
        if (!DicomText.IsAeTitle(pdu.CallingAe) || !DicomText.IsAeTitle(pdu.CalledAe))
            Fail(context, direction, FaultKind.BadCharacters, 10, 0, 0, "AE title with characters that no AE title needs");
        if (DicomText.Trim(pdu.CallingAe).IsEmpty || DicomText.Trim(pdu.CalledAe).IsEmpty)
            Fail(context, direction, FaultKind.MissingItem, 10, 0, 0, "A-ASSOCIATE-RQ with an empty AE title");
        ReadRequestItems(context, direction, pdu.Items);
    }

    private void ReadRequestItems(SessionContext context, FlowDirection direction, ItemReader items)
    {
        var hasApplicationContext = false;
        var hasUserInformation = false;
        var contexts = default(ContextFaults);
        while (items.Read())
        {
            switch (items.Type)
            {
                case ItemType.ApplicationContext:
                    hasApplicationContext = true;
                    contexts.BadUid |= !DicomText.IsUid(items.Body);
                    break;
                case ItemType.PresentationContextRequest:
                    ReadProposedContext(context, items.Body, ref contexts);
                    break;
                case ItemType.UserInformation:
                    hasUserInformation = true;
                    ReadUserInformation(context, direction, items.Body, isRequest: true);
                    break;
            }
        }

        TellContextFaults(context, direction, contexts, items.Fault);
        if (!hasApplicationContext || !hasUserInformation || _association.ContextsProposed == 0)
            Fail(context, direction, FaultKind.MissingItem, 0, 0, 0, "A-ASSOCIATE-RQ without application context, presentation context or user information");
    }

    private void ReadProposedContext(SessionContext context, ReadOnlySpan<byte> body, ref ContextFaults faults)
    {
        _association.ContextsProposed++;
        if (!PresentationContext.TryRead(body, out var proposed) || (proposed.Id & 1) == 0)
        {
            faults.BadContext = true;
            return;
        }

        ref var state = ref _association.Context(proposed.Id);
        faults.BadContext |= state.IsProposed;
        state.IsProposed = true;
        var transferSyntaxes = 0;
        var items = proposed.SubItems;
        while (items.Read())
        {
            if (items.Type == ItemType.AbstractSyntax)
                state.AbstractSyntax = Text(context, items.Body, DicomText.MaximumUidLength);
            else if (items.Type == ItemType.TransferSyntax)
                transferSyntaxes++;
            else
                continue;
            faults.BadUid |= !DicomText.IsUid(items.Body);
        }

        faults.BadContext |= state.AbstractSyntax is null || transferSyntaxes == 0;
        if (faults.Truncated.IsNone)
            faults.Truncated = items.Fault;
    }

    private void OnAssociateAccept(SessionContext context, FlowDirection direction, DicomStream stream, ReadOnlySpan<byte> body)
    {
        AssociatePdu.TryRead(body, out var pdu);
        if (_association.Phase != DicomAssociationPhase.Requested || direction == _association.Requestor)
        {
            if (!MayHaveMissed(context))
            {
                Fail(context, direction, FaultKind.OutOfStep, 0, 0, 0, "A-ASSOCIATE-AC that nobody asked for");
                return;
            }

            // The request was lost; the accept repeats its AE titles, or should (PS3.8 9.3.3).
            _association.Reset();
            _association.IsPartial = true;
            _association.Requestor = Opposite(direction);
            _association.CallingAe = Text(context, pdu.CallingAe, AssociatePdu.AeTitleLength);
            _association.CalledAe = Text(context, pdu.CalledAe, AssociatePdu.AeTitleLength);
        }

        _association.Phase = DicomAssociationPhase.Established;
        _association.Bytes += PduHeader.Size + body.Length;
        context.Flow.Counters.Associations++;
        var contexts = default(ContextFaults);
        var items = pdu.Items;
        while (items.Read())
        {
            if (items.Type == ItemType.PresentationContextResult)
                ReadAnsweredContext(context, items.Body, ref contexts);
            else if (items.Type == ItemType.UserInformation)
                ReadUserInformation(context, direction, items.Body, isRequest: false);
        }

        TellContextFaults(context, direction, contexts, items.Fault);
        if (_association.EarlyDataNs >= 0 && context.TimeNs - _association.EarlyDataNs > EarlyDataToleranceNs)
            TellEarlyData(context);
        _association.EarlyDataNs = -1;
        var transaction = BeginAssociationEvent(context, DicomEvent.AssociateAccept);
        context.Emit(transaction);
    }

    private void ReadAnsweredContext(SessionContext context, ReadOnlySpan<byte> body, ref ContextFaults faults)
    {
        if (!PresentationContext.TryRead(body, out var answered) || (answered.Id & 1) == 0)
        {
            faults.BadContext = true;
            return;
        }

        ref var state = ref _association.Context(answered.Id);
        faults.BadContext |= !state.IsProposed && !_association.IsPartial;
        // The transfer syntax of a context that was not accepted has no significance (PS3.8 9.3.3.2).
        if (answered.Result != PresentationContext.Acceptance)
            return;
        _association.ContextsAccepted += state.IsAccepted ? 0 : 1;
        state.IsAccepted = true;
        var items = answered.SubItems;
        while (items.Read())
        {
            if (items.Type != ItemType.TransferSyntax)
                continue;
            state.TransferSyntax = Text(context, items.Body, DicomText.MaximumUidLength);
            faults.BadUid |= !DicomText.IsUid(items.Body);
        }

        if (faults.Truncated.IsNone)
            faults.Truncated = items.Fault;
    }

    private void ReadUserInformation(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> body, bool isRequest)
    {
        var information = UserInformation.Read(body);
        if (isRequest)
        {
            _association.RequestorMaximumLength = information.MaximumLength;
            _association.RequestorClass = Text(context, information.ImplementationClass, DicomText.MaximumUidLength);
            _association.RequestorVersion = Text(context, information.ImplementationVersion, MaximumVersionLength);
            _association.RoleSelections = information.RoleSelections;
            _association.ExtendedNegotiations = information.ExtendedNegotiations;
            _association.CommonExtendedNegotiations = information.CommonExtendedNegotiations;
            _association.UserIdentityType = information.Identity.Type;
        }
        else
        {
            _association.AcceptorMaximumLength = information.MaximumLength;
            _association.AcceptorClass = Text(context, information.ImplementationClass, DicomText.MaximumUidLength);
            _association.AcceptorVersion = Text(context, information.ImplementationVersion, MaximumVersionLength);
            _association.OperationsInvoked = information.OperationsInvoked;
            _association.OperationsPerformed = information.OperationsPerformed;
            _association.UserIdentityConfirmed = information.IdentityAnswered;
        }

        if (!information.Fault.IsNone)
            Fail(context, direction, information.Fault.Kind, information.Fault.Offset, information.Fault.Required, information.Fault.Available, "user information item that is not whole");
        if (information.HasBadUid)
            Fail(context, direction, FaultKind.BadCharacters, 0, 0, 0, "UID with other characters than digits and dots");
    }

    private void TellContextFaults(SessionContext context, FlowDirection direction, ContextFaults contexts, Fault items)
    {
        var truncated = items.IsNone ? contexts.Truncated : items;
        if (!truncated.IsNone)
            Fail(context, direction, truncated.Kind, truncated.Offset, truncated.Required, truncated.Available, "association item longer than what holds it");
        if (contexts.BadContext)
            Fail(context, direction, FaultKind.BadValue, 0, 0, 0, "presentation context with a bad id, or without its syntaxes, or answered without being proposed");
        if (contexts.BadUid)
            Fail(context, direction, FaultKind.BadCharacters, 0, 0, 0, "UID with other characters than digits and dots");
    }

    private DicomTransaction BeginAssociationEvent(SessionContext context, DicomEvent kind)
    {
        var association = _association;
        var transaction = BeginEvent(context, kind);
        if (association.RequestNs >= 0)
        {
            transaction.TimeNs = association.RequestNs;
            transaction.DurationNs = kind == DicomEvent.AssociateRequest ? -1 : context.TimeNs - association.RequestNs;
        }

        transaction.Bytes = association.Bytes;
        transaction.ContextsProposed = association.ContextsProposed;
        transaction.ContextsAccepted = association.ContextsAccepted;
        transaction.AbstractSyntaxes = association.CountAbstractSyntaxes();
        transaction.RequestorImplementationClass = association.RequestorClass;
        transaction.RequestorImplementationVersion = association.RequestorVersion;
        transaction.RequestorMaximumLength = association.RequestorMaximumLength;
        transaction.AcceptorImplementationClass = association.AcceptorClass;
        transaction.AcceptorImplementationVersion = association.AcceptorVersion;
        transaction.AcceptorMaximumLength = association.AcceptorMaximumLength;
        transaction.OperationsInvoked = association.OperationsInvoked;
        transaction.OperationsPerformed = association.OperationsPerformed;
        transaction.RoleSelections = association.RoleSelections;
        transaction.ExtendedNegotiations = association.ExtendedNegotiations;
        transaction.CommonExtendedNegotiations = association.CommonExtendedNegotiations;
        transaction.UserIdentityType = association.UserIdentityType;
        transaction.UserIdentityConfirmed = association.UserIdentityConfirmed;
        return transaction;
    }

    private void OnAssociateReject(SessionContext context, FlowDirection direction, DicomStream stream, ReadOnlySpan<byte> body)
    {
        var isExpected = _association.Phase == DicomAssociationPhase.Requested && direction != _association.Requestor;
        if (!isExpected && !MayHaveMissed(context))
        {
            Fail(context, direction, FaultKind.OutOfStep, 0, 0, 0, "A-ASSOCIATE-RJ that nobody asked for");
            return;
        }

        if (!isExpected)
        {
            _association.Reset();
            _association.IsPartial = true;
            _association.Requestor = Opposite(direction);
        }

        TellEarlyData(context);
        context.Flow.Counters.Failures++;
        _association.Bytes += PduHeader.Size + body.Length;
        var transaction = BeginAssociationEvent(context, DicomEvent.AssociateReject);
        transaction.Result = body[1];
        transaction.Source = body[2];
        transaction.Reason = body[3];
        context.Emit(transaction);
        CloseAssociation();
    }

    private void OnReleaseRequest(SessionContext context, FlowDirection direction, DicomStream stream)
    {
        PickUp(context, direction);
        if (_association.Phase != DicomAssociationPhase.Established && !MayHaveMissed(context))
        {
            // Both may ask at once (PS3.8 7.2.2.7); then either response ends the association.
            if (_association.Phase != DicomAssociationPhase.ReleaseRequested || _association.ReleaseDirection == direction)
                Fail(context, direction, FaultKind.UnexpectedMessage, 0, 0, 0, "A-RELEASE-RQ outside an association");
            return;
        }

        _association.Phase = DicomAssociationPhase.ReleaseRequested;
        _association.ReleaseDirection = direction;
        _association.ReleaseNs = stream.PduStartNs;
    }

    private void OnReleaseResponse(SessionContext context, FlowDirection direction, DicomStream stream)
    {
        PickUp(context, Opposite(direction));
        if (_association.Phase != DicomAssociationPhase.ReleaseRequested && !MayHaveMissed(context))
        {
            Fail(context, direction, FaultKind.OutOfStep, 0, 0, 0, "A-RELEASE-RP that nobody asked for");
            return;
        }

        if (_association.Phase == DicomAssociationPhase.None)
            return;
        EndOperations(context);
        EmitRelease(context, isAnswered: true);
        CloseAssociation();
    }

    private void EmitRelease(SessionContext context, bool isAnswered)
    {
        var transaction = BeginEvent(context, DicomEvent.Release);
        if (_association.ReleaseNs >= 0)
        {
            transaction.TimeNs = _association.ReleaseNs;
            transaction.DurationNs = isAnswered ? context.TimeNs - _association.ReleaseNs : -1;
        }

        const int pduBytes = PduHeader.Size + PduHeader.ShortPduLength;
        transaction.Bytes = isAnswered ? 2 * pduBytes : pduBytes;
        context.Emit(transaction);
    }

    private void OnAbort(SessionContext context, FlowDirection direction, DicomStream stream, ReadOnlySpan<byte> body)
    {
        if (_association.Phase == DicomAssociationPhase.None)
        {
            // An acceptor may abort what it did not understand; a second abort crosses the first.
            _association.IsPartial |= MayHaveMissed(context);
        }

        if (_association.Phase == DicomAssociationPhase.Requested)
            context.Emit(BeginAssociationEvent(context, DicomEvent.AssociateRequest));
        TellEarlyData(context);
        EndOperations(context);
        var transaction = BeginEvent(context, DicomEvent.Abort);
        transaction.TimeNs = stream.PduStartNs;
        transaction.Bytes = PduHeader.Size + body.Length;
        transaction.Source = body[2];
        transaction.Reason = body[3];
        transaction.SentByServer = direction != _association.Requestor;
        context.Emit(transaction);
        CloseAssociation();
    }

    /// <summary>Emits what is left of the association when the connection or the capture ends.</summary>
    private void EndAssociation(SessionContext context)
    {
        TellEarlyData(context);
        switch (_association.Phase)
        {
            case DicomAssociationPhase.Requested:
                context.Emit(BeginAssociationEvent(context, DicomEvent.AssociateRequest));
                break;
            case DicomAssociationPhase.Established:
                var end = BeginEvent(context, DicomEvent.AssociationEnd);
                end.DurationNs = _association.RequestNs < 0 ? -1 : context.TimeNs - _association.RequestNs;
                context.Emit(end);
                break;
            case DicomAssociationPhase.ReleaseRequested:
                EmitRelease(context, isAnswered: false);
                break;
        }

        CloseAssociation();
    }

    // AE titles stay known for what may still come on the connection.
    private void CloseAssociation()
    {
        _association.Phase = DicomAssociationPhase.None;
        _association.EarlyDataNs = -1;
        _association.Operations = 0;
        ForgetMessages();
    }

    private void ForgetMessages()
    {
        foreach (var stream in _streams)
        {
            stream.DropMessage();
            stream.OverlongTold = false;
        }
    }

    /// <summary>Message data or a release without a known association: its beginning was missed.</summary>
    private void PickUp(SessionContext context, FlowDirection requestor)
    {
        if (_association.Phase != DicomAssociationPhase.None || !MayHaveMissed(context))
            return;
        _association.Reset();
        _association.IsPartial = true;
        _association.Requestor = requestor;
        _association.Phase = DicomAssociationPhase.Established;
    }

    /// <summary>A P-DATA-TF came: is there an association for it?</summary>
    private void CheckDataState(SessionContext context, FlowDirection direction)
    {
        PickUp(context, FlowDirection.FromOriginator);
        switch (_association.Phase)
        {
            case DicomAssociationPhase.None:
                Fail(context, direction, FaultKind.UnexpectedMessage, 0, 0, 0, "P-DATA-TF outside an association");
                _association.Reset();
                _association.IsPartial = true;
                _association.Phase = DicomAssociationPhase.Established;
                break;
            case DicomAssociationPhase.Requested when MayHaveMissed(context):
                _association.IsPartial = true;
                _association.Phase = DicomAssociationPhase.Established;
                break;
            case DicomAssociationPhase.Requested when _association.EarlyDataNs < 0:
                _association.EarlyDataNs = context.TimeNs;
                break;
            case DicomAssociationPhase.ReleaseRequested when direction == _association.ReleaseDirection && !MayHaveMissed(context):
                Fail(context, direction, FaultKind.UnexpectedMessage, 0, 0, 0, "P-DATA-TF after its sender's A-RELEASE-RQ");
                break;
        }
    }

    private void TellEarlyData(SessionContext context)
    {
        if (_association.EarlyDataNs >= 0)
            Fail(context, _association.Requestor, FaultKind.UnexpectedMessage, 0, 0, 0, "P-DATA-TF before the association was accepted");
        _association.EarlyDataNs = -1;
    }

    private struct ContextFaults
    {
        public bool BadContext;
        public bool BadUid;
        public Fault Truncated;
    }
}
