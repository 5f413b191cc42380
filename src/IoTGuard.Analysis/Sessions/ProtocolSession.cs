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

    /// <summary>The flow ended (closed, reset, idle, evicted, end of capture), or was handed over: emit what is still open.</summary>
    public abstract void OnEnd(SessionContext context);

    /// <summary>Forgets the flow; buffers are kept for the next one.</summary>
    public abstract void Reset();
}
