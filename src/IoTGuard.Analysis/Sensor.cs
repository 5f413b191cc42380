using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;

namespace IoTGuard.Analysis;

/// <summary>Limits and choices of a sensor. All sizes are for the whole run, whatever the number of workers.</summary>
public sealed record SensorOptions
{
    /// <summary>Most flows held at once, over all workers.</summary>
    public int MaximumFlows { get; init; } = 1_000_000;

    /// <summary>Keeps flows of different VLANs apart.</summary>
    public bool VlanAware { get; init; }

    /// <summary>A flow without a packet for this time ends, ns of packet time.</summary>
    public long IdleTimeoutNs { get; init; } = 120_000_000_000;

    /// <summary>A TCP connection known to be established without a packet for this time ends, ns of packet time.</summary>
    public long EstablishedIdleTimeoutNs { get; init; } = 900_000_000_000;

    /// <summary>An active flow gives an interim record this often, ns of packet time.</summary>
    public long ActiveTimeoutNs { get; init; } = 60_000_000_000;

    /// <summary>Key of the site for pseudonyms, 32 bytes.</summary>
    public required ReadOnlyMemory<byte> PseudonymKey { get; init; }
}

/// <summary>
/// One worker's way from frames to events: decode, flows, streams, sessions. A flow always meets the same sensor; what a sensor emits
/// does not depend on how many there are.
/// </summary>
public sealed class Sensor
{
    public Sensor(SensorOptions options) => Context = new SessionContext(new Pseudonymizer(options.PseudonymKey.Span));

    internal SessionContext Context { get; }

    /// <summary>Works on the frames of a batch that fall to this sensor.</summary>
    /// <param name="batch">The frames.</param>
    /// <param name="clocks">The run's clock at each frame: the largest packet time up to it, ns.</param>
    /// <param name="mine">Indices of this sensor's frames, ascending.</param>
    /// <param name="output">Receives the events.</param>
    public void Process(FrameBatch batch, ReadOnlySpan<long> clocks, ReadOnlySpan<ushort> mine, EventBatch output) => Context.AtFrame(0, 0, output);

    /// <summary>Brings the sensor's clock to the end of a batch: expires what is due at or before it, then sorts the events.</summary>
    public void Advance(long clockNs, EventBatch output) => Context.AtFrame(0, 0, output);

    /// <summary>Ends all flows at the end of the input.</summary>
    public void Complete(long clockNs, EventBatch output) => Context.AtFrame(0, 0, output);
}
