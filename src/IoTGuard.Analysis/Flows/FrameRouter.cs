using IoTGuard.Wire;

namespace IoTGuard.Analysis.Flows;

/// <summary>
/// Says which shard a frame falls to, for splitting a batch among workers: worker <c>shard % workers</c> takes it. All frames of a flow in both
/// directions fall to one shard; frames without a flow to shard 0. Fragments go to every worker: whose the datagram is shows when it is whole.
/// One router per dispatching thread.
/// </summary>
public sealed class FrameRouter(SensorOptions options)
{
    /// <summary>What <see cref="ShardOf"/> says of a frame that every worker needs.</summary>
    public const int EveryShard = -1;

    private readonly FlowHasher _hasher = new(options);
    private PacketView _view;

    /// <summary>The shard, 0 to <see cref="FlowLimits.Shards"/> − 1, or <see cref="EveryShard"/>.</summary>
    public int ShardOf(in FrameHeader header, ReadOnlySpan<byte> frame)
    {
        if (_hasher.TryPeek(header, frame, out var hash))
            return FlowHasher.ShardOf(hash);
        PacketDecoder.Decode(frame, header, ref _view);
        if (_view.IsFragment)
            return EveryShard;
        if (!FlowHasher.HasFlow(_view))
            return 0;
        _hasher.KeyOf(_view, out hash, out _);
        return FlowHasher.ShardOf(hash);
    }
}
