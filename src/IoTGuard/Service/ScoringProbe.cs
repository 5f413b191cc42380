using System.Diagnostics;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Learning;

namespace IoTGuard.Service;

/// <summary>Measures how long the site's model takes for one scoring, on a fork of its own beside the detector.</summary>
internal sealed class ScoringProbe
{
    private readonly Lock _lock = new();
    private readonly AnomalyModel? _model;
    private readonly float[] _row;
    private readonly float[] _score = new float[1];

    public ScoringProbe(Site site)
    {
        _model = site.Models.Active.Entries is [var entry, ..] ? entry.Model.Fork() : null;
        _row = new float[_model?.Info.Features.Count ?? 0];
    }

    /// <summary>Time of one scoring; null without a model.</summary>
    public TimeSpan? Measure()
    {
        if (_model is null)
            return null;
        lock (_lock)
        {
            var started = Stopwatch.GetTimestamp();
            _model.Score(_row, 1, _score);
            return Stopwatch.GetElapsedTime(started);
        }
    }
}
