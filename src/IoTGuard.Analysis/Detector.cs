using System.Diagnostics.CodeAnalysis;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Policies;
using IoTGuard.Analysis.Rules;
using IoTGuard.Analysis.Rules.Custom;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;

namespace IoTGuard.Analysis;

/// <summary>
/// Events to alerts: inventory, baselines, rules and the model. One thread, packet time only, no I/O; the same events give the same
/// alerts. Every table in it is bounded.
/// </summary>
public sealed class Detector
{
    /// <summary>What is judged after a delay, and what closes, is looked at in these steps, ns of packet time.</summary>
    private const long TickNs = 1_000_000_000;

    private readonly DetectionContext _context;
    private readonly DeedRecorder _deeds;
    private ProbeDetection _probes;
    private LoadDetection _load;
    private NeighborDetection _neighbors;
    private NoveltyDetection _novelty;
    private ExposureDetection _exposure;
    private DicomAssociationDetection _associations;
    private DicomQueryDetection _queries;
    private DicomObjectDetection _objects;
    private ProtocolFaultDetection _faults;
    private Hl7SenderDetection _senders;
    private Hl7RateDetection _rates;
    private TamperDetection _tampering;
    private AnomalyDetection _anomalies;
    private readonly RowSample<FlowRecord> _flowSample;
    private readonly RowSample<DeviceWindow> _windowSample;
    private readonly List<WindowBook> _windows = [];
    private readonly bool _sumsAlways;
    private bool _sumsWindows;
    private readonly SiteTeacher _teacher;
    private Hl7ClockDetection _hl7Clocks;
    private TransactionDetection[] _others;
    private readonly Hl7Links _hl7Links;
    private ZoneDetection? _zones;
    private CustomDetection? _custom;
    private long _nextTickNs = long.MinValue;
    private long _touched;

    /// <param name="site">What was learned; <see cref="Site.Empty"/> on the first day.</param>
    /// <param name="options">Limits and choices.</param>
    /// <param name="alerts">Receives alerts as they open, change and close.</param>
    /// <exception cref="ArgumentException">The options name a threshold that no rule has.</exception>
    public Detector(Site site, DetectorOptions options, IAlertSink alerts)
    {
        _context = new DetectionContext(site, options, alerts);
        _deeds = new DeedRecorder(_context.Devices);
        _hl7Links = new Hl7Links(_context.Devices);
        _teacher = new SiteTeacher(_context);
        Build(options);
        BuildFromPolicy(options);
        _flowSample = new RowSample<FlowRecord>(FlowFeatures.Schema, options.TrainingRows);
        _windowSample = new RowSample<DeviceWindow>(WindowFeatures.Schema, options.TrainingRows);
        _sumsAlways = options.TrainingRows > 0;
        SumWindowsWhenWanted();
    }

    /// <summary>Alerts open now.</summary>
    public int OpenAlerts => _context.Alerts.Open;

    /// <summary>The devices seen so far, and those of the site.</summary>
    public DeviceInventory Devices => _context.Devices;

    /// <summary>What the models made of flows so far.</summary>
    public JudgeFigures FlowFigures => _anomalies.FlowFigures;

    /// <summary>Flows and windows rare enough for an alert that found the budget of models spent.</summary>
    public long ModelsOverBudget => _anomalies.OverBudget;

    /// <summary>True when models look on beside those that raise alerts.</summary>
    public bool HasShadow => _anomalies.HasShadow;

    /// <summary>What the models made of windows so far.</summary>
    public JudgeFigures WindowFigures => _anomalies.WindowFigures;

    /// <summary>Has the windows of devices told as they end. To be called before the first event.</summary>
    /// <param name="seconds">Length of the windows, s of packet time.</param>
    /// <param name="onWindow">Receives each window, ordered by time and address; nothing of it may be kept.</param>
    public void TellWindows(int seconds, Action<DeviceWindow> onWindow) => _windows.Add(new WindowBook(_context, _context.Options.MaximumDevices, seconds, onWindow));

    /// <summary>Rows for training, by input, without those of attackers; empty when <see cref="DetectorOptions.TrainingRows"/> is 0.</summary>
    public IReadOnlyList<TrainingRows> TrainingRows() =>
    [
        new(ModelInput.Flows, [.. _flowSample.Rows().Where(IsUsable)]),
        new(ModelInput.Windows, [.. _windowSample.Rows().Where(IsUsable)]),
    ];

