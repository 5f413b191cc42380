using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>Medical data to the outside, log-in services in the clear, and bytes that contradict their first copy.</summary>
internal sealed class ExposureDetection(DetectionContext context)
{
    private static readonly HashSet<ushort> ClearLoginPorts = [21, 23, 513];

    private readonly Rule _dicom = context.Of(DicomRules.PublicAddress);
    private readonly Rule _hl7 = context.Of(Hl7Rules.PublicAddress);
    private readonly Rule _clear = context.Of(NetworkRules.InsecureService);
    private readonly Rule _overlap = context.Of(NetworkRules.OverlapConflict);

    public void OnTransaction(Transaction transaction)
    {
        var clientOutside = context.Scope.IsOutside(transaction.Client);
        var serverOutside = context.Scope.IsOutside(transaction.Server);
        if (!clientOutside && !serverOutside)
            return;
        var rule = transaction is Hl7Transaction ? _hl7 : _dicom;
        var client = context.ClientOf(transaction);
        var server = context.ServerOf(transaction);
        var open = clientOutside && !serverOutside
            ? context.Observe(rule, server, client, transaction.TimeNs, transaction.TimeNs, 0.95)
            : context.Observe(rule, client, server, transaction.TimeNs, transaction.TimeNs, 0.95);
        if (open is null)
            return;
        open.Alert.Protocol = transaction.Protocol;
        open.Number("messages", open.Alert.Count, "messages", "0").Patient(PatientOf(transaction)).Flow(transaction);
        context.Alerts.Emit(open);
    }

    private static Pseudonym PatientOf(Transaction transaction) => transaction switch
    {
        Hl7Transaction message => message.Patient,
        DicomTransaction dicom => dicom.Patient,
        _ => default,
    };

    public void OnFlow(in FlowRecord flow, long timeNs)
    {
        var isClear = flow.Application is ApplicationProtocol.Telnet or ApplicationProtocol.Ftp
            || (ClearLoginPorts.Contains(flow.ResponderPort) && flow.Application is not (ApplicationProtocol.Tls or ApplicationProtocol.Ssh));
        if (flow.IpProtocol != IpProtocol.Tcp || !isClear || flow.FromOriginator.Syn == 0
            || flow.FromOriginator.PayloadBytes == 0 || flow.FromResponder.PayloadBytes == 0 || !context.Scope.IsInside(flow.Responder))
            return;
        var open = context.Observe(_clear, context.PartyOf(flow.Responder, flow.ResponderMac), context.PartyOf(flow.Originator, flow.OriginatorMac),
            flow.FirstNs, timeNs, 0.9);
        if (open is null)
            return;
        open.Alert.Protocol = "tcp";
        open.Include("services", new ServicePort(flow.IpProtocol, flow.ResponderPort).ToString(), "an encrypted service").Flow(in flow);
        context.Alerts.Emit(open);
    }

    public void OnFault(in FlowFault fault, long timeNs)
    {
        if (fault.Fault.Kind != FaultKind.OverlapConflict || !ApplicationProtocols.IsMedical(fault.Flow.Application))
            return;
        var flow = fault.Flow;
        var open = context.Observe(_overlap, context.PartyOf(flow.Originator, flow.OriginatorMac), context.PartyOf(flow.Responder, flow.ResponderMac),
            timeNs, timeNs, 0.6);
        if (open is null)
            return;
        open.Alert.Protocol = ApplicationProtocols.NameOf(flow.Application);
        open.Number("conflicts", open.Alert.Count, "segments", "0").Flow(in flow);
        context.Alerts.Emit(open);
    }
}
