using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>Flows whatever they carry: how much leaves the site, services that stop answering, and devices that fall silent.</summary>
internal sealed class RhythmDetection : TransactionDetection
{
    /// <summary>Most services, and most senders, watched at once.</summary>
    public const int MaximumKeys = 8192;

    /// <summary>Devices are looked at in these steps, ns of packet time.</summary>
    private const long CheckNs = 60_000_000_000;

    private readonly DetectionContext _context;
    private readonly Rule _volume;
    private readonly Rule _service;
    private readonly Rule _device;
    private readonly KeyedState<IpAddress, Sender> _senders;
    private readonly KeyedState<(IpAddress Server, ushort Port), Service> _services = new(MaximumKeys, 3_600_000_000_000);
    private readonly Func<Service> _makeService;
    private readonly Dictionary<IpAddress, double> _rhythms = [];
    private readonly HashSet<IpAddress> _told = [];
    private long _startNs = long.MinValue;
    private long _nextCheckNs;

    private sealed class Sender
    {
        public WindowSum Bytes;
    }

    private sealed class Service(double silenceSeconds)
    {
        public readonly DistinctWindow Clients = new(DetectionContext.Ns(10 * silenceSeconds), 64);
        public int Answered;
        public int Unanswered;
        public long AnsweredNs;
        public long FirstUnansweredNs;
    }

    public RhythmDetection(DetectionContext context)
    {
        _context = context;
        _volume = context.Of(ServiceRules.OutsideVolume);
        _service = context.Of(ServiceRules.SilentService);
        _device = context.Of(ServiceRules.SilentDevice);
        _makeService = () => new Service(_service["silence"]);
        _senders = new(MaximumKeys, RateBook.WindowNs(RateKind.OutsideBytes));
        if (context.Site.HoursLearned < _device["hours"])
            return;
        foreach (var (fact, history) in context.Site.Facts)
        {
            if (fact.Kind == FactKind.Peer && history.Count / context.Site.HoursLearned >= _device["per_hour"] && _rhythms.Count < MaximumKeys)
                _rhythms[fact.A] = Math.Max(_rhythms.GetValueOrDefault(fact.A), history.Count / context.Site.HoursLearned);
        }
    }

    public override void OnTransaction(Transaction transaction, long timeNs)
    {
    }

    public override void OnClosed(in FlowRecord flow, long timeNs)
    {
        CheckVolume(in flow, timeNs);
        CheckService(in flow, timeNs);
    }

    public override void Tick(long timeNs)
    {
        if (_startNs == long.MinValue)
            _startNs = timeNs;
        if (_rhythms.Count == 0 || timeNs < _nextCheckNs || timeNs == long.MaxValue)
            return;
        _nextCheckNs = timeNs + CheckNs;
        var silence = DetectionContext.Ns(_device["silence"]);
        foreach (var (address, perHour) in _rhythms)
        {
            // A device that was not seen in this run at all may be mirrored elsewhere.
            if (_context.Devices.Find(address) is not { } device || device.LastSeenNs < _startNs)
                continue;
            var quiet = timeNs - device.LastSeenNs;
            if (quiet < silence)
            {
                _told.Remove(address);
                continue;
            }

            if (!_told.Add(address))
                continue;
            var open = _context.Observe(_device, _context.PartyOf(address, device.Mac), default, device.LastSeenNs, timeNs, 0.7);
            if (open is null)
                continue;
            open.Number("silence", quiet / 1e9, "s").Number("rhythm", 3600 / perHour, "s");
            _context.Alerts.Emit(open);
        }
    }

    private void CheckVolume(in FlowRecord flow, long timeNs)
    {
        var isOutward = _context.Scope.IsInside(flow.Originator) && _context.Scope.IsOutside(flow.Responder);
        var isServed = _context.Scope.IsInside(flow.Responder) && _context.Scope.IsOutside(flow.Originator);
        if (!isOutward && !isServed)
            return;
        var bytes = isOutward ? flow.FromOriginator.PayloadBytes : flow.FromResponder.PayloadBytes;
        var device = isOutward ? flow.Originator : flow.Responder;
        if (bytes == 0 || _senders.Touch(device, timeNs, static () => new Sender()) is not { } sender)
            return;
        _context.Rates.Add(device, RateKind.OutsideBytes, bytes, timeNs);
        sender.Bytes.Add(bytes, timeNs, RateBook.WindowNs(RateKind.OutsideBytes));
        var usual = _context.Rates.UsualOf(device, RateKind.OutsideBytes);
        var isKnown = _context.Devices.Find(device) is { IsLearned: true };
        var limit = isKnown ? Math.Max(_volume["learned_bytes"], _volume["factor"] * usual) : _volume["bytes"];
        if (sender.Bytes.Total < limit)
            return;
        var self = _context.PartyOf(device, isOutward ? flow.OriginatorMac : flow.ResponderMac);
        var peer = isOutward ? _context.PartyOf(flow.Responder, flow.ResponderMac) : _context.PartyOf(flow.Originator, flow.OriginatorMac);
        var open = _context.Observe(_volume, self, peer, sender.Bytes.FirstNs, timeNs, isKnown ? 0.8 : 0.5);
        if (open is null)
            return;
        open.Alert.Protocol = ApplicationProtocols.NameOf(flow.Application);
        open.Number("sent", sender.Bytes.Total, "bytes", $"up to {limit:0}").Number("period", RateBook.WindowNs(RateKind.OutsideBytes) / 1e9, "s").Flow(in flow);
        _context.Alerts.Emit(open);
    }

    private void CheckService(in FlowRecord flow, long timeNs)
    {
        if (flow.IpProtocol != IpProtocol.Tcp || flow.FromOriginator.Syn == 0 || !_context.Scope.IsInside(flow.Responder) || _context.Offenders.Contains(flow.Originator))
            return;
        var isAnswered = flow.FromResponder.PayloadBytes > 0 || flow.State is ConnectionState.Established or ConnectionState.Closed;
        var key = (flow.Responder, flow.ResponderPort);
        var service = isAnswered ? _services.Touch(key, timeNs, _makeService) : _services.Find(key);
        if (service is null)
            return;
        if (isAnswered)
        {
            service.Answered++;
            service.Unanswered = 0;
            service.AnsweredNs = timeNs;
            return;
        }

        if (flow.FirstNs < service.AnsweredNs || service.Answered < _service["answered"])
            return;
        if (service.Unanswered++ == 0)
            service.FirstUnansweredNs = flow.FirstNs;
        service.Clients.Add(Fingerprint.Of(flow.Originator), timeNs);
        if (service.Unanswered < _service["tries"] || service.Clients.Count < _service["clients"] || timeNs - service.AnsweredNs < DetectionContext.Ns(_service["silence"]))
            return;
        var open = _context.Observe(_service, _context.PartyOf(flow.Responder, flow.ResponderMac), _context.PartyOf(flow.Originator, flow.OriginatorMac), service.FirstUnansweredNs, timeNs, 0.7);
        if (open is null)
            return;
        open.Alert.Protocol = "tcp";
        open.Text("service", new ServicePort(flow.IpProtocol, flow.ResponderPort).ToString()).Number("tries", service.Unanswered, "connections", "0").Flow(in flow);
        _context.Alerts.Emit(open);
    }
}
