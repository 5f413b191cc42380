using System.Globalization;
using System.Threading.Channels;
using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Outputs.Syslog;

/// <summary>
/// Sends alerts to one syslog receiver. The caller never waits: messages go through a bounded channel to a task of their own; what finds
/// the channel full is dropped and counted. A receiver that fails is tried again with growing pauses.
/// </summary>
internal sealed class SyslogOutput : IAlertSink, IAsyncDisposable
{
    /// <summary>Messages that wait for the receiver; further ones are dropped.</summary>
    public const int MaximumWaiting = 8192;

    /// <summary>How long <see cref="CompleteAsync"/> waits for the receiver to take what is left.</summary>
    public static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly SyslogUri _uri;
    private readonly SyslogMessage _message;
    private readonly SyslogTransport _transport;
    private readonly Channel<byte[]> _waiting;
    private readonly TaskCompletionSource _completing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _sender;
    private long _offered;
    private long _dropped;
    private volatile string? _lastError;

    private SyslogOutput(SyslogUri uri, SyslogMessage message, SyslogTransport transport, int maximumWaiting)
    {
        (_uri, _message, _transport) = (uri, message, transport);
        _waiting = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(maximumWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _sender = Task.Run(RunAsync);
    }

    /// <summary>Messages delivered, as far as the transport knows.</summary>
    public long Delivered => _transport.Delivered;

    /// <summary>Messages dropped because too many waited.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Messages that were given up; known after <see cref="CompleteAsync"/>, 0 before.</summary>
    public long Failed => _sender.IsCompleted ? Interlocked.Read(ref _offered) - Dropped - Delivered : 0;

    /// <summary>Why the last attempt failed; null when none did.</summary>
    public string? LastError => _lastError ?? _transport.LateError;

    /// <summary>After <see cref="CompleteAsync"/>: one line that says how many messages were not delivered and why; null when all were.</summary>
    public string? Problem
    {
        get
        {
            var lost = Failed + Dropped;
            var reason = LastError ?? "the receiver is too slow";
            return lost == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{lost} of {Interlocked.Read(ref _offered)} alerts could not be delivered to {_uri}: {reason}");
        }
    }

    /// <summary>Starts an output; when the URI or a file it names is unusable, <paramref name="error"/> is one line that says why.</summary>
    public static bool TryCreate(string uri, out SyslogOutput? output, out string? error, int maximumWaiting = MaximumWaiting)
    {
        output = null;
        if (!SyslogUri.TryParse(uri, out var parsed, out error))
            return false;
        SyslogTls? tls = null;
        if (parsed!.Transport == SyslogTransportKind.Tls && !SyslogTls.TryLoad(parsed, out tls, out error))
            return false;
        SyslogTransport transport = parsed.Transport == SyslogTransportKind.Udp ? new SyslogDatagrams(parsed) : new SyslogStream(parsed, tls);
        var message = new SyslogMessage(parsed, Environment.MachineName, "iotguard", Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        output = new SyslogOutput(parsed, message, transport, maximumWaiting);
        return true;
    }

    /// <summary>Formats the alert as it is now and queues it; never waits.</summary>
    public void OnAlert(Alert alert, AlertPhase phase)
    {
        Interlocked.Increment(ref _offered);
        if (!_waiting.Writer.TryWrite(_message.Format(alert, phase).ToArray()))
            Interlocked.Increment(ref _dropped);
    }

    /// <summary>Ends the output: waits up to <paramref name="limit"/> (default <see cref="FlushLimit"/>) until all is delivered.</summary>
    public async Task CompleteAsync(TimeSpan? limit = null)
    {
        _waiting.Writer.TryComplete();
        _completing.TrySetResult();
        _stop.CancelAfter(limit ?? FlushLimit);
        await _sender;
    }

    public async ValueTask DisposeAsync()
    {
        await CompleteAsync(TimeSpan.Zero);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await foreach (var message in _waiting.Reader.ReadAllAsync(_stop.Token))
            {
                if (!await TryRepeatedlyAsync(() => _transport.SendAsync(message, _stop.Token)))
                    return;
            }

            await TryRepeatedlyAsync(() => _transport.FinishAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
            _lastError ??= "the receiver is too slow";
        }
        finally
        {
            _transport.Dispose();
        }
    }

    /// <summary>Repeats a step with growing pauses until it succeeds. False when that is hopeless in the time that is left.</summary>
    private async Task<bool> TryRepeatedlyAsync(Func<Task> step)
    {
        var pause = FirstPause;
        while (true)
        {
            bool isPermanent;
            try
            {
                await step();
                return true;
            }
            catch (SyslogDeliveryException e)
            {
                _lastError = e.Message;
                isPermanent = e.IsPermanent;
            }

            var isCompleting = _completing.Task.IsCompleted;
            var delay = Task.Delay(pause, _stop.Token);
            await (isCompleting ? delay : Task.WhenAny(delay, _completing.Task));
            _stop.Token.ThrowIfCancellationRequested();
            if (isPermanent && _completing.Task.IsCompleted)
                return false;
            pause = isCompleting != _completing.Task.IsCompleted ? FirstPause : TimeSpan.FromTicks(Math.Min(2 * pause.Ticks, LongestPause.Ticks));
        }
    }
}
