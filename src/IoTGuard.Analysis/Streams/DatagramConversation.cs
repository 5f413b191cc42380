using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Streams;

/// <summary>A UDP flow whose datagrams are read.</summary>
internal sealed class DatagramConversation(StreamStore store) : Conversation
{
    private DatagramSession _session = null!;
    private int _handOvers;

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
        _handOvers = 0;
        Attach(row);
    }

    public void OnDatagram(FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        Context.AtConversation(this);
        _session.OnDatagram(Context, direction, data, cut);
        if (Context.TakeHandOver() && _handOvers < FlowLimits.MaximumHandOvers)
            HandOver(direction, data, cut);
    }

    protected override void EndSession()
    {
        Context.AtConversation(this);
        _session.OnEnd(Context);
    }

    public override void Release() => store.Datagrams.Return(Row, _session);

    /// <summary>Gives the flow to whoever recognises the datagram; the session keeps it when nobody does.</summary>
    private void HandOver(FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        _handOvers++;
        var candidates = store.Datagrams.AllRows & ~(1ul << Row);
        var row = store.Datagrams.Recognise(direction, data, Record.OriginatorPort, Record.ResponderPort, ref candidates);
        if (row < 0)
            return;
        _session.OnEnd(Context);
        Release();
        Attach(row);
        Context.AtConversation(this);
        _session.OnDatagram(Context, direction, data, cut);
    }

    private void Attach(int row)
    {
        Row = row;
        _session = (DatagramSession)store.Datagrams.Rent(row);
        store.Counters.Sessions++;

        // What is not sure yet leaves the name that the flow has.
        if (_session.Protocol != ApplicationProtocol.Unknown)
            Record.Application = _session.Protocol;
    }
}
