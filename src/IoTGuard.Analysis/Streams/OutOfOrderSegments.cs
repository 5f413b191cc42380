using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Streams;

/// <summary>
/// Bytes of one direction that came before those in front of them, as disjoint segments in order of their sequence numbers. The first
/// copy of a byte is kept. Limits: <see cref="FlowLimits.MaximumOutOfOrderSegments"/>, <see cref="FlowLimits.MaximumOutOfOrderBytes"/>, and the
/// shard's byte budget; what does not fit is not kept.
/// </summary>
internal sealed class OutOfOrderSegments
{
    private Segment[] _segments = new Segment[8];
    private int _bytes;

    public int Count { get; private set; }

    /// <summary>Sequence number of the first byte held.</summary>
    public long FirstOffset => _segments[0].Offset;

    /// <summary>Bytes of the first segment.</summary>
    public ReadOnlySpan<byte> First => _segments[0].Buffer.AsSpan(0, _segments[0].Length);

    /// <summary>Bytes at the end of the first segment that the capture does not hold.</summary>
    public int FirstCut => _segments[0].Cut;

    /// <summary>Keeps what is new of a segment. Returns false when a limit was in the way; the bytes that conflict are added up.</summary>
    /// <param name="cut">Bytes behind <paramref name="data"/> that were on the wire but not captured.</param>
    public bool Insert(StreamStore store, FlowShard shard, long offset, ReadOnlySpan<byte> data, int cut, ref long conflicts)
    {
        // Most out-of-order segments come behind all others.
        var i = Count;
        while (i > 0 && _segments[i - 1].End > offset)
            i--;

        var end = offset + data.Length + cut;
        while (offset < end)
        {
            var limit = i < Count ? Math.Min(end, _segments[i].Offset) : end;
            if (offset < limit)
            {
                var take = (int)Math.Min(data.Length, limit - offset);
                var missing = (int)(limit - offset) - take;
                if (!Put(store, shard, i, offset, data[..take], missing))
                    return false;
                i++;
                offset = limit;
                data = data[take..];
                if (offset == end)
                    break;
            }

            ref readonly var held = ref _segments[i];
            var skip = (int)(offset - held.Offset);
            var overlap = (int)Math.Min(Math.Min(data.Length, held.Length - skip), end - offset);
            if (overlap > 0)
                conflicts += Differences(held.Buffer.AsSpan(skip, overlap), data[..overlap]);
            var passed = Math.Min(end, held.End) - offset;
            data = data[(int)Math.Min(data.Length, passed)..];
            offset += passed;
            i++;
        }

        return true;
    }

    /// <summary>Number of positions in which two equally long spans differ.</summary>
    public static long Differences(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        var same = first.CommonPrefixLength(second);
        long count = 0;
        for (var i = same; i < first.Length; i++)
        {
            if (first[i] != second[i])
                count++;
        }

        return count;
    }

    public void RemoveFirst(StreamStore store, FlowShard shard)
    {
        Free(store, shard, _segments[0]);
        Count--;
        Array.Copy(_segments, 1, _segments, 0, Count);
        _segments[Count] = default;
    }

    public void Clear(StreamStore store, FlowShard shard)
    {
        for (var i = 0; i < Count; i++)
        {
            Free(store, shard, _segments[i]);
            _segments[i] = default;
        }

        Count = 0;
    }

    private bool Put(StreamStore store, FlowShard shard, int at, long offset, ReadOnlySpan<byte> data, int cut)
    {
        if (Count == FlowLimits.MaximumOutOfOrderSegments || _bytes + data.Length > FlowLimits.MaximumOutOfOrderBytes
            || !StreamStore.TryCharge(shard, Charge(data.Length)))
        {
            return false;
        }

        if (Count == _segments.Length)
            Array.Resize(ref _segments, Count * 2);
        Array.Copy(_segments, at, _segments, at + 1, Count - at);
        var buffer = store.Buffers.Rent(data.Length);
        data.CopyTo(buffer);
        _segments[at] = new Segment { Offset = offset, Length = data.Length, Cut = cut, Buffer = buffer };
        _bytes += data.Length;
        Count++;
        return true;
    }

    private void Free(StreamStore store, FlowShard shard, in Segment segment)
    {
        store.Buffers.Return(segment.Buffer);
        shard.StreamBytes -= Charge(segment.Length);
        _bytes -= segment.Length;
    }

    /// <summary>What a segment costs of the shard's budget: tiny ones cost a whole small buffer.</summary>
    private static int Charge(int length) => Math.Max(BufferPool.SmallestBytes, length);

    private struct Segment
    {
        public long Offset;
        public int Length;
        public int Cut;
        public byte[] Buffer;

        public readonly long End => Offset + Length + Cut;
    }
}
