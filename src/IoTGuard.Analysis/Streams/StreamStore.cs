using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Analysis.Streams;

/// <summary>What the streams of a worker share: buffers, sessions, counters, and the clock of the packet that is being worked on.</summary>
internal sealed class StreamStore(ProtocolRow[] streams, ProtocolRow[] datagrams)
{
    private readonly Stack<StreamConversation> _streamConversations = new();
    private readonly Stack<DatagramConversation> _datagramConversations = new();

    /// <summary>Counters of the sensor.</summary>
    public SensorCounters Counters;

    /// <summary>Clock of the packet that is being worked on, ns.</summary>
    public long Clock { get; set; }

    public BufferPool Buffers { get; } = new();

    /// <summary>The protocols over TCP.</summary>
    public SessionPool Streams { get; } = new(streams);

    /// <summary>The protocols over UDP.</summary>
    public SessionPool Datagrams { get; } = new(datagrams);

    /// <summary>Charges the shard for buffered bytes; false when <see cref="FlowLimits.MaximumStreamBytesPerShard"/> would be passed.</summary>
    public static bool TryCharge(FlowShard shard, int bytes)
    {
        if (shard.StreamBytes + bytes > FlowLimits.MaximumStreamBytesPerShard)
            return false;
        shard.StreamBytes += bytes;
        return true;
    }

    public StreamConversation RentStream() => _streamConversations.TryPop(out var conversation) ? conversation : new StreamConversation(this);

    public DatagramConversation RentDatagrams() => _datagramConversations.TryPop(out var conversation) ? conversation : new DatagramConversation(this);

    public void Return(Conversation conversation)
    {
        conversation.Release();
        if (conversation is StreamConversation stream)
            _streamConversations.Push(stream);
        else
            _datagramConversations.Push((DatagramConversation)conversation);
    }
}
