using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;
using IoTGuard.Wire.Application.Hl7;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// HL7 v2 over MLLP (releases 1 and 2) or bare. Reads segment by segment and consumes all it is shown; of a message no more than one
/// segment of at most <see cref="MaximumSegmentBytes"/> is ever held.
/// </summary>
/// <remarks>
/// A message is emitted when its final acknowledgement is complete (with code and duration), at once when it has no control id or when
/// the other side has closed, and otherwise when <see cref="MaximumOutstanding"/> further messages came, when the next
/// bytes come later than <see cref="AcknowledgementWaitNs"/>, or when the flow ends. A commit acknowledgement CA is final unless MSH-16 asks for an
/// application acknowledgement (AL, SU) or the message is in original mode. Every acknowledgement is emitted as an event of its own, after the message it acknowledges.
/// Faults are emitted when they are found: each kind the first <see cref="FaultsInFull"/> times per direction, then at every doubling.
/// </remarks>
public sealed class Hl7Session : StreamSession
{
    /// <summary>Longest segment that is read whole, in bytes; of a longer one the beginning is read and the rest skipped.</summary>
    public const int MaximumSegmentBytes = 8 * 1024;

    /// <summary>Size in bytes from which a frame without its end block is a fault, told again at each doubling.</summary>
    public const long MaximumFrameBytes = 4 * 1024 * 1024;

    /// <summary>Time from which a frame that is still open is a fault, ns of packet time, told again at each doubling.</summary>
    public const long MaximumFrameNs = 10_000_000_000;

    /// <summary>Messages of one direction that wait for their acknowledgement; the oldest is given up for one more.</summary>
    public const int MaximumOutstanding = 32;

    /// <summary>Longest wait for an acknowledgement, ns of packet time.</summary>
    public const long AcknowledgementWaitNs = 30_000_000_000;

    /// <summary>Faults of one kind and direction that are all emitted; of later ones only the 2ⁿth.</summary>
    public const int FaultsInFull = 16;

    private readonly Side _originator;
    private readonly Side _responder;
    private readonly Hl7RecentAcknowledgements _recent = new();

    /// <summary>No message waits for too long before this time, ns.</summary>
    private long _nextGiveUpNs = long.MaxValue;

    public Hl7Session()
    {
        _originator = new Side(this, FlowDirection.FromOriginator);
        _responder = new Side(this, FlowDirection.FromResponder);
    }

    /// <summary>What belongs to one direction.</summary>
    private sealed class Side(Hl7Session session, FlowDirection direction)
    {
        public readonly Hl7Reader Reader = new(session, direction);

        /// <summary>Its messages that wait for the other side.</summary>
        public readonly Hl7Outstanding Outstanding = new();
        public bool Closed;
    }

    public override ApplicationProtocol Protocol => ApplicationProtocol.Hl7;

    /// <summary>Tells from the first bytes of a direction whether it is HL7 v2.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data) => Hl7Probe.Probe(data);

    public override long Touch(FlowDirection direction, int depth)
    {
        if (depth == 0)
            return _nextGiveUpNs + (SideOf(direction).Closed ? 1 : 0) + SideOf(Opposite(direction)).Outstanding.Count;
        var sent = SideOf(Opposite(direction)).Outstanding;
        return SideOf(direction).Reader.Touch() + _recent.Touch() + (sent.Count > 0 ? sent[0].Touch() : SideOf(direction).Outstanding.Count);
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (context.TimeNs > _nextGiveUpNs)
            GiveUpLate(context);
        SideOf(direction).Reader.OnData(context, data);
        return new StreamProgress(data.Length);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes) => SideOf(direction).Reader.OnGap(bytes);

    public override void OnHalfClose(SessionContext context, FlowDirection direction)
    {
        var side = SideOf(direction);
        side.Reader.OnEnd(context, isCut: false);
        side.Closed = true;
        GiveUpAll(context, Opposite(direction));
    }

    public override void OnEnd(SessionContext context)
    {
        // What the end of the capture or a full table cuts is not the sender's fault.
        var isCut = context.Flow.End is FlowEndReason.EndOfCapture or FlowEndReason.Evicted;
        _originator.Reader.OnEnd(context, isCut);
        _responder.Reader.OnEnd(context, isCut);
        GiveUpAll(context, FlowDirection.FromOriginator);
        GiveUpAll(context, FlowDirection.FromResponder);
    }

    public override void Reset()
    {
        Reset(_originator);
        Reset(_responder);
        _recent.Clear();
        _nextGiveUpNs = long.MaxValue;
    }

    /// <summary>What carries the messages of a direction ended one: a message without framing is complete.</summary>
    internal void EndMessage(SessionContext context, FlowDirection direction) => SideOf(direction).Reader.OnEnd(context, isCut: true);

    /// <summary>A message of <paramref name="direction"/> is complete. Takes it.</summary>
    internal void OnMessage(SessionContext context, FlowDirection direction, Hl7Transaction message)
    {
        ref var counters = ref context.Flow.Counters;
        if (message.Event == Hl7Event.Ack)
        {
            Acknowledge(context, direction, message);
            return;
        }

        counters.Requests++;
        counters.Objects++;
        counters.ObjectBytes += message.Bytes;
        if (message.ControlId.Length == 0 || SideOf(Opposite(direction)).Closed)
        {
            Emit(context, direction, message);
            return;
        }

        var outstanding = SideOf(direction).Outstanding;
        if (outstanding.IsFull)
            GiveUpOldest(context, direction);
        outstanding.Add(message);
        _nextGiveUpNs = Math.Min(_nextGiveUpNs, message.TimeNs + AcknowledgementWaitNs);
    }

