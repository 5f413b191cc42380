using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Answer of a probe to the first bytes of a direction, or to a datagram.</summary>
public enum ProbeResult : byte
{
    NotForUs,

    /// <summary>Could be; show more bytes, or another datagram.</summary>
    Unsure,

    /// <summary>It fits, but so would much else: believed on a port that the protocol's row names, else not for us.</summary>
    Likely,
    Certain,
}

/// <summary>
/// Reads what both sides of a flow say. Total: bad bytes are faults, after which the session resynchronises or ignores the rest.
/// One session sees one flow at a time and is reused for others after <see cref="Reset"/>.
/// </summary>
public abstract class ProtocolSession
{
    /// <summary>The protocol. A session that reads several sets <see cref="FlowRecord.Application"/> itself once it knows.</summary>
    public abstract ApplicationProtocol Protocol { get; }

    /// <summary>
    /// Touches what data of a direction will need, so that the memory accesses of several packets overlap. Changes nothing, and the result says nothing.
    /// </summary>
    /// <param name="direction">The direction; it may be the wrong one.</param>
    /// <param name="depth">0 = the session itself, 1 = what it refers to.</param>
    public virtual long Touch(FlowDirection direction, int depth) => 0;

    /// <summary>The flow ended (closed, reset, idle, evicted, end of capture), or was handed over: emit what is still open.</summary>
    public abstract void OnEnd(SessionContext context);

    /// <summary>Forgets the flow; buffers are kept for the next one.</summary>
    public abstract void Reset();
}
