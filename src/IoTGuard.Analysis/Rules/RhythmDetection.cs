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

    /// <summary>An upload began where this part of what makes it large was reached.</summary>
    private const double BurstShare = 10;

    /// <summary>Devices are looked at in these steps, ns of packet time.</summary>
    private const long CheckNs = 10_000_000_000;

    /// <summary>Learning must have lasted for so many of a device's longest pauses: before, chance makes them.</summary>
    private const int PausesLearned = 12;

    private readonly DetectionContext _context;
    private readonly Rule _volume;
    private readonly Rule _service;
    private readonly Rule _device;
    private readonly KeyedState<IpAddress, Sender> _senders;
    private readonly KeyedState<(IpAddress Server, ushort Port), Service> _services = new(MaximumKeys, 3_600_000_000_000);
    private readonly Func<Service> _makeService;
    private readonly Dictionary<IpAddress, long> _rhythms = [];
    private readonly KeyedState<long, Counted> _counted = new(MaximumKeys, 600_000_000_000);
    private readonly HashSet<IpAddress> _told = [];
    private long _startNs = long.MinValue;
    private long _nextCheckNs;

    private sealed class Sender
    {
        public WindowSum Bytes;
    }

    /// <summary>Bytes of a flow that were counted before it ended.</summary>
    private sealed class Counted
    {
        public long Bytes;
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
        if (!context.Site.IsLearned)
            return;
        foreach (var device in context.Devices.Devices)
        {
            if (_rhythms.Count < MaximumKeys && SilenceOf(device) is > 0 and var silence)
                _rhythms[device.Address] = silence;
        }
    }

    public override void OnTransaction(Transaction transaction, long timeNs)
    {
    }

    public override void OnUpdated(in FlowRecord flow, long timeNs) => CheckVolume(in flow, isFinal: false, timeNs);

    public override void OnClosed(in FlowRecord flow, long timeNs)
    {
        CheckVolume(in flow, isFinal: true, timeNs);
        CheckService(in flow, timeNs);
    }

    public override void Tick(long timeNs)
    {
        if (_startNs == long.MinValue)
            _startNs = timeNs;
        if (_rhythms.Count == 0 || timeNs < _nextCheckNs || timeNs == long.MaxValue)
            return;
        _nextCheckNs = timeNs + CheckNs;
        foreach (var (address, silence) in _rhythms)
        {
            // A device that was not heard in this run at all may be mirrored elsewhere.
            if (_context.Devices.Find(address) is not { } device || device.Rhythm.Count == 0)
                continue;
            var quiet = timeNs - device.LastSeenNs;
            if (quiet < silence)
            {
                _told.Remove(address);
                continue;
            }

            if (!IsItsHour(in device.LearnedRhythm, device.LastSeenNs, timeNs) || !_told.Add(address))
                continue;
            var open = _context.Observe(_device, _context.PartyOf(address, device.Mac), default, device.LastSeenNs, timeNs, 0.7);
            if (open is null)
                continue;
            open.Number("silence", Math.Round(quiet / 1e9), "s").Number("rhythm", Math.Round(device.LearnedRhythm.LongestNs / 1e9, 1), "s");
            _context.Alerts.Emit(open);
        }
    }

    /// <summary>How long the device must say nothing, ns; 0 when it has no rhythm that could be missed.</summary>
    private long SilenceOf(Device device)
    {
        ref readonly var rhythm = ref device.LearnedRhythm;
        var usual = Math.Max(rhythm.SecondNs, rhythm.LongestNs / 2);
        if (rhythm.Count < _device["heard"] || usual > DetectionContext.Ns(_device["pause"]) || device.IsRouter || !device.Address.IsIpv4)
            return 0;

        // Who only answers is silent when nobody asks.
        if (device.Used.Count == 0 && device.Deeds.Hl7Sent == 0)
            return 0;

        // Clients come and go with their users; what is away at times though it knows no hours is no machine with a rhythm.
        if (device.Role.Role is DeviceRole.Unknown or DeviceRole.Client or DeviceRole.Workstation || (rhythm.Absences > 0 && rhythm.IsAroundTheClock))
            return 0;

        // Heard for most of the learning period, and to its end; and long enough to know its pauses.
        var period = _context.Site.Periods[^1];
        if (period.EndNs - period.StartNs < PausesLearned * rhythm.LongestNs)
            return 0;
        var silence = (long)Math.Max(DetectionContext.Ns(_device["silence"]), _device["factor"] * Math.Max(rhythm.LongestNs, 1));
        return device.FirstSeenNs <= Baselines.Novelty.MiddleOf(period) && (device.LastSeenNs >= period.EndNs - silence || rhythm.Absences > 0) ? silence : 0;
    }

    /// <summary>True when the device was heard at this time of the day, and before, while the site was learned.</summary>
    private bool IsItsHour(in ActivityRhythm rhythm, long lastNs, long timeNs)
    {
        var hour = ActivityRhythm.HourOf(timeNs);
        var isLong = _context.Site.HoursLearned >= 24;
        if (!isLong)
            return (rhythm.Hours & (Bit(hour) | Bit(hour + 23) | Bit(hour + 1))) != 0;
        if (rhythm.IsAroundTheClock)
            return true;

        // The hours at the edges of its day are those in which it is switched on and off.
        var day = ActivityRhythm.DayOf(timeNs);
        return (rhythm.Hours & Bit(hour)) != 0 && (rhythm.Hours & Bit(hour + 1)) != 0 && (rhythm.Hours & Bit(hour + 23)) != 0 && (rhythm.Days & (1 << day)) != 0
            && timeNs - lastNs < 12 * ActivityRhythm.AbsenceNs;

        static uint Bit(int hour) => 1u << (hour % 24);
    }

    private void CheckVolume(in FlowRecord flow, bool isFinal, long timeNs)
    {
        var isOutward = _context.Scope.IsInside(flow.Originator) && _context.Scope.IsOutside(flow.Responder);
        var isServed = _context.Scope.IsInside(flow.Responder) && _context.Scope.IsOutside(flow.Originator);
        if (!isOutward && !isServed)
            return;
        var bytes = isOutward ? flow.FromOriginator.PayloadBytes : flow.FromResponder.PayloadBytes;
        var device = isOutward ? flow.Originator : flow.Responder;
        bytes -= CountedBefore(in flow, bytes, isFinal, timeNs);
        if (bytes <= 0 || _senders.Touch(device, timeNs, static () => new Sender()) is not { } sender)
            return;
        _context.Rates.Add(device, RateKind.OutsideBytes, bytes, timeNs);
        var usual = _context.Rates.UsualOf(device, RateKind.OutsideBytes);
        var isKnown = _context.Devices.Find(device) is { IsLearned: true };
        var limit = isKnown ? Math.Max(_volume["learned_bytes"], _volume["factor"] * usual) : _volume["bytes"];
        sender.Bytes.Add(bytes, timeNs, RateBook.WindowNs(RateKind.OutsideBytes), limit / BurstShare);
        if (sender.Bytes.Total < limit)
            return;
        var self = _context.PartyOf(device, isOutward ? flow.OriginatorMac : flow.ResponderMac);
        var peer = isOutward ? _context.PartyOf(flow.Responder, flow.ResponderMac) : _context.PartyOf(flow.Originator, flow.OriginatorMac);
        var open = _context.Observe(_volume, self, peer, Math.Max(sender.Bytes.RiseNs, flow.FirstNs), timeNs, isKnown ? 0.8 : 0.5);
        if (open is null)
            return;
        open.Alert.Protocol = ApplicationProtocols.NameOf(flow.Application);
        open.Number("sent", sender.Bytes.Total, "bytes", $"up to {limit:0}").Number("period", RateBook.WindowNs(RateKind.OutsideBytes) / 1e9, "s").Flow(in flow);
        _context.Alerts.Emit(open);
    }

    /// <summary>Bytes that an interim record of the flow told already; notes those of this one.</summary>
    private long CountedBefore(in FlowRecord flow, long bytes, bool isFinal, long timeNs)
    {
        if (_counted.Find(flow.FirstFrame) is { } counted)
        {
            var before = counted.Bytes;
            counted.Bytes = bytes;
            if (isFinal)
                _counted.Remove(flow.FirstFrame);
            return before;
        }

        // A flow that finds no place is counted when it ends.
        if (isFinal)
            return 0;
        if (_counted.Touch(flow.FirstFrame, timeNs, static () => new Counted()) is not { } fresh)
            return bytes;
        fresh.Bytes = bytes;
        return 0;
    }

    private void CheckService(in FlowRecord flow, long timeNs)
    {
        if (flow.IpProtocol != IpProtocol.Tcp || flow.FromOriginator.Syn == 0 || !_context.Scope.IsInside(flow.Responder) || _context.Offenders.Contains(flow.Originator))
            return;
        // Who sends data was answered, whether the mirror shows it or not.
        var isAnswered = flow.FromResponder.PayloadBytes > 0 || flow.State is ConnectionState.Established or ConnectionState.Closed
            || flow.FromOriginator.PayloadBytes > 0;
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
