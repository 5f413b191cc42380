using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Rules;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Policies;

/// <summary>Connections that the site's policy forbids, once they are answered.</summary>
internal sealed class ZoneDetection(DetectionContext context, ZonePolicy policy)
{
    private readonly Rule _rule = context.Of(NetworkRules.ZoneViolation);

    /// <summary>A flow was answered: decides where the application protocol does not matter.</summary>
    public void OnEstablished(in FlowRecord flow, long timeNs)
    {
        var (from, to) = ZonesOf(in flow);
        if (from is not null && to is not null && !policy.DependsOnApplication(from, to))
            Judge(in flow, from, to, isFinal: true, timeNs);
    }

    /// <summary>An interim or last record: decides where the application protocol matters.</summary>
    public void OnFlow(in FlowRecord flow, bool isFinal, long timeNs)
    {
        if (flow.FromResponder.Packets == 0)
            return;
        var (from, to) = ZonesOf(in flow);
        if (from is not null && to is not null && policy.DependsOnApplication(from, to))
            Judge(in flow, from, to, isFinal, timeNs);
    }

    private (string? From, string? To) ZonesOf(in FlowRecord flow) => (ZoneOf(flow.Originator), ZoneOf(flow.Responder));

    private string? ZoneOf(IpAddress address) => policy.ZoneOf(address) ?? (context.Scope.IsOutside(address) ? ZonePolicy.Outside : null);

    private void Judge(in FlowRecord flow, string from, string to, bool isFinal, long timeNs)
    {
        // A refused connection is none.
        if (flow.State == ConnectionState.Rejected
            || policy.Judge(from, to, flow.IpProtocol, flow.ResponderPort, flow.Application, isFinal) != ZoneVerdict.Forbidden)
            return;

        // Of a connection that was picked up in its middle it is not known who opened it.
        if (flow.State == ConnectionState.MidStream
            && policy.Judge(to, from, flow.IpProtocol, flow.OriginatorPort, flow.Application, isFinal) != ZoneVerdict.Forbidden)
            return;
        var client = context.PartyOf(flow.Originator, flow.OriginatorMac);
        var server = context.PartyOf(flow.Responder, flow.ResponderMac);
        var fromOutside = from == ZonePolicy.Outside;
        var open = context.Observe(_rule, fromOutside ? server : client, fromOutside ? client : server, flow.FirstNs, timeNs, 0.95);
        if (open is null)
            return;
        open.Alert.Protocol = ApplicationProtocols.NameOf(flow.Application) is var name && flow.Application != ApplicationProtocol.Unknown
            ? name
            : flow.IpProtocol == Wire.Network.IpProtocol.Udp ? "udp" : "tcp";
        open.Text("from", from).Text("to", to)
            .Include("services", new ServicePort(flow.IpProtocol, flow.ResponderPort).ToString(), "what the policy allows between the zones").Flow(in flow);
        context.Alerts.Emit(open);
    }
}
