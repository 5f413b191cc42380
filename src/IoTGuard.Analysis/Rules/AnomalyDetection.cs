using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>
/// Has closed flows and windows of devices judged by the site's models. What is rarer than the budget allows becomes an alert while the budget
/// has something left. Models speak only where a site was learned: elsewhere their p-values are not calibrated.
/// <para>Rows wait in batches, at most until packet time passes the next whole second.</para>
/// </summary>
internal sealed class AnomalyDetection
{
    /// <summary>Features named in an alert.</summary>
    public const int MaximumContributions = 5;

    private const double NsPerDay = 86_400e9;

    private readonly DetectionContext _context;
    private Rule _flowRule = AnomalyRules.FlowAnomaly;
    private Rule _deviceRule = AnomalyRules.DeviceAnomaly;
    private double _budgetPerDay;
    private readonly RowBatch<(FlowRecord Flow, long TimeNs)> _flows = new(FlowFeatures.Schema.Count);
    private readonly RowBatch<(IpAddress Address, long StartNs, long EndNs)> _windows = new(WindowFeatures.Schema.Count);
    private readonly double[] _shares = new double[Math.Max(FlowFeatures.Schema.Count, WindowFeatures.Schema.Count)];
    private Judges _active = Judges.None;
    private Judges? _shadow;
    private double _flowLevel;
    private double _windowLevel;
    private double _tokens = 1;
    private long _refilledNs;
    private JudgeFigures _flowFigures;
    private JudgeFigures _windowFigures;

    private sealed record Judges(Judge Flows, Judge Windows)
    {
        public static Judges None { get; } = Of(ModelSet.Empty);

        public static Judges Of(ModelSet set) => new(new Judge(set, ModelInput.Flows), new Judge(set, ModelInput.Windows));
    }

    /// <param name="context">What all detections share. Nothing is judged before <see cref="Use"/>.</param>
    public AnomalyDetection(DetectionContext context) => _context = context;

    /// <summary>What was made of flows.</summary>
    public JudgeFigures FlowFigures => _flowFigures;

    /// <summary>What was made of windows.</summary>
    public JudgeFigures WindowFigures => _windowFigures;

    /// <summary>Flows and windows rare enough for an alert that found the budget spent.</summary>
    public long OverBudget { get; private set; }

    /// <summary>True when there are models about windows.</summary>
    public bool JudgesWindows => !_active.Windows.IsSilent || _shadow is { Windows.IsSilent: false };

    /// <summary>True when models look on.</summary>
    public bool HasShadow => _shadow is not null;

    private bool JudgesFlows => !_active.Flows.IsSilent || _shadow is { Flows.IsSilent: false };

    /// <summary>True for a whole flow with enough packets to say something, in both directions. What the end of the capture cut short is none.</summary>
    public static bool IsScored(in FlowRecord flow, double packets) =>
        flow.End != FlowEndReason.EndOfCapture && flow.FromResponder.Packets > 0 && flow.FromOriginator.Packets + flow.FromResponder.Packets >= packets;

    /// <summary>True for a whole window of a device that the inventory knows.</summary>
    public static bool IsScored(DeviceWindow window) => window is { IsComplete: true, IsKnown: true };

    /// <summary>The side of a flow that it is about: the one inside, the originator when both are.</summary>
    public static (IpAddress Device, IpAddress Peer) SidesOf(in FlowRecord flow, AddressScope scope) =>
        scope.IsInside(flow.Originator) ? (flow.Originator, flow.Responder) : (flow.Responder, flow.Originator);

    /// <summary>Judges by other models, or against another budget, from here on; what waits is judged as before. Figures go on.</summary>
    /// <param name="models">The models.</param>
    /// <param name="budgetPerDay">Alerts per day; 0 = models are silent.</param>
    public void Use(SiteModels models, double budgetPerDay)
    {
        Flush();
        _budgetPerDay = budgetPerDay;
        _flowRule = _context.Of(AnomalyRules.FlowAnomaly);
        _deviceRule = _context.Of(AnomalyRules.DeviceAnomaly);
        (_active, _shadow) = (Judges.None, null);
        if (budgetPerDay <= 0 || !_context.Site.IsLearned)
            return;
        _active = Judges.Of(models.Active);
        _shadow = models.Shadow is null ? null : Judges.Of(models.Shadow);
        var levels = AlertLevels.Of(_budgetPerDay, _context.Site, hasWindows: !_active.Windows.IsSilent);
        (_flowLevel, _windowLevel) = (levels.Flows, levels.Windows);
    }

    public void OnClosed(in FlowRecord flow, long timeNs)
    {
        if (!JudgesFlows || !IsScored(in flow, _flowRule["packets"]))
            return;
        var (device, _) = SidesOf(in flow, _context.Scope);
        FlowFeatures.Schema.Extract(in flow, _flows.Add((flow, timeNs), RoleOf(device)));
        if (_flows.IsFull)
            FlushFlows();
    }

