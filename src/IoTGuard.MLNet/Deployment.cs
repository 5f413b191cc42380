using IoTGuard.Learning;
using IoTGuard.Learning.Training;
using Microsoft.ML;

namespace IoTGuard.MLNet;

/// <summary>From a pipeline of one's own to files that a sensor takes by <c>--model</c>.</summary>
public static class Deployment
{
    /// <summary>
    /// Writes a trained pipeline as a calibrated ONNX file, and as ML.NET's own file beside it, with the extension <c>.zip</c>. The pipeline must read the features
    /// of the schema as one vector <c>Features</c>, and make a <c>Score</c> that is higher for what is more anomalous, or distances from centres.
    /// </summary>
    /// <param name="ml">Where it was trained.</param>
    /// <param name="model">The trained pipeline.</param>
    /// <param name="training">The rows that it was trained on, in the order of the schema.</param>
    /// <param name="heldOut">Benign rows that it was not trained on: they calibrate it.</param>
    /// <param name="schema">What the rows are.</param>
    /// <param name="path">The ONNX file.</param>
    /// <exception cref="InvalidOperationException">ML.NET cannot convert the pipeline to ONNX.</exception>
    /// <exception cref="ModelException">Its graph uses what the sensor does not evaluate.</exception>
    public static AnomalyModel Save(MLContext ml, ITransformer model, FeatureMatrix training, FeatureMatrix heldOut, TrainingSchema schema, string path)
    {
        var trained = Pipeline.Export(ml, model, training.ColumnCount);
        var info = new ModelInfo(
            schema.Hash, FeatureInfo.Describe(training, schema.Units), new TrainingInfo(schema.Source, training.RowCount, "mlnet", new Dictionary<string, double>(StringComparer.Ordinal), 0), schema.ProgramVersion);
        var uncalibrated = AnomalyModel.Create(trained, info);
        var scores = new float[heldOut.RowCount];
        uncalibrated.Score(heldOut.Values, heldOut.RowCount, scores);
        var calibrated = uncalibrated.WithCalibration(Calibration.Fit(scores));
        File.WriteAllBytes(path, calibrated.Save());
        foreach (var attachment in trained.Attachments)
            File.WriteAllBytes(Path.ChangeExtension(path, attachment.Extension), attachment.Content);
        return calibrated;
    }
}
