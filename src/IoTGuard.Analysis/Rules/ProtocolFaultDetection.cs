using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>Malformed DICOM and HL7, frames without an end, and bytes of something else on a medical service.</summary>
internal sealed class ProtocolFaultDetection(DetectionContext context)
{
    /// <summary>Most pairs, and most medical services, watched at once.</summary>
    public const int MaximumKeys = 16_384;

    private const int WindowSeconds = 600;

    private readonly Rule _dicom = context.Of(DicomRules.Malformed);
    private readonly Rule _hl7 = context.Of(Hl7Rules.Malformed);
    private readonly Rule _endless = context.Of(Hl7Rules.EndlessFrame);
    private readonly Dictionary<(IpAddress, ushort), ApplicationProtocol> _services = Services(context.Site);
    private readonly KeyedState<(IpAddress From, IpAddress To, ApplicationProtocol), Faults> _faults = new(MaximumKeys, WindowSeconds * 1_000_000_000L);

    private sealed class Faults
    {
        public WindowSum Count;
        public WindowSum Severe;
    }

    public void OnTransaction(Transaction transaction)
    {
        switch (transaction)
        {
            case DicomTransaction { Event: DicomEvent.Fault } dicom:
                OnFault(dicom, ApplicationProtocol.Dicom, dicom.Fault, dicom.FaultText, dicom.SentByServer);
                break;
            case DicomTransaction { Event: DicomEvent.AssociateAccept }:
                NoteService(transaction, ApplicationProtocol.Dicom);
                break;
        }
    }

    public void OnHl7(Hl7Transaction transaction, Hl7Link? link)
    {
        if (transaction.Event == Hl7Event.Fault)
        {
            OnFault(transaction, ApplicationProtocol.Hl7, transaction.Fault, transaction.FaultText, sentByServer: false);
            return;
        }

        if (transaction is not { Event: Hl7Event.Message, AckCode: not null, OverHttp: false })
            return;
        if (link is { Service: { } service } && link.ServicePort == transaction.ServerPort)
        {
            service.Again(transaction.TimeNs);
            return;
        }

        var noted = NoteService(transaction, ApplicationProtocol.Hl7);
        if (link is not null)
            (link.Service, link.ServicePort) = (noted, transaction.ServerPort);
    }

    /// <summary>A connection to a medical service that carried something else.</summary>
    public void OnClosed(in FlowRecord flow, long timeNs)
    {
        if (flow.IpProtocol != IpProtocol.Tcp || flow.FromOriginator.Syn == 0
            || flow.FromOriginator.PayloadBytes == 0 || flow.FromOriginator.GapBytes > 0
            || !_services.TryGetValue((flow.Responder, flow.ResponderPort), out var protocol)
            || flow.Application == protocol)
            return;
        var fact = new Fact(FactKind.ProtocolFault, flow.Originator, flow.Responder, (int)FaultKind.Garbage, ApplicationProtocols.NameOf(protocol));
        context.Facts.Note(fact, timeNs);
        if (context.Facts.IsLearned(fact))
            return;
        var from = context.PartyOf(flow.Originator, flow.OriginatorMac);
        var to = context.PartyOf(flow.Responder, flow.ResponderMac);
        if (Count(from, to, protocol, FaultKind.Garbage, flow.FirstNs, timeNs) is not { } open)
            return;
        open.Include("what", protocol == ApplicationProtocol.Dicom ? "bytes that are no DICOM on a DICOM port" : "bytes that are no HL7 on an HL7 port").Flow(in flow);
        context.Alerts.Emit(open);
    }

    private static Dictionary<(IpAddress, ushort), ApplicationProtocol> Services(Site site)
    {
        var services = new Dictionary<(IpAddress, ushort), ApplicationProtocol>();
        foreach (var fact in site.Facts.Keys)
        {
            if (fact.Kind == FactKind.MedicalService && services.Count < MaximumKeys)
                services[(fact.A, (ushort)fact.Number)] = fact.Text == "hl7" ? ApplicationProtocol.Hl7 : ApplicationProtocol.Dicom;
        }

        return services;
    }

