using IoTGuard.Learning;
using IoTGuard.Learning.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;

namespace IoTGuard.MLNet;

/// <summary>
/// Scores rows by ML.NET itself, from its own <c>.zip</c>: a pipeline that reads a vector <c>Features</c> and makes a <c>Score</c>. The file may name an assembly,
/// which ML.NET then loads and runs: <b>only files that one trusts</b>. An engine of ML.NET scores wrongly, without a word, when two threads use it, so each
/// <see cref="Fork"/> has its own; scoring allocates.
/// </summary>
public sealed class ZipScorer : IRowScorer
{
    private readonly MLContext _ml;
    private readonly ITransformer _model;
    private readonly FeatureRow _row;
    private readonly Func<FeatureRow, float> _score;

    private ZipScorer(MLContext ml, ITransformer model, int columns)
    {
        _ml = ml;
        _model = model;
        ColumnCount = columns;
        _row = new FeatureRow { Features = new float[columns] };
        _score = Engine();
    }

    /// <inheritdoc/>
    public int ColumnCount { get; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="ModelException">It is not such a file.</exception>
    public static ZipScorer Load(Stream file)
    {
        var ml = new MLContext();
        try
        {
            var model = ml.Model.Load(file, out var schema);
            if (schema?.GetColumnOrNull(FeatureRow.Column)?.Type is not VectorDataViewType { IsKnownSize: true } type || type.ItemType != NumberDataViewType.Single)
                throw new ModelException(ModelFault.Unsupported, $"unsupported model: the pipeline does not read a vector '{FeatureRow.Column}' of floats");
            return new ZipScorer(ml, model, type.Size);
        }
        catch (Exception e) when (e is not ModelException)
        {
            throw new ModelException(ModelFault.Damaged, $"not a model of ML.NET that can be scored ({e.Message.ReplaceLineEndings(" ").TrimEnd('.')})", e);
        }
    }

    /// <inheritdoc/>
    public IRowScorer Fork() => new ZipScorer(_ml, _model, ColumnCount);

    /// <inheritdoc/>
    public void Score(ReadOnlySpan<float> rows, int rowCount, Span<float> scores)
    {
        if (rowCount < 0 || rows.Length != (long)rowCount * ColumnCount)
            throw new ArgumentException($"{rows.Length} values are not {rowCount} rows of {ColumnCount} columns", nameof(rows));
        for (var row = 0; row < rowCount; row++)
        {
            rows.Slice(row * ColumnCount, ColumnCount).CopyTo(_row.Features);
            scores[row] = _score(_row);
        }
    }

    /// <summary>The score in the sense of the ONNX file (docs/models.md): distances for k-means and PCA, else what the pipeline calls Score.</summary>
    private Func<FeatureRow, float> Engine()
    {
        var input = FeatureRow.SchemaOf(ColumnCount);
        var output = _model.GetOutputSchema(_ml.Data.LoadFromEnumerable(Array.Empty<FeatureRow>(), input).Schema);
        if (output.GetColumnOrNull("Score")?.Type is VectorDataViewType)
        {
            var distances = new Distances();
            var engine = _ml.Model.CreatePredictionEngine<FeatureRow, Distances>(_model, inputSchemaDefinition: input);
            return row =>
            {
                engine.Predict(row, ref distances);
                return MathF.Sqrt(Math.Max(0, distances.Score.Min()));
            };
        }

        if (OnnxExport.Find<PcaModelParameters>(_model) is { } pca)
            return ResidualEngine(pca, input);
        var scalar = new Scalar();
        var plain = _ml.Model.CreatePredictionEngine<FeatureRow, Scalar>(_model, inputSchemaDefinition: input);
        return row =>
        {
            plain.Predict(row, ref scalar);
            return scalar.Score;
        };
    }

    /// <summary>
    /// ML.NET prepares the row and has the vectors; the distance is computed here (<see cref="PcaGraph"/> says why ML.NET's own score is of no use).
    /// </summary>
    private Func<FeatureRow, float> ResidualEngine(PcaModelParameters pca, SchemaDefinition input)
    {
        var (mean, vectors) = PcaGraph.Parameters(pca);
        var prepared = new Prepared();
        var engine = _ml.Model.CreatePredictionEngine<FeatureRow, Prepared>(_model, inputSchemaDefinition: input);
        return row =>
        {
            engine.Predict(row, ref prepared);
            return PcaGraph.Residual(prepared.Features, mean, vectors);
        };
    }

    private sealed class Scalar
    {
        public float Score { get; set; }
    }

    private sealed class Distances
    {
        public float[] Score { get; set; } = [];
    }

    private sealed class Prepared
    {
        public float[] Features { get; set; } = [];
    }
}