    public void OnWindow(DeviceWindow window)
    {
        if (!JudgesWindows || !IsScored(window))
            return;
        WindowFeatures.Schema.Extract(in window, _windows.Add((window.Address, window.StartNs, window.EndNs), window.Role));
        if (_windows.IsFull)
            FlushWindows();
    }

    /// <summary>Judges what waits.</summary>
    public void Flush()
    {
        FlushFlows();
        FlushWindows();
    }

    private DeviceRole RoleOf(IpAddress device) => _context.Devices.Find(device)?.Role.Role ?? DeviceRole.Unknown;

    private void FlushFlows()
    {
        if (_flows.Count == 0)
            return;
        _flows.Score(_active.Flows, _shadow?.Flows, _flowLevel, ref _flowFigures);
        for (var i = 0; i < _flows.Count; i++)
        {
            if (_flows.PValue(i) <= _flowLevel)
                ReportFlow(i);
        }

        _flows.Clear();
    }

    private void FlushWindows()
    {
        if (_windows.Count == 0)
            return;
        _windows.Score(_active.Windows, _shadow?.Windows, _windowLevel, ref _windowFigures);
        for (var i = 0; i < _windows.Count; i++)
        {
            if (_windows.PValue(i) <= _windowLevel)
                ReportWindow(i);
        }

        _windows.Clear();
    }

    private void ReportFlow(int index)
    {
        ref readonly var subject = ref _flows.Subject(index);
        ref readonly var flow = ref subject.Flow;
        var originator = _context.PartyOf(flow.Originator, flow.OriginatorMac);
        var responder = _context.PartyOf(flow.Responder, flow.ResponderMac);
        var (device, peer) = _context.Scope.IsInside(flow.Originator) ? (originator, responder) : (responder, originator);
        var pValue = _flows.PValue(index);
        if (Observe(_flowRule, device, peer, flow.FirstNs, subject.TimeNs, pValue / _flowLevel) is not { } open)
            return;
        open.Alert.Protocol ??= flow.IpProtocol == IpProtocol.Udp ? "udp" : "tcp";
        open.Include("services", new ServicePort(flow.IpProtocol, flow.ResponderPort).ToString()).Flow(in flow);
        Explain(open, _active.Flows, FlowFeatures.Schema, _flows.Role(index), _flows.Row(index), pValue);
        _context.Alerts.Emit(open);
    }

    private void ReportWindow(int index)
    {
        var (address, startNs, endNs) = _windows.Subject(index);
        var pValue = _windows.PValue(index);
        if (Observe(_deviceRule, _context.PartyOf(address, default), default, startNs, endNs, pValue / _windowLevel) is not { } open)
            return;
        Explain(open, _active.Windows, WindowFeatures.Schema, _windows.Role(index), _windows.Row(index), pValue);
        _context.Alerts.Emit(open);
    }

    private OpenAlert? Observe(Rule rule, in Party device, in Party peer, long firstNs, long timeNs, double rareness)
    {
        if (_context.Alerts.Find(rule, device, peer.Address) is not null || Spend(timeNs))
            return _context.Observe(rule, device, peer, firstNs, timeNs, Math.Clamp(1 - rareness, 0.3, 0.9));
        OverBudget++;
        return null;
    }

    private void Explain(OpenAlert open, Judge judge, FeatureSchema schema, DeviceRole role, float[] row, double pValue)
    {
        if (open.Alert.Score is not null && pValue >= open.Alert.Score.PValue)
            return;
        var shares = _shares.AsSpan(0, row.Length);
        if (judge.Explain(role, row, shares) is not { } usual)
            return;
        var shareOf = shares.ToArray();
        var contributions = new List<Contribution>(MaximumContributions);
        var names = new List<string>(MaximumContributions);
        foreach (var i in Enumerable.Range(0, row.Length).Where(i => shareOf[i] > 0).OrderByDescending(i => shareOf[i]).Take(MaximumContributions))
        {
            var column = schema.Columns[i];
            var unit = column.Unit == "1" ? "" : column.Unit;
            contributions.Add(new Contribution(column.Name, row[i], column.Unit, shareOf[i]));
            open.Number(column.Name, row[i], column.Unit, $"{Measure.Format(usual[i].Low)} to {Measure.Format(usual[i].High)}");
            names.Add($"{column.Description}: {Measure.Format(row[i])} {unit}".TrimEnd() + $" (usual {Measure.Format(usual[i].Low)} to {Measure.Format(usual[i].High)})");
        }

        open.Number("p-value", pValue, "").Text("features", string.Join("; ", names.Take(3)))
            .Text("opinions", string.Join(", ", judge.OpinionsOf(role, row).Select(static o => $"{o.Opinion} p = {Measure.Format(o.PValue)}")));
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
