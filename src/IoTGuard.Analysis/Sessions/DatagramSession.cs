using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Reads the datagrams of one UDP flow.</summary>
public abstract class DatagramSession : ProtocolSession
{
    /// <summary>True while a question of the flow waits for its answer. A flow that was never answered then ends after <see cref="FlowLimits.AnswerTimeoutNs"/>.</summary>
    public virtual bool IsAsking => false;

    /// <summary>A datagram with payload.</summary>
    /// <param name="context">Time, flow and outputs.</param>
    /// <param name="direction">Who sent it.</param>
    /// <param name="data">Its payload, as far as it was captured; valid during the call only.</param>
    /// <param name="cut">Payload bytes on the wire that the capture does not hold.</param>
    public abstract void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut);
}
