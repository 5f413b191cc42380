using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Outputs.Tables;

/// <summary>Which tables of features a run writes.</summary>
/// <param name="Flows">File of flows; null = none.</param>
/// <param name="Windows">File of windows; null = none.</param>
/// <param name="WindowSeconds">Length of the windows, s of packet time.</param>
/// <param name="Labels">File of labels; null = no label column.</param>
/// <param name="CommunityIdSeed">Seed of the community ids of flows.</param>
internal sealed record FeatureTableOptions(string? Flows, string? Windows, int WindowSeconds, string? Labels, ushort CommunityIdSeed = 0);

/// <summary>The tables of features that a run writes: flows, and devices over windows of time.</summary>
internal sealed class FeatureTables : IDisposable
{
    private readonly OutputFile? _flowFile;
    private readonly OutputFile? _windowFile;
    private readonly FeatureTableCsv<FlowRecord>? _flows;
    private readonly FeatureTableCsv<DeviceWindow>? _windows;

    public FeatureTables(FeatureTableOptions options)
    {
        WindowSeconds = options.WindowSeconds;
        var labels = options.Labels is null ? null : RowLabels.Load(options.Labels);
        if (options.Flows is not null)
        {
            _flowFile = OutputFile.Create(options.Flows);
            var identity = FlowTable.Identity(options.CommunityIdSeed);
            _flows = new(_flowFile, FlowFeatures.Schema, identity, labels is null ? null : labels.Of);
            SchemaFile.Write(options.Flows, FlowFeatures.Schema, identity, labels is not null, windowSeconds: null);
        }

        if (options.Windows is not null)
        {
            _windowFile = OutputFile.Create(options.Windows);
            _windows = new(_windowFile, WindowFeatures.Schema, WindowTable.Identity, labels is null ? null : labels.Of);
            SchemaFile.Write(options.Windows, WindowFeatures.Schema, WindowTable.Identity, labels is not null, options.WindowSeconds);
        }
    }

    /// <summary>No tables.</summary>
    public static FeatureTables None => new(new FeatureTableOptions(null, null, DeviceWindow.DefaultSeconds, null));

    public int WindowSeconds { get; }

    public bool HasWindows => _windows is not null;

    public IEnumerable<OutputFile> Files => new[] { _flowFile, _windowFile }.OfType<OutputFile>();

    public void OnFlow(in FlowRecord flow) => _flows?.Write(in flow);

    public void OnWindow(DeviceWindow window) => _windows?.Write(in window);

    public void Dispose()
    {
        _flowFile?.Dispose();
        _windowFile?.Dispose();
    }
}
