using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>
/// News that many tell: what several known devices of a network begin to do within an hour is one change of the site, and the alert about the first of them names the others.
/// A new service is the server's change, whoever uses it.
/// </summary>
internal sealed class CommonNews(DetectionContext context)
{
    /// <summary>Most first ones remembered; full, all are forgotten.</summary>
    public const int MaximumNews = 65_536;

    /// <summary>How long after the first another device's same news is told with it, ns of packet time.</summary>
    private const long CommonNs = 3600_000_000_000;

    private readonly Dictionary<(Rule Rule, IpAddress Place, int Number, IpAddress Network), (Party Device, long TimeNs)> _first = [];

    /// <summary>Notes the first to do something new.</summary>
    /// <param name="rule">The rule of the news.</param>
    /// <param name="place">The server, or the network outside.</param>
    /// <param name="number">The service.</param>
    /// <param name="flow">The flow that shows it.</param>
    public void Begin(Rule rule, IpAddress place, int number, in FlowRecord flow)
    {
        if (context.Devices.Find(flow.Originator) is not { IsLearned: true } client)
            return;
        if (_first.Count >= MaximumNews)
            _first.Clear();
        var about = IsOfServer(rule) ? context.PartyOf(flow.Responder, flow.ResponderMac) : context.PartyOf(flow.Originator, flow.OriginatorMac);
        _first[(rule, place, number, IsOfServer(rule) ? default : Kin.NetworkOf(client.Address))] = (about, flow.FirstNs);
    }

    /// <summary>The alert that a client's news joins, with the client named in it; null when it is the first, a stranger or an attacker.</summary>
    public OpenAlert? Join(Rule rule, IpAddress place, int number, in FlowRecord flow, long timeNs)
    {
        if (context.Devices.Find(flow.Originator) is not { IsLearned: true, IsOffender: false } client
            || !_first.TryGetValue((rule, place, number, IsOfServer(rule) ? default : Kin.NetworkOf(client.Address)), out var first)
            || timeNs - first.TimeNs > CommonNs
            || context.Alerts.Find(rule, first.Device, default) is not { } open)
            return null;
        context.Alerts.Observe(rule, first.Device, default, open.Alert.FirstSeenNs, timeNs, 0);
        return open.Include("others", context.NameOf(context.PartyOf(flow.Originator, flow.OriginatorMac))).Flow(in flow);
    }

    private static bool IsOfServer(Rule rule) => rule == NetworkRules.NewService;
}