    /// <summary>MLLP release 2: a commit acknowledgement of one octet, for the oldest message that has none. Takes the transaction.</summary>
    internal void OnCommitAcknowledgement(SessionContext context, FlowDirection direction, bool isPositive, Hl7Transaction acknowledgement)
    {
        acknowledgement.Event = Hl7Event.Ack;
        acknowledgement.AckCode = isPositive ? "CA" : "CR";
        acknowledgement.Bytes = 1;
        var sent = SideOf(Opposite(direction)).Outstanding;
        var index = sent.FindUnacknowledged();
        if (index >= 0)
            acknowledgement.Acknowledges.Set(sent[index].ControlId.Bytes);
        Acknowledge(context, direction, acknowledgement);
    }

    /// <summary>Counts a fault and emits it unless its kind floods.</summary>
    /// <param name="about">The message it happened in; null when there is none.</param>
    /// <param name="occurrence">How often this kind was met in this direction, this one included.</param>
    internal static void OnFault(SessionContext context, FlowDirection direction, Fault fault, string text, Hl7Transaction? about, long bytes, long occurrence)
    {
        context.Flow.Counters.Faults++;
        if (occurrence > FaultsInFull && !long.IsPow2(occurrence))
            return;
        var transaction = context.Begin<Hl7Transaction>(direction);
        if (about is not null)
            transaction.CopyMessageFrom(about);
        transaction.Event = Hl7Event.Fault;
        transaction.TimeNs = context.TimeNs;
        transaction.DurationNs = -1;
        transaction.Bytes = bytes;
        transaction.Fault = fault;
        transaction.FaultText = text;
        context.Emit(transaction);
    }

    private void Acknowledge(SessionContext context, FlowDirection direction, Hl7Transaction acknowledgement)
    {
        ref var counters = ref context.Flow.Counters;
        counters.Responses++;
        if (acknowledgement.AckCode is "AE" or "AR" or "CE" or "CR")
            counters.Failures++;

        var client = Opposite(direction);
        var controlId = acknowledgement.Acknowledges.Bytes;
        SideOf(client).Reader.CompleteBare(context, controlId);
        var sent = SideOf(client).Outstanding;
        var index = sent.Find(controlId);
        if (index >= 0)
        {
            var message = sent[index];
            message.AckCode = acknowledgement.AckCode;
            message.ErrorCode ??= acknowledgement.ErrorCode;
            message.DurationNs = acknowledgement.DurationNs = context.TimeNs - message.TimeNs;
            if (acknowledgement.AckCode != "CA" || !AwaitsApplication(message))
            {
                Emit(context, client, message);
                sent.RemoveAt(index);
            }
        }

        if (!controlId.IsEmpty)
            acknowledgement.Repeats = _recent.Count(controlId, acknowledgement.AckCode);
        Emit(context, client, acknowledgement);
    }

    /// <summary>Original mode always has an application acknowledgement; enhanced mode when MSH-16 is AL or SU (chapter 2.9.3).</summary>
    private static bool AwaitsApplication(Hl7Transaction message) =>
        message.ApplicationAcknowledgement is "AL" or "SU" || (message.AcceptAcknowledgement ?? message.ApplicationAcknowledgement) is null;

    private static void Emit(SessionContext context, FlowDirection client, Hl7Transaction message)
    {
        context.Address(message, client);
        message.OverHttp = context.Flow.Application == ApplicationProtocol.Http;
        context.Emit(message);
    }

    private void GiveUpOldest(SessionContext context, FlowDirection direction)
    {
        var outstanding = SideOf(direction).Outstanding;
        Emit(context, direction, outstanding[0]);
        outstanding.RemoveAt(0);
    }

    private void GiveUpLate(SessionContext context)
    {
        _nextGiveUpNs = Math.Min(GiveUpLate(context, FlowDirection.FromOriginator), GiveUpLate(context, FlowDirection.FromResponder));
    }

    /// <summary>Gives up what waits for too long; returns when the next one will.</summary>
    private long GiveUpLate(SessionContext context, FlowDirection direction)
    {
        var outstanding = SideOf(direction).Outstanding;
        while (outstanding.Count > 0 && context.TimeNs - outstanding[0].TimeNs > AcknowledgementWaitNs)
            GiveUpOldest(context, direction);
        return outstanding.Count > 0 ? outstanding[0].TimeNs + AcknowledgementWaitNs : long.MaxValue;
    }

    private void GiveUpAll(SessionContext context, FlowDirection direction)
    {
        while (SideOf(direction).Outstanding.Count > 0)
            GiveUpOldest(context, direction);
    }

    private static void Reset(Side side)
    {
        side.Reader.Reset();
        side.Outstanding.Clear();
        side.Closed = false;
    }

    private Side SideOf(FlowDirection direction) => direction == FlowDirection.FromOriginator ? _originator : _responder;

    private static FlowDirection Opposite(FlowDirection direction) =>
        direction == FlowDirection.FromOriginator ? FlowDirection.FromResponder : FlowDirection.FromOriginator;
}
