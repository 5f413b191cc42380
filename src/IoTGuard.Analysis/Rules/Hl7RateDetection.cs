using System.Numerics;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>How much HL7 is sent: floods, query bursts, refusals, repeats.</summary>
internal sealed class Hl7RateDetection(DetectionContext context)
{
    /// <summary>Most links watched at once.</summary>
    public const int MaximumLinks = 8192;

    /// <summary>Control ids remembered; the oldest is forgotten first.</summary>
    public const int MaximumControlIds = 65_536;

    /// <summary>A flood began where this part of what makes it one was reached.</summary>
    private const double BurstShare = 10;

    /// <summary>Answers that count for refusals: the bits of a number.</summary>
    private const int LatestAnswers = 32;

    /// <summary>Messages over which the usual, and the latest, time to an acknowledgement is averaged.</summary>
    private const int UsualResponses = 2000;

    /// <summary>Answers after which a link's usual share of refusals is known.</summary>
    private const int KnownWell = 100;

    private const int LatestResponses = 10;

    /// <summary>Slow ones among the latest responses from which on the interface is slow: where the capture lost packets, single ones seem to be.</summary>
    private const int MostOfLatest = 6;

    /// <summary>Silence is looked for in these steps, ns of packet time.</summary>
    private const long CheckNs = 10_000_000_000;

    /// <summary>How long before a message that is passed on may have come in, ns of packet time.</summary>
    private const long ForwardingNs = 60_000_000_000;

    private readonly Rule _flood = context.Of(Hl7Rules.Flood);
    private readonly Rule _query = context.Of(Hl7Rules.QueryHarvesting);
    private readonly Rule _failing = context.Of(Hl7Rules.FailingInterface);
    private readonly Rule _slow = context.Of(Hl7Rules.SlowInterface);
    private readonly Rule _silent = context.Of(Hl7Rules.SilentSender);
    private readonly Rule _replay = context.Of(Hl7Rules.Replay);
    private readonly KeyedState<(IpAddress Client, IpAddress Server), Link> _links = new(MaximumLinks, 600_000_000_000);
    private readonly KeyedState<IpAddress, Receiver> _receivers = new(MaximumLinks, ForwardingNs);
    private readonly SortedDictionary<(IpAddress Client, IpAddress Server), Link> _steady = [];
    private long _nextCheckNs;
    private readonly ControlIdMemory _controlIds = new(MaximumControlIds);
    private readonly long _floodWindow = DetectionContext.Ns(context.Of(Hl7Rules.Flood)["window"]);
    private readonly double _floodMessages = context.Of(Hl7Rules.Flood)["messages"];

    /// <summary>What came in at one address.</summary>
    internal sealed class Receiver
    {
        public WindowSum Messages;
    }

    /// <summary>What went over one link.</summary>
    internal sealed class Link
    {
        public WindowSum Messages;
        public WindowSum Queries;

        public Steadiness Rhythm;
        public bool IsSteady;

        /// <summary>Answers so far, and which of the last <see cref="LatestAnswers"/> were refusals: one bit each, the newest lowest.</summary>
        public long Answered;
        public uint Refusals;

        /// <summary>Mean share of refusals over the last messages, to which the present ones count little.</summary>
        public double UsualRefusals;
        public long RefusedNs;
        public WindowSum Replayed;

        /// <summary>Messages since the last one that was acknowledged, and when that was, ns.</summary>
        public long Unanswered;
        public long AnsweredNs;

        /// <summary>Mean time to the acknowledgement, s: of all messages, and of the last ones.</summary>
        public long Responses;
        public double UsualResponse;
        public double LatestResponse;

        /// <summary>Which of the last 32 responses were slow: one bit each, the newest lowest.</summary>
        public uint SlowResponses;

        /// <summary>The sender numbers its messages carelessly: an id came twice in a short time or on one connection.</summary>
        public bool ReusesIds;

        /// <summary>What is said to be normal of a flood, once there was one, and the usual rate for which it holds.</summary>
        public string? FloodNormal;
        public double FloodUsual;

        /// <summary>The result says nothing.</summary>
        public long Touch() => Messages.FirstNs + Answered + Replayed.FirstNs;
    }

    public void OnTransaction(Hl7Transaction transaction, Hl7Link? known)
    {
        if (transaction.Event != Hl7Event.Message)
            return;
        var now = transaction.TimeNs;
        var (rate, receiver, counts) = (known?.Rate, known?.Receiver, known?.Counts);
        rate ??= context.Rates.Of(transaction.Client, RateKind.Hl7Messages);
        rate?.Add(1, now);
        if (receiver is null or { IsDropped: true })
            receiver = _receivers.Enter(transaction.Server, now, static () => new Receiver());
        if (receiver is not null)
        {
            receiver.TouchedNs = now;
            receiver.State.Messages.Add(1, now, ForwardingNs);
        }

        if (counts is null or { IsDropped: true })
            counts = _links.Enter((transaction.Client, transaction.Server), now, static () => new Link());
        if (known is not null)
            (known.Rate, known.Receiver, known.Counts) = (rate, receiver, counts);
        if (counts is null)
            return;
        counts.TouchedNs = now;
        var usual = UsualOf(transaction, known);
        CheckRhythm(transaction, counts.State);
        CheckFlood(transaction, counts.State, usual);
        CheckQueries(transaction, counts.State, usual, known);
        CheckRefusals(transaction, counts.State);
        CheckResponse(transaction, counts.State);
        CheckReplay(transaction, counts.State);
    }