    /// <summary>Role of the device at an address.</summary>
    public DeviceRole RoleOf(Wire.Network.IpAddress address) => Devices.Find(address)?.Role.Role ?? DeviceRole.Unknown;

    /// <summary>Takes an event, in the order of <see cref="EventKey"/>.</summary>
    public void OnEvent(EventBatch batch, in SensorEvent e)
    {
        var now = e.Key.TimeNs;
        if (!batch.IsLookedThrough)
        {
            batch.IsLookedThrough = true;
            _touched += _hl7Links.Touch(batch.Transactions);
        }

        Tick(now);
        _teacher.OnTime(now);
        switch (e.Kind)
        {
            case SensorEventKind.FlowOpened:
                OnOpened(in batch.Flow(e.Index), now);
                break;
            case SensorEventKind.FlowEstablished:
                OnEstablished(in batch.Flow(e.Index), now);
                break;
            case SensorEventKind.FlowUpdated:
                OnUpdated(in batch.Flow(e.Index), now);
                foreach (var window in _windows)
                    window.OnUpdated(in batch.Flow(e.Index), now);
                break;
            case SensorEventKind.FlowClosed:
                OnClosed(in batch.Flow(e.Index), now);
                break;
            case SensorEventKind.Transaction:
                OnTransaction(batch.Transaction(e.Index), now);
                break;
            case SensorEventKind.FlowFault:
                _exposure.OnFault(batch.Fault(e.Index), now);
                break;
            case SensorEventKind.Neighbor:
                OnNeighbor(batch.Neighbor(e.Index), now);
                break;
        }
    }

    /// <summary>Brings packet time forward: all events up to it were given. Closes alerts that are due.</summary>
    public void AdvanceTo(long clockNs) => Tick(clockNs);

    /// <summary>
    /// Goes on with another site (its model among it) and other options. Devices, facts, rates and open alerts stay. Where thresholds, indicators or the site
    /// differ, counts that have not become an alert begin again.
    /// </summary>
    /// <param name="site">What was learned, with its models; with the same facts object when it is the same site.</param>
    /// <param name="options">Limits and choices; those of devices, facts and the incidents' window stay as they were.</param>
    /// <exception cref="ArgumentException">The options name a threshold that no rule has; nothing has changed.</exception>
    public void Reconfigure(Site site, DetectorOptions options)
    {
        _anomalies.Flush();
        var before = (_context.Options, _context.Site.Models);
        var isOther = _context.Reconfigure(site, options);
        if (isOther)
            Build(options);
        BuildFromPolicy(options, isOther ? null : before);
        SumWindowsWhenWanted();
    }

    /// <summary>Ends the run: judges what waits, then closes all alerts.</summary>
    public void Complete()
    {
        _probes.Tick(long.MaxValue);
        _novelty.Tick(long.MaxValue);
        foreach (var window in _windows)
            window.Complete();
        _anomalies.Flush();
        _custom?.Complete();
        _context.Alerts.CloseAll();
    }

    /// <summary>What this run taught. Extend a site with it by <see cref="Site.Merge"/>.</summary>
    public Site Learn() => _teacher.Teach();

    /// <summary>What a sensor keeps of its run for the next one: what was told, and what proved to be normal. Extend a site with it by <see cref="Site.Merge"/>.</summary>
    public Site Settle() => _teacher.Settle();

    /// <summary>
    /// Does what was due before a time. Ticks lie on whole steps of packet time, strictly before it, so that it makes no difference how often
    /// this is called.
    /// </summary>
    private void Tick(long timeNs)
    {
        if (timeNs <= _nextTickNs)
            return;
        var tick = (timeNs - 1) / TickNs * TickNs;
        _probes.Tick(tick);
        _novelty.Tick(tick);
        _rates.Tick(tick);
        foreach (var other in _others)
            other.Tick(tick);
        _custom?.Tick(tick);
        foreach (var window in _windows)
            window.Tick(tick);
        _anomalies.Flush();
        _context.Alerts.CloseDue(tick);
        _nextTickNs = tick + TickNs;
    }

