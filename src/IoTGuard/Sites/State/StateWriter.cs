using System.Collections.Concurrent;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Outputs;
using Microsoft.Data.Sqlite;

namespace IoTGuard.Sites.State;

/// <summary>
/// A site's state behind the live sensor. One thread writes what waits in a bounded queue, so that a slow disk never holds the detector up;
/// what finds the queue full, or cannot be written, is counted. The same thread looks for suppressions that analysts add or take back.
/// </summary>
internal sealed class StateWriter : IDisposable
{
    /// <summary>Most changes that wait.</summary>
    private const int QueueLength = 16_384;

    /// <summary>Most changes of one transaction.</summary>
    private const int BatchLength = 512;

    /// <summary>New suppressions are looked for this often, milliseconds.</summary>
    private const int PollMilliseconds = 1000;

    private readonly SiteState _state;
    private readonly AlertJson _json = new();
    private readonly BlockingCollection<Change> _queue = new(QueueLength);
    private readonly Thread _thread;
    private volatile Suppressions _suppressions;
    private long _dataVersion;
    private long _lost;
    private string? _reason;

    private readonly record struct Change(AlertEvent Event, StoredAlert? Alert, DeviceEntry? Device, Site? Settled = null);

    public StateWriter(SiteState state)
    {
        _state = state;
        _dataVersion = state.DataVersion();
        _suppressions = state.Suppressions();
        Settled = state.Settled();
        state.CloseAbandoned();
        _thread = new Thread(Work) { Name = "state", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Suppressions as they now stand.</summary>
    public Suppressions Suppressions => _suppressions;

    /// <summary>Changes that were not written.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    public void OnAlert(Alert alert, AlertPhase phase) => Put(new Change(AlertEvent.Of(alert, phase), StoredAlert.Of(alert, phase, _json), null));

    public void OnDevice(DeviceEntry device) => Put(new Change(default, null, device));

    /// <summary>What the sensor took in so far, in place of what it took in before.</summary>
    public void OnSettled(Site settled) => Put(new Change(default, null, null, settled));

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
        _queue.Dispose();
        _json.Dispose();
        _state.Dispose();
    }

    private void Put(in Change change)
    {
        if (!_queue.TryAdd(change))
            Interlocked.Increment(ref _lost);
    }

    private void Work()
    {
        var batch = new List<Change>(BatchLength);
        while (!_queue.IsCompleted)
        {
            batch.Clear();
            if (_queue.TryTake(out var change, PollMilliseconds))
            {
                batch.Add(change);
                while (batch.Count < BatchLength && _queue.TryTake(out change))
                    batch.Add(change);
            }

            try
            {
                Write(batch);
                Refresh();
            }
            catch (SqliteException e)
            {
                _reason ??= StateFile.Reason(e);
                Interlocked.Add(ref _lost, batch.Count);
            }
        }
    }

    private void Write(List<Change> batch)
    {
        if (batch.Exists(c => c.Alert is not null))
            _state.Write(batch.Where(c => c.Alert is not null).Select(c => c.Event), batch.Select(c => c.Alert).OfType<StoredAlert>());
        if (batch.FindLast(c => c.Settled is not null).Settled is { } settled)
            _state.Write(settled);
        if (batch.Exists(c => c.Device is not null))
            _state.Write([.. batch.Select(c => c.Device).OfType<DeviceEntry>()]);
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
