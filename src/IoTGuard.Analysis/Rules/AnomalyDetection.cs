using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Flows;
using IoTGuard.Learning;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>
/// Scores closed flows by the site's model. A flow becomes an alert when it is rarer than the budget allows, and while the budget has
/// something left; what a device and its peer do in an hour is one alert.
/// </summary>
internal sealed class AnomalyDetection
{
    /// <summary>Features named in an alert.</summary>
    public const int MaximumContributions = 5;

    private const double NsPerDay = 86_400e9;

    private readonly DetectionContext _context;
    private readonly Rule _rule;
    private readonly AnomalyModel? _model;
    private readonly double _pThreshold;
    private readonly double _budgetPerDay;
    private readonly float[] _row = new float[FlowFeatures.Schema.Count];
    private readonly float[] _contributions = new float[FlowFeatures.Schema.Count];
    private readonly float[] _score = new float[1];
    private double _tokens = 1;
    private long _refilledNs;

    public AnomalyDetection(DetectionContext context, DetectorOptions options)
    {
        _context = context;
        _rule = context.Of(NetworkRules.FlowAnomaly);
        _budgetPerDay = options.AlertBudgetPerDay;
        if (options.AlertBudgetPerDay <= 0 || context.Site.Models.Active.Entries is not [{ Input: ModelInput.Flows } entry, ..])
            return;
        var flowsPerDay = Math.Max(1, context.Site.ScoredFlowsPerHour * 24);
        _pThreshold = new AlertBudget(options.AlertBudgetPerDay, flowsPerDay).PThreshold;
        if (entry.Model.Calibration is not null)
            _model = entry.Model.Fork();
    }

    /// <summary>Flows scored.</summary>
    public long Scored { get; private set; }

    /// <summary>Flows rare enough for an alert that found the budget spent.</summary>
    public long OverBudget { get; private set; }

    public void OnClosed(in FlowRecord flow, long timeNs)
    {
        if (_model is null || !IsScored(in flow, _rule["packets"]))
            return;
        FlowFeatures.Schema.Extract(in flow, _row);
        _model.Score(_row, 1, _score);
        Scored++;
        var pValue = _model.PValue(_score[0]);
        if (pValue <= _pThreshold)
            Report(in flow, pValue, timeNs);
    }

    /// <summary>True for a flow with enough packets to say something, in both directions.</summary>
    public static bool IsScored(in FlowRecord flow, double packets) =>
        flow.FromResponder.Packets > 0 && flow.FromOriginator.Packets + flow.FromResponder.Packets >= packets;

    private void Report(in FlowRecord flow, double pValue, long timeNs)
    {
        var inside = _context.Scope.IsInside(flow.Originator);
        var originator = _context.PartyOf(flow.Originator, flow.OriginatorMac);
        var responder = _context.PartyOf(flow.Responder, flow.ResponderMac);
        var (device, peer) = inside ? (originator, responder) : (responder, originator);
        if (_context.Alerts.Find(_rule, device, peer.Address) is null && !Spend(timeNs))
        {
            OverBudget++;
            return;
        }

        var open = _context.Observe(_rule, device, peer, flow.FirstNs, timeNs, Math.Clamp(1 - (pValue / _pThreshold), 0.3, 0.9));
        if (open is null)
            return;
        open.Alert.Protocol ??= flow.IpProtocol == IpProtocol.Udp ? "udp" : "tcp";
        open.Include("services", new Inventory.ServicePort(flow.IpProtocol, flow.ResponderPort).ToString()).Flow(in flow);
        if (open.Alert.Score is null || pValue < open.Alert.Score.PValue)
            Explain(open, pValue);
        _context.Alerts.Emit(open);
    }

    private void Explain(OpenAlert open, double pValue)
    {
        _model!.Explain(_row, _contributions);
        var total = 0.0;
        foreach (var contribution in _contributions)
            total += Math.Max(0, contribution);
        var order = Enumerable.Range(0, _contributions.Length).Where(i => _contributions[i] > 0)
            .OrderByDescending(i => _contributions[i]).Take(MaximumContributions).ToList();
        var features = FlowFeatures.Schema.Columns;
        var contributions = new List<Contribution>(order.Count);
        var names = new List<string>(order.Count);
        foreach (var i in order)
        {
            var usual = _model.Info.Features[i];
            var feature = features[i];
            contributions.Add(new Contribution(feature.Name, _row[i], feature.Unit, total > 0 ? _contributions[i] / total : 0));
            open.Number(feature.Name, _row[i], feature.Unit, $"{Measure.Format(usual.Low)} to {Measure.Format(usual.High)}");
            names.Add($"{feature.Description} is {Measure.Format(_row[i])} {feature.Unit}".TrimEnd('1', ' '));
        }

        open.Number("p-value", pValue, "").Text("features", string.Join("; ", names.Take(3)));
        open.Alert.Score = new ModelScore(pValue, contributions);
    }

    /// <summary>One alert of the budget, which refills with packet time and saves up at most a quarter of a day's.</summary>
    private bool Spend(long timeNs)
    {
        if (_refilledNs != 0 && timeNs > _refilledNs)
            _tokens = Math.Min(Math.Max(1, _budgetPerDay / 4), _tokens + ((timeNs - _refilledNs) * _budgetPerDay / NsPerDay));
        _refilledNs = Math.Max(_refilledNs, timeNs);
        if (_tokens < 1)
            return false;
        _tokens--;
        return true;
    }
}
