using System.Collections.Concurrent;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Outputs;
using IoTGuard.Outputs.Delivery;
using IoTGuard.Service;
using Microsoft.Data.Sqlite;

namespace IoTGuard.Sites.State;

/// <summary>
/// A site's state behind the live sensor, and the journal of its outputs. One thread writes what waits in a bounded queue, so that a slow disk never
/// holds the detector up: an alert and its messages in one transaction, and only then the messages go out. While the disk takes nothing, messages
/// go out from memory, and what waits is tried again; what finds the queue full is counted. The same thread looks for suppressions that analysts add
/// or take back.
/// </summary>
internal sealed class StateWriter : IDisposable
{
    /// <summary>Most changes that wait.</summary>
    private const int QueueLength = 16_384;

    /// <summary>Most changes that wait for a disk that takes nothing.</summary>
    private const int MaximumUnwritten = 16_384;

    /// <summary>Changes of devices are refused when so many changes wait: they come again, alerts do not.</summary>
    private const int DeviceLimit = QueueLength / 2;

    /// <summary>Most changes of one transaction.</summary>
    private const int BatchLength = 512;

    /// <summary>New suppressions are looked for this often, milliseconds.</summary>
    private const int PollMilliseconds = 1000;

    private readonly SiteState _state;
    private readonly AlertJson _json = new();
    private readonly BlockingCollection<Change> _queue = new(QueueLength);
    private readonly Thread _thread;
    private readonly List<Change> _unwritten = [];
    private readonly OutputJournal _journal;
    private volatile Suppressions _suppressions;
    private long _dataVersion;
    private long _lost;
    private long _written;
    private long _retries;
    private int _waiting;
    private volatile string? _reason;

    /// <summary>One thing to write; a change with nothing in it only wakes the thread.</summary>
    private sealed record Change(AlertEvent Event, StoredAlert? Alert, IReadOnlyList<AddressedMessage> Messages, DeviceEntry? Device, TaskCompletionSource? Reached, Site? Settled = null)
    {
        public bool IsOffered { get; set; }
    }

    private static readonly Change Nothing = new(default, null, [], null, null);

    /// <param name="state">Of the site; disposed with it.</param>
    /// <param name="outputs">Settings of the outputs.</param>
    public StateWriter(SiteState state, IEnumerable<OutputSettings> outputs)
    {
        _state = state;
        _dataVersion = state.DataVersion();
        _suppressions = state.Suppressions();
        Settled = state.Settled();
        Abandoned = state.OpenAlerts();
        state.SyncEveryWrite();
        _journal = new OutputJournal(state, outputs, Wake);
        _thread = new Thread(Work) { Name = "state", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Outputs whose messages go through the journal.</summary>
    public AlertOutputs Outputs => _journal.Outputs;

    /// <summary>What the journal has to say at its start, one line each.</summary>
    public IReadOnlyList<string> Notices => _journal.Notices;

    /// <summary>Alerts that were open when the sensor before ended without closing them.</summary>
    public IReadOnlyList<StoredAlert> Abandoned { get; }

    /// <summary>Suppressions as they now stand.</summary>
    public Suppressions Suppressions => _suppressions;

    /// <summary>Changes that were not written.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Why the disk takes nothing now; null when it does.</summary>
    public string? Failure { get; private set; }

    /// <summary>What it did so far. Any thread may ask.</summary>
    public DeliveryStatus Status => new(_state.Path, _queue.Count + Volatile.Read(ref _waiting), Interlocked.Read(ref _written), Lost, Interlocked.Read(ref _retries), Failure);

    /// <summary>Stores an alert, then sends its messages.</summary>
    public void OnAlert(Alert alert, AlertPhase phase, IReadOnlyList<AddressedMessage> messages)
    {
        var change = new Change(AlertEvent.Of(alert, phase), StoredAlert.Of(alert, phase, _json), messages, null, null);
        if (_queue.TryAdd(change))
            return;
        Interlocked.Increment(ref _lost);
        // Better out of order and in no journal than not at all.
        AlertOutputs.Offer(messages);
    }

    public void OnDevice(DeviceEntry device) => PutLast(new Change(default, null, [], device, null));

    /// <summary>Waits until everything given so far has been handled, for some seconds at most.</summary>
    public void Flush()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_queue.TryAdd(Nothing with { Reached = reached }, PollMilliseconds))
            reached.Task.Wait(TimeSpan.FromSeconds(5));
    }

