using System.Collections.Concurrent;
using System.Globalization;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs;

namespace IoTGuard.Service;

/// <summary>
/// Watches over the running sensor beside its work: the health endpoint, the statistics line, the mirror port and outputs, and the watchdog of systemd. It only
/// reads counters; alerts about the sensor wait in a queue until the detector's thread takes them.
/// </summary>
internal sealed class SensorHealth : IDisposable
{
    /// <summary>Most alerts about the sensor that wait; conditions are few, and each is open once.</summary>
    private const int MaximumWaiting = 64;

    private readonly Func<SensorStatus> _status;
    private readonly Func<long> _turns;
    private readonly Func<string?> _problem;
    private readonly SensorWatch _watch = new();
    private readonly HealthAlerts _alerts;
    private readonly ConcurrentQueue<(Alert Alert, AlertPhase Phase)> _waiting = new();
    private readonly Timer _statistics;
    private readonly Timer _looks;
    private readonly Timer? _watchdog;
    private readonly HealthServer? _server;
    private readonly Lock _looking = new();
    private long _lastTurns;

    /// <param name="interfaceName">Interface that the sensor listens on.</param>
    /// <param name="listen">Address of the endpoint; null for none.</param>
    /// <param name="status">Takes the sensor's status; any thread may call it.</param>
    /// <param name="turns">Rises as long as the sensor's threads turn.</param>
    /// <param name="problem">What the rings say about the interface.</param>
    public SensorHealth(string interfaceName, string? listen, Func<SensorStatus> status, Func<long> turns, Func<string?> problem)
    {
        (_status, _turns, _problem) = (status, turns, problem);
        _alerts = new HealthAlerts(interfaceName);
        _statistics = new Timer(_ => LogStatistics());
        _looks = new Timer(_ => Look(), null, SensorWatch.Interval, SensorWatch.Interval);
        if (ServiceManager.WatchdogInterval is { } interval)
            _watchdog = new Timer(_ => FeedWatchdog(), null, TimeSpan.Zero, interval / 2);
        _server = listen is null ? null : HealthServer.Start(listen, status);
    }

    /// <summary>What is wrong at the moment.</summary>
    public IReadOnlyList<Condition> Conditions => _watch.Present;

    /// <summary>How often the statistics line is logged; 0 = never.</summary>
    public void SetStatistics(int seconds)
    {
        var interval = seconds == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(seconds);
        _statistics.Change(interval, interval);
    }

    /// <summary>Takes the next alert about the sensor itself; false when there is none.</summary>
    public bool TryTake(out (Alert Alert, AlertPhase Phase) next) => _waiting.TryDequeue(out next);

    public void LogStatistics() => ServiceLog.Write(Line(_status()));

    public void Dispose()
    {
        _server?.Dispose();
        using var done = new ManualResetEvent(initialState: false);
        foreach (var timer in new[] { _statistics, _looks, _watchdog })
        {
            if (timer?.Dispose(done) == true)
                done.WaitOne();
            done.Reset();
        }
    }

    private static string Line(SensorStatus status)
    {
        var losses = LossTable.Of(status.Counters).Where(static c => c is { IsLoss: true, Count: > 0 }).Select(static c => $"  {RunSummary.Number(c.Count)} {c.Text}");
        var kinds = status.Faults.Select(static f => $"{f.Layer} {f.Kind} {RunSummary.Number(f.Frames)}".ToLowerInvariant()).ToList();
        return $"stats  packets {RunSummary.Number(status.Packets)}  bytes {RunSummary.Bytes(status.Bytes)}  kernel drops {RunSummary.Number(status.KernelDrops)}"
            + string.Create(CultureInfo.InvariantCulture, $"  ring use {status.RingUse:P0}  capture loss {status.CaptureLoss:P1}  gaps {status.Counters.Gaps:N0} ({RunSummary.Bytes(status.Counters.GapBytes)})")
            + $"  faults {RunSummary.Number(status.Faults.Sum(static f => f.Frames))}{(kinds.Count > 0 ? $" ({string.Join(", ", kinds)})" : "")}"
            + string.Create(CultureInfo.InvariantCulture, $"  flows {status.Counters.FlowsOpened:N0}  flows held {status.Flows.Held:N0} ({status.FlowTableUse:P1} of the table)")
            + $"  alerts {RunSummary.Number(status.Outputs.Opened)}{(status.Outputs.Suppressed > 0 ? $" ({RunSummary.Number(status.Outputs.Suppressed)} suppressed)" : "")}"
            + $"  delivered {RunSummary.Number(status.Outputs.Delivered)}  queued {RunSummary.Number(status.Queued)}  retries {RunSummary.Number(status.Retries)}  undelivered {RunSummary.Number(status.Outputs.Lost)}"
            + string.Concat(status.Stages.All.Select(static stage => string.Create(CultureInfo.InvariantCulture, $"  {stage.Name} {stage.Time.TotalSeconds:N1} s")))
            + string.Create(CultureInfo.InvariantCulture, $"  detector {status.Waiting:N0} batches behind")
            + (status.ScoringTime is { } scoring ? string.Create(CultureInfo.InvariantCulture, $"  scoring {scoring.TotalMicroseconds:N0} µs") : "")
            + $"  memory {RunSummary.Bytes(Environment.WorkingSet)}{(status.Models.Length > 0 ? "  models: " + status.Models : "")}" + string.Concat(losses);
    }

    private void Look()
    {
        if (!_looking.TryEnter())
            return;
        try
        {
            var (began, ended) = _watch.Look(_status(), _problem());
            foreach (var condition in began)
            {
                ServiceLog.Write($"{condition.Title}: {condition.Text} {condition.Remedy}");
                Tell(_alerts.Open(condition), AlertPhase.Opened);
            }

            foreach (var condition in ended)
            {
                ServiceLog.Write($"over: {condition.Title}");
                if (_alerts.Close(condition) is { } alert)
                    Tell(alert, AlertPhase.Closed);
            }

            if (began.Count + ended.Count > 0)
                ServiceManager.Say(_watch.Present is [var worst, ..] ? worst.Title : "capturing");
        }
        finally
        {
            _looking.Exit();
        }
    }

    private void Tell(Alert alert, AlertPhase phase)
    {
        if (_waiting.Count < MaximumWaiting)
            _waiting.Enqueue((alert, phase));
    }

    /// <summary>Says that the sensor is alive only when its threads have turned since the last time.</summary>
    private void FeedWatchdog()
    {
        var turns = _turns();
        if (turns == Interlocked.Exchange(ref _lastTurns, turns))
            return;
        ServiceManager.IsAlive();
    }
}
