using IoTGuard.Capture.Files;
using IoTGuard.Wire;

namespace IoTGuard.Capture;

/// <summary>
/// Several captures as one, in the order of packet time; of frames of the same time, those of the earlier argument come first.
/// A single capture is passed through as it is; frames of several are copied into buffers that are used again.
/// </summary>
public sealed class MergedSource : IFrameSource
{
    private static readonly Action<FrameBatch> ReleaseWindow = static batch => ((Window)batch.OwnerState!).Release();

    private readonly IReadOnlyList<IFrameSource> _sources;
    private readonly Head[] _heads;
    private long _frames;

    /// <param name="sources">The captures, owned from here on.</param>
    public MergedSource(IReadOnlyList<IFrameSource> sources)
    {
        _sources = sources;
        _heads = [.. sources.Select(static source => new Head(source))];
        if (_heads.Length == 1)
            return;
        var scratch = new FrameBatch();
        foreach (var head in _heads)
            head.Peek(scratch);
    }

    /// <inheritdoc/>
    public CaptureStatistics Statistics
    {
        get
        {
            var sum = default(CaptureStatistics);
            foreach (var source in _sources)
            {
                var one = source.Statistics;
                sum = new(sum.Frames + one.Frames, sum.Bytes + one.Bytes, sum.KernelDrops + one.KernelDrops, sum.UnreadBytes + one.UnreadBytes);
            }

            return sum;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<CaptureProblem> Problems => [.. _sources.SelectMany(static source => source.Problems)];

    /// <inheritdoc/>
    public double? Progress => _sources.Average(static source => source.Progress);

    /// <inheritdoc/>
    public bool Read(FrameBatch batch)
    {
        if (_heads.Length == 1)
            return _sources[0].Read(batch);

        foreach (var head in _heads)
        {
            if (!head.Fill())
            {
                batch.Reset(default, null);
                return true;
            }
        }

        if (Array.TrueForAll(_heads, static head => head.HasEnded))
        {
            batch.Reset(default, null);
            return false;
        }

        var window = BufferPool.Rent(0);
        batch.Reset(window.Memory, ReleaseWindow);
        batch.OwnerState = window;
        batch.FirstFrame = _frames;
        Merge(batch, window);
        _frames += batch.Count;
        if (batch.Count == 0)
            batch.Release();
        return true;
    }

    /// <summary>Copies frames until the batch or its buffer is full, or one capture has to be read on, which may take its time.</summary>
    private void Merge(FrameBatch batch, BufferWindow window)
    {
        while (true)
        {
            var (first, untilNs) = Earliest();
            if (!first.WakeUp())
                return;
            do
            {
                var (frame, bytes) = first.Current;
                if (batch.IsFull || window.Buffer.Length - window.Length < bytes.Length)
                    return;
                bytes.CopyTo(window.Buffer.AsSpan(window.Length));
                batch.Add(frame with { Offset = window.Length });
                window.Length += bytes.Length;
                if (!first.MoveNext())
                    return;
            }
            while (first.TimeNs < untilNs);
        }
    }

    /// <summary>The capture whose next frame is the earliest, and the time up to which it surely stays so.</summary>
    private (Head First, long UntilNs) Earliest()
    {
        Head? first = null;
        var untilNs = long.MaxValue;
        foreach (var head in _heads)
        {
            if (head.HasEnded)
                continue;
            if (first is null)
            {
                first = head;
            }
            else if (head.TimeNs < first.TimeNs)
            {
                untilNs = first.TimeNs;
                first = head;
            }
            else
            {
                untilNs = Math.Min(untilNs, head.TimeNs);
            }
        }

        return (first!, untilNs);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var head in _heads)
            head.Dispose();
    }

    /// <summary>One capture, and how far its current batch is merged. A file stays asleep until its first frame has its turn.</summary>
    private sealed class Head(IFrameSource source) : IDisposable
    {
        private FrameBatch? _batch;
        private int _next;
        private long? _firstTimeNs;

        public bool HasEnded { get; private set; }

        public long TimeNs => _firstTimeNs ?? _batch!.Frames[_next].TimeNs;

        public FrameOfBatch Current => new(_batch!.Frames[_next], _batch.Memory.Span);

        /// <summary>Looks at the first frame of a file.</summary>
        public void Peek(FrameBatch scratch) => _firstTimeNs = (source as CaptureFile)?.PeekTimeNs(scratch);

        /// <summary>Makes sure that there is a next frame, or the time of one, or the end; false when a live source has none yet.</summary>
        public bool Fill() => HasEnded || _firstTimeNs is not null || _next < (_batch?.Count ?? 0) || ReadOn();

        /// <summary>Makes sure that the frame that has its turn is there; false when there is none after all.</summary>
        public bool WakeUp()
        {
            if (_firstTimeNs is null)
                return true;
            _firstTimeNs = null;
            return ReadOn() && !HasEnded;
        }

        /// <summary>False when the batch is used up.</summary>
        public bool MoveNext() => ++_next < _batch!.Count;

        public void Dispose()
        {
            _batch?.Release();
            source.Dispose();
        }

        private bool ReadOn()
        {
            _batch ??= new FrameBatch();
            _batch.Release();
            _next = 0;
            HasEnded = !source.Read(_batch);
            if (HasEnded)
                _batch = null;
            return HasEnded || _batch!.Count > 0;
        }
    }

    private readonly ref struct FrameOfBatch(FrameHeader frame, ReadOnlySpan<byte> memory)
    {
        private readonly ReadOnlySpan<byte> _bytes = memory.Slice(frame.Offset, frame.Length);

        public void Deconstruct(out FrameHeader header, out ReadOnlySpan<byte> bytes)
        {
            header = frame;
            bytes = _bytes;
        }
    }
}
