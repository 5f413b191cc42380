using System.Security.Cryptography;
using IoTGuard.Analysis;
using IoTGuard.Capture;
using IoTGuard.Outputs;
using IoTGuard.Service;
using IoTGuard.Settings;
using IoTGuard.Sites;
using IoTGuard.Sites.State;

namespace IoTGuard.Pipeline;

/// <summary>The live sensor from open rings to its end: events into the detector and outputs, statistics at intervals, reloads in between.</summary>
internal sealed class SensorRun : IEventConsumer, IDisposable
{
    private readonly SensorSettings _settings;
    private readonly IReadOnlyList<PacketRing> _rings;
    private readonly Sensor[] _sensors;
    private readonly LiveOutputs _outputs;
    private readonly Detector _detector;
    private readonly DeviceWatch? _devices;
    private readonly SensorReload _reload;
    private readonly Timer _statistics;

    private SensorRun(SettingSources sources, SensorConfiguration configuration, byte[]? key, IReadOnlyList<PacketRing> rings, LiveOutputs outputs, StateWriter? state)
    {
        _settings = configuration.Settings;
        _rings = rings;
        _outputs = outputs;
        _detector = new Detector(configuration.Site, configuration.Detection, outputs);
        _devices = state is null ? null : new DeviceWatch(_detector.Devices, state);
        var options = configuration.SensorOptions(key ?? RandomNumberGenerator.GetBytes(32));
        _sensors = [.. rings.Select(_ => new Sensor(options))];
        _reload = new SensorReload(sources, configuration);
        _statistics = new Timer(_ => LogStatistics());
    }

    /// <summary>Opens rings and outputs, then gives privileges up. What cannot be opened ends the command before anything is captured.</summary>
    public static SensorRun Start(SettingSources sources)
    {
        Privileges.RestrictNewFiles();
        var configuration = SensorConfiguration.Load(sources);
        var settings = configuration.Settings;
        var key = settings.Site is null ? null : new SiteFolder(settings.Site).LoadKey();
        IReadOnlyList<PacketRing> rings;
        try
        {
            rings = PacketRing.OpenGroup(RingOf(settings), settings.Workers > 0 ? settings.Workers : Environment.ProcessorCount);
        }
        catch (CaptureException e)
        {
            throw new UserException(ExitStatus.Unusable, e.Message, e);
        }

        try
        {
            if (settings.User is not null)
                Privileges.Drop(settings.User);
            var set = OutputSet.Open(settings);
            var state = OpenState(settings.Site);
            return new SensorRun(sources, configuration, key, rings, new LiveOutputs(set, key is not null, state), state);
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
        SetStatistics(_settings.StatisticsSeconds);
        new LivePipeline(_rings, _sensors, this).Run(cancellation);
        ServiceManager.IsStopping();
        SetStatistics(0);
        _detector.Complete();
        _devices?.Complete();
        var problems = _outputs.Close();
        LogStatistics();
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
        _detector.OnEvent(batch, e);
    }

    public void OnClock(long clockNs)
    {
        if (clockNs > 0)
        {
            _detector.AdvanceTo(clockNs);
            _devices?.OnClock(clockNs);
        }

        _outputs.Flush();
        if (_reload.Take() is { } fresh)
            Apply(fresh);
    }

    public void Dispose()
    {
        _statistics.Dispose();
        _reload.Dispose();
        foreach (var ring in _rings)
            ring.Dispose();
        _outputs.Dispose();
    }

    private static PacketRingOptions RingOf(SensorSettings settings) => new(settings.Interface!)
    {
        BlockCount = settings.RingMegabytes,
        BlockTimeout = TimeSpan.FromMilliseconds(settings.BlockTimeoutMilliseconds),
        Promiscuous = settings.Promiscuous,
        Filter = settings.Filter,
    };

    /// <summary>The state of the site, opened by the user that the sensor runs as; null without a site, or when it may not be written.</summary>
    private static StateWriter? OpenState(string? folder)
    {
        if (folder is null)
            return null;
        if (SiteState.TryOpenToWrite(folder) is { } state)
            return new StateWriter(state);
        ServiceLog.Write(RunState.NoticeOf(folder));
        return null;
    }

    /// <summary>Puts a configuration into force that was read and can be used.</summary>
    private void Apply(SensorReload.Fresh fresh)
    {
        _detector.Reconfigure(fresh.Configuration.Site, fresh.Configuration.Detection);
        _outputs.Replace(fresh.Outputs);
        SetStatistics(fresh.Configuration.Settings.StatisticsSeconds);
    }

    private void SetStatistics(int seconds)
    {
        var interval = seconds == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(seconds);
        _statistics.Change(interval, interval);
    }

    private void LogStatistics()
    {
        var statistics = _rings.Select(r => r.Statistics).ToList();
        var counters = SensorCounters.Of(_sensors);
        var losses = LossTable.Of(counters).Where(c => c is { IsLoss: true, Count: > 0 }).Select(c => $"  {RunSummary.Number(c.Count)} {c.Text}");
        ServiceLog.Write($"packets {RunSummary.Number(statistics.Sum(s => s.Frames))}  bytes {RunSummary.Bytes(statistics.Sum(s => s.Bytes))}"
            + $"  kernel drops {RunSummary.Number(statistics.Sum(s => s.KernelDrops))}  flows {RunSummary.Number(counters.FlowsOpened)}"
            + $"  alerts {RunSummary.Number(_outputs.Opened)}{(_outputs.Suppressed > 0 ? $" ({RunSummary.Number(_outputs.Suppressed)} suppressed)" : "")}  undelivered {RunSummary.Number(_outputs.Lost)}" + string.Concat(losses));
    }
}
