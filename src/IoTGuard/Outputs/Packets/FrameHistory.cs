using IoTGuard.Wire;

namespace IoTGuard.Outputs.Packets;

/// <summary>A frame of a <see cref="FrameHistory"/>.</summary>
/// <param name="Header">Its offset points into the chunk.</param>
/// <param name="ClockNs">Largest packet time up to it.</param>
/// <param name="BytesBefore">Bytes of all frames before it, those dropped included.</param>
/// <param name="Flow">Number of its flow; 0 = none.</param>
/// <param name="Chunk">Holds its bytes.</param>
internal readonly record struct KeptFrame(FrameHeader Header, long ClockNs, long BytesBefore, ulong Flow, byte[] Chunk)
{
    public ReadOnlySpan<byte> Bytes => Chunk.AsSpan(Header.Offset, Header.Length);
}

/// <summary>
/// Copies of the most recent frames of one source. One thread adds whole batches, another reads and drops; they meet under a lock once per batch. Bytes
/// lie in chunks that are used again.
/// </summary>
internal sealed class FrameHistory
{
    private const int ChunkBytes = 1 << 20;

    private readonly Lock _lock = new();
    private readonly Queue<byte[]> _free = [];
    private readonly Queue<(byte[] Chunk, long LastFrame)> _used = [];
    private readonly List<KeptFrame> _fresh = new(FrameBatch.Capacity);
    private KeptFrame[] _frames = new KeptFrame[4096];
    private long _first;
    private long _end;
    private byte[] _chunk = new byte[ChunkBytes];
    private int _chunkUsed;
    private long _clock;
    private long _bytes;

    /// <summary>Adds frames. The numbers of their flows are in <paramref name="flows"/>.</summary>
    public void Add(FrameBatch batch, ReadOnlySpan<ulong> flows, int snapBytes)
    {
        var bytes = batch.Memory.Span;
        var frames = batch.Frames;
        _fresh.Clear();
        for (var i = 0; i < frames.Length; i++)
        {
            ref readonly var frame = ref frames[i];
            var length = Math.Min(frame.Length, snapBytes);
            if (length > ChunkBytes - _chunkUsed)
                NextChunk();
            bytes.Slice(frame.Offset, length).CopyTo(_chunk.AsSpan(_chunkUsed));
            _clock = Math.Max(_clock, frame.TimeNs);
            _fresh.Add(new KeptFrame(frame with { Offset = _chunkUsed, Length = length }, _clock, _bytes, flows[i], _chunk));
            _chunkUsed += length;
            _bytes += length;
        }

        lock (_lock)
            Publish();
    }

    /// <summary>Index behind the last frame.</summary>
    public long End
    {
        get
        {
            lock (_lock)
                return _end;
        }
    }

    /// <summary>Index of the first frame kept.</summary>
    public long First
    {
        get
        {
            lock (_lock)
                return _first;
        }
    }

    /// <summary>Copies frames by their indices, as many as there are room and frames for; returns how many.</summary>
    public int Read(long from, Span<KeptFrame> target)
    {
        lock (_lock)
        {
            var count = (int)Math.Min(_end - from, target.Length);
            for (var i = 0; i < count; i++)
                target[i] = _frames[(from + i) & (_frames.Length - 1)];
            return Math.Max(0, count);
        }
    }

    /// <summary>Drops the frames before an index.</summary>
    public void DropBefore(long index)
    {
        lock (_lock)
        {
            for (; _first < Math.Min(index, _end); _first++)
                _frames[_first & (_frames.Length - 1)] = default;
            while (_used.TryPeek(out var oldest) && oldest.LastFrame < _first)
                _free.Enqueue(_used.Dequeue().Chunk);
        }
    }

    private void NextChunk()
    {
        lock (_lock)
        {
            // The frames of this batch that lie in the chunk come next.
            _used.Enqueue((_chunk, _end + _fresh.Count - 1));
            if (!_free.TryDequeue(out var chunk))
                chunk = new byte[ChunkBytes];
            _chunk = chunk;
            _chunkUsed = 0;
        }
    }

    private void Publish()
    {
        var needed = _end - _first + _fresh.Count;
        if (needed > _frames.Length)
        {
            var larger = new KeptFrame[System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)needed)];
            for (var i = _first; i < _end; i++)
                larger[i & (larger.Length - 1)] = _frames[i & (_frames.Length - 1)];
            _frames = larger;
        }

        foreach (var frame in _fresh)
            _frames[_end++ & (_frames.Length - 1)] = frame;
    }
}
