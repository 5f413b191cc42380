using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What a session did with the bytes it was shown.</summary>
/// <param name="Consumed">
/// Bytes done with. The rest is shown again: at once when something was consumed or skipped and what is needed is there, else with more behind it.
/// </param>
/// <param name="Needed">
/// Bytes (from the first unconsumed one) without which calling again makes no sense; 0 or 1 = any more.
/// The stream does not call before it has them, so that tiny segments cost no repeated parsing.
/// Must not exceed <see cref="ProtocolSession.MaximumPendingBytes"/>.
/// </param>
/// <param name="Skip">Bytes after the consumed ones that nobody needs: the stream passes over them without touching them, whether they lie in this segment or in ones to come.</param>
public readonly record struct StreamProgress(int Consumed, int Needed = 0, long Skip = 0);

/// <summary>Answer of a probe to the first bytes of a direction.</summary>
public enum ProbeResult : byte
{
    NotForUs,

    /// <summary>Could be; show more bytes.</summary>
    Unsure,
    Certain,
}

/// <summary>
/// Reads both directions of one connection as in-order bytes. Total: bad bytes are faults, after which the session resynchronises or
/// ignores the rest. One session sees one connection at a time and is reused for others after <see cref="Reset"/>.
/// </summary>
public abstract class ProtocolSession
{
    /// <summary>Most bytes that the stream keeps for a session between calls, per direction. A session must consume or skip beyond it.</summary>
    public const int MaximumPendingBytes = 256 * 1024;

    public abstract ApplicationProtocol Protocol { get; }

    /// <summary>In-order bytes of one direction. <paramref name="data"/> is valid during the call only.</summary>
    public abstract StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data);

    /// <summary>Bytes of one direction that were never seen, at the place where the next <see cref="OnData"/> goes on. Unconsumed bytes before the gap are dropped. Gaps inside a skip are not told. 0 bytes = nobody knows how many: the connection is picked up in the middle.</summary>
    public abstract void OnGap(SessionContext context, FlowDirection direction, long bytes);

    /// <summary>The direction ended by FIN.</summary>
    public virtual void OnHalfClose(SessionContext context, FlowDirection direction)
    {
    }

    /// <summary>The flow ended (closed, reset, idle, evicted, end of capture): emit what is still open.</summary>
    public abstract void OnEnd(SessionContext context);

    /// <summary>Forgets the connection; buffers are kept for the next one.</summary>
    public abstract void Reset();
}
