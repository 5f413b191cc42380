using IoTGuard.Learning.Onnx;
using IoTGuard.Learning.Training;

namespace IoTGuard.Learning;

/// <summary>
/// Principal components (Shyu, Chen, Sarinnapakorn and Chang 2003): the directions in which usual rows vary. A row's score is the squared length of
/// what is left of it, standardised, outside these directions; each column's share of it is its contribution.
/// </summary>
public static class PrincipalComponents
{
    /// <summary>Columns that are decomposed at most: time grows with their third power.</summary>
    public const int MaxColumns = 512;

    /// <summary>Finds the components and makes the graph.</summary>
    /// <param name="data">At least two rows.</param>
    /// <param name="variance">Share of the variance that the components must hold, above 0 and below 1.</param>
    /// <param name="limit">Standard deviations at which a value is cut.</param>
    /// <exception cref="ArgumentException">Too few rows, or too few or too many columns.</exception>
    public static TrainedGraph Train(FeatureMatrix data, double variance = 0.5, double limit = 10)
    {
        var columns = data.ColumnCount;
        if (data.RowCount < 2 || columns is < 2 or > MaxColumns)
            throw new ArgumentException($"principal components need at least 2 rows and 2 to {MaxColumns} columns, there are {data.RowCount} and {columns}", nameof(data));
        var standardiser = Standardiser.Fit(data, (float)limit);
        var (values, vectors) = SymmetricEigen.Decompose(Covariance(standardiser.Apply(data), columns), columns);
        var total = values.Sum();
        var (kept, held) = (0, 0.0);
        while (kept < columns - 1 && held < variance * total)
            held += values[kept++];
        kept = Math.Max(1, kept);

        float[] into = new float[columns * kept], back = new float[kept * columns];
        for (var k = 0; k < kept; k++)
        {
            for (var c = 0; c < columns; c++)
                into[(c * kept) + k] = back[(k * columns) + c] = (float)vectors[(k * columns) + c];
        }

        return new TrainedGraph(ResidualGraph.Build(
            "pca",
            standardiser,
            [
                new OnnxNode("MatMul", "", "project", ["standardised", "into"], ["coordinates"], []),
                new OnnxNode("MatMul", "", "reconstruct", ["coordinates", "back"], ["reconstructed"], []),
            ],
            [new OnnxTensor("into", [columns, kept], into), new OnnxTensor("back", [kept, columns], back)]));
    }

    private static double[] Covariance(float[] rows, int columns)
    {
        var sums = new double[columns * columns];
        var count = rows.Length / columns;
        for (var r = 0; r < count; r++)
        {
            var row = rows.AsSpan(r * columns, columns);
            for (var i = 0; i < columns; i++)
            {
                for (var j = i; j < columns; j++)
                    sums[(i * columns) + j] += (double)row[i] * row[j];
            }
        }

        for (var i = 0; i < columns; i++)
        {
            for (var j = i; j < columns; j++)
                sums[(i * columns) + j] = sums[(j * columns) + i] = sums[(i * columns) + j] / count;
        }

        return sums;
    }
}
