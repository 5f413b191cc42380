using System.Diagnostics;

namespace IoTGuard.Pipeline;

/// <summary>How busy the threads of a live pipeline are, told once per batch. Each number has one thread that writes it; any may read.</summary>
/// <param name="rings">Number of rings.</param>
internal sealed class PipelineLoad(int rings)
{
    private readonly long[] _readTicks = new long[rings];
    private readonly long[] _processTicks = new long[rings];
    private readonly long[] _copyTicks = new long[rings];
    private long _turns;
    private long _detectorTicks;
    private int _waiting;

    /// <summary>Rises as long as the threads of rings and detector do not stand still; they turn several times a second also without packets.</summary>
    public long Turns => Interlocked.Read(ref _turns);

    /// <summary>Time of taking frames over, over all rings, waiting for them included.</summary>
    public TimeSpan Reading => SumOf(_readTicks);

    /// <summary>Time of decoding, flows, streams and protocols, over all rings.</summary>
    public TimeSpan Processing => SumOf(_processTicks);

    /// <summary>Time of whoever else gets the frames, over all rings.</summary>
    public TimeSpan Copying => SumOf(_copyTicks);

    /// <summary>Time of the thread of detection, and of what the outputs do on it.</summary>
    public TimeSpan Detector => Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _detectorTicks));

    /// <summary>Event batches that waited for the detector when it last looked.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>A ring's thread is done with a batch. All times are ticks of <see cref="Stopwatch"/>.</summary>
    /// <param name="ring">Number of the ring.</param>
    /// <param name="read">Time of taking it over.</param>
    /// <param name="process">Time of the sensor.</param>
    /// <param name="copy">Time of whoever else gets the frames.</param>
    public void OnRing(int ring, long read, long process, long copy)
    {
        Volatile.Write(ref _readTicks[ring], _readTicks[ring] + read);
        Volatile.Write(ref _processTicks[ring], _processTicks[ring] + process);
        Volatile.Write(ref _copyTicks[ring], _copyTicks[ring] + copy);
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

    private static TimeSpan SumOf(long[] ticks) => Stopwatch.GetElapsedTime(0, ticks.Sum());
}
