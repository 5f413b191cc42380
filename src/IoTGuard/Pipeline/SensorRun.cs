using System.Diagnostics;
using System.Security.Cryptography;
using IoTGuard.Analysis;
using IoTGuard.Capture;
using IoTGuard.Outputs;
using IoTGuard.Outputs.Formats;
using IoTGuard.Outputs.Packets;
using IoTGuard.Service;
using IoTGuard.Settings;
using IoTGuard.Sites;
using IoTGuard.Sites.State;
using IoTGuard.Wire;

namespace IoTGuard.Pipeline;

/// <summary>The live sensor from open rings to its end: events into the detector and outputs, statistics at intervals, reloads in between.</summary>
internal sealed class SensorRun : IEventConsumer, IDisposable
{
    private readonly SensorSettings _settings;
    private readonly IReadOnlyList<ILiveSource> _rings;
    private readonly Sensor[] _sensors;
    private readonly LiveOutputs _outputs;
    private readonly Detector _detector;
    private readonly DeviceWatch? _devices;
    private readonly SiteMemory _memory;
    private readonly SensorReload _reload;
    private readonly PipelineLoad _load;
    private readonly SensorHealth _health;
    private readonly long _started = Stopwatch.GetTimestamp();
    private ScoringProbe _probe;

    private SensorRun(SettingSources sources, SensorConfiguration configuration, SensorOptions options, IReadOnlyList<ILiveSource> rings, LiveOutputs outputs)
    {
        _settings = configuration.Settings;
        _rings = rings;
        _outputs = outputs;
        _memory = new SiteMemory(outputs.State);
        _detector = new Detector(_memory.With(configuration.Site), configuration.Detection, outputs);
        _devices = outputs.State is null ? null : new DeviceWatch(_detector.Devices, outputs.State);
        _sensors = [.. rings.Select(_ => new Sensor(options))];
        _reload = new SensorReload(sources, configuration);
        _load = new PipelineLoad(rings.Count);
        _probe = new ScoringProbe(configuration.Site);
        _health = new SensorHealth(
            _settings.Interface!, _settings.HealthListen == SensorSettings.Off ? null : _settings.HealthListen, Status, () => _load.Turns,
            () => _rings.SelectMany(static r => r.Problems).LastOrDefault()?.Reason);
    }

    /// <summary>Opens rings and outputs, then gives privileges up. What cannot be opened ends the command before anything is captured.</summary>
    public static SensorRun Start(SettingSources sources)
    {
        Privileges.RestrictNewFiles();
        var settings = sources.Load();
        if (string.IsNullOrWhiteSpace(settings.Interface))
            throw new UserException(ExitStatus.Unusable, "no interface: give --interface IF, or 'interface:' in the configuration file");
        var rings = CaptureRings.Open(settings);
        try
        {
            // What follows reads files that others write: without privileges.
            CaptureRings.DropPrivileges(settings, rings);
            var configuration = SensorConfiguration.Load(sources);
            var key = settings.Site is null ? null : new SiteFolder(settings.Site).LoadKey();
            var set = OutputSet.Open(settings);
            var state = OpenState(settings.Site);
            var options = configuration.SensorOptions(key ?? RandomNumberGenerator.GetBytes(32), rings.Count);
            var kept = configuration.Settings.Evidence;
            var evidence = kept.Directory is null ? null : new EvidenceCollector(kept, options, rings.Count, isLive: true);
            var outputs = new LiveOutputs(set, key is not null, options.CommunityIdSeed, state) { Evidence = evidence };
            if (state is null && set.Outputs.Count > 0)
                ServiceLog.Write("without a site folder that may be written, alerts that wait for a receiver are kept in memory only and are lost when the sensor ends; give --site DIR");
            foreach (var notice in outputs.State?.Notices ?? [])
                ServiceLog.Write(notice);
            if (outputs.CloseAbandoned() is > 0 and var abandoned)
                ServiceLog.Write($"{RunSummary.Number(abandoned)} alerts that were open when the sensor ended before are closed");
            return new SensorRun(sources, configuration, options, rings, outputs);
        }
        catch (Exception e)
        {
            foreach (var ring in rings)
                ring.Dispose();
            if (e is CaptureException)
                throw new UserException(ExitStatus.Unusable, e.Message, e);
            throw;
        }
    }

