using IoTGuard.Learning;
using IoTGuard.Learning.Training;

namespace IoTGuard.MLNet.Tests;

/// <summary>Rows of twelve columns: three hidden causes make them, and one in ten rows departs in one column.</summary>
internal static class Rows
{
    public const int Columns = 12;

    /// <summary>The column in which anomalies depart.</summary>
    public const int Telling = 7;

    public static TrainingSchema Schema { get; } = new("test", [.. Enumerable.Repeat("1", Columns)], "synthetic", "test");

    public static (FeatureMatrix Rows, bool[] Labels) Make(int count, int seed)
    {
        var random = new Random(seed);
        var matrix = new FeatureMatrix(Enumerable.Range(0, Columns).Select(static i => $"f{i}"));
        var labels = new bool[count];
        for (var i = 0; i < count; i++)
        {
            double[] causes = [Normal(), Normal(), Normal()];
            var row = new float[Columns];
            for (var column = 0; column < Columns; column++)
                row[column] = (float)((10 * (column + 1)) + (causes[column % 3] * (column + 1)) + (0.1 * Normal()));
            labels[i] = i % 10 == 9;
            if (labels[i])
                row[Telling] += 60 + (float)(5 * Normal());
            matrix.AddRow(row);
        }

        return (matrix, labels);

        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
    }

    /// <summary>Rows that break what is computed carelessly: missing values, all missing, zeros and huge ones.</summary>
    public static IEnumerable<float[]> Odd(FeatureMatrix like)
    {
        yield return [.. like.Row(0).ToArray().Select(static (value, i) => i == 3 ? float.NaN : value)];
        yield return [.. Enumerable.Repeat(float.NaN, Columns)];
        yield return new float[Columns];
        yield return [.. Enumerable.Repeat(1e9f, Columns)];
        yield return [.. like.Row(0).ToArray().Select(static (value, i) => i == 3 ? 3e12f : value)];
    }
}
