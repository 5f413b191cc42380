using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Outputs.Delivery;

/// <summary>A message on its way to an output.</summary>
/// <param name="sequence">Place in the order of all messages of a site; 0 for heartbeats, which are in no journal.</param>
/// <param name="phase">Of its alert; null for heartbeats.</param>
/// <param name="bytes">As it is sent, framing excluded.</param>
internal sealed class OutgoingMessage(long sequence, AlertPhase? phase, byte[] bytes)
{
    private volatile bool _isSettled;
    private volatile bool _isStored;

    public long Sequence { get; } = sequence;

    public AlertPhase? Phase { get; } = phase;

    public byte[] Bytes { get; } = bytes;

    /// <summary>True once it is delivered for good.</summary>
    public bool IsSettled
    {
        get => _isSettled;
        set => _isSettled = value;
    }

    /// <summary>True once it lies in the journal.</summary>
    public bool IsStored
    {
        get => _isStored;
        set => _isStored = value;
    }
}
