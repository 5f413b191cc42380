using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Streams;

/// <summary>
/// A TCP connection whose bytes are read: both streams, the probing, and the session. In-order bytes go to the session straight from the packet.
/// <para>
/// A hole is declared a gap when the receiver acknowledged what lies behind it and <see cref="FlowLimits.ReorderSegments"/> segments wait or
/// <see cref="FlowLimits.ReorderTimeNs"/> passed; when the other side is not seen at all, after <see cref="FlowLimits.OneSidedHoleTimeNs"/>; when a limit is
/// reached; and at the end of the connection. Second copies are compared with what waits out of order and with what was shown to the session
/// lately (<see cref="StreamHistory"/>); skipped bytes are not compared.
/// </para>
/// </summary>
internal sealed partial class StreamConversation(StreamStore store) : Conversation
{
    /// <summary>Longest skip in bytes; a session that wants no more bytes at all asks for more than any connection carries.</summary>
    private const long MaximumSkip = StreamSession.Everything;

    private TcpStream _originator = new();
    private TcpStream _responder = new();
    private bool _midStream;
    private StreamSession? _session;
    private int _handOvers;

    /// <summary>True when neither direction is of a known protocol, nor ever was.</summary>
    public bool IsHopeless => _session is null && _originator.Rejected && _responder.Rejected && Record.Application == ApplicationProtocol.Unknown;

    public override long Touch(FlowDirection direction, int depth) => depth switch
    {
        0 => Row + StreamOf(direction).Touch() + (long)Record.Originator.High + Record.Counters.Faults,
        _ => _session?.Touch(direction, depth - 1) ?? 0,
    };

    /// <summary>Takes over a flow.</summary>
    public void Begin(SessionContext context, FlowShard shard, int index, bool midStream)
    {
        Take(context, shard, index);
        _midStream = midStream;
        _handOvers = 0;
    }

    /// <summary>Says where a direction begins, and whether the probes have already turned it down.</summary>
    public void Start(FlowDirection direction, long offset, bool rejected)
    {
        ref var stream = ref StreamOf(direction);
        stream.Start(offset, store.Streams.AllRows);
        stream.Rejected = rejected;
        stream.Missed = rejected || _midStream ? TcpStream.UnknownMissed : TcpStream.NoneMissed;
    }

    public bool IsStarted(FlowDirection direction) => StreamOf(direction).Started;

    /// <summary>A segment of one direction, with a place in the stream.</summary>
    /// <param name="cut">Bytes behind <paramref name="data"/> that were on the wire but not captured.</param>
    public void OnSegment(FlowDirection direction, long offset, ReadOnlySpan<byte> data, int cut, bool fin)
    {
        ref var stream = ref StreamOf(direction);
        var end = offset + data.Length + cut;
        if (fin)
            stream.FinAt = end;
        if (offset <= stream.Next)
            InOrder(direction, ref stream, offset, data, cut);
        else if (end > offset)
            OutOfOrder(direction, ref stream, offset, data, cut);
        Settle(direction, ref stream);
        Shard.Direction(Index, direction).SkippedTo = stream.Next;
        if (stream.EarlyCount > 0 || Shard.Head(Index).Has(FlowFlags.Waiting))
            NoteWaiting();
    }

    /// <summary>Looks whether what a direction waits for is lost, since time passed or the receiver acknowledged more.</summary>
    public void Settle(FlowDirection direction)
    {
        ref var stream = ref StreamOf(direction);
        if (stream.EarlyCount == 0)
            return;
        Settle(direction, ref stream);
        NoteWaiting();
    }

    protected override void EndSession()
    {
        Finish(FlowDirection.FromOriginator);
        Finish(FlowDirection.FromResponder);
        if (_session is { } session)
        {
            Context.AtConversation(this);
            Refresh();
            session.OnEnd(Context);
        }
    }

    public override void Release()
    {
        _originator.Clear(store, Shard);
        _responder.Clear(store, Shard);
        if (_session is { } session)
            store.Streams.Return(Row, session);
        _session = null;
    }

    private ref TcpStream StreamOf(FlowDirection direction) => ref direction == FlowDirection.FromOriginator ? ref _originator : ref _responder;

    private void NoteWaiting()
    {
        ref var head = ref Shard.Head(Index);
        if (_originator.EarlyCount + _responder.EarlyCount > 0)
            head.Flags |= FlowFlags.Waiting;
        else
            head.Flags &= ~FlowFlags.Waiting;
    }

    private void Finish(FlowDirection direction)
    {
        ref var stream = ref StreamOf(direction);
        while (stream.EarlyCount > 0)
            DeclareGap(direction, ref stream);
        Settle(direction, ref stream);
    }

