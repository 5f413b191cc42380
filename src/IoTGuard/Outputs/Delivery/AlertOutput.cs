using System.Globalization;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs.Formats;
using IoTGuard.Outputs.Syslog;

namespace IoTGuard.Outputs.Delivery;

/// <summary>
/// One output: its filter, its messages, and the task that sends them. The caller never waits. A receiver that fails is tried again with growing
/// pauses, and gets everything not settled again, in order.
/// </summary>
internal sealed class AlertOutput : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>How often the transport is asked what is settled while nothing is to be sent.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    private readonly MessageWriter _messages;
    private readonly OutputTransport _transport;
    private readonly TaskCompletionSource _completing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly Action<AlertOutput, IReadOnlyList<OutgoingMessage>>? _settled;
    private Task _sender = Task.CompletedTask;
    private long _offered;
    private long _settledCount;
    private long _dropped;
    private long _retries;
    private volatile string? _lastError;
    private volatile bool _isFailing;

    /// <param name="settings">What it is.</param>
    /// <param name="transport">Its way; disposed with it.</param>
    /// <param name="queue">Its messages.</param>
    /// <param name="settled">Told of messages that are settled; null = nobody.</param>
    public AlertOutput(OutputSettings settings, OutputTransport transport, OutputQueue queue, Action<AlertOutput, IReadOnlyList<OutgoingMessage>>? settled = null)
    {
        Settings = settings;
        Queue = queue;
        _transport = transport;
        _settled = settled;
        _messages = new MessageWriter(settings, MessageWriter.ContextOf(settings));
    }

    public OutputSettings Settings { get; }

    public OutputQueue Queue { get; }

    /// <summary>Messages of alerts that passed the filter.</summary>
    public long Offered => Interlocked.Read(ref _offered);

    /// <summary>Messages that the receiver's side has, as far as the transport can know.</summary>
    public long Delivered => Interlocked.Read(ref _settledCount) + Queue.AlertsAmong(_transport.Accepted);

    /// <summary>Messages given up so far: no room, or too long in every form.</summary>
    public long Dropped => Queue.Dropped + Interlocked.Read(ref _dropped);

    /// <summary>Messages that wait, in memory or in the journal.</summary>
    public long Waiting => Math.Max(0, Offered - Delivered - Dropped);

    /// <summary>Attempts after a failure.</summary>
    public long Retries => Interlocked.Read(ref _retries);

    /// <summary>Why the last attempt failed; null when the output works.</summary>
    public string? Failure => _isFailing ? _lastError : null;

    /// <summary>Why an attempt failed last, even when a later one did not.</summary>
    public string? LastError => _lastError;

    /// <summary>Begins to send.</summary>
    public void Start() => _sender = Task.Run(RunAsync);

    /// <summary>Takes up messages that the journal holds from before.</summary>
    public void Resume(long messages)
    {
        Interlocked.Add(ref _offered, messages);
        Queue.BeginSpilled();
    }

    /// <summary>The journal gave messages up because its budget was used up.</summary>
    public void CountDropped(long messages) => Interlocked.Add(ref _dropped, messages);

    /// <summary>The message of an alert; null when the filter holds it back, or when it is too long in every form (counted).</summary>
    public OutgoingMessage? Write(Alert alert, AlertPhase phase, long sequence)
    {
        if (!Wants(alert))
            return null;
        Interlocked.Increment(ref _offered);
        var bytes = _messages.Write(alert, phase);
        if (!bytes.IsEmpty)
            return new OutgoingMessage(sequence, phase, bytes.ToArray());
        Interlocked.Increment(ref _dropped);
        _lastError ??= "the message is longer than the output allows";
        return null;
    }

    /// <summary>Queues a heartbeat, unless alerts wait: those that go through say more.</summary>
    public void SendHeartbeat(Heartbeat status)
    {
        var bytes = _messages.Write(status with { Waiting = Waiting, Lost = Dropped });
        if (!bytes.IsEmpty)
            Queue.OfferHeartbeat(new OutgoingMessage(0, null, bytes.ToArray()));
    }

    /// <summary>Ends the output: waits until all is delivered, as long as something is within <paramref name="patience"/>.</summary>
    /// <param name="patience">Longest time without any progress.</param>
    /// <param name="limit">Longest time in all; null = none.</param>
    public async Task CompleteAsync(TimeSpan patience, TimeSpan? limit = null)
    {
        Queue.Complete();
        _completing.TrySetResult();
        if (limit is { } most)
            _stop.CancelAfter(most);
        var delivered = -1L;
        while (!_sender.IsCompleted && Progress() != delivered)
        {
            delivered = Progress();
            await Task.WhenAny(_sender, Task.Delay(patience));
        }

        await _stop.CancelAsync();
        await _sender;

        long Progress() => Interlocked.Read(ref _settledCount) + _transport.Accepted;
    }

    /// <summary>True when what is not settled stays in a journal.</summary>
    public bool IsJournaled => _settled is not null;

    /// <summary>After <see cref="CompleteAsync"/>: one line that says how many messages were not delivered and why; null when all were, or are kept.</summary>
    public string? Problem
    {
        get
        {
            var lost = IsJournaled ? Dropped : Offered - Delivered;
            return lost <= 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{lost} of {Offered} alerts could not be delivered to {Settings.Name}: {_lastError ?? "the receiver is too slow"}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CompleteAsync(TimeSpan.Zero, TimeSpan.Zero);
        _transport.Dispose();
        _stop.Dispose();
    }

    private bool Wants(Alert alert) =>
        alert.Severity >= Settings.LeastSeverity
        && (Settings.Categories.Count == 0 || Settings.Categories.Contains(alert.Category, StringComparer.OrdinalIgnoreCase))
        && (Settings.Zones.Count == 0 || (alert.Device.Zone is { } zone && Settings.Zones.Contains(zone, StringComparer.OrdinalIgnoreCase)));

    private async Task RunAsync()
    {
        var pause = FirstPause;
        try
        {
            while (true)
            {
                var before = Interlocked.Read(ref _settledCount) + _transport.Accepted;
                try
                {
                    await PumpAsync();
                    return;
                }
                catch (DeliveryException e)
                {
                    _lastError = e.Message;
                    _isFailing = true;
                    if (Interlocked.Read(ref _settledCount) + _transport.Accepted > before)
                        pause = FirstPause;
                    _transport.Reset();
                    Queue.Rewind();
                    if (e.IsPermanent && _completing.Task.IsCompleted)
                        return;
                }

                Interlocked.Increment(ref _retries);
                pause = await PauseAsync(pause);
            }
        }
        catch (OperationCanceledException)
        {
            _lastError ??= "the receiver is too slow";
        }
    }

    /// <summary>Waits before the next attempt; when the output is being ended in that time, not for long.</summary>
    private async Task<TimeSpan> PauseAsync(TimeSpan pause)
    {
        var isCompleting = _completing.Task.IsCompleted;
        var delay = Task.Delay(pause, _stop.Token);
        await (isCompleting ? delay : Task.WhenAny(delay, _completing.Task));
        _stop.Token.ThrowIfCancellationRequested();
        return isCompleting != _completing.Task.IsCompleted ? FirstPause : TimeSpan.FromTicks(Math.Min(2 * pause.Ticks, LongestPause.Ticks));
    }

    /// <summary>Sends until the queue has ended, or something fails.</summary>
    private async Task PumpAsync()
    {
        while (true)
        {
            Settle();
            if (Queue.Take() is { } message)
                await _transport.SendAsync(message.Bytes, _stop.Token);
            else if (Queue.IsExhausted)
            {
                await _transport.FinishAsync(_stop.Token);
                Settle();
                return;
            }
            else
            {
                await Queue.WaitAsync(Tick, _stop.Token);
            }
        }
    }

    private void Settle()
    {
        var count = _transport.TakeSettled();
        if (_transport.Accepted > 0 || count > 0)
            _isFailing = false;
        if (count == 0)
            return;
        var settled = Queue.Settle(count);
        Interlocked.Add(ref _settledCount, settled.Count(static m => m.Sequence > 0));
        _settled?.Invoke(this, settled);
    }
}
