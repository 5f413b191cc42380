using IoTGuard.Learning.Onnx;
using IoTGuard.Learning.Training;

namespace IoTGuard.Learning;

/// <summary>
/// A detector: features in; anomaly score, p-value and contributions out. It is an ONNX file and what that file says about itself.
/// Scoring and explaining allocate nothing. An instance serves one thread at a time; <see cref="Fork"/> gives another its own.
/// </summary>
public sealed class AnomalyModel
{
    private readonly OnnxModel _file;
    private readonly CompiledModel _compiled;
    private readonly IRowScorer _scorer;
    private readonly double _pathNormaliser;
    private readonly string[] _featureNames;

    private AnomalyModel(OnnxModel file, CompiledModel compiled, ModelInfo info, double pathNormaliser, Calibration? calibration, IRowScorer? scorer = null)
    {
        _file = file;
        _compiled = compiled;
        _scorer = scorer ?? compiled;
        _pathNormaliser = pathNormaliser;
        _featureNames = [.. info.Features.Select(f => f.Name)];
        Info = info;
        Calibration = calibration;
    }

    /// <summary>What the model says about itself.</summary>
    public ModelInfo Info { get; }

    /// <summary>The columns of a row, in order.</summary>
    public IReadOnlyList<string> FeatureNames => _featureNames;

    /// <summary>Columns of a row.</summary>
    public int ColumnCount => _compiled.ColumnCount;

    /// <summary>Scores of benign traffic; null when the model has not been calibrated.</summary>
    public Calibration? Calibration { get; }

    /// <summary>Whether <see cref="Explain"/> has something to say: the graph has trees over the features, or says itself what each feature adds.</summary>
    public bool CanExplain => _compiled.CanExplain;

    /// <summary>Makes a model of a trained forest.</summary>
    /// <param name="forest">The forest.</param>
    /// <param name="info">What to say about it; its features must be the forest's columns.</param>
    /// <exception cref="ArgumentException">The features are not the forest's columns.</exception>
    public static AnomalyModel Create(IsolationForest forest, ModelInfo info)
    {
        if (!info.Features.Select(f => f.Name).SequenceEqual(forest.Columns, StringComparer.Ordinal))
            throw new ArgumentException("the features are not the columns that the forest was trained on", nameof(info));
        return Create(forest.ToGraph(), info);
    }

    /// <summary>Makes a model of what an engine has trained.</summary>
    /// <exception cref="ArgumentException">The features are not as many as the graph's columns.</exception>
    /// <exception cref="ModelException">The graph is not one that is evaluated here.</exception>
    public static AnomalyModel Create(TrainedGraph trained, ModelInfo info)
    {
        var metadata = ModelMetadata.Write(info, trained.PathNormaliser, null);
        var file = new OnnxModel(IrVersion: 7, "IoTGuard", info.ProgramVersion, trained.Opsets, trained.Graph, metadata);
        var compiled = CompiledModel.Compile(file);
        if (compiled.ColumnCount != info.Features.Count)
            throw new ArgumentException($"{info.Features.Count} features for a graph of {compiled.ColumnCount} columns", nameof(info));
        return new AnomalyModel(file, compiled, info, trained.PathNormaliser, null);
    }

    /// <summary>Reads a model.</summary>
    /// <param name="onnx">The file.</param>
    /// <param name="expectedSchemaHash">Hash of the schema whose rows will be scored; null to look at a model without scoring.</param>
    /// <exception cref="ModelException">It is damaged, too large, uses what is not evaluated, or reads another schema.</exception>
    public static AnomalyModel Load(ReadOnlySpan<byte> onnx, string? expectedSchemaHash)
    {
        var file = OnnxModel.Parse(onnx);
        var compiled = CompiledModel.Compile(file);
        var (info, normaliser, calibration) = ModelMetadata.Read(file.Metadata, compiled.ColumnCount);
        if (expectedSchemaHash is not null && info.SchemaHash != expectedSchemaHash)
        {
            var has = info.SchemaHash.Length == 0 ? "does not say its feature schema" : $"reads feature schema {ModelException.OneLine(info.SchemaHash, 12)}";
            throw new ModelException(
                ModelFault.SchemaMismatch,
                $"the model {has}, this program makes {ModelException.OneLine(expectedSchemaHash, 12)}: train it again with this version");
        }

        return new AnomalyModel(file, compiled, info, normaliser, calibration);
    }

    /// <summary>The same model with a calibration.</summary>
    public AnomalyModel WithCalibration(Calibration calibration)
    {
        var foreign = _file.Metadata.Where(entry => !ModelMetadata.IsOurs(entry.Key));
        var file = _file with { Metadata = [.. foreign, .. ModelMetadata.Write(Info, _pathNormaliser, calibration)] };
        return new AnomalyModel(file, _compiled.Fork(), Info, _pathNormaliser, calibration);
    }

    /// <summary>The same model, whose scores something else computes: its calibration and explanations stay those of the ONNX file.</summary>
    /// <exception cref="ModelException">It reads another number of columns.</exception>
    public AnomalyModel ScoredBy(IRowScorer scorer) => scorer.ColumnCount == ColumnCount
        ? new AnomalyModel(_file, _compiled, Info, _pathNormaliser, Calibration, scorer)
        : throw new ModelException(ModelFault.SchemaMismatch, $"the model reads {scorer.ColumnCount} columns, its ONNX file {ColumnCount}");

    /// <summary>The same model for another thread.</summary>
    public AnomalyModel Fork() => new(_file, _compiled.Fork(), Info, _pathNormaliser, Calibration, _scorer == _compiled ? null : _scorer.Fork());

    /// <summary>The ONNX file; the same model gives the same bytes.</summary>
    public byte[] Save() => _file.ToBytes();

    /// <inheritdoc cref="IRowScorer.Score"/>
    public void Score(ReadOnlySpan<float> rows, int rowCount, Span<float> scores) => _scorer.Score(rows, rowCount, scores);

    /// <summary>
    /// Which features made a row anomalous. Along the row's path through each tree, every split is credited with the change of the
    /// expected value that it caused, and the credits are summed per feature (Saabas 2014). The unit is bits. For an isolation forest the
    /// contributions sum to log₂ of the score over the score of the mean path, so +1 doubles the score; for an additive detector to the
    /// score, which is in bits, less its mean. Above 0 is towards anomalous.
    /// </summary>
    /// <param name="row">One row.</param>
    /// <param name="contributions">One per feature; all 0 when <see cref="CanExplain"/> is false.</param>
    /// <exception cref="ArgumentException">The lengths are not the number of features.</exception>
    public void Explain(ReadOnlySpan<float> row, Span<float> contributions)
    {
        if (row.Length != ColumnCount || contributions.Length != ColumnCount)
            throw new ArgumentException($"a row of {row.Length} and room for {contributions.Length}, the model has {ColumnCount} features", nameof(row));
        _compiled.Explain(row, contributions);
        if (!_compiled.ExplainsByTrees)
            return;

        // Without a normaliser (a model made elsewhere) the contributions are in units of the ensemble's own output.
        var perBit = _pathNormaliser > 0 ? (float)(-1 / _pathNormaliser) : 1;
        foreach (ref var contribution in contributions)
            contribution *= perBit;
    }

    /// <summary>The p-value of a score: the share of benign traffic that scores as high or higher.</summary>
    /// <exception cref="InvalidOperationException">The model has not been calibrated.</exception>
    public double PValue(float score) =>
        (Calibration ?? throw new InvalidOperationException("the model has not been calibrated")).PValue(score);
}
