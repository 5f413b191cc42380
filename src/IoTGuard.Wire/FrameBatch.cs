namespace IoTGuard.Wire;

/// <summary>One captured frame: when, how long, and where its bytes lie in the batch's memory.</summary>
/// <param name="TimeNs">Packet time, nanoseconds since 1970-01-01 UTC.</param>
/// <param name="Offset">Offset of the first byte in <see cref="FrameBatch.Memory"/>.</param>
/// <param name="Length">Captured length in bytes.</param>
/// <param name="WireLength">Length on the wire in bytes; larger than <paramref name="Length"/> when the capture was cut.</param>
/// <param name="Link">Link type of the frame's interface.</param>
/// <param name="AuxVlan">VLAN tag that the kernel stripped: TPID in the upper, TCI in the lower 16 bits; 0 = none.</param>
public readonly record struct FrameHeader(long TimeNs, int Offset, int Length, int WireLength, LinkType Link, uint AuxVlan = 0);

/// <summary>
/// A batch of frames over one piece of memory. The bytes are valid until <see cref="Release"/>; nobody keeps a span past it.
/// A batch is filled by one <see cref="IFrameSource"/> and may be read by several workers.
/// </summary>
public sealed class FrameBatch
{
    /// <summary>Frames in a full batch: few enough that the batches under way stay in a processor's cache.</summary>
    public const int Capacity = 512;

    private readonly FrameHeader[] _frames = new FrameHeader[Capacity];
    private Action<FrameBatch>? _onRelease;

    /// <summary>The memory that all <see cref="FrameHeader.Offset"/>s point into.</summary>
    public ReadOnlyMemory<byte> Memory { get; private set; }

    /// <summary>Number of frames.</summary>
    public int Count { get; private set; }

    /// <summary>Number of the first frame in the run, counted from 0 over all sources in the order they are analysed.</summary>
    public long FirstFrame { get; set; }

    /// <summary>The frames, in the order of the capture.</summary>
    public ReadOnlySpan<FrameHeader> Frames => _frames.AsSpan(0, Count);

    /// <summary>True when no further frame fits.</summary>
    public bool IsFull => Count == Capacity;

    /// <summary>Owner's private state, such as the mapped window or ring block that the memory belongs to.</summary>
    public object? OwnerState { get; set; }

    /// <summary>Empties the batch and points it at new memory.</summary>
    /// <param name="memory">The memory that the frames to come lie in.</param>
    /// <param name="onRelease">Called once when the batch is given back; the memory may be reused from then on.</param>
    public void Reset(ReadOnlyMemory<byte> memory, Action<FrameBatch>? onRelease)
    {
        Memory = memory;
        Count = 0;
        _onRelease = onRelease;
    }

    /// <summary>Appends a frame; the batch must not be full.</summary>
    public void Add(in FrameHeader frame) => _frames[Count++] = frame;

    /// <summary>Gives a frame another time, ns since 1970.</summary>
    public void SetTime(int index, long timeNs) => _frames[index] = _frames[index] with { TimeNs = timeNs };

    /// <summary>Gives the memory back to its owner. Called once, by the stage that uses the batch last.</summary>
    public void Release()
    {
        var onRelease = _onRelease;
        _onRelease = null;
        onRelease?.Invoke(this);
        Memory = default;
        Count = 0;
    }
}

/// <summary>What a source has read and lost so far.</summary>
/// <param name="Frames">Frames delivered.</param>
/// <param name="Bytes">Captured bytes delivered.</param>
/// <param name="KernelDrops">Frames that the kernel dropped because the ring was full (live only).</param>
/// <param name="UnreadBytes">Bytes of the input that could not be read.</param>
public readonly record struct CaptureStatistics(long Frames, long Bytes, long KernelDrops, long UnreadBytes);

/// <summary>Where a capture could not be read further, in a sentence with the file and the offset in bytes.</summary>
/// <param name="Source">File name, or interface name.</param>
/// <param name="Offset">Offset in bytes in the (unpacked) input.</param>
/// <param name="Reason">What is wrong there.</param>
public sealed record CaptureProblem(string Source, long Offset, string Reason);

/// <summary>Frames in: a capture file, several merged files, or a live ring.</summary>
public interface IFrameSource : IDisposable
{
    /// <summary>
    /// Fills <paramref name="batch"/> with the next frames. Returns false at the end of the input.
    /// A live source may return true with no frames when its poll interval passed, so that its caller can look at a cancellation.
    /// </summary>
    bool Read(FrameBatch batch);

    /// <summary>Counters so far.</summary>
    CaptureStatistics Statistics { get; }

    /// <summary>Problems met so far, in order; empty when all was read.</summary>
    IReadOnlyList<CaptureProblem> Problems { get; }

    /// <summary>Fraction of the input consumed (0 to 1), or null when it is not known (pipes, live).</summary>
    double? Progress { get; }
}

/// <summary>Frames of an interface as they come. Reading ends only after <see cref="Stop"/>, or when the interface is gone.</summary>
public interface ILiveSource : IFrameSource
{
    /// <summary>Takes no more frames. Those that were received before are still read; then reading ends. Any thread may call it.</summary>
    void Stop();

    /// <summary>Time that reading has spent on waiting for frames. Any thread may ask.</summary>
    TimeSpan Waited { get; }
}