    private SeenFact? NoteService(Transaction transaction, ApplicationProtocol protocol)
    {
        var fact = new Fact(FactKind.MedicalService, transaction.Server, Number: transaction.ServerPort, Text: ApplicationProtocols.NameOf(protocol));
        context.Facts.Note(fact, transaction.TimeNs, out var seen);
        if (_services.Count < MaximumKeys)
            _services.TryAdd((transaction.Server, transaction.ServerPort), protocol);
        return seen;
    }

    private void OnFault(Transaction transaction, ApplicationProtocol protocol, Fault fault, string? text, bool sentByServer)
    {
        // What the capture lost, or gave in another order, is nobody's fault.
        if (fault.Kind is FaultKind.Gap or FaultKind.Truncated or FaultKind.Overflow or FaultKind.OutOfStep or FaultKind.None)
            return;
        var (from, fromMac, to, toMac) = sentByServer
            ? (transaction.Server, transaction.ServerMac, transaction.Client, transaction.ClientMac)
            : (transaction.Client, transaction.ClientMac, transaction.Server, transaction.ServerMac);
        var fact = new Fact(FactKind.ProtocolFault, from, to, (int)fault.Kind, transaction.Protocol);
        context.Facts.Note(fact, transaction.TimeNs);
        if (context.Facts.IsLearned(fact))
            return;
        var (sender, receiver) = (context.PartyOf(from, fromMac), context.PartyOf(to, toMac));
        var open = protocol == ApplicationProtocol.Hl7 && IsEndless(fault)
            ? Mark(context.Observe(_endless, sender, receiver, transaction.TimeNs, transaction.TimeNs, 0.85), protocol)
            : Count(sender, receiver, protocol, fault.Kind, transaction.TimeNs, transaction.TimeNs);
        if (open is null)
            return;
        open.Include("what", text ?? fault.Kind.ToString()).Flow(transaction);
        context.Alerts.Emit(open);
    }

    private OpenAlert? Count(in Party from, in Party to, ApplicationProtocol protocol, FaultKind kind, long firstNs, long timeNs)
    {
        var isHl7 = protocol == ApplicationProtocol.Hl7;
        if (_faults.Touch((from.Address, to.Address, protocol), timeNs, static () => new Faults()) is not { } faults)
            return null;
        var window = DetectionContext.Ns(WindowSeconds);
        faults.Count.Add(1, timeNs, window);
        if (IsSevere(kind))
            faults.Severe.Add(1, timeNs, window);
        var rule = isHl7 ? _hl7 : _dicom;
        var fires = faults.Count.Total >= rule["faults"] || (!isHl7 && faults.Severe.Total >= rule["severe_faults"]);
        if (!fires)
            return null;
        var open = Mark(context.Observe(rule, from, to, Math.Min(firstNs, faults.Count.FirstNs), timeNs, faults.Count.Total > 1 ? 0.9 : 0.7), protocol);
        return open?.Number("faults", open.Alert.Count, "faults", "0");
    }

    private static OpenAlert? Mark(OpenAlert? open, ApplicationProtocol protocol)
    {
        if (open is not null)
            open.Alert.Protocol = ApplicationProtocols.NameOf(protocol);
        return open;
    }

    /// <summary>A frame that grew or stayed open, told while it does or when its connection ends.</summary>
    private bool IsEndless(Fault fault) =>
        fault.Kind == FaultKind.TooLarge
        || (fault.Kind == FaultKind.NoEndBlock && (fault.Required >= _endless["open_seconds"] || fault.Offset >= _endless["bytes"]));

    private static bool IsSevere(FaultKind kind) => kind is FaultKind.TooLarge or FaultKind.BadLength or FaultKind.Garbage or FaultKind.BadValue or FaultKind.TooDeep;
}
