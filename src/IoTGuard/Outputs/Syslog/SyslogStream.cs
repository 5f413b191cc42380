using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using IoTGuard.Outputs.Delivery;

namespace IoTGuard.Outputs.Syslog;

/// <summary>
/// RFC 6587 over TCP, RFC 5425 over TLS. Syslog has no acknowledgements of its own. A message is accepted when the receiver's TCP acknowledged its bytes
/// (where the system tells, which Linux does; elsewhere when it was written). Bytes that are acknowledged may still lie unread in the receiver's
/// system, so a message is settled only when the receiver ended the connection after we did (it has then read to our end), or after <see cref="SettleTime"/>
/// without a reset; when the receiver ends the connection by itself, <see cref="EndSettleTime"/> has to do. After a broken connection what is not settled is sent again; receivers may see it twice, with the same id and phase.
/// </summary>
internal sealed class SyslogStream(OutputSettings settings, SyslogTls? tls) : OutputTransport
{
    /// <summary>Messages kept until they are settled; beyond it the oldest accepted ones are.</summary>
    public const int MaximumUnsettled = 1024;

    /// <summary>How long an accepted message is kept in case the receiver dies without having read it.</summary>
    public static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(30);

    /// <summary>The same before an end that the receiver began: it had read what came so long before.</summary>
    public static readonly TimeSpan EndSettleTime = TimeSpan.FromSeconds(2);

    /// <summary>When bytes wait for the receiver's acknowledgement for so long, it does not read, and age settles nothing.</summary>
    private static readonly TimeSpan StallNotice = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(5);

    /// <summary>A receiver that takes nothing for this long is given up and connected anew.</summary>
    private static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(30);

    /// <summary>How long the receiver may take to close its end after ours.</summary>
    private static readonly TimeSpan CloseWait = TimeSpan.FromSeconds(1);

    private const string Closed = "the receiver closed the connection";

    private readonly CancellationTokenSource _stopReading = new();
    private readonly Queue<Sent> _unsettled = [];
    private byte[] _frame = [];
    private SyslogTls? _tls = tls;
    private TcpProgress? _progress;
    private Stream? _stream;
    private Task<string?> _receiverEnd = Task.FromResult<string?>(null);
    private volatile int _accepted;
    private bool _isFinished;
    private long _acknowledged;
    private long _advancedAt;

    private readonly record struct Sent(long End, long AtMilliseconds);

    public override int Accepted => _accepted;