    /// <summary>Everything that holds thresholds, or what the site knew.</summary>
    [MemberNotNull(nameof(_probes), nameof(_load), nameof(_neighbors), nameof(_novelty), nameof(_exposure), nameof(_associations), nameof(_queries), nameof(_objects), nameof(_faults),
        nameof(_senders), nameof(_rates), nameof(_tampering), nameof(_hl7Clocks), nameof(_others))]
    private void Build(DetectorOptions options)
    {
        _probes = new ProbeDetection(_context);
        _load = new LoadDetection(_context);
        _neighbors = new NeighborDetection(_context);
        _novelty = new NoveltyDetection(_context);
        _exposure = new ExposureDetection(_context);
        _associations = new DicomAssociationDetection(_context);
        _queries = new DicomQueryDetection(_context);
        _objects = new DicomObjectDetection(_context);
        _faults = new ProtocolFaultDetection(_context);
        _senders = new Hl7SenderDetection(_context);
        _rates = new Hl7RateDetection(_context);
        _tampering = new TamperDetection(_context);
        _hl7Clocks = new Hl7ClockDetection(_context);
        _others =
        [
            new WebDetection(_context), new WebRecords(_context), new TlsDetection(_context), new LoginDetection(_context, options.Indicators),
            new FileShareDetection(_context), new ServiceDetection(_context), new RhythmDetection(_context),
            new NameDetection(_context), new AddressDetection(_context), new ManagementDetection(_context), new CovertDetection(_context),
        ];
    }

    /// <summary>Everything that the model, the policy and the site's own rules make; what is the same as before stays.</summary>
    [MemberNotNull(nameof(_anomalies))]
    private void BuildFromPolicy(DetectorOptions options, (DetectorOptions Options, SiteModels Models)? before = null)
    {
        var old = before?.Options;
        _anomalies ??= new AnomalyDetection(_context);
        if (old?.AlertBudgetPerDay.Equals(options.AlertBudgetPerDay) != true || !ReferenceEquals(before!.Value.Models, _context.Site.Models))
            _anomalies.Use(_context.Site.Models, options.AlertBudgetPerDay);
        if (!ReferenceEquals(old?.Policy, options.Policy))
            _zones = options.Policy.Judges ? new ZoneDetection(_context, options.Policy) : null;
        if (!ReferenceEquals(old?.CustomRules, options.CustomRules))
            _custom = options.CustomRules.Count > 0 ? new CustomDetection(_context, options.CustomRules) : null;
    }

    private void OnOpened(in FlowRecord flow, long now)
    {
        _probes.OnOpened(in flow, now);
        _load.OnOpened(in flow, now);
        foreach (var window in _windows)
            window.OnOpened(in flow, now);
    }

    private void OnEstablished(in FlowRecord flow, long now)
    {
        Meet(in flow, now, confirmed: true);
        _probes.OnEstablished(in flow);
        _load.OnEstablished(in flow, now);
        foreach (var window in _windows)
            window.OnEstablished(in flow, now);
        _zones?.OnEstablished(in flow, now);
    }

    private void OnUpdated(in FlowRecord flow, long now)
    {
        OnFlow(in flow, now);
        _load.OnUpdated(in flow, now);
        foreach (var other in _others)
            other.OnUpdated(in flow, now);
        _zones?.OnFlow(in flow, isFinal: false, now);
    }

    private void OnFlow(in FlowRecord flow, long now)
    {
        if (IsConfirmed(in flow))
        {
            Meet(in flow, now, confirmed: true);
        }
        else
        {
            Meet(flow.Originator, flow.OriginatorMac, now, confirmed: false);
            if (flow.FromResponder.Packets > 0)
                Meet(flow.Responder, flow.ResponderMac, now, confirmed: true);
        }

        _novelty.OnFlow(in flow, now);
        _exposure.OnFlow(in flow, now);
    }

    private void OnClosed(in FlowRecord flow, long now)
    {
        _faults.OnClosed(in flow, now);
        OnFlow(in flow, now);
        _probes.OnClosed(in flow, now);
        _load.OnClosed(in flow, now);
        _anomalies.OnClosed(in flow, now);
        foreach (var other in _others)
            other.OnClosed(in flow, now);
        _custom?.OnClosed(in flow, now);
        _zones?.OnFlow(in flow, isFinal: true, now);
        foreach (var window in _windows)
            window.OnClosed(in flow, now);
        if (!AnomalyDetection.IsScored(in flow, AnomalyRules.FlowAnomaly["packets"]))
            return;
        _teacher.OnScoredFlow();
        var (device, peer) = AnomalyDetection.SidesOf(in flow, _context.Scope);
        _flowSample.Offer(in flow, device, peer);
    }

