using System.Net.Sockets;

namespace IoTGuard.Outputs.Syslog;

/// <summary>A message did not reach the receiver, for a reason said in a few words.</summary>
internal sealed class SyslogDeliveryException(string reason, bool isPermanent = false, Exception? inner = null) : Exception(reason, inner)
{
    /// <summary>True when trying again within seconds makes no sense: the receiver is the wrong one.</summary>
    public bool IsPermanent { get; } = isPermanent;

    /// <summary>The reason that a socket gives, without its machine's wording.</summary>
    public static SyslogDeliveryException From(SocketException e) => new(e.SocketErrorCode switch
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

/// <summary>The way of messages to a receiver. Used by one task.</summary>
internal abstract class SyslogTransport : IDisposable
{
    /// <summary>Messages that were delivered as far as the transport can know; its docs say how far that is.</summary>
    public abstract long Delivered { get; }

    /// <summary>An error that was learned of after a message was sent; null when there was none.</summary>
    public virtual string? LateError => null;

    /// <summary>Sends a message, connecting first where needed; throws <see cref="SyslogDeliveryException"/> when it could not, and can be called again.</summary>
    public abstract Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation);

    /// <summary>Waits until what was sent is delivered, and closes.</summary>
    public abstract Task FinishAsync(CancellationToken cancellation);

    public abstract void Dispose();
}

/// <summary>
/// RFC 5426: one message per datagram. A datagram counts as delivered when it was sent and no ICMP error came back within
/// <see cref="ErrorWait"/>; nobody tells of the others that got lost.
/// </summary>
internal sealed class SyslogDatagrams(SyslogUri uri) : SyslogTransport
{
    /// <summary>How long after a datagram an ICMP error may still be about it.</summary>
    private static readonly TimeSpan ErrorWait = TimeSpan.FromMilliseconds(200);

    private Socket? _socket;
    private long _sent;
    private long _refused;
    private long _inDoubt;
    private long _lastSent;

    public override long Delivered => Interlocked.Read(ref _sent) - Interlocked.Read(ref _refused);

    public override string? LateError => Interlocked.Read(ref _refused) > 0 ? "connection refused" : null;

    public override async Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        try
        {
            if (_socket is null)
            {
                var socket = new Socket(SocketType.Dgram, ProtocolType.Udp);
                _socket = socket;
                await socket.ConnectAsync(uri.Host, uri.Port, cancellation);
            }

            TakeError();
            try
            {
                await _socket.SendAsync(message, cancellation);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
            {
                // The error belongs to a datagram before, and only tells that this one was not sent.
                CountRefused();
                await _socket.SendAsync(message, cancellation);
            }

            Interlocked.Increment(ref _sent);
            _inDoubt++;
            _lastSent = Environment.TickCount64;
        }
        catch (SocketException e)
        {
            Dispose();
            throw SyslogDeliveryException.From(e);
        }
    }

    public override async Task FinishAsync(CancellationToken cancellation)
    {
        if (_socket is null)
            return;
        await Task.Delay(ErrorWait, cancellation);
        TakeError();
    }

    public override void Dispose()
    {
        _socket?.Dispose();
        _socket = null;
    }

    /// <summary>Reads and clears the error that an ICMP message left at the socket.</summary>
    private void TakeError()
    {
        if (_socket!.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) is int error && error != 0)
            CountRefused();
        else if (Environment.TickCount64 - _lastSent > ErrorWait.TotalMilliseconds)
            _inDoubt = 0;
    }

    private void CountRefused()
    {
        Interlocked.Add(ref _refused, _inDoubt);
        _inDoubt = 0;
    }
}
