using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Streams;

/// <summary>
/// One direction of a connection as its session sees it: how far it is, what waits for the session, and what came too early.
/// Sequence numbers are continued over 2³² (<see cref="DirectionState.Next"/>).
/// </summary>
internal struct TcpStream()
{
    /// <summary>Nobody knows how many bytes were missed.</summary>
    public const long UnknownMissed = 0;

    public const long NoneMissed = -1;

    private byte[] _pending = [];

    /// <summary>Sequence number of the next byte wanted; bytes before it are done with, be they read, skipped or given up.</summary>
    public long Next;

    /// <summary>False until a segment said where the stream begins.</summary>
    public bool Started;

    /// <summary>Bytes from the first pending one without which the session is not called.</summary>
    public int Needed;

    /// <summary>Clock when the present hole was met.</summary>
    public long HoleClock;

    /// <summary>Sequence number after the last byte; -1 before FIN.</summary>
    public long FinAt = -1;

    /// <summary>True when <see cref="Sessions.StreamSession.OnHalfClose"/> was called.</summary>
    public bool HalfClosed;

    /// <summary>Rows of the protocol table that may still be the protocol; a bit each.</summary>
    public ulong Candidates;

    /// <summary>True when no probe wants this direction.</summary>
    public bool Rejected;

    /// <summary>Probes of a connection picked up in the middle.</summary>
    public int MidStreamProbes;

    /// <summary>
    /// Bytes before the next ones of which the session was not told that it missed them; <see cref="UnknownMissed"/> or <see cref="NoneMissed"/>.
    /// </summary>
    public long Missed;

    /// <summary>What was shown to the session.</summary>
    public StreamHistory History;

    /// <summary>Segments that came too early; null until there was one.</summary>
    public OutOfOrderSegments? Early { get; private set; }

    /// <summary>How many of them wait; kept here so that the usual stream, which has none, need not look.</summary>
    public int EarlyCount { get; private set; }

    /// <summary>Sequence number of the first byte that came too early.</summary>
    public readonly long EarlyOffset => Early!.FirstOffset;

    public int PendingLength { get; private set; }

    public readonly ReadOnlySpan<byte> Pending => _pending.AsSpan(0, PendingLength);

    /// <summary>Touches what a segment will need. The result says nothing.</summary>
    public readonly long Touch() => Next + PendingLength + History.Touch();

    /// <summary>Begins at a sequence number.</summary>
    public void Start(long offset, ulong candidates)
    {
        Started = true;
        Next = offset;
        Needed = 0;
        FinAt = -1;
        HalfClosed = false;
        Candidates = candidates;
        Rejected = false;
        MidStreamProbes = 0;
        Missed = NoneMissed;
        History.Start(offset);
    }

    /// <summary>Forgets the connection.</summary>
    public void Clear(StreamStore store, FlowShard shard)
    {
        if (EarlyCount > 0)
            Early!.Clear(store, shard);
        EarlyCount = 0;
        DropPending(store, shard);
        Started = false;
    }

    /// <summary>Keeps a segment that came too early, as <see cref="OutOfOrderSegments.Insert"/> does.</summary>
    public bool InsertEarly(StreamStore store, FlowShard shard, long offset, ReadOnlySpan<byte> data, int cut, ref long conflicts)
    {
        Early ??= new OutOfOrderSegments();
        var kept = Early.Insert(store, shard, offset, data, cut, ref conflicts);
        EarlyCount = Early.Count;
        return kept;
    }

    public void RemoveFirstEarly(StreamStore store, FlowShard shard)
    {
        Early!.RemoveFirst(store, shard);
        EarlyCount = Early.Count;
    }

    /// <summary>Keeps bytes for the session; false when the shard's byte budget is used up.</summary>
    public bool TryAppend(StreamStore store, FlowShard shard, ReadOnlySpan<byte> data)
    {
        var length = PendingLength + data.Length;
        if (length > _pending.Length)
        {
            // The exact size of the buffer that the pool would give.
            var size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(length, BufferPool.SmallestBytes));
            if (!StreamStore.TryCharge(shard, size - _pending.Length))
                return false;
            var larger = store.Buffers.Rent(size);
            Pending.CopyTo(larger);
            if (_pending.Length > 0)
                store.Buffers.Return(_pending);
            _pending = larger;
        }

        data.CopyTo(_pending.AsSpan(PendingLength));
        PendingLength = length;
        return true;
    }

    /// <summary>Removes bytes from the front of what is pending.</summary>
    public void ConsumePending(StreamStore store, FlowShard shard, int bytes)
    {
        if (bytes >= PendingLength)
        {
            DropPending(store, shard);
            return;
        }

        _pending.AsSpan(bytes, PendingLength - bytes).CopyTo(_pending);
        PendingLength -= bytes;
    }

    public void DropPending(StreamStore store, FlowShard shard)
    {
        PendingLength = 0;
        if (_pending.Length == 0)
            return;
        shard.StreamBytes -= _pending.Length;
        store.Buffers.Return(_pending);
        _pending = [];
    }
}