    private void InOrder(FlowDirection direction, ref TcpStream stream, long offset, ReadOnlySpan<byte> data, int cut)
    {
        var old = stream.Next - offset;
        if (old > 0)
        {
            var seen = (int)Math.Min(old, data.Length);
            Conflict(stream.History.Conflicts(offset, data[..seen]), direction);
            if (old >= data.Length + (long)cut)
                return;
            data = data[seen..];
            cut -= (int)(old - seen);
        }

        var room = stream.EarlyCount > 0 ? stream.EarlyOffset - stream.Next : long.MaxValue;
        if (room < data.Length + (long)cut)
        {
            // The bytes from here on are there already; where the second copy differs the first one counts.
            var rest = stream.Next + room;
            var behind = (int)Math.Min(room, data.Length);
            var conflicts = 0L;
            if (!stream.InsertEarly(store, Shard, rest, data[behind..], cut - (int)Math.Max(0, room - data.Length), ref conflicts))
                store.Counters.OutOfOrderDropped++;
            Conflict(conflicts, direction);
            cut = (int)Math.Max(0, room - data.Length);
            data = data[..behind];
        }

        Deliver(direction, ref stream, data, cut);
        Drain(direction, ref stream);
    }

    private void OutOfOrder(FlowDirection direction, ref TcpStream stream, long offset, ReadOnlySpan<byte> data, int cut)
    {
        if (stream.EarlyCount == 0)
            stream.HoleClock = store.Clock;
        while (true)
        {
            var conflicts = 0L;
            var kept = stream.InsertEarly(store, Shard, offset, data, cut, ref conflicts);
            Conflict(conflicts, direction);
            if (kept)
                return;

            store.Counters.OutOfOrderDropped++;
            if (stream.EarlyCount > 0)
                DeclareGap(direction, ref stream);
            else
                Gap(direction, ref stream, offset - stream.Next);
            if (offset <= stream.Next)
            {
                InOrder(direction, ref stream, offset, data, cut);
                return;
            }
        }
    }

    /// <summary>Applies the gap policy and tells the half close once it is reached.</summary>
    private void Settle(FlowDirection direction, ref TcpStream stream)
    {
        while (stream.EarlyCount > 0)
        {
            var waited = store.Clock - stream.HoleClock;
            var acknowledged = Shard.IsAcknowledged(Index, direction, stream.EarlyOffset);
            var lost = acknowledged
                ? waited >= FlowLimits.ReorderTimeNs || stream.EarlyCount >= FlowLimits.ReorderSegments
                : waited >= FlowLimits.OneSidedHoleTimeNs && !Shard.IsTwoSided(Index);
            if (!lost)
                break;
            DeclareGap(direction, ref stream);
        }

        if (stream.FinAt >= 0 && stream.Next >= stream.FinAt && !stream.HalfClosed)
        {
            stream.HalfClosed = true;
            if (_session is { } session)
            {
                Context.AtConversation(this);
                session.OnHalfClose(Context, direction);
            }
        }
    }

    private void DeclareGap(FlowDirection direction, ref TcpStream stream)
    {
        if (stream.EarlyOffset > stream.Next)
            Gap(direction, ref stream, stream.EarlyOffset - stream.Next);
        Drain(direction, ref stream);
        stream.HoleClock = store.Clock;
    }

    private void Drain(FlowDirection direction, ref TcpStream stream)
    {
        while (stream.EarlyCount > 0 && stream.EarlyOffset <= stream.Next)
        {
            var data = stream.Early!.First;
            var cut = stream.Early!.FirstCut;
            var old = stream.Next - stream.EarlyOffset;
            if (old < data.Length + (long)cut)
            {
                var seen = (int)Math.Min(old, data.Length);
                Deliver(direction, ref stream, data[seen..], cut - (int)(old - seen));
            }

            stream.RemoveFirstEarly(store, Shard);
            stream.HoleClock = store.Clock;
        }
    }

    /// <summary>Shows bytes that lie at the stream's next place, then tells those that the capture does not hold.</summary>
    private void Deliver(FlowDirection direction, ref TcpStream stream, ReadOnlySpan<byte> data, int cut)
    {
        var cutEnd = stream.Next + data.Length + cut;
        if (data.Length > 0)
        {
            var offset = stream.Next;
            stream.Next += data.Length;
            if (_session is null)
            {
                Probe(direction, ref stream, data);
            }
            else
            {
                stream.History.Add(offset, data);
                Feed(direction, ref stream, data);
            }
        }

        if (cut > 0 && stream.Next < cutEnd)
            Gap(direction, ref stream, cutEnd - stream.Next);
    }

    private void Gap(FlowDirection direction, ref TcpStream stream, long bytes)
    {
        var waiting = stream.PendingLength;
        stream.Next += bytes;
        stream.Needed = 0;
        stream.DropPending(store, Shard);
        store.Counters.Gaps++;
        store.Counters.GapBytes += bytes;
        if (_session is { } session)
        {
            Context.AtConversation(this);
            Context.Emit(new Fault(FaultKind.Gap, Layer.Stream, 0, bytes));
            session.OnGap(Context, direction, bytes);
        }
        else
        {
            if (stream.Missed != TcpStream.UnknownMissed)
                stream.Missed = Math.Max(0, stream.Missed) + waiting + bytes;
            _midStream = true;
            stream.Candidates = store.Streams.AllRows;
        }
    }

    private void Conflict(long bytes, FlowDirection direction)
    {
        if (bytes == 0)
            return;
        store.Counters.ConflictingBytes += bytes;
        Shard.OdditiesOf(Index, direction).ConflictingBytes += bytes;
        Context.AtConversation(this);
        Context.Emit(new Fault(FaultKind.OverlapConflict, Layer.Stream, 0, bytes));
    }
}
