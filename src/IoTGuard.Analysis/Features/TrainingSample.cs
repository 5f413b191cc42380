using IoTGuard.Analysis.Flows;
using IoTGuard.Learning;

namespace IoTGuard.Analysis.Features;

/// <summary>
/// A uniform sample of the feature rows of a run, for training a model (Vitter's algorithm R, seeded, so that the same flows give the same
/// sample). Memory: rows × features × 4 bytes.
/// </summary>
public sealed class TrainingSample
{
    private const ulong Seed = 1;

    private readonly int _maximumRows;
    private Xoshiro256 _random = new(Seed);
    private readonly List<(long Order, float[] Row)> _rows = [];
    private long _seen;

    /// <param name="maximumRows">Most rows kept.</param>
    public TrainingSample(int maximumRows) => _maximumRows = maximumRows;

    /// <summary>Flows offered so far.</summary>
    public long Seen => _seen;

    public void Add(in FlowRecord flow)
    {
        var order = _seen++;
        if (_rows.Count < _maximumRows)
        {
            var row = new float[FeatureSchema.Count];
            FeatureSchema.Extract(in flow, row);
            _rows.Add((order, row));
            return;
        }

        var place = _random.Next((int)Math.Min(order + 1, int.MaxValue));
        if (place >= _maximumRows)
            return;
        var kept = _rows[place].Row;
        FeatureSchema.Extract(in flow, kept);
        _rows[place] = (order, kept);
    }

    /// <summary>The rows in the order in which their flows ended.</summary>
    public FeatureMatrix ToMatrix()
    {
        var matrix = new FeatureMatrix(FeatureSchema.Features.ToArray().Select(static f => f.Name));
        foreach (var (_, row) in _rows.OrderBy(static r => r.Order))
            matrix.AddRow(row);
        return matrix;
    }
}
