using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Streams;

/// <summary>A UDP flow whose datagrams are read.</summary>
internal sealed class DatagramConversation(StreamStore store) : Conversation
{
    private DatagramSession _session = null!;

    /// <summary>True while the session waits for an answer.</summary>
    public bool IsAsking => _session.IsAsking;

    public override long Touch(FlowDirection direction, int depth) => depth switch
    {
        0 => Row + Record.OriginatorPort,
        _ => _session.Touch(direction, depth - 1),
    };

    /// <summary>Takes over a flow whose protocol was recognised.</summary>
    public void Begin(SessionContext context, FlowShard shard, int index, int row)
    {
        Take(context, shard, index);
        Row = row;
        _session = (DatagramSession)store.Datagrams.Rent(row);
        store.Counters.Sessions++;
        Record.Application = _session.Protocol;
    }

    public void OnDatagram(FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        Context.AtConversation(this);
        _session.OnDatagram(Context, direction, data, cut);
    }

    protected override void EndSession()
    {
        Context.AtConversation(this);
        _session.OnEnd(Context);
    }

    public override void Release() => store.Datagrams.Return(Row, _session);
}