    public override async Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        await GuardAsync(ConnectLimit, "no connection within 5 seconds", ConnectAsync, cancellation);
        await GuardAsync(StallLimit, "the receiver takes nothing", limit => WriteAsync(message, limit), cancellation);
        _unsettled.Enqueue(new Sent(_progress!.Written, Environment.TickCount64));
    }

    public override int TakeSettled()
    {
        if (_progress is null)
            return 0;
        var hasEnded = _receiverEnd.IsCompleted;
        var endedInOrder = hasEnded && _receiverEnd.Result is null;
        var readToOurEnd = endedInOrder && _progress.HasEndedSending;
        var acknowledged = _progress.Acknowledged();
        var now = Environment.TickCount64;
        if (acknowledged != _acknowledged)
            (_acknowledged, _advancedAt) = (acknowledged, now);
        var isStalled = _progress.Written > acknowledged && now - _advancedAt > StallNotice.TotalMilliseconds;
        var settleTime = isStalled ? double.PositiveInfinity : (endedInOrder ? EndSettleTime : SettleTime).TotalMilliseconds;
        _accepted = 0;
        var settled = 0;
        foreach (var sent in _unsettled)
        {
            if (sent.End > acknowledged)
                break;
            if (readToOurEnd || now - sent.AtMilliseconds > settleTime || _unsettled.Count - settled > MaximumUnsettled)
                settled++;
            else
                _accepted++;
        }

        for (var i = 0; i < settled; i++)
            _unsettled.Dequeue();
        if (settled == 0 && hasEnded && _unsettled.Count > 0 && !_isFinished)
            throw new DeliveryException(_receiverEnd.Result ?? Closed);
        return settled;
    }

    public override async Task FinishAsync(CancellationToken cancellation)
    {
        if (_progress is null)
            return;
        var waited = TimeSpan.Zero;
        while (_unsettled.Count > 0 && _unsettled.Last().End > _progress.Acknowledged())
        {
            if (_receiverEnd.IsCompleted)
                throw new DeliveryException(_receiverEnd.Result ?? Closed);
            if (waited > StallLimit)
                throw new DeliveryException("the receiver takes nothing");
            var pause = TimeSpan.FromMilliseconds(10);
            waited += pause;
            await Task.Delay(pause, cancellation);
        }

        if (_receiverEnd.IsCompleted)
            return;
        if (_stream is SslStream secure)
            await GuardAsync(ConnectLimit, "the receiver takes nothing", limit => SayGoodbyeAsync(secure, limit), cancellation);
        _progress.EndSending();
        await Task.WhenAny(_receiverEnd, Task.Delay(CloseWait, cancellation));
        if (!_receiverEnd.IsCompleted)
        {
            // A socket that is closed while it is read resets the connection, and a reset may take unread messages with it.
            await _stopReading.CancelAsync();
            await _receiverEnd;
            _isFinished = true;
        }
    }

    public override void Reset()
    {
        _stream?.Dispose();
        _progress?.Dispose();
        _stream = null;
        _progress = null;
        _acknowledged = 0;
        _unsettled.Clear();
        _accepted = 0;
        _isFinished = false;
    }

    public override void Dispose()
    {
        base.Dispose();
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

    /// <summary>Connects unless that is done.</summary>
    private async Task ConnectAsync(CancellationToken cancellation)
    {
        if (_progress is not null)
        {
            if (!_receiverEnd.IsCompleted)
                return;
            if (_unsettled.Count > 0)
                throw new DeliveryException(_receiverEnd.Result ?? Closed);
            Reset();
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _progress = new TcpProgress(socket, StallLimit);
        await socket.ConnectAsync(settings.Host, settings.Port, cancellation);
        _stream = _progress;
        if (_tls is not null)
        {
            _tls = _tls.Renewed();
            _stream = await _tls.SecureAsync(_stream, settings.Host, cancellation);
        }

        _receiverEnd = ReadToEndAsync(_stream, _stopReading.Token);
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        const int MaximumPrefix = 12;
        if (_frame.Length < message.Length + MaximumPrefix)
            _frame = new byte[message.Length + MaximumPrefix];
        var length = 0;
        if (settings.Framing == SyslogFraming.OctetCounting)
            length = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{message.Length} "), _frame);
        message.CopyTo(_frame.AsMemory(length));
        length += message.Length;
        if (settings.Framing == SyslogFraming.LineFeed)
            _frame[length++] = (byte)'\n';
        try
        {
            await _stream!.WriteAsync(_frame.AsMemory(0, length), cancellation);
        }
        catch (IOException e)
        {
            // What the receiver said before it closed is read beside the write that failed.
            await Task.WhenAny(_receiverEnd, Task.Delay(CloseWait, cancellation));
            if (_receiverEnd is { IsCompletedSuccessfully: true, Result: { } said })
                throw new DeliveryException(said, inner: e);
            throw;
        }
    }

    /// <summary>Runs a step under a time limit.</summary>
    private static async Task GuardAsync(TimeSpan limit, string late, Func<CancellationToken, Task> step, CancellationToken cancellation)
    {
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timed.CancelAfter(limit);
        try
        {
            await step(timed.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new DeliveryException(late);
        }
        catch (Exception e) when (e is AuthenticationException or CryptographicException)
        {
            throw new DeliveryException("the TLS handshake failed", isPermanent: true, e);
        }
        catch (SocketException e)
        {
            throw DeliveryException.From(e);
        }
        catch (IOException e)
        {
            throw e.InnerException is SocketException socket ? DeliveryException.From(socket) : new DeliveryException(Closed, inner: e);
        }
    }

    /// <summary>
    /// Completes when the receiver closes: with null when it did so in order, else with what it says. A syslog receiver sends nothing of its own, but TLS does,
    /// and its end must be noticed; with TLS 1.3 also that it wants another certificate comes only now.
    /// </summary>
    private static async Task<string?> ReadToEndAsync(Stream stream, CancellationToken cancellation)
    {
        var ignored = new byte[256];
        try
        {
            while (await stream.ReadAsync(ignored, cancellation) > 0)
            {
            }

            return null;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException or OperationCanceledException)
        {
            return TlsFault.Known(e) ?? "the receiver reset the connection";
        }
    }
}
