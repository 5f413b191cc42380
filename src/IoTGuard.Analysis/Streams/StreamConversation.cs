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
internal sealed class StreamConversation(StreamStore store) : Conversation
{
    /// <summary>Longest skip in bytes; a session that wants no more bytes at all asks for more than any connection carries.</summary>
    private const long MaximumSkip = StreamSession.Everything;

    private readonly TcpStream _originator = new();
    private readonly TcpStream _responder = new();
    private bool _midStream;
    private StreamSession? _session;
    private int _handOvers;

    /// <summary>True when neither direction is of a known protocol, nor ever was.</summary>
    public bool IsHopeless => _session is null && _originator.Rejected && _responder.Rejected && Record[0].Application == ApplicationProtocol.Unknown;

    public override long Touch(FlowDirection direction, int depth) => depth switch
    {
        0 => Faults + _handOvers,
        1 => StreamOf(direction).Touch() + (long)Record[0].Originator.High + Record[0].Counters.Faults,
        _ => _session?.Touch(direction, depth - 2) ?? 0,
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
        var stream = StreamOf(direction);
        stream.Start(offset, store.Streams.AllRows);
        stream.Rejected = rejected;
        stream.Missed = rejected || _midStream ? TcpStream.UnknownMissed : TcpStream.NoneMissed;
    }

    public bool IsStarted(FlowDirection direction) => StreamOf(direction).Started;

    /// <summary>A segment of one direction, with a place in the stream.</summary>
    /// <param name="cut">Bytes behind <paramref name="data"/> that were on the wire but not captured.</param>
    public void OnSegment(FlowDirection direction, long offset, ReadOnlySpan<byte> data, int cut, bool fin)
    {
        var stream = StreamOf(direction);
        var end = offset + data.Length + cut;
        if (fin)
            stream.FinAt = end;
        if (offset <= stream.Next)
            InOrder(direction, stream, offset, data, cut);
        else if (end > offset)
            OutOfOrder(direction, stream, offset, data, cut);
        Settle(direction, stream);
        if (stream.EarlyCount > 0 || Shard.Heads[Index].Has(FlowFlags.Waiting))
            NoteWaiting();
    }

    /// <summary>Looks whether what a direction waits for is lost, since time passed or the receiver acknowledged more.</summary>
    public void Settle(FlowDirection direction)
    {
        var stream = StreamOf(direction);
        if (stream.EarlyCount == 0)
            return;
        Settle(direction, stream);
        NoteWaiting();
    }

    public override void End()
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

    private TcpStream StreamOf(FlowDirection direction) => direction == FlowDirection.FromOriginator ? _originator : _responder;

    private void NoteWaiting()
    {
        ref var head = ref Shard.Heads[Index];
        if (_originator.EarlyCount + _responder.EarlyCount > 0)
            head.Flags |= FlowFlags.Waiting;
        else
            head.Flags &= ~FlowFlags.Waiting;
    }

    private void Finish(FlowDirection direction)
    {
        var stream = StreamOf(direction);
        while (stream.EarlyCount > 0)
            DeclareGap(direction, stream);
        Settle(direction, stream);
    }

    private void InOrder(FlowDirection direction, TcpStream stream, long offset, ReadOnlySpan<byte> data, int cut)
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

