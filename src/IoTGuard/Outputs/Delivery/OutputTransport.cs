using System.Net.Sockets;

namespace IoTGuard.Outputs.Delivery;

/// <summary>A message did not reach the receiver, for a reason said in a few words.</summary>
internal sealed class DeliveryException(string reason, bool isPermanent = false, Exception? inner = null) : Exception(reason, inner)
{
    /// <summary>True when trying again within seconds makes no sense: the receiver is the wrong one.</summary>
    public bool IsPermanent { get; } = isPermanent;

    /// <summary>The reason that a socket gives, without its machine's wording.</summary>
    public static DeliveryException From(SocketException e) => new(e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted => "the receiver reset the connection",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "the host name is not known",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "the host cannot be reached",
        SocketError.TimedOut => "no answer",
        SocketError.MessageSize => "the message is larger than the network takes in one datagram",
        var code => $"socket error {code}",
    }, inner: e);
}

/// <summary>
/// The way of messages to a receiver, used by one task. A message is sent, then accepted (the receiver's side has it, as far as can be known), then
/// settled (it need not be kept any longer), always in the order of sending. After a failure all that is not settled is sent again.
/// </summary>
internal abstract class OutputTransport : IDisposable
{
    /// <summary>Sends a message, connecting first where needed; throws <see cref="DeliveryException"/> when it could not.</summary>
    public abstract Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation);

    /// <summary>
    /// How many more messages are settled since the last call, counted from the oldest; throws <see cref="DeliveryException"/> when the others are known
    /// not to have arrived.
    /// </summary>
    public abstract int TakeSettled();

    /// <summary>Messages accepted but not settled.</summary>
    public abstract int Accepted { get; }

    /// <summary>Waits until all that was sent is accepted, and ends the connection in order, so that what can be settled is.</summary>
    public abstract Task FinishAsync(CancellationToken cancellation);

    /// <summary>Ends the connection at once, and forgets what is not settled.</summary>
    public abstract void Reset();

    public virtual void Dispose() => Reset();
}
