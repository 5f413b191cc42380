using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Features;
using IoTGuard.Learning;
using IoTGuard.Learning.Onnx;

namespace IoTGuard.Models;

/// <summary>
/// A model in a file of its own, which judges flows in place of those of the site: ONNX, or the file of ML.NET that <c>iotguard train</c> writes beside it.
/// ML.NET computes the scores then; calibration, schema and explanations are those of the ONNX file.
/// </summary>
internal static class GivenModel
{
    public const string Description = "Model that judges flows in place of the site's: an .onnx file, or ML.NET's .zip with its .onnx beside it (a .zip can name code to run: only files that you trust)";

    /// <summary>Largest file of ML.NET that is read, bytes.</summary>
    private const long MaximumZipBytes = 64 << 20;

    /// <summary>The site with the model in the place of its own; the site itself without one.</summary>
    public static Site Apply(Site site, string? path)
    {
        if (path is null)
            return site;
        if (!site.IsLearned)
            throw Unusable($"a model judges the flows of a learned site: give --site DIR beside --model {path}; 'iotguard learn CAPTURE --site DIR' makes one");
        var entry = new ModelEntry(ModelInput.Flows, Role: null, Path.GetFileNameWithoutExtension(path), Load(path));
        return site with { Models = new SiteModels(ModelSet.Empty.With(entry)) };
    }

    /// <summary>Another text when another model is named, or when its file changed.</summary>
    public static string Stamp(string? path) => path is null ? "" : $"\n{path} {File.GetLastWriteTimeUtc(path).Ticks}";

    private static AnomalyModel Load(string path)
    {
        var isZip = Path.GetExtension(path).Equals(".zip", StringComparison.OrdinalIgnoreCase);
        var onnx = isZip ? Path.ChangeExtension(path, ".onnx") : path;
        if (isZip && !File.Exists(onnx))
            throw Unusable($"{path} needs {onnx} beside it, which says its features and calibration; 'iotguard train --engine mlnet-…' writes both");
        var model = ModelFiles.Load(onnx);
        if (model.Info.SchemaHash != FlowFeatures.Schema.Hash)
            throw Unusable($"{onnx} does not read the flow features of this program; train it with this version, on a table of 'iotguard analyze --flows'");
        if (model.Calibration is null)
            throw Unusable($"{onnx} is not calibrated, so that its scores say nothing of how rare a flow is; make it with 'iotguard train'");
        return isZip ? model.ScoredBy(OpenZip(path)) : model;
    }

    private static IRowScorer OpenZip(string path)
    {
        var open = NamedPackages.ZipScorer
            ?? throw Unusable($"{path}: this program was built without Microsoft.ML; give the .onnx file beside it, which has the same scores");
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > MaximumZipBytes)
                throw Unusable($"{path} has {file.Length:N0} bytes, more than a model can have");
            return open(file);
        }
        catch (ModelException e)
        {
            throw new UserException(ExitStatus.Unusable, $"{path} cannot be used: {e.Message.TrimEnd('.')}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitStatus.UnreadableInput, $"cannot read {path}: {e.Message.TrimEnd('.')}", e);
        }
    }

    private static UserException Unusable(string message) => new(ExitStatus.Unusable, message);
}
