namespace IoTGuard.Analysis.Flows;

/// <summary>The limits of flow tracking and reassembly. Those per shard hold for each of the <see cref="Shards"/> parts of the run's state.</summary>
public static class FlowLimits
{
    /// <summary>
    /// Parts of the run's state. A flow belongs to the shard that its keyed hash says; a worker owns whole shards; every limited resource
    /// is limited per flow or per shard. So results do not depend on the number of workers.
    /// </summary>
    public const int Shards = 64;

    /// <summary>A TCP flow ends this long after its last packet once FIN was seen from both sides, or RST; ns of packet time.</summary>
    public const long ClosingTimeoutNs = 5_000_000_000;

    /// <summary>A UDP flow that only asked, in a protocol of questions and answers, ends this long after its last packet; ns of packet time. Retries come sooner.</summary>
    public const long AnswerTimeoutNs = 20_000_000_000;

    /// <summary>What is due within this time is told in one batch of events, even when it becomes larger by that, ns of packet time.</summary>
    public const long ExpiryStepNs = 5_000_000;

    /// <summary>A pause between packets of a flow longer than this counts as idle, ns.</summary>
    public const long IdlePeriodNs = 1_000_000_000;

    /// <summary>After each so many packets of one endpoint an interim record is made, besides those after time: floods and large uploads are seen while they last.</summary>
    public const int HeavyPackets = 4096;

    /// <summary>Connections reassembled at once, over the run. Beyond it, new connections are counted but not read.</summary>
    public const int MaximumConversations = 65_536;

    /// <summary>UDP flows whose datagrams are read at once, over the run. Beyond it, new ones are counted but not read.</summary>
    public const int MaximumDatagramConversations = 262_144;

    /// <summary>Datagrams of a flow shown to the probes before recognition is given up.</summary>
    public const int MaximumDatagramProbes = 4;

    /// <summary>Segments held out of order, per direction of a connection.</summary>
    public const int MaximumOutOfOrderSegments = 256;

    /// <summary>Bytes held out of order, per direction of a connection.</summary>
    public const int MaximumOutOfOrderBytes = 1 << 20;

    /// <summary>Bytes held for streams (waiting for a session, out of order, history), per shard.</summary>
    public const long MaximumStreamBytesPerShard = 8 << 20;

    /// <summary>A hole that the receiver has acknowledged is a gap once this many segments wait behind it.</summary>
    public const int ReorderSegments = 16;

    /// <summary>A hole that the receiver has acknowledged is a gap after this time, ns: a mirror may show the acknowledgement first.</summary>
    public const long ReorderTimeNs = 50_000_000;

    /// <summary>A hole is a gap after this time when no packet of the other side was ever seen, ns.</summary>
    public const long OneSidedHoleTimeNs = 1_000_000_000;

    /// <summary>First bytes of a direction shown to the probes before recognition is given up.</summary>
    public const int MaximumProbeBytes = 4096;

    /// <summary>Segments of a connection picked up in the middle whose start is shown to the probes, per direction.</summary>
    public const int MaximumMidStreamProbes = 16;

    /// <summary>Times that a connection may be handed from one session to the next (STARTTLS, HTTP CONNECT).</summary>
    public const int MaximumHandOvers = 4;

    /// <summary>Consumed bytes kept per direction of a connection to compare second copies with.</summary>
    public const int HistoryBytes = 256;

    /// <summary>Consumed segments of which a hash is kept per direction of a connection, for the same purpose.</summary>
    public const int HistorySegments = 4;

    /// <summary>Stream and session faults told per flow; further ones are counted.</summary>
    public const int MaximumFaultsPerFlow = 16;

    /// <summary>A sequence number farther from the expected one than this many bytes does not belong to the connection (unless the next follows it).</summary>
    public const int MaximumWindowBytes = 1 << 26;
}
