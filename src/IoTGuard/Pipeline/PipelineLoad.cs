namespace IoTGuard.Pipeline;

/// <summary>How busy the threads of a live pipeline are. Each number has one thread that writes it; any may read.</summary>
/// <param name="rings">Number of rings.</param>
internal sealed class PipelineLoad(int rings)
{
    private readonly long[] _ringTicks = new long[rings];
    private long _turns;
    private long _detectorTicks;
    private int _waiting;

    /// <summary>Rises as long as the threads of rings and detector do not stand still; they turn several times a second also without packets.</summary>
    public long Turns => Interlocked.Read(ref _turns);

    /// <summary>Processor time of decoding, flows and protocols so far, over all rings.</summary>
    public TimeSpan Rings => TimeSpan.FromSeconds(_ringTicks.Sum() / (double)System.Diagnostics.Stopwatch.Frequency);

    /// <summary>Time of detection and outputs so far.</summary>
    public TimeSpan Detector => TimeSpan.FromSeconds(Interlocked.Read(ref _detectorTicks) / (double)System.Diagnostics.Stopwatch.Frequency);

    /// <summary>Event batches that waited for the detector when it last looked.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>A ring's thread is done with a batch.</summary>
    /// <param name="ring">Number of the ring.</param>
    /// <param name="ticks">Time it took, ticks of <see cref="System.Diagnostics.Stopwatch"/>.</param>
    public void OnRing(int ring, long ticks)
    {
        Volatile.Write(ref _ringTicks[ring], _ringTicks[ring] + ticks);
        Interlocked.Increment(ref _turns);
    }

    /// <summary>The detector is done with a delivery.</summary>
    /// <param name="ticks">Time it took.</param>
    /// <param name="waiting">Deliveries that wait.</param>
    public void OnDetector(long ticks, int waiting)
    {
        Volatile.Write(ref _detectorTicks, _detectorTicks + ticks);
        Volatile.Write(ref _waiting, waiting);
        Interlocked.Increment(ref _turns);
    }
}
