using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Streams;

/// <summary>The way of in-order bytes: to the probes until one is certain, then to the session, past what waits for more bytes.</summary>
internal sealed partial class StreamConversation
{
    /// <summary>Shows new bytes to the session, in place when nothing waits before them.</summary>
    private void Feed(FlowDirection direction, ref TcpStream stream, ReadOnlySpan<byte> data)
    {
        if (_session is null)
        {
            Probe(direction, ref stream, data);
            return;
        }

        if (data.Length > 0)
            TellMissed(direction, ref stream);
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
                    Probe(direction, ref stream, data);
                    return;
                }

                stream.Needed = Math.Clamp(progress.Needed, 0, StreamSession.MaximumPendingBytes);
                if (Skip(ref stream, progress.Skip, ref data) || (consumed > 0 && data.Length >= stream.Needed))
                    continue;
                if (data.Length > 0 && !stream.TryAppend(store, Shard, data))
                    Overflow(direction, ref stream, data.Length);
                return;
            }

            // Only what is needed is copied; the rest can be read in place once the session has taken the pending bytes.
            var take = stream.Needed > stream.PendingLength + 1 ? stream.Needed - stream.PendingLength : data.Length;
            take = Math.Min(Math.Min(take, data.Length), StreamSession.MaximumPendingBytes - stream.PendingLength);
            if (!stream.TryAppend(store, Shard, data[..take]))
            {
                Overflow(direction, ref stream, data.Length);
                return;
            }

            data = data[take..];
            if (stream.PendingLength < stream.Needed)
                continue;
            data = Pump(direction, ref stream, data);
        }
    }

    /// <summary>Shows the pending bytes. Returns what is left of the bytes behind them after a skip.</summary>
    private ReadOnlySpan<byte> Pump(FlowDirection direction, scoped ref TcpStream stream, ReadOnlySpan<byte> behind)
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
                Probe(direction, ref stream, behind);
                return [];
            }

            stream.Needed = Math.Clamp(progress.Needed, 0, StreamSession.MaximumPendingBytes);
            if (skip > 0)
            {
                stream.Needed = 0;
                Skip(ref stream, skip - inPending, ref behind);
                continue;
            }

            if (consumed > 0 && stream.PendingLength >= stream.Needed)
                continue;

            if (stream.PendingLength == StreamSession.MaximumPendingBytes)
            {
                Overflow(direction, ref stream, 0);
                return behind;
            }

            break;
        }

        return behind;
    }

    /// <summary>Passes over bytes, here and in segments to come. False when there is nothing to skip.</summary>
    private static bool Skip(ref TcpStream stream, long skip, ref ReadOnlySpan<byte> data)
    {
        if (skip <= 0)
            return false;
        var here = (int)Math.Min(skip, data.Length);
        data = data[here..];
        stream.Next = Math.Min(stream.Next + Math.Min(skip, MaximumSkip) - here, MaximumSkip);
        stream.Needed = 0;
        return true;
    }

    private void Overflow(FlowDirection direction, ref TcpStream stream, int more)
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
        Reopen(ref _originator);
        Reopen(ref _responder);
    }

    private void Reopen(ref TcpStream stream)
    {
        stream.Candidates = store.Streams.AllRows;
        stream.Rejected = false;
        stream.Needed = 0;
        stream.Missed = TcpStream.NoneMissed;
    }

    private void Probe(FlowDirection direction, ref TcpStream stream, ReadOnlySpan<byte> data)
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
                Reject(ref stream);
                return;
            }

            prefix = stream.Pending;
        }

        var row = store.Streams.Recognise(direction, prefix, Record.OriginatorPort, Record.ResponderPort, ref stream.Candidates);
        if (row < 0 && _midStream && stream.Candidates == 0)
            row = store.Streams.Hinted(Record.OriginatorPort, Record.ResponderPort);
        if (row >= 0)
        {
            var waiting = stream.PendingLength > 0;
            var rest = waiting ? data[take..] : data;
            var start = stream.Next - rest.Length - stream.PendingLength;
            stream.History.Add(start, prefix);
            if (waiting)
                stream.History.Add(start + prefix.Length, rest);
            Attach(row);
            ShowPending(direction.Opposite(), []);
            Feed(direction, ref stream, ShowPending(direction, rest));
        }
        else if (stream.Candidates == 0)
        {
            Reject(ref stream);
        }
        else if (prefix.Length >= FlowLimits.MaximumProbeBytes || (stream.PendingLength == 0 && !stream.TryAppend(store, Shard, data)))
        {
            stream.MidStreamProbes = FlowLimits.MaximumMidStreamProbes;
            Reject(ref stream);
        }
    }

    /// <summary>Shows what waited for the probes. Returns what is left of the bytes behind it.</summary>
    private ReadOnlySpan<byte> ShowPending(FlowDirection direction, ReadOnlySpan<byte> behind)
    {
        ref var stream = ref StreamOf(direction);
        if (!stream.Started || stream.PendingLength == 0)
            return behind;
        TellMissed(direction, ref stream);
        return Pump(direction, ref stream, behind);
    }

    private void TellMissed(FlowDirection direction, ref TcpStream stream)
    {
        Context.AtConversation(this);
        if (stream.Missed == TcpStream.NoneMissed)
            return;
        _session!.OnGap(Context, direction, stream.Missed);
        stream.Missed = TcpStream.NoneMissed;
    }

    /// <summary>The probes turned the direction down; in the middle of a connection they get further chances at segment starts.</summary>
    private void Reject(ref TcpStream stream)
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
        Record.Application = _session.Protocol;
    }
}
