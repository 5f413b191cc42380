using System.Globalization;
using System.Security.Cryptography;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Capture;
using IoTGuard.Outputs;
using IoTGuard.Outputs.Syslog;
using IoTGuard.Settings;
using IoTGuard.Sites;
using IoTGuard.Sites.State;

namespace IoTGuard.Pipeline;

/// <summary>The live sensor from open rings to its end: events into the detector and outputs, statistics at intervals.</summary>
internal sealed class SensorRun : IEventConsumer, IDisposable
{
    private readonly SensorSettings _settings;
    private readonly IReadOnlyList<PacketRing> _rings;
    private readonly Sensor[] _sensors;
    private readonly LiveOutputs _outputs;
    private readonly Detector _detector;
    private readonly DeviceWatch? _devices;

    private SensorRun(SensorSettings settings, IReadOnlyList<PacketRing> rings, Site site, byte[]? key, DetectorOptions detection, LiveOutputs outputs, StateWriter? state)
    {
        _settings = settings;
        _rings = rings;
        _outputs = outputs;
        _detector = new Detector(site, detection, outputs);
        _devices = state is null ? null : new DeviceWatch(_detector.Devices, state);
        var options = new SensorOptions { PseudonymKey = key ?? RandomNumberGenerator.GetBytes(32), VlanAware = settings.VlanAware };
        _sensors = [.. rings.Select(_ => new Sensor(options))];
    }

    /// <summary>Opens rings and outputs, then gives privileges up. What cannot be opened ends the command before anything is captured.</summary>
    public static SensorRun Start(SensorSettings settings)
    {
        if (string.IsNullOrWhiteSpace(settings.Interface))
            throw new UserException(ExitStatus.Unusable, "no interface: give --interface IF, or 'interface:' in the configuration file");
        var receivers = new SyslogReceivers(settings.Syslog);
        var own = SiteSettings.Load(settings.Site, settings.Policy, settings.Rules);
        var folder = settings.Site is null ? null : new SiteFolder(settings.Site);
        var (site, key) = folder is null ? (ShippedSite.Load(), null) : (folder.LoadWithModels(), folder.LoadKey());
        var detection = own.Apply(folder is null ? new DetectorOptions() : new DetectorOptions { Indicators = folder.LoadIndicators() });
        var options = new PacketRingOptions(settings.Interface) { BlockCount = settings.RingMegabytes, Filter = settings.Filter };
        IReadOnlyList<PacketRing> rings;
        try
        {
            rings = PacketRing.OpenGroup(options, settings.Workers > 0 ? settings.Workers : Environment.ProcessorCount);
        }
        catch (CaptureException e)
        {
            throw new UserException(ExitStatus.Unusable, e.Message, e);
        }

        try
        {
            if (settings.User is not null)
                Privileges.Drop(settings.User);
            var state = OpenState(settings.Site);
            var outputs = new LiveOutputs(settings.Alerts, settings.Transactions, key is not null, receivers, state);
            return new SensorRun(settings, rings, site, key, detection, outputs, state);
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
        Log($"capturing on {_settings.Interface} with {_rings.Count} ring{(_rings.Count == 1 ? "" : "s")} of {_settings.RingMegabytes} MB");
        using (Statistics())
            new LivePipeline(_rings, _sensors, this).Run(cancellation);
        _detector.Complete();
        _devices?.Complete();
        var problems = _outputs.Close();
        LogStatistics();
        foreach (var problem in _rings.SelectMany(r => r.Problems).Select(p => p.Reason).Distinct(StringComparer.Ordinal))
            Log($"{_settings.Interface}: {problem}");
        foreach (var problem in problems)
            Log(problem);
        var dropped = _rings.Sum(r => r.Statistics.KernelDrops);
        if (dropped > 0)
            Log($"{RunSummary.Number(dropped)} packets were dropped by the kernel because the rings were full; give more --workers or larger --ring-megabytes");
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
        _detector.AdvanceTo(clockNs);
        _devices?.OnClock(clockNs);
        _outputs.Flush();
    }

    public void Dispose()
    {
        foreach (var ring in _rings)
            ring.Dispose();
        _outputs.Dispose();
    }

    /// <summary>The state of the site, opened by the user that the sensor runs as; null without a site, or when it may not be written.</summary>
    private static StateWriter? OpenState(string? folder)
    {
        if (folder is null)
            return null;
        if (SiteState.TryOpenToWrite(folder) is { } state)
            return new StateWriter(state);
        Log(RunState.NoticeOf(folder));
        return null;
    }

    private Timer? Statistics()
    {
        if (_settings.StatisticsSeconds == 0)
            return null;
        var interval = TimeSpan.FromSeconds(_settings.StatisticsSeconds);
        return new Timer(_ => LogStatistics(), null, interval, interval);
    }

    private void LogStatistics()
    {
        var statistics = _rings.Select(r => r.Statistics).ToList();
        var counters = SensorCounters.Of(_sensors);
        var losses = LossTable.Of(counters).Where(c => c is { IsLoss: true, Count: > 0 }).Select(c => $"  {RunSummary.Number(c.Count)} {c.Text}");
        Log($"packets {RunSummary.Number(statistics.Sum(s => s.Frames))}  bytes {RunSummary.Bytes(statistics.Sum(s => s.Bytes))}"
            + $"  kernel drops {RunSummary.Number(statistics.Sum(s => s.KernelDrops))}  flows {RunSummary.Number(counters.FlowsOpened)}"
            + $"  alerts {RunSummary.Number(_outputs.Opened)}{(_outputs.Suppressed > 0 ? $" ({RunSummary.Number(_outputs.Suppressed)} suppressed)" : "")}  undelivered {RunSummary.Number(_outputs.Lost)}" + string.Concat(losses));
    }

    private static void Log(string text) =>
        Console.Error.WriteLine(DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm:ss.fff 'UTC'", CultureInfo.InvariantCulture) + "  " + text);
}
