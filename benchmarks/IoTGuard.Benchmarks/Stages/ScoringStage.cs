using IoTGuard.Analysis.Features;
using IoTGuard.Learning;
using IoTGuard.Learning.Training;

namespace IoTGuard.Benchmarks.Stages;

/// <summary>Scores of an isolation forest of 100 trees over the feature schema, one row or a block of rows at a time.</summary>
internal sealed class ScoringStage : Stage
{
    /// <summary>Flows scored in one run.</summary>
    public const int Flows = 256;

    private readonly AnomalyModel _model;
    private readonly float[] _values;
    private readonly float[] _scores = new float[Flows];
    private readonly int _rows;

    public ScoringStage(int rows)
    {
        _rows = rows;
        var names = FlowFeatures.Schema.Columns.Select(f => f.Name).ToArray();
        var matrix = new FeatureMatrix(names);
        var row = new float[FlowFeatures.Schema.Count];
        foreach (ref readonly var flow in SampleFlows.Create(Flows).AsSpan())
        {
            FlowFeatures.Schema.Extract(flow, row);
            matrix.AddRow(row);
        }

        var units = FlowFeatures.Schema.Columns.Select(f => f.Unit).ToArray();
        var engine = OwnEngines.All.Single(e => e.Name == "iforest");
        _model = engine.Train(new TrainingTask { Rows = matrix, Parameters = engine.Complete() }, new TrainingSchema(FlowFeatures.Schema.Hash, units, "benchmark", "benchmark"));
        _values = matrix.Values.ToArray();
    }

    public override string Name => _rows == 1 ? "scoring" : $"scoring-block-{_rows}";

    public override string Unit => "flow";

    public override int Operations => Flows;

    public override void Run()
    {
        var columns = _model.ColumnCount;
        for (var first = 0; first < Flows; first += _rows)
            _model.Score(_values.AsSpan(first * columns, _rows * columns), _rows, _scores.AsSpan(first, _rows));
    }
}
