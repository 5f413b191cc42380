using IoTGuard.Learning.Onnx;

namespace IoTGuard.Learning;

/// <summary>
/// Brings every column to mean 0 and standard deviation 1, and to at most <see cref="Limit"/> deviations: one immense value must not drown all
/// others. A missing value is taken as the mean.
/// </summary>
internal sealed class Standardiser
{
    private readonly float[] _means, _factors;
    private readonly float[] _low, _high;

    private Standardiser(float[] means, float[] factors, float limit)
    {
        _means = means;
        _factors = factors;
        Limit = limit;
        _low = [-limit];
        _high = [limit];
    }

    /// <summary>Largest distance from the mean, in standard deviations.</summary>
    public float Limit { get; }

    public int Columns => _means.Length;

    public static Standardiser Fit(FeatureMatrix data, float limit)
    {
        var columns = data.ColumnCount;
        var (means, factors) = (new float[columns], new float[columns]);
        for (var c = 0; c < columns; c++)
        {
            var present = AdditiveColumn.SortedPresent(data.Column(data.Columns[c]));
            double mean = 0, squares = 0;
            for (var i = 0; i < present.Length; i++)
            {
                var delta = present[i] - mean;
                mean += delta / (i + 1);
                squares += delta * (present[i] - mean);
            }

            var deviation = present.Length > 1 ? Math.Sqrt(squares / present.Length) : 0;
            means[c] = (float)Math.Clamp(mean, float.MinValue, float.MaxValue);

            // A column that was constant keeps its unit: a change of it is as large as it is.
            var factor = 1 / deviation;
            factors[c] = deviation > 0 && factor is > 1e-30 and < 1e30 ? (float)factor : 1;
        }

        return new Standardiser(means, factors, limit);
    }

    /// <summary>The rows, standardised exactly as the graph does it; row after row.</summary>
    public float[] Apply(FeatureMatrix data)
    {
        var values = data.Values.ToArray();
        for (var i = 0; i < values.Length; i++)
        {
            var c = i % Columns;
            var present = float.IsNaN(values[i]) ? _means[c] : values[i];
            values[i] = Math.Clamp((present - _means[c]) * _factors[c], -Limit, Limit);
        }

        return values;
    }

    /// <summary>The nodes that turn "features" into "standardised".</summary>
    public IEnumerable<OnnxNode> Nodes() =>
    [
        new("Imputer", Operators.MachineLearningDomain, "impute", ["features"], ["present"],
            [OnnxAttributeValue.Of("imputed_value_floats", _means), OnnxAttributeValue.Of("replaced_value_float", float.NaN)]),
        new("Scaler", Operators.MachineLearningDomain, "scale", ["present"], ["scaled"],
            [OnnxAttributeValue.Of("offset", _means), OnnxAttributeValue.Of("scale", _factors)]),
        new("Clip", "", "limit", ["scaled", "least", "most"], ["standardised"], []),
    ];

    /// <summary>The types of values in between that other tools cannot infer.</summary>
    public IReadOnlyList<OnnxValueInfo> Intermediates() => [OnnxValueInfo.Rows("present", Columns), OnnxValueInfo.Rows("scaled", Columns)];

    /// <summary>The constants of these nodes.</summary>
    public IEnumerable<OnnxTensor> Constants() => [new("least", [], _low), new("most", [], _high)];
}
