namespace IoTGuard.Learning;

/// <summary>Features as small numbers: the bin of each value, column after column. Bins hold about equally many training values; a missing value has the last bin.</summary>
internal sealed class BinnedMatrix
{
    /// <summary>Bins of present values; one more is for missing ones.</summary>
    public const int MaxBins = 255;

    /// <summary>The bin of missing values, above all others: they go right at every split.</summary>
    public const byte Missing = 255;

    private readonly byte[][] _bins;

    private BinnedMatrix(byte[][] bins, float[][] edges)
    {
        _bins = bins;
        Edges = edges;
    }

    /// <summary>Per column the upper ends of the bins but the last, ascending.</summary>
    public float[][] Edges { get; }

    public int Columns => _bins.Length;

    public byte[] Column(int column) => _bins[column];

    public static BinnedMatrix Of(FeatureMatrix data)
    {
        var bins = new byte[data.ColumnCount][];
        var edges = new float[data.ColumnCount][];
        for (var c = 0; c < bins.Length; c++)
        {
            var values = data.Column(data.Columns[c]);
            edges[c] = EdgesOf(AdditiveColumn.SortedPresent(values));
            bins[c] = new byte[values.Length];
            for (var r = 0; r < values.Length; r++)
            {
                var at = edges[c].AsSpan().BinarySearch(values[r]);
                bins[c][r] = float.IsNaN(values[r]) ? Missing : (byte)(at < 0 ? ~at : at);
            }
        }

        return new BinnedMatrix(bins, edges);
    }

    private static float[] EdgesOf(float[] sorted)
    {
        var edges = new List<float>();
        var next = 0.0;
        var share = (double)sorted.Length / MaxBins;
        for (var i = 0; i + 1 < sorted.Length && edges.Count < MaxBins - 1; i++)
        {
            if (sorted[i] == sorted[i + 1] || i + 1 < next)
                continue;

            // Halfway between two neighbours, and never the upper one.
            edges.Add(Math.Min(MathF.BitDecrement(sorted[i + 1]), (float)(((double)sorted[i] + sorted[i + 1]) / 2)));
            next = i + 1 + share;
        }

        return [.. edges];
    }
}
