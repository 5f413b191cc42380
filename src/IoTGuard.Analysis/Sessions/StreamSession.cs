using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What a session did with the bytes it was shown.</summary>
/// <param name="Consumed">
/// Bytes done with. The rest is shown again: at once when something was consumed or skipped and what is needed is there, else with more behind it.
/// </param>
/// <param name="Needed">
/// Bytes (from the first unconsumed one) without which calling again makes no sense; 0 or 1 = any more.
/// The stream does not call before it has them, so that tiny segments cost no repeated parsing.
/// Must not exceed <see cref="StreamSession.MaximumPendingBytes"/>.
/// </param>
/// <param name="Skip">Bytes after the consumed ones that nobody needs: the stream passes over them without touching them, whether they lie in this segment or in ones to come.</param>
public readonly record struct StreamProgress(int Consumed, int Needed = 0, long Skip = 0);

/// <summary>Reads both directions of one TCP connection as in-order bytes.</summary>
public abstract class StreamSession : ProtocolSession
{
    /// <summary>Most bytes that the stream keeps for a session between calls, per direction. A session must consume or skip beyond it.</summary>
    public const int MaximumPendingBytes = 256 * 1024;

    /// <summary>A skip to the end of the direction, however long it is: nothing more of it needs to be read.</summary>
    public const long Everything = 1L << 60;

    /// <summary>In-order bytes of one direction. <paramref name="data"/> is valid during the call only.</summary>
    public abstract StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data);

    /// <summary>Bytes of one direction that were never seen, at the place where the next <see cref="OnData"/> goes on. Unconsumed bytes before the gap are dropped. Gaps inside a skip are not told. 0 bytes = nobody knows how many: the connection is picked up in the middle.</summary>
    public abstract void OnGap(SessionContext context, FlowDirection direction, long bytes);

    /// <summary>The direction ended by FIN.</summary>
    public virtual void OnHalfClose(SessionContext context, FlowDirection direction)
    {
    }
}
