using IoTGuard.Learning;
using IoTGuard.Learning.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace IoTGuard.MLNet;

/// <summary>Trains a pipeline of ML.NET on the rows of a task, and gives it as ONNX and as ML.NET's own file.</summary>
internal static class Pipeline
{
    public static int SeedOf(TrainingTask task) => (int)(task.Seed & int.MaxValue);

    /// <summary>Missing values become the mean of their column; then each column has mean 0 and standard deviation 1.</summary>
    public static IEstimator<ITransformer> Standardised(MLContext ml) =>
        ml.Transforms.ReplaceMissingValues(FeatureRow.Column, replacementMode: MissingValueReplacingEstimator.ReplacementMode.Mean)
            .Append(ml.Transforms.NormalizeMeanVariance(FeatureRow.Column, fixZero: false));

    public static TrainedGraph Train(TrainingTask task, Func<MLContext, TrainingTask, IEstimator<ITransformer>> pipeline)
    {
        var ml = new MLContext(SeedOf(task));
        task.Report(0);
        var rows = Labelled(task);
        var data = ml.Data.LoadFromEnumerable(rows, LabelledRow.SchemaOf(task.Rows.ColumnCount));
        ITransformer model;
        try
        {
            model = pipeline(ml, task).Fit(data);
        }
        catch (InvalidOperationException e)
        {
            throw new ArgumentException($"ML.NET cannot train on these rows: {e.Message.ReplaceLineEndings(" ").TrimEnd('.')}", nameof(task), e);
        }

        task.Report(0.9);
        var trained = Export(ml, model, task.Rows.ColumnCount);
        task.Report(1);
        return trained;
    }

    /// <summary>A trained pipeline as ONNX, with ML.NET's own file beside it.</summary>
    public static TrainedGraph Export(MLContext ml, ITransformer model, int columns)
    {
        var input = ml.Data.LoadFromEnumerable(Array.Empty<FeatureRow>(), FeatureRow.SchemaOf(columns));
        return OnnxExport.Of(ml, model, input) with
        {
            Attachments = [new ModelAttachment(".zip", Save(ml, model, input.Schema), "the same model for ML.NET")],
        };
    }

    private static byte[] Save(MLContext ml, ITransformer model, DataViewSchema schema)
    {
        using var stream = new MemoryStream();
        ml.Model.Save(model, schema, stream);
        return stream.ToArray();
    }

    private static LabelledRow[] Labelled(TrainingTask task)
    {
        var rows = new LabelledRow[task.Rows.RowCount];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = new LabelledRow { Features = task.Rows.Row(i).ToArray(), Label = task.Anomalous?[i] ?? false };
        return rows;
    }
}

/// <summary>What a pipeline reads: one vector with the features in the order of the schema.</summary>
internal class FeatureRow
{
    public const string Column = nameof(Features);

    public float[] Features { get; set; } = [];

    public static SchemaDefinition SchemaOf(int columns) => Sized(SchemaDefinition.Create(typeof(FeatureRow)), columns);

    /// <summary>The rows of a matrix.</summary>
    public static FeatureRow[] Of(FeatureMatrix rows) =>
        [.. Enumerable.Range(0, rows.RowCount).Select(row => new FeatureRow { Features = rows.Row(row).ToArray() })];

    protected static SchemaDefinition Sized(SchemaDefinition schema, int columns)
    {
        schema[Column].ColumnType = new VectorDataViewType(NumberDataViewType.Single, columns);
        return schema;
    }
}

/// <summary>What a pipeline learns from.</summary>
internal sealed class LabelledRow : FeatureRow
{
    public bool Label { get; set; }

    public static new SchemaDefinition SchemaOf(int columns) => Sized(SchemaDefinition.Create(typeof(LabelledRow)), columns);
}
