using IoTGuard.Learning;
using IoTGuard.Learning.Onnx;
using IoTGuard.Learning.Training;
using IoTGuard.Sites;

namespace IoTGuard.Models;

/// <summary>Models as files of their own, outside a site.</summary>
internal static class ModelFiles
{
    /// <summary>Reads a model of any schema.</summary>
    public static AnomalyModel Load(string path)
    {
        if (path.EndsWith(".zip", StringComparison.OrdinalIgnoreCase))
            throw new UserException(ExitStatus.Unusable, $"{path} is ML.NET's own form; name the .onnx beside it, which scores the same");
        try
        {
            var length = new FileInfo(path).Length;
            if (length > OnnxLimits.MaxModelBytes)
                throw new UserException(ExitStatus.Unusable, $"{path} has {length:N0} bytes, a model has at most {OnnxLimits.MaxModelBytes:N0}");
            return AnomalyModel.Load(File.ReadAllBytes(path), null);
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

    /// <summary>Writes a model, its card in both forms, and what its engine adds. The model comes last and by renaming: where it is, the rest is.</summary>
    /// <returns>The files, the model first.</returns>
    public static IReadOnlyList<string> Write(string path, AnomalyModel model, ModelCard card, IReadOnlyList<ModelAttachment> attachments)
    {
        var written = new List<string> { path };
        try
        {
            if (Path.GetDirectoryName(path) is { Length: > 0 } folder)
                Directory.CreateDirectory(folder);
            using (var text = new StringWriter { NewLine = "\n" })
            {
                card.WriteMarkdown(text);
                Write(".card.md", System.Text.Encoding.UTF8.GetBytes(text.ToString()));
            }

            using (var json = new MemoryStream())
            {
                card.WriteJson(json);
                json.WriteByte((byte)'\n');
                Write(".card.json", json.ToArray());
            }

            foreach (var attachment in attachments)
                Write(attachment.Extension, attachment.Content);
            AtomicFile.Write(path, model.Save(), AtomicFile.Shared);
            return written;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitStatus.Unusable, $"cannot write beside {path}: {e.Message.TrimEnd('.')}", e);
        }

        void Write(string extension, byte[] content)
        {
            var file = Path.ChangeExtension(path, extension);
            AtomicFile.Write(file, content, AtomicFile.Shared);
            written.Add(file);
        }
    }
}