    /// <summary>What the sensor took in so far, in place of what it took in before.</summary>
    public void OnSettled(Site settled) => PutLast(Nothing with { Settled = settled });

    /// <summary>What sensors took in before this run.</summary>
    public Site Settled { get; }

    /// <summary>Writes what waits, and returns one line when something was lost.</summary>
    public string? Complete()
    {
        _queue.CompleteAdding();
        _thread.Join();
        return Lost == 0 ? null : $"{Lost:N0} changes of alerts and devices could not be written to {_state.Path}: {_reason ?? "the disk was too slow"}";
    }

    public void Dispose()
    {
        if (!_queue.IsAddingCompleted)
            Complete();
        _journal.Outputs.Dispose();
        _queue.Dispose();
        _json.Dispose();
        _state.Dispose();
    }

    /// <summary>Leaves the last places of the queue to alerts.</summary>
    private void PutLast(Change change)
    {
        if (_queue.Count >= DeviceLimit || !_queue.TryAdd(change))
            Interlocked.Increment(ref _lost);
    }

    private void Wake()
    {
        try
        {
            _queue.TryAdd(Nothing);
        }
        catch (InvalidOperationException)
        {
            // It is being ended, and the thread does its last round.
        }
    }

    private void Work()
    {
        while (!_queue.IsCompleted)
        {
            Step();
        }

        // What a full disk left over gets a last chance.
        WriteAll();
        Interlocked.Add(ref _lost, _unwritten.Count);
    }

    private void Step()
    {
        var reached = new List<TaskCompletionSource>();
        if (_queue.TryTake(out var change, PollMilliseconds))
        {
            var taken = 0;
            do
            {
                if (change.Reached is not null)
                    reached.Add(change.Reached);
                else if (change.Alert is not null || change.Device is not null || change.Settled is not null)
                    _unwritten.Add(change);
            }
            while (++taken < BatchLength && _queue.TryTake(out change));
        }

        WriteAll();
        foreach (var one in reached)
            one.TrySetResult();
    }

    /// <summary>Writes what is unwritten, in transactions of some hundred changes, and sends what was written; when the disk fails, sends from memory.</summary>
    private void WriteAll()
    {
        if (Failure is not null)
            Interlocked.Increment(ref _retries);
        try
        {
            do
            {
                var batch = _unwritten.Take(BatchLength).ToList();
                Write(batch);
                _unwritten.RemoveRange(0, batch.Count);
                Interlocked.Add(ref _written, batch.Count);
                Send(batch);
            }
            while (_unwritten.Count > 0);
            _journal.Tend();
            Refresh();
            Failure = null;
        }
        catch (SqliteException e)
        {
            _reason ??= StateFile.Reason(e);
            Failure = StateFile.Reason(e);
            Send(_unwritten);
            var excess = _unwritten.Count - MaximumUnwritten;
            if (excess > 0)
            {
                _unwritten.RemoveRange(0, excess);
                Interlocked.Add(ref _lost, excess);
            }
        }

        Volatile.Write(ref _waiting, _unwritten.Count);
    }

    private void Write(List<Change> batch)
    {
        _journal.Write(batch.Where(static c => c.Alert is not null).Select(static c => c.Event), batch.Select(static c => c.Alert).OfType<StoredAlert>(),
            batch.SelectMany(static c => c.Messages));
        if (batch.Exists(static c => c.Device is not null))
            _state.Write([.. batch.Select(static c => c.Device).OfType<DeviceEntry>()]);
        if (batch.FindLast(static c => c.Settled is not null)?.Settled is { } settled)
            _state.Write(settled);
    }

    private static void Send(List<Change> changes)
    {
        foreach (var change in changes)
        {
            if (change.IsOffered)
                continue;
            // Behind messages that only the journal holds, others must wait until they are in the journal too.
            if (change.Messages.Any(static m => m.Output.Queue.IsSpilled && !m.Message.IsStored))
                break;
            AlertOutputs.Offer(change.Messages);
            change.IsOffered = true;
        }
    }

    private void Refresh()
    {
        var version = _state.DataVersion();
        if (version == _dataVersion)
            return;
        _suppressions = _state.Suppressions();
        _dataVersion = version;
    }
}
