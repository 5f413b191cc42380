using System.Diagnostics;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Capture;
using IoTGuard.Outputs;
using IoTGuard.Wire;

namespace IoTGuard.Pipeline;

/// <summary>One run over captures: frames through the pipeline into the detector and the outputs, with progress, and what was counted.</summary>
internal sealed class AnalysisRun : IEventConsumer
{
    private readonly RunSetup _setup;
    private readonly RunOutputs _outputs;
    private LinkType _link = LinkType.Ethernet;
    private bool _isDecoded = true;

    public AnalysisRun(RunSetup setup, RunOutputs outputs, DetectorOptions? options = null)
    {
        _setup = setup;
        _outputs = outputs;
        Detector = new Detector(setup.Site, (options ?? new DetectorOptions()) with { Indicators = setup.Indicators }, outputs);
        if (outputs.Tables.HasWindows)
            Detector.TellWindows(outputs.Tables.WindowSeconds, outputs.Tables.OnWindow);
    }

    public Detector Detector { get; }

    public RunSetup Setup => _setup;

    public ProtocolTotals Totals { get; } = new();

    public CaptureStatistics Captured => _setup.Source.Statistics;

    public IReadOnlyList<CaptureProblem> Problems => _setup.Source.Problems;

    /// <summary>Counters of all sensors together.</summary>
    public SensorCounters Counters { get; private set; }

    /// <summary>Smallest and largest packet time, ns; both 0 without frames.</summary>
    public long FirstNs { get; private set; }

    public long LastNs { get; private set; }

    public TimeSpan Elapsed { get; private set; }

    /// <summary>Frames of link types that are not decoded, and these types.</summary>
    public long UndecodedFrames { get; private set; }

    public SortedSet<int> UndecodedLinks { get; } = [];

    public void Execute(CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        using (HugePages.Keep())
        using (var progress = new ProgressLine(_setup.Source))
        {
            var pipeline = new FilePipeline(_setup.Source, _setup.Sensors, _setup.Router, this);
            pipeline.Run(batch =>
            {
                Span(batch);
                _outputs.Evidence?.Take(0, batch);
                progress.Report();
            }, cancellation);
            Detector.Complete();
        }

        Counters = SensorCounters.Of(_setup.Sensors);
        Elapsed = Stopwatch.GetElapsedTime(started);
    }

    public void OnEvent(EventBatch batch, in SensorEvent e)
    {
        switch (e.Kind)
        {
            case SensorEventKind.Transaction:
                var transaction = batch.Transaction(e.Index);
                Totals.Add(transaction);
                _outputs.OnTransaction(transaction);
                break;
            case SensorEventKind.FlowClosed:
                _outputs.OnFlow(batch.Flow(e.Index));
                break;
        }

        _outputs.ClockNs = e.Key.TimeNs;
        Detector.OnEvent(batch, e);
    }

    public void OnClock(long clockNs)
    {
        _outputs.ClockNs = clockNs;
        Detector.AdvanceTo(clockNs);
        _outputs.Evidence?.OnClock(clockNs);
    }

    private void Span(FrameBatch batch)
    {
        foreach (ref readonly var frame in batch.Frames)
        {
            if (LastNs == 0 && FirstNs == 0)
                FirstNs = LastNs = frame.TimeNs;
            FirstNs = Math.Min(FirstNs, frame.TimeNs);
            LastNs = Math.Max(LastNs, frame.TimeNs);
            if (frame.Link != _link)
            {
                _link = frame.Link;
                _isDecoded = Enum.IsDefined(_link);
            }

            if (!_isDecoded)
            {
                UndecodedFrames++;
                UndecodedLinks.Add((int)_link);
            }
        }
    }
}