    /// <summary>Tells who spoke regularly and is silent.</summary>
    public void Tick(long timeNs)
    {
        if (timeNs < _nextCheckNs || timeNs == long.MaxValue)
            return;
        _nextCheckNs = timeNs + CheckNs;
        foreach (var (pair, link) in _steady)
        {
            var quiet = timeNs - link.Rhythm.LastNs;
            if (!link.IsSteady || quiet < Math.Max(DetectionContext.Ns(_silent["silence"]), _silent["factor"] * link.Rhythm.LongestNs))
                continue;
            link.IsSteady = false;
            var open = context.Observe(_silent, context.PartyOf(pair.Client, default), context.PartyOf(pair.Server, default), link.Rhythm.LastNs, timeNs, 0.7);
            if (open is null)
                continue;
            open.Alert.Protocol = "hl7";
            open.Number("silence", Math.Round(quiet / 1e9), "s", $"at most {Math.Ceiling(link.Rhythm.LongestNs / 1e9)} s").Number("pause", Math.Ceiling(link.Rhythm.LongestNs / 1e9), "s");
            context.Alerts.Emit(open);
        }
    }

    private void CheckRhythm(Hl7Transaction transaction, Link link)
    {
        link.Rhythm.Add(transaction.TimeNs);
        if (link.IsSteady || link.Rhythm.Regular < _silent["pauses"] || link.Rhythm.Share < _silent["share"])
            return;
        link.IsSteady = _steady.Count < MaximumLinks || _steady.ContainsKey((transaction.Client, transaction.Server));
        if (link.IsSteady)
            _steady[(transaction.Client, transaction.Server)] = link;
    }

    /// <summary>Messages that the sender usually sends in a window; 0 when nothing is known.</summary>
    private double UsualOf(Hl7Transaction transaction, Hl7Link? known)
    {
        if (known is null)
            return context.Rates.UsualOf(transaction.Client, RateKind.Hl7Messages);
        if (double.IsNaN(known.UsualRate))
            known.UsualRate = context.Rates.UsualOf(transaction.Client, RateKind.Hl7Messages);
        return known.UsualRate;
    }

    private void CheckFlood(Hl7Transaction transaction, Link link, double usual)
    {
        var threshold = usual > 0 ? Math.Max(_flood["learned_messages"], _flood["factor"] * usual) : _floodMessages;
        link.Messages.Add(1, transaction.TimeNs, _floodWindow, threshold / BurstShare);
        if (link.Messages.Total < threshold)
            return;

        // An engine that is flooded passes the flood on.
        if (_receivers.Find(transaction.Client) is { } received && 2 * received.Messages.Total >= link.Messages.Total)
            return;
        if (Observe(_flood, transaction, link.Messages.RiseNs, 0.9, link.Messages.Total) is not { } open)
            return;
        if (link.FloodNormal is null || link.FloodUsual != usual)
        {
            link.FloodUsual = usual;
            link.FloodNormal = usual > 0 ? $"up to {usual:0} in {_flood["window"]} s" : $"fewer than {threshold} in {_flood["window"]} s";
        }

        open.Number("messages", open.Alert.Count, "messages", link.FloodNormal)
            .Number("period", Math.Max(1, Math.Ceiling((transaction.TimeNs - open.Alert.FirstSeenNs) / 1e9)), "s").Patient(transaction.Patient).Flow(transaction);
        context.Alerts.Emit(open);
    }

    private void CheckQueries(Hl7Transaction transaction, Link link, double usualMessages, Hl7Link? known)
    {
        if ((known?.TypeOf(transaction.MessageType)?.Code ?? Hl7SenderDetection.CodeOf(transaction)) is not ("QRY" or "QBP" or "QCN" or "QSX" or "VXQ"))
            return;
        link.Queries.Add(1, transaction.TimeNs, DetectionContext.Ns(_query["window"]));
        var usual = usualMessages * _query["window"] / _flood["window"];
        if (link.Queries.Total < Math.Max(_query["queries"], Math.Min(_query["factor"] * usual, 50 * _query["queries"])))
            return;
        if (Observe(_query, transaction, link.Queries.FirstNs, 0.8, link.Queries.Total) is not { } open)
            return;
        open.Number("queries", open.Alert.Count, "messages", $"fewer than {_query["queries"]}")
            .Number("period", Math.Max(1, Math.Ceiling((transaction.TimeNs - open.Alert.FirstSeenNs) / 1e9)), "s").Patient(transaction.Patient).Flow(transaction);
        context.Alerts.Emit(open);
    }

