using System.Globalization;
using System.Text.Json;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Features;
using IoTGuard.Learning;

namespace IoTGuard.Sites;

/// <summary>Which versions a site uses.</summary>
/// <param name="Active">The version that raises alerts; null = none.</param>
/// <param name="Shadow">The version that scores beside it without raising alerts; null = none.</param>
/// <param name="Previous">The version that was active before; null = none.</param>
internal sealed record ModelPointer(string? Active, string? Shadow, string? Previous)
{
    public static ModelPointer None { get; } = new(null, null, null);
}

/// <summary>
/// The versions of a site's models, side by side, each in a folder of its own (0001, 0002 …) that is never changed once it has its name;
/// and one small file that says which of them are used. That file alone is replaced to promote or roll back, by renaming: a reader sees the
/// old choice or the new one, and a sensor that runs takes it up within seconds.
/// </summary>
/// <param name="folder">The folder <c>models</c> of a site, or the shipped one.</param>
internal sealed class ModelStore(string folder)
{
    /// <summary>Name of the folder in a site.</summary>
    public const string FolderName = "models";

    /// <summary>The card of a version, for people.</summary>
    public const string CardFile = "card.md";

    /// <summary>Versions kept; the oldest of those that are not in use go first.</summary>
    public const int MaximumVersions = 16;

    /// <summary>Largest file that is read, bytes.</summary>
    private const long MaximumFileBytes = 64 << 20;

    private const string PointerFile = "current.json";

    public string Folder { get; } = folder;

    /// <summary>The versions there are, oldest first.</summary>
    public IReadOnlyList<string> Versions() => !Directory.Exists(Folder) ? [] :
    [
        .. Directory.EnumerateDirectories(Folder).Select(static d => Path.GetFileName(d)).Where(IsVersion).OrderBy(static v => int.Parse(v, CultureInfo.InvariantCulture)),
    ];