        Deliver(direction, stream, data, cut);
        Drain(direction, stream);
    }

    private void OutOfOrder(FlowDirection direction, TcpStream stream, long offset, ReadOnlySpan<byte> data, int cut)
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
                DeclareGap(direction, stream);
            else
                Gap(direction, stream, offset - stream.Next);
            if (offset <= stream.Next)
            {
                InOrder(direction, stream, offset, data, cut);
                return;
            }
        }
    }

    /// <summary>Applies the gap policy and tells the half close once it is reached.</summary>
    private void Settle(FlowDirection direction, TcpStream stream)
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
            DeclareGap(direction, stream);
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

    private void DeclareGap(FlowDirection direction, TcpStream stream)
    {
        if (stream.EarlyOffset > stream.Next)
            Gap(direction, stream, stream.EarlyOffset - stream.Next);
        Drain(direction, stream);
        stream.HoleClock = store.Clock;
    }

    private void Drain(FlowDirection direction, TcpStream stream)
    {
        while (stream.EarlyCount > 0 && stream.EarlyOffset <= stream.Next)
        {
            var data = stream.Early!.First;
            var cut = stream.Early!.FirstCut;
            var old = stream.Next - stream.EarlyOffset;
            if (old < data.Length + (long)cut)
            {
                var seen = (int)Math.Min(old, data.Length);
                Deliver(direction, stream, data[seen..], cut - (int)(old - seen));
            }

            stream.RemoveFirstEarly(store, Shard);
            stream.HoleClock = store.Clock;
        }
    }

    /// <summary>Shows bytes that lie at the stream's next place, then tells those that the capture does not hold.</summary>
    private void Deliver(FlowDirection direction, TcpStream stream, ReadOnlySpan<byte> data, int cut)
    {
        var cutEnd = stream.Next + data.Length + cut;
        if (data.Length > 0)
        {
            var offset = stream.Next;
            stream.Next += data.Length;
            if (_session is null)
            {
                Probe(direction, stream, data);
            }
            else
            {
                stream.History.Add(offset, data);
                Feed(direction, stream, data);
            }
        }

        if (cut > 0 && stream.Next < cutEnd)
            Gap(direction, stream, cutEnd - stream.Next);
    }

    private void Gap(FlowDirection direction, TcpStream stream, long bytes)
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
        Shard.DirectionDetails[(2 * Index) + (int)direction].ConflictingBytes += bytes;
        Context.AtConversation(this);
        Context.Emit(new Fault(FaultKind.OverlapConflict, Layer.Stream, 0, bytes));
    }

    /// <summary>Shows new bytes to the session, in place when nothing waits before them.</summary>
    private void Feed(FlowDirection direction, TcpStream stream, ReadOnlySpan<byte> data)
    {
        if (_session is null)
        {
            Probe(direction, stream, data);
            return;
        }

        if (data.Length > 0)
            TellMissed(direction, stream);
        while (data.Length > 0)
        {
            if (stream.PendingLength == 0 && data.Length >= stream.Needed)
            {
                var progress = _session!.OnData(Context, direction, data);
                var consumed = Math.Clamp(progress.Consumed, 0, data.Length);
                data = data[consumed..];
                if (IsHandedOver())
                {
                    Detach();
                    Probe(direction, stream, data);
                    return;
                }

                stream.Needed = Math.Clamp(progress.Needed, 0, StreamSession.MaximumPendingBytes);
                if (Skip(stream, progress.Skip, ref data) || (consumed > 0 && data.Length >= stream.Needed))
                    continue;
                if (data.Length > 0 && !stream.TryAppend(store, Shard, data))
                    Overflow(direction, stream, data.Length);
                return;
            }

            // Only what is needed is copied; the rest can be read in place once the session has taken the pending bytes.
            var take = stream.Needed > stream.PendingLength + 1 ? stream.Needed - stream.PendingLength : data.Length;
            take = Math.Min(Math.Min(take, data.Length), StreamSession.MaximumPendingBytes - stream.PendingLength);
            if (!stream.TryAppend(store, Shard, data[..take]))
            {
                Overflow(direction, stream, data.Length);
                return;
            }

            data = data[take..];
            if (stream.PendingLength < stream.Needed)
                continue;
            data = Pump(direction, stream, data);
        }
    }

    /// <summary>Shows the pending bytes. Returns what is left of the bytes behind them after a skip.</summary>
    private ReadOnlySpan<byte> Pump(FlowDirection direction, TcpStream stream, ReadOnlySpan<byte> behind)
    {
        while (stream.PendingLength > 0 && _session is not null)
        {
            var progress = _session!.OnData(Context, direction, stream.Pending);
            var consumed = Math.Clamp(progress.Consumed, 0, stream.PendingLength);
            var skip = Math.Clamp(progress.Skip, 0, MaximumSkip);
            var inPending = (int)Math.Min(skip, stream.PendingLength - consumed);
            stream.ConsumePending(store, Shard, consumed + inPending);
            if (IsHandedOver())
            {
                Detach();
                Probe(direction, stream, behind);
                return [];
            }

            stream.Needed = Math.Clamp(progress.Needed, 0, StreamSession.MaximumPendingBytes);
            if (skip > 0)
            {
                stream.Needed = 0;
                Skip(stream, skip - inPending, ref behind);
                continue;
            }

            if (consumed > 0 && stream.PendingLength >= stream.Needed)
                continue;

            if (stream.PendingLength == StreamSession.MaximumPendingBytes)
            {
                Overflow(direction, stream, 0);
                return behind;
            }

            break;
        }

        return behind;
    }

    /// <summary>Passes over bytes, here and in segments to come. False when there is nothing to skip.</summary>
    private static bool Skip(TcpStream stream, long skip, ref ReadOnlySpan<byte> data)
    {
        if (skip <= 0)
            return false;
        var here = (int)Math.Min(skip, data.Length);
        data = data[here..];
        stream.Next = Math.Min(stream.Next + Math.Min(skip, MaximumSkip) - here, MaximumSkip);
        stream.Needed = 0;
        return true;
    }

    private void Overflow(FlowDirection direction, TcpStream stream, int more)
    {
        store.Counters.PendingOverflows++;
        var dropped = stream.PendingLength + more;
        stream.DropPending(store, Shard);
        stream.Needed = 0;
        Context.Emit(new Fault(FaultKind.Overflow, Layer.Stream, 0, dropped));
        _session!.OnGap(Context, direction, dropped);
    }

    private bool IsHandedOver() => Context.TakeHandOver() && ++_handOvers <= FlowLimits.MaximumHandOvers;

    /// <summary>The session handed the connection over: whoever recognises what follows reads on.</summary>
    private void Detach()
    {
        Context.AtConversation(this);
        _session!.OnEnd(Context);
        store.Streams.Return(Row, _session);
        _session = null;
        foreach (var stream in (ReadOnlySpan<TcpStream>)[_originator, _responder])
        {
            stream.Candidates = store.Streams.AllRows;
            stream.Rejected = false;
            stream.Needed = 0;
            stream.Missed = TcpStream.NoneMissed;
        }
    }

    private void Probe(FlowDirection direction, TcpStream stream, ReadOnlySpan<byte> data)
    {
        if (stream.Rejected || data.Length + stream.PendingLength == 0)
            return;
        // After a hand-over more may wait than probes are shown.
        var take = Math.Clamp(FlowLimits.MaximumProbeBytes - stream.PendingLength, 0, data.Length);
        var prefix = data;
        if (stream.PendingLength > 0)
        {
            if (!stream.TryAppend(store, Shard, data[..take]))
            {
                Reject(stream);
                return;
            }

            prefix = stream.Pending;
        }

        var row = store.Streams.Recognise(direction, prefix, Record[0].OriginatorPort, Record[0].ResponderPort, ref stream.Candidates);
        if (row < 0 && _midStream && stream.Candidates == 0)
            row = store.Streams.Hinted(Record[0].OriginatorPort, Record[0].ResponderPort);
        if (row >= 0)
        {
            var waiting = stream.PendingLength > 0;
            var rest = waiting ? data[take..] : data;
            var start = stream.Next - rest.Length - stream.PendingLength;
            stream.History.Add(start, prefix);
            if (waiting)
                stream.History.Add(start + prefix.Length, rest);
            Attach(row);
            ShowPending((FlowDirection)(1 - (int)direction), []);
            Feed(direction, stream, ShowPending(direction, rest));
        }
        else if (stream.Candidates == 0)
        {
            Reject(stream);
        }
        else if (prefix.Length >= FlowLimits.MaximumProbeBytes || (stream.PendingLength == 0 && !stream.TryAppend(store, Shard, data)))
        {
            stream.MidStreamProbes = FlowLimits.MaximumMidStreamProbes;
            Reject(stream);
        }
    }

    /// <summary>Shows what waited for the probes. Returns what is left of the bytes behind it.</summary>
    private ReadOnlySpan<byte> ShowPending(FlowDirection direction, ReadOnlySpan<byte> behind)
    {
        var stream = StreamOf(direction);
        if (!stream.Started || stream.PendingLength == 0)
            return behind;
        TellMissed(direction, stream);
        return Pump(direction, stream, behind);
    }

    private void TellMissed(FlowDirection direction, TcpStream stream)
    {
        Context.AtConversation(this);
        if (stream.Missed == TcpStream.NoneMissed)
            return;
        _session!.OnGap(Context, direction, stream.Missed);
        stream.Missed = TcpStream.NoneMissed;
    }

    /// <summary>The probes turned the direction down; in the middle of a connection they get further chances at segment starts.</summary>
    private void Reject(TcpStream stream)
    {
        stream.DropPending(store, Shard);
        stream.Missed = TcpStream.UnknownMissed;
        if (_midStream && ++stream.MidStreamProbes < FlowLimits.MaximumMidStreamProbes)
            stream.Candidates = store.Streams.AllRows;
        else
            stream.Rejected = true;
    }

    private void Attach(int row)
    {
        Row = row;
        _session = (StreamSession)store.Streams.Rent(row);
        store.Counters.Sessions++;
        Refresh();
        Record[0].Application = _session.Protocol;
    }
}
