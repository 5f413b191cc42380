using IoTGuard.Learning;
using IoTGuard.Sites;

namespace IoTGuard.Models;

/// <summary>A model by the name that a person gives: a file, or a version of a site with all models in it.</summary>
/// <param name="Name">As given, with the model's place in the version.</param>
/// <param name="Model">The model.</param>
internal sealed record ModelReference(string Name, AnomalyModel Model)
{
    /// <summary>The models that a text names.</summary>
    public static IReadOnlyList<ModelReference> Find(string text, string? site)
    {
        if (text.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
            return [new ModelReference(Path.GetFileName(text), ModelFiles.Load(text))];
        if (site is null)
            throw new UserException(ExitStatus.Unusable, $"{text} is not an .onnx file; to name a version, say of which site with --site DIR");
        return [.. StoreOf(site).Load(text).Entries.Select(e => new ModelReference($"{text}/{Path.GetFileNameWithoutExtension(e.FileName)}", e.Model))];
    }

    /// <summary>Of these the ones that read the rows of a table.</summary>
    public static IReadOnlyList<ModelReference> ThatRead(IReadOnlyList<ModelReference> models, string schemaHash, string table)
    {
        var reading = models.Where(m => m.Model.Info.SchemaHash.Length == 0 || m.Model.Info.SchemaHash == schemaHash).ToList();
        return reading.Count > 0 ? reading : throw new UserException(ExitStatus.Unusable, $"none of {string.Join(", ", models.Select(m => m.Name))} reads the features of {table}; write the table and train the model with the same version");
    }

    public static ModelStore StoreOf(string site)
    {
        SiteFolder.RequireFolder(site);
        var inside = Path.Combine(site, ModelStore.FolderName);

        // The shipped models are such a folder without a site around it.
        return new ModelStore(!Directory.Exists(inside) && new ModelStore(site).Versions().Count > 0 ? site : inside);
    }
}