    private void CheckRefusals(Hl7Transaction transaction, Link link)
    {
        var now = transaction.TimeNs;
        if (transaction.AckCode is { } code)
        {
            var isRefusal = code is "AE" or "AR" or "CE" or "CR";
            if (isRefusal && link.Refusals == 0)
                link.RefusedNs = now;
            link.Answered++;
            link.Refusals = (link.Refusals << 1) | (isRefusal ? 1u : 0);
            link.UsualRefusals += ((isRefusal ? 1 : 0) - link.UsualRefusals) / Math.Min(link.Answered, UsualResponses);
            (link.Unanswered, link.AnsweredNs) = (0, now);
            if (!isRefusal || RefusedOf(link) < Math.Max(_failing["messages"] / 2, ShareOf(link) * LatestOf(link)) || link.Answered < _failing["messages"])
                return;
        }
        else if (++link.Unanswered < _failing["unanswered"] || link.Answered < _failing["messages"] || now - link.AnsweredNs < DetectionContext.Ns(_failing["silence"]))
        {
            return;
        }

        // It is about the receiver, which does not do its work, whatever the reason.
        var open = context.Observe(_failing, context.ServerOf(transaction), context.ClientOf(transaction), link.Unanswered > 0 ? link.AnsweredNs : link.RefusedNs, now, 0.8);
        open?.Number("refused", RefusedOf(link), "messages", "0").Number("messages", LatestOf(link) + link.Unanswered, "messages")
            .Number("unanswered", link.Unanswered, "messages", "0").Include("answers", transaction.AckCode ?? "none");
        context.Emit(open, transaction);
    }

    /// <summary>The share of refusals that is too many: of a link that is known well, some times its usual one.</summary>
    private double ShareOf(Link link) => link.Answered < KnownWell
        ? _failing["share"]
        : Math.Clamp(_failing["factor"] * link.UsualRefusals, _failing["share_known"], _failing["share"]);

    private static int RefusedOf(Link link) => BitOperations.PopCount(link.Refusals);

    private static long LatestOf(Link link) => Math.Min(link.Answered, LatestAnswers);

    private void CheckResponse(Hl7Transaction transaction, Link link)
    {
        if (transaction.AckCode is null || transaction.DurationNs < 0)
            return;
        var seconds = transaction.DurationNs / 1e9;
        link.Responses++;

        // What is slow now does not become usual at once.
        var counted = link.Responses > _slow["messages"] ? Math.Min(seconds, 2 * link.UsualResponse) : seconds;
        link.UsualResponse += (counted - link.UsualResponse) / Math.Min(link.Responses, UsualResponses);
        link.LatestResponse += (seconds - link.LatestResponse) / Math.Min(link.Responses, LatestResponses);
        var limit = Math.Max(_slow["response"], _slow["factor"] * link.UsualResponse);
        link.SlowResponses = (link.SlowResponses << 1) | (seconds >= limit ? 1u : 0);
        if (link.Responses < _slow["messages"] || link.LatestResponse < limit || BitOperations.PopCount(link.SlowResponses & ((1u << LatestResponses) - 1)) < MostOfLatest)
            return;
        var open = context.Observe(_slow, context.ServerOf(transaction), context.ClientOf(transaction), transaction.TimeNs, transaction.TimeNs, 0.7);
        open?.Number("response", Math.Round(link.LatestResponse, 1), "s", $"{Measure.Format(Math.Round(link.UsualResponse, 2))} s")
            .Number("usual", Math.Round(link.UsualResponse, 2), "s");
        context.Emit(open, transaction);
    }

    private void CheckReplay(Hl7Transaction transaction, Link link)
    {
        if (transaction.ControlId.Length == 0 || link.ReusesIds)
            return;
        var id = Fingerprint.Of(transaction.SendingApplication, transaction.ControlId.Bytes);
        var now = transaction.TimeNs;
        if (!_controlIds.TryGet(id, out var before, out var port))
        {
            if (transaction.AckCode is "AA" or "CA")
                _controlIds.Add(id, now, transaction.ClientPort);
            return;
        }

        if (now - before < DetectionContext.Ns(_replay["age"]) || port == transaction.ClientPort)
        {
            link.ReusesIds = true;
            return;
        }

        link.Replayed.Add(1, now, DetectionContext.Ns(_replay["window"]));
        if (link.Replayed.Total < _replay["messages"])
            return;
        if (Observe(_replay, transaction, link.Replayed.FirstNs, 0.6, link.Replayed.Total) is not { } open)
            return;
        open.Number("replayed", open.Alert.Count, "messages", "0").Patient(transaction.Patient).Flow(transaction);
        context.Alerts.Emit(open);
    }

    /// <summary>Observes a rule; the opening observation stands for all in the window.</summary>
    private OpenAlert? Observe(Rule rule, Hl7Transaction transaction, long firstNs, double confidence, double inWindow)
    {
        var device = context.ClientOf(transaction);
        var isOpen = context.Alerts.Find(rule, device, transaction.Server) is not null;
        var open = context.Observe(rule, device, context.ServerOf(transaction), firstNs, transaction.TimeNs, confidence,
            isOpen ? 1 : (long)inWindow);
        if (open is not null)
            open.Alert.Protocol = "hl7";
        return open;
    }
}
