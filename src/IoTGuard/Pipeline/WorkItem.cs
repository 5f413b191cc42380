using IoTGuard.Analysis;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;

namespace IoTGuard.Pipeline;

/// <summary>One batch of frames on its way through all workers: the frames, the run's clock at each, and which worker takes which.</summary>
internal sealed class WorkItem
{
    private readonly ushort[][] _indices;
    private readonly int[] _counts;
    private int _readers;

    public WorkItem(int workers)
    {
        _indices = new ushort[workers][];
        for (var i = 0; i < workers; i++)
            _indices[i] = new ushort[FrameBatch.Capacity];
        _counts = new int[workers];
        Events = [.. _indices.Select(static _ => new EventBatch())];
    }

    public FrameBatch Frames { get; } = new();

    /// <summary>What each worker has to tell of the frames.</summary>
    public EventBatch[] Events { get; }

    /// <summary>Largest packet time up to each frame, ns.</summary>
    public long[] Clocks { get; } = new long[FrameBatch.Capacity];

    /// <summary>The clock after the last frame, ns.</summary>
    public long EndClock { get; private set; }

    public ReadOnlySpan<ushort> IndicesOf(int worker) => _indices[worker].AsSpan(0, _counts[worker]);

    /// <summary>Numbers the frames, runs the clock over them and deals them out.</summary>
    /// <param name="firstFrame">Number of the first frame in the run.</param>
    /// <param name="clock">Clock before the batch, ns.</param>
    /// <param name="router">Says which shard a frame falls to.</param>
    public void Deal(long firstFrame, long clock, FrameRouter router)
    {
        Frames.FirstFrame = firstFrame;
        var frames = Frames.Frames;
        for (var i = 0; i < frames.Length; i++)
        {
            clock = Math.Max(clock, frames[i].TimeNs);
            Clocks[i] = clock;
        }

        EndClock = clock;
        var workers = _counts.Length;
        Array.Clear(_counts);
        if (workers == 1)
        {
            for (var i = 0; i < frames.Length; i++)
                _indices[0][i] = (ushort)i;
            _counts[0] = frames.Length;
        }
        else
        {
            var bytes = Frames.Memory.Span;
            for (var i = 0; i < frames.Length; i++)
            {
                ref readonly var frame = ref frames[i];
                var shard = router.ShardOf(frame, bytes.Slice(frame.Offset, frame.Length));
                if (shard != FrameRouter.EveryShard)
                {
                    _indices[shard % workers][_counts[shard % workers]++] = (ushort)i;
                    continue;
                }

                for (var worker = 0; worker < workers; worker++)
                    _indices[worker][_counts[worker]++] = (ushort)i;
            }
        }

        _readers = workers;
    }

    /// <summary>One worker is done with the frames; the last one gives their memory back.</summary>
    public void Finished()
    {
        if (Interlocked.Decrement(ref _readers) == 0)
            Frames.Release();
    }
}
