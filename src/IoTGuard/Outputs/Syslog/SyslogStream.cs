using System.Buffers.Binary;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;

namespace IoTGuard.Outputs.Syslog;

/// <summary>
/// RFC 6587 over TCP, RFC 5425 over TLS. A message counts as delivered when the receiver's TCP acknowledged it (where the system
/// tells, which Linux does; elsewhere when it was written). After a broken connection, the ones not acknowledged are sent again first, so that a
/// receiver may see some twice; their id and phase are the same.
/// </summary>
internal sealed class SyslogStream(SyslogUri uri, SyslogTls? tls) : SyslogTransport
{
    /// <summary>Messages kept until they are acknowledged; beyond it the oldest counts as delivered.</summary>
    public const int MaximumUnacknowledged = 1024;

    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(5);

    /// <summary>A receiver that takes nothing for this long is given up and connected anew.</summary>
    private static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(30);

    /// <summary>How long the receiver may take to close its end after ours.</summary>
    private static readonly TimeSpan CloseWait = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopReading = new();
    private readonly Queue<ReadOnlyMemory<byte>> _unacknowledged = [];
    private byte[] _frame = [];
    private Socket? _socket;
    private Stream? _stream;
    private Task _receiverEnd = Task.CompletedTask;
    private long _delivered;

    public override long Delivered => Interlocked.Read(ref _delivered);

    public override async Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        await GuardAsync(ConnectLimit, "no connection within 5 seconds", ConnectAsync, cancellation);
        await GuardAsync(StallLimit, "the receiver takes nothing", limit => WriteAsync(message, limit), cancellation);
        if (_unacknowledged.Count == MaximumUnacknowledged)
        {
            _unacknowledged.Dequeue();
            Interlocked.Increment(ref _delivered);
        }

        _unacknowledged.Enqueue(message);
        CountAcknowledged();
    }

    public override async Task FinishAsync(CancellationToken cancellation)
    {
        CountAcknowledged();
        while (_unacknowledged.Count > 0)
        {
            await GuardAsync(ConnectLimit, "no connection within 5 seconds", ConnectAsync, cancellation);
            await Task.Delay(10, cancellation);
            CountAcknowledged();
        }

        if (_receiverEnd.IsCompleted)
            return;
        if (_stream is SslStream secure)
            await GuardAsync(ConnectLimit, "the receiver takes nothing", limit => SayGoodbyeAsync(secure, limit), cancellation);
        _socket!.Shutdown(SocketShutdown.Send);
        await Task.WhenAny(_receiverEnd, Task.Delay(CloseWait, cancellation));
        // A socket that is closed while it is read resets the connection, and a reset may take unread messages with it.
        await _stopReading.CancelAsync();
        await _receiverEnd;
    }

    public override void Dispose()
    {
        Close();
        _stopReading.Dispose();
    }

    /// <summary>Sends close_notify. OpenSSL refuses while session tickets are being read, so that it may take a second try; without it the data arrives all the same.</summary>
    private static async Task SayGoodbyeAsync(SslStream secure, CancellationToken cancellation)
    {
        for (var tries = 0; tries < 5; tries++)
        {
            try
            {
                await secure.ShutdownAsync();
                return;
            }
            catch (CryptographicException)
            {
                await Task.Delay(20, cancellation);
            }
        }
    }

    /// <summary>Connects unless that is done, and sends again what the connection before may have lost.</summary>
    private async Task ConnectAsync(CancellationToken cancellation)
    {
        if (_socket is not null && !_receiverEnd.IsCompleted)
            return;
        CountAcknowledged();
        Close();
        _socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await _socket.ConnectAsync(uri.Host, uri.Port, cancellation);
        _stream = new NetworkStream(_socket);
        if (tls is not null)
            _stream = await tls.SecureAsync(_stream, uri.Host, cancellation);
        _receiverEnd = ReadToEndAsync(_stream, _stopReading.Token);
        foreach (var message in _unacknowledged)
            await WriteAsync(message, cancellation);
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        const int MaximumPrefix = 12;
        if (_frame.Length < message.Length + MaximumPrefix)
            _frame = new byte[message.Length + MaximumPrefix];
        var length = 0;
        if (uri.Framing == SyslogFraming.OctetCounting)
            length = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{message.Length} "), _frame);
        message.CopyTo(_frame.AsMemory(length));
        length += message.Length;
        if (uri.Framing == SyslogFraming.LineFeed)
            _frame[length++] = (byte)'\n';
        await _stream!.WriteAsync(_frame.AsMemory(0, length), cancellation);
    }

    /// <summary>Runs a step under a time limit; closes the connection when it fails.</summary>
    private async Task GuardAsync(TimeSpan limit, string late, Func<CancellationToken, Task> step, CancellationToken cancellation)
    {
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timed.CancelAfter(limit);
        try
        {
            await step(timed.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            Close();
            throw new SyslogDeliveryException(late);
        }
        catch (SyslogDeliveryException)
        {
            Close();
            throw;
        }
        catch (Exception e) when (e is AuthenticationException or CryptographicException)
        {
            Close();
            throw new SyslogDeliveryException("the TLS handshake failed", isPermanent: true, e);
        }
        catch (SocketException e)
        {
            Close();
            throw SyslogDeliveryException.From(e);
        }
        catch (IOException e)
        {
            Close();
            throw e.InnerException is SocketException socket ? SyslogDeliveryException.From(socket) : new SyslogDeliveryException("the receiver closed the connection", inner: e);
        }
    }

    /// <summary>Completes when the receiver closes. A syslog receiver sends nothing of its own, but TLS does, and its end must be noticed.</summary>
    private static async Task ReadToEndAsync(Stream stream, CancellationToken cancellation)
    {
        var ignored = new byte[256];
        try
        {
            while (await stream.ReadAsync(ignored, cancellation) > 0)
            {
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException or OperationCanceledException)
        {
            // The end that was waited for.
        }
    }

    private void CountAcknowledged()
    {
        if (!IsAllAcknowledged())
            return;
        Interlocked.Add(ref _delivered, _unacknowledged.Count);
        _unacknowledged.Clear();
    }

    /// <summary>From struct tcp_info of Linux: no segment unacknowledged, no byte unsent, and the connection not broken.</summary>
    private bool IsAllAcknowledged()
    {
        if (!OperatingSystem.IsLinux())
            return true;
        const int Tcp = 6, TcpInfo = 11, StateClosed = 7, UnackedOffset = 24, NotSentOffset = 144, Needed = 148;
        Span<byte> info = stackalloc byte[256];
        try
        {
            return _socket is not null
                && _socket.GetRawSocketOption(Tcp, TcpInfo, info) >= Needed
                && info[0] != StateClosed
                && BinaryPrimitives.ReadUInt32LittleEndian(info[UnackedOffset..]) == 0
                && BinaryPrimitives.ReadUInt32LittleEndian(info[NotSentOffset..]) == 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Close()
    {
        _stream?.Dispose();
        _socket?.Dispose();
        _stream = null;
        _socket = null;
    }
}
