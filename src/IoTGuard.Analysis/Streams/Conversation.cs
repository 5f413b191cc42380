using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Analysis.Streams;

/// <summary>A flow whose payload is read: the flow as its session sees it, and the session.</summary>
internal abstract class Conversation
{
    /// <summary>The flow as the session sees it.</summary>
    public FlowRecord Record;

    /// <summary>Faults told for this flow.</summary>
    public int Faults { get; set; }

    /// <summary>Row of the session in its list of the protocol table.</summary>
    public int Row { get; protected set; }

    protected SessionContext Context { get; private set; } = null!;

    protected FlowShard Shard { get; private set; } = null!;

    protected int Index { get; private set; }

    /// <summary>Steps of <see cref="Touch"/>: each reads where the next one has to look.</summary>
    public const int Depths = 3;

    /// <summary>Touches what a packet of a direction will need, one step from object to object at a time. The result says nothing.</summary>
    /// <param name="direction">The direction; it may be the wrong one.</param>
    /// <param name="depth">The step, from 0 to <see cref="Depths"/> − 1.</param>
    public abstract long Touch(FlowDirection direction, int depth);

    /// <summary>The flow ended: shows what still waits and ends the session. The conversation can be used again.</summary>
    /// <param name="reason">Why, which sessions are told: what the sensor cuts off is nobody's fault.</param>
    public void End(FlowEndReason reason)
    {
        Record.End = reason;
        EndSession();
    }

    /// <summary>Gives everything back.</summary>
    public abstract void Release();

    /// <summary>Brings the counters in <see cref="Record"/> up to date.</summary>
    public void Refresh() => Shard.Fill(Index, ref Record, Record.Counters, Record.Application);

    protected abstract void EndSession();

    protected void Take(SessionContext context, FlowShard shard, int index)
    {
        Context = context;
        Shard = shard;
        Index = index;
        Faults = 0;
        Record = default;
        Refresh();
    }
}
