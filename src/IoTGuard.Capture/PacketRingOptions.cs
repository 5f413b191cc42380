namespace IoTGuard.Capture;

/// <summary>How to listen on an interface.</summary>
/// <param name="Interface">Name of the interface, such as <c>eth1</c>.</param>
public sealed record PacketRingOptions(string Interface)
{
    /// <summary>Smallest block, bytes: a frame of the greatest length that offloading makes must fit.</summary>
    public const int MinBlockBytes = 128 << 10;

    /// <summary>Largest block, bytes.</summary>
    public const int MaxBlockBytes = 16 << 20;

    /// <summary>Bytes of a block of the ring; a power of 2 from <see cref="MinBlockBytes"/> to <see cref="MaxBlockBytes"/>.</summary>
    public int BlockBytes { get; init; } = 1 << 20;

    /// <summary>Blocks of each ring.</summary>
    public int BlockCount { get; init; } = 64;

    /// <summary>After this time the kernel hands over a block that is not full.</summary>
    public TimeSpan BlockTimeout { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// After this time without a frame, reading returns an empty batch: then no frame is to come that is older than this. Longer than <see cref="BlockTimeout"/>
    /// by as much again and 10 ms, so that a timer of the kernel that is late makes no difference.
    /// </summary>
    public TimeSpan PollInterval { get => field == TimeSpan.Zero ? (2 * BlockTimeout) + TimeSpan.FromMilliseconds(10) : field; init; }

    /// <summary>Takes what is not addressed to this machine too, as a mirror port needs.</summary>
    public bool Promiscuous { get; init; } = true;

    /// <summary>
    /// Takes what this machine sends, too. On a mirror port nothing is sent; on the loopback interface, where each frame is sent and received, only
    /// what is received is taken in any case.
    /// </summary>
    public bool Outgoing { get; init; } = true;

    /// <summary>When a ring of a group is full its frames go to another, instead of being dropped. A flow then meets several workers.</summary>
    public bool Rollover { get; init; }

    /// <summary>A filter in the language of tcpdump; null for all frames. Needs libpcap.</summary>
    public string? Filter { get; init; }
}