    /// <summary>Which of them are used.</summary>
    public ModelPointer Pointer()
    {
        var file = Path.Combine(Folder, PointerFile);
        try
        {
            if (!File.Exists(file))
                return ModelPointer.None;
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            return new ModelPointer(Text("active"), Text("shadow"), Text("previous"));

            string? Text(string name) => json.RootElement.TryGetProperty(name, out var value) ? value.GetString() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new UserException(ExitStatus.Unusable, $"{file} is damaged; choose a version with 'iotguard models promote', or delete the file to go without models", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitStatus.Unusable, $"cannot read {file}: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <summary>The models of a version.</summary>
    public ModelSet Load(string version)
    {
        var path = PathOf(version);
        try
        {
            if (!IsVersion(version) || !Directory.Exists(path))
                throw new UserException(ExitStatus.Unusable, $"there is no version {version} in {Folder}; there are: {(Versions() is { Count: > 0 } there ? string.Join(", ", there) : "none")}");
            var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
            foreach (var file in new DirectoryInfo(path).EnumerateFiles().Where(static f => f.Extension is ".json" or ".onnx"))
            {
                if (file.Length > MaximumFileBytes)
                    throw new UserException(ExitStatus.Unusable, $"{file.FullName} has {file.Length:N0} bytes, more than a model can have");
                files[file.Name] = File.ReadAllBytes(file.FullName);
            }

            return ModelSet.FromFiles(files);
        }
        catch (ModelException e)
        {
            throw new UserException(ExitStatus.Unusable, $"the models in {path} cannot be used: {e.Message.TrimEnd('.')}; learn the site again, or promote another version", e);
        }
        catch (SiteException e)
        {
            throw new UserException(ExitStatus.Unusable, $"the models in {path} are damaged: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitStatus.Unusable, $"cannot read {path}: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <summary>The choice as it stands, in words: the same words, the same models.</summary>
    public string Choice()
    {
        var (active, shadow, _) = Pointer();
        return $"version {active ?? "none"} judges, shadow {shadow ?? "none"}";
    }

    /// <summary>The models that the pointer names.</summary>
    public SiteModels LoadCurrent()
    {
        var pointer = Pointer();
        return new SiteModels(
            pointer.Active is null ? ModelSet.Empty : Load(pointer.Active),
            pointer.Shadow is null ? null : Load(pointer.Shadow));
    }

    /// <summary>Path of a file of a version.</summary>
    public string PathOf(string version, string file = "") => Path.Combine(Folder, version, file);

    /// <summary>Adds a version. It is used only once it is promoted or made the shadow.</summary>
    /// <param name="set">The models.</param>
    /// <param name="card">Their card as Markdown.</param>
    /// <returns>Its name.</returns>
    public string Add(ModelSet set, string card)
    {
        var last = Versions() is { Count: > 0 } there ? int.Parse(there[^1], CultureInfo.InvariantCulture) : 0;
        var version = (last + 1).ToString("D4", CultureInfo.InvariantCulture);
        Writing(() =>
        {
            var fresh = PathOf(version) + ".new";
            if (Directory.Exists(fresh))
                Directory.Delete(fresh, recursive: true);
            Directory.CreateDirectory(fresh);
            foreach (var (name, content) in set.ToFiles())
                AtomicFile.Write(Path.Combine(fresh, name), content, AtomicFile.Shared);
            AtomicFile.Write(Path.Combine(fresh, CardFile), System.Text.Encoding.UTF8.GetBytes(card), AtomicFile.Shared);
            Directory.Move(fresh, PathOf(version));
            Prune(version);
        });
        return version;
    }

    /// <summary>Makes a version the active one; the one before can be had back by <see cref="RollBack"/>. A shadow that is promoted is no shadow any more.</summary>
    public ModelPointer Promote(string version)
    {
        Load(version);
        var now = Pointer();
        return now.Active == version ? now : Choose(new ModelPointer(version, now.Shadow == version ? null : now.Shadow, now.Active));
    }

    /// <summary>Makes a version the shadow; null = no shadow.</summary>
    public ModelPointer Shadow(string? version)
    {
        if (version is not null)
            Load(version);
        return Choose(Pointer() with { Shadow = version });
    }

    /// <summary>Makes the version active that was it before.</summary>
    public ModelPointer RollBack()
    {
        var now = Pointer();
        if (now.Previous is null)
            throw new UserException(ExitStatus.Unusable, $"{Folder} has no version before {now.Active ?? "the first"} to go back to");
        Load(now.Previous);
        return Choose(new ModelPointer(now.Previous, now.Shadow == now.Previous ? null : now.Shadow, now.Active));
    }

    private ModelPointer Choose(ModelPointer pointer)
    {
        using var content = new MemoryStream();
        using (var json = new Utf8JsonWriter(content))
        {
            json.WriteStartObject();
            json.WriteString("active", pointer.Active);
            json.WriteString("shadow", pointer.Shadow);
            json.WriteString("previous", pointer.Previous);
            json.WriteEndObject();
        }

        content.WriteByte((byte)'\n');
        Writing(() => AtomicFile.Write(Path.Combine(Folder, PointerFile), content.ToArray(), AtomicFile.Shared));
        return pointer;
    }

    private void Prune(string newest)
    {
        var (active, shadow, previous) = Pointer();
        string?[] used = [active, shadow, previous, newest];
        var versions = Versions();
        foreach (var version in versions.Where(v => !used.Contains(v)).Take(Math.Max(0, versions.Count - MaximumVersions)))
            Directory.Delete(PathOf(version), recursive: true);
    }

    private static bool IsVersion(string name) => name.Length >= 4 && name.All(char.IsAsciiDigit) && name.Length <= 9;

    private void Writing(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitStatus.Unusable, $"cannot write {Folder}: {e.Message.TrimEnd('.')}; name a folder that you may write to, with free space", e);
        }
    }
}
