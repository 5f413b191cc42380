using System.Net.Sockets;
using IoTGuard.Outputs.Delivery;

namespace IoTGuard.Outputs.Syslog;

/// <summary>
/// RFC 5426: one message per datagram. A datagram is accepted when it was sent, and settled when no ICMP error came back within
/// <see cref="ErrorWait"/>; an error brings all that are not settled back. Nobody tells of others that get lost.
/// </summary>
internal sealed class SyslogDatagrams(OutputSettings settings) : OutputTransport
{
    /// <summary>How long after a datagram an ICMP error may still be about it.</summary>
    private static readonly TimeSpan ErrorWait = TimeSpan.FromMilliseconds(200);

    private readonly Queue<long> _sentAt = [];
    private Socket? _socket;

    public override int Accepted => 0;

    public override async Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        try
        {
            if (_socket is null)
            {
                var socket = new Socket(SocketType.Dgram, ProtocolType.Udp);
                _socket = socket;
                await socket.ConnectAsync(settings.Host, settings.Port, cancellation);
            }

            await _socket.SendAsync(message, cancellation);
            _sentAt.Enqueue(Environment.TickCount64);
        }
        catch (SocketException e)
        {
            throw DeliveryException.From(e);
        }
    }

    public override int TakeSettled()
    {
        // An error that an ICMP message left at the socket.
        if (_socket?.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) is int error && error != 0)
            throw new DeliveryException("connection refused");
        var settled = 0;
        while (_sentAt.TryPeek(out var sentAt) && Environment.TickCount64 - sentAt > ErrorWait.TotalMilliseconds)
        {
            _sentAt.Dequeue();
            settled++;
        }

        return settled;
    }

    public override async Task FinishAsync(CancellationToken cancellation)
    {
        if (_sentAt.Count > 0)
            await Task.Delay(ErrorWait + TimeSpan.FromMilliseconds(20), cancellation);
    }

    public override void Reset()
    {
        _socket?.Dispose();
        _socket = null;
        _sentAt.Clear();
    }
}