    /// <summary>Sums windows of devices from the moment on that models or a sample want them.</summary>
    private void SumWindowsWhenWanted()
    {
        if (_sumsWindows || (!_sumsAlways && !_anomalies.JudgesWindows))
            return;
        _sumsWindows = true;
        TellWindows(DeviceWindow.DefaultSeconds, OnWindow);
    }

    private void OnWindow(DeviceWindow window)
    {
        _anomalies.OnWindow(window);
        if (!AnomalyDetection.IsScored(window))
            return;
        _teacher.OnScoredWindow();
        _windowSample.Offer(in window, window.Address);
    }

    private bool IsUsable(SampledRow row) => !_context.Offenders.Contains(row.Device) && !_context.Offenders.Contains(row.Peer);

    private void OnTransaction(Transaction transaction, long now)
    {
        if (transaction is Hl7Transaction message)
        {
            OnHl7(message, now);
            return;
        }

        Meet(transaction.Client, transaction.ClientMac, now, confirmed: transaction.IsAnswered);
        if (transaction.IsAnswered)
            Meet(transaction.Server, transaction.ServerMac, now, confirmed: true);
        _faults.OnTransaction(transaction);
        if (transaction is DicomTransaction dicom)
        {
            _exposure.OnTransaction(dicom);
            _associations.OnTransaction(dicom);
            _queries.OnTransaction(dicom);
            _objects.OnTransaction(dicom);
            _tampering.OnTransaction(dicom);
        }
        else
        {
            foreach (var other in _others)
                other.OnTransaction(transaction, now);
        }

        _deeds.OnTransaction(transaction);
        _custom?.OnTransaction(transaction);
        foreach (var window in _windows)
            window.OnTransaction(transaction, now);
    }

    private void OnHl7(Hl7Transaction transaction, long now)
    {
        var link = _hl7Links.Find(transaction);
        if (link is null || !link.IsMet(transaction, now))
            link = MeetHl7(transaction, link, now);
        _faults.OnHl7(transaction, link);
        _exposure.OnTransaction(transaction);
        _senders.OnTransaction(transaction, link);
        _rates.OnTransaction(transaction, link);
        _tampering.OnTransaction(transaction);
        _hl7Clocks.OnTransaction(transaction);
        _deeds.OnHl7(transaction, link);
        _custom?.OnTransaction(transaction);
        foreach (var window in _windows)
            window.OnTransaction(transaction, now);
    }

    /// <summary>Meets the devices of a link. Returns the link as it is kept then.</summary>
    private Hl7Link? MeetHl7(Hl7Transaction transaction, Hl7Link? link, long now)
    {
        Meet(transaction.Client, transaction.ClientMac, now, confirmed: true, link?.Client);
        if (link is not null && !_hl7Links.IsCurrent(link))
            link = null;
        Meet(transaction.Server, transaction.ServerMac, now, confirmed: true, link?.Server);
        if (link is null || !_hl7Links.IsCurrent(link))
            link = _hl7Links.Keep(transaction);
        link?.Met(transaction, now);
        return link;
    }

    private void OnNeighbor(in Neighbor neighbor, long now)
    {
        if (_neighbors.OnNeighbor(in neighbor, now) && !neighbor.IsIndirect)
            _novelty.OnClaim(neighbor.Address, neighbor.Mac, now);
        if (_context.Devices.Find(neighbor.Address) is { } device)
            _novelty.OnDevice(device, neighbor.Mac, now);
    }

    private void Meet(in FlowRecord flow, long now, bool confirmed)
    {
        Meet(flow.Originator, flow.OriginatorMac, now, confirmed);
        if (confirmed)
            Meet(flow.Responder, flow.ResponderMac, now, confirmed: true);
    }

    /// <summary>True when the opener of a flow answered in turn: an answer alone may go to an invented address.</summary>
    private static bool IsConfirmed(in FlowRecord flow) =>
        flow.FromResponder.Packets > 0 && (flow.IpProtocol != Wire.Network.IpProtocol.Tcp || flow.FromOriginator.Packets - flow.FromOriginator.Rst > 1 || flow.FromOriginator.PayloadBytes > 0);

    private void Meet(Wire.Network.IpAddress address, Wire.Link.MacAddress mac, long now, bool confirmed, Device? known = null)
    {
        if (_context.Devices.Observe(address, mac, now, confirmed, known) is { } device && confirmed)
            _novelty.OnDevice(device, mac, now);
    }
}
