using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Benchmarks.Stages;

/// <summary>All features of flows.</summary>
internal sealed class FeatureStage : Stage
{
    public const int Flows = 256;

    private readonly FlowRecord[] _flows = SampleFlows.Create(Flows);
    private readonly float[] _features = new float[FlowFeatures.Schema.Count];

    public override string Name => "features";

    public override string Unit => "flow";

    public override int Operations => Flows;

    public override void Run()
    {
        foreach (ref readonly var flow in _flows.AsSpan())
            FlowFeatures.Schema.Extract(flow, _features);
    }
}