    /// <summary>Captures until cancelled; then everything captured is analysed and delivered. Returns the exit status.</summary>
    public int Execute(CancellationToken cancellation)
    {
        ServiceLog.Write($"capturing on {_settings.Interface} with {_rings.Count} ring{(_rings.Count == 1 ? "" : "s")} of {_settings.RingMegabytes} MB");
        ServiceManager.IsReady();
        _health.SetStatistics(_settings.StatisticsSeconds);
        _outputs.Outputs.BeginHeartbeats(Beat);
        using (HugePages.Keep())
            new LivePipeline(_rings, _sensors, this, _load, _outputs.Evidence is { } evidence ? evidence.Take : null).Run(cancellation);
        ServiceManager.IsStopping();
        _health.SetStatistics(0);
        _detector.Complete();
        _devices?.Complete();
        _memory.Keep(_detector);
        var problems = _outputs.Close();
        _health.LogStatistics();
        foreach (var problem in _rings.SelectMany(r => r.Problems).Select(p => p.Reason).Distinct(StringComparer.Ordinal))
            ServiceLog.Write($"{_settings.Interface}: {problem}");
        foreach (var problem in problems)
            ServiceLog.Write(problem);
        var dropped = _rings.Sum(r => r.Statistics.KernelDrops);
        if (dropped > 0)
            ServiceLog.Write($"{RunSummary.Number(dropped)} packets were dropped by the kernel because the rings were full; give more --workers or larger --ring-megabytes");
        return problems.Count > 0 || dropped > 0 ? ExitStatus.Lost : ExitStatus.Done;
    }

    public void OnEvent(EventBatch batch, in SensorEvent e)
    {
        if (e.Kind == SensorEventKind.Transaction)
            _outputs.OnTransaction(batch.Transaction(e.Index));
        _outputs.ClockNs = e.Key.TimeNs;
        _detector.OnEvent(batch, e);
    }

    public void OnClock(long clockNs)
    {
        if (clockNs > 0)
        {
            _outputs.ClockNs = clockNs;
            _detector.AdvanceTo(clockNs);
            _devices?.OnClock(clockNs);
            _memory.OnClock(_detector, clockNs);
            _outputs.OnClock(clockNs);
        }

        while (_health.TryTake(out var own))
            _outputs.OnAlert(own.Alert, own.Phase);
        _outputs.Flush();
        if (_reload.Take() is { } fresh)
            Apply(fresh);
    }

    public void Dispose()
    {
        _health.Dispose();
        _reload.Dispose();
        foreach (var ring in _rings)
            ring.Dispose();
        _outputs.Dispose();
    }

    /// <summary>The state of the site, opened by the user that the sensor runs as; null without a site, or when it may not be written.</summary>
    private static SiteState? OpenState(string? folder)
    {
        if (folder is null)
            return null;
        if (SiteState.TryOpenToWrite(folder) is { } state)
            return state;
        ServiceLog.Write(RunState.NoticeOf(folder));
        return null;
    }

    /// <summary>Puts a configuration into force that was read and can be used.</summary>
    private void Apply(SensorReload.Fresh fresh)
    {
        _detector.Reconfigure(_memory.With(fresh.Configuration.Site), fresh.Configuration.Detection);
        if (fresh.Outputs is { } outputs)
            _outputs.Replace(outputs);
        _health.SetStatistics(fresh.Configuration.Settings.StatisticsSeconds);
        _probe = new ScoringProbe(fresh.Configuration.Site);
    }

    private Heartbeat Beat()
    {
        var statistics = _rings.Select(static r => r.Statistics).ToList();
        var now = DateTimeOffset.UtcNow;
        return new Heartbeat(now, now - Stopwatch.GetElapsedTime(_started), statistics.Sum(static s => s.Frames), statistics.Sum(static s => s.KernelDrops), _outputs.Opened, Waiting: 0, Lost: 0);
    }

    /// <summary>The outputs work on the detector's thread; copies for evidence are made on those of the rings.</summary>
    private StageTimes Stages()
    {
        var delivering = _outputs.Worked;
        return new StageTimes(
            Later(TimeSpan.Zero, _load.Reading - TimeSpan.FromTicks(_rings.Sum(static r => r.Waited.Ticks))),
            _load.Processing, Later(TimeSpan.Zero, _load.Detector - delivering), delivering + _load.Copying);

        // The times of a batch that is under way are not told yet, while its waiting or delivering is.
        static TimeSpan Later(TimeSpan a, TimeSpan b) => a > b ? a : b;
    }

    /// <summary>The sensor at this moment. Any thread may ask, until this is disposed of.</summary>
    private SensorStatus Status() => new()
    {
        Interface = _settings.Interface!,
        Uptime = Stopwatch.GetElapsedTime(_started),
        Time = DateTimeOffset.UtcNow,
        Rings = [.. _rings.Select(static r => new RingStatus(r.Statistics, (r as PacketRing)?.Freezes ?? 0, (r as PacketRing)?.Use ?? 0))],
        Counters = SensorCounters.Of(_sensors),
        Flows = (_sensors.Sum(static s => s.FlowsHeld), _settings.MaximumFlows),
        Devices = _detector.Devices.Devices.Count,
        OpenAlerts = _detector.OpenAlerts,
        Outputs = new OutputStatus(_outputs.Opened, _outputs.Suppressed, _outputs.Delivered, _outputs.Lost),
        Deliveries = _outputs.Deliveries,
        Stages = Stages(),
        Waiting = _load.Waiting,
        FlowsScored = _detector.FlowFigures.Scored,
        Models = ModelSummary.Of(_detector),
        ScoringTime = _probe.Measure(),
        Reloads = _reload.Count,
        Conditions = _health?.Conditions ?? [],
    };
}
