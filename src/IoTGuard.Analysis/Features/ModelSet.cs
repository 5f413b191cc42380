using System.Security.Cryptography;
using System.Text.Json;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Rules;
using IoTGuard.Learning;

namespace IoTGuard.Analysis.Features;

/// <summary>What a model scores.</summary>
public enum ModelInput : byte
{
    /// <summary>A closed flow: a row of <see cref="FlowFeatures"/>.</summary>
    Flows,

    /// <summary>A minute of a device: a row of <see cref="WindowFeatures"/> over <see cref="DeviceWindow.DefaultSeconds"/> seconds.</summary>
    Windows,
}

/// <summary>Tables of features by what models score.</summary>
public static class ModelInputs
{
    /// <summary>The schema of the rows.</summary>
    public static FeatureSchema SchemaOf(ModelInput input) => input switch
    {
        ModelInput.Flows => FlowFeatures.Schema,
        ModelInput.Windows => WindowFeatures.Schema,
        _ => throw new ArgumentOutOfRangeException(nameof(input), input, null),
    };

    /// <summary>True for a flow that models judge: a whole one with enough packets to say something, in both directions.</summary>
    public static bool IsJudged(in FlowRecord flow) => AnomalyDetection.IsScored(in flow, AnomalyRules.FlowAnomaly["packets"]);

    /// <summary>True for a window that models judge: a whole one of a device that the inventory knows.</summary>
    public static bool IsJudged(DeviceWindow window) => AnomalyDetection.IsScored(window);
}

/// <summary>One model of a set.</summary>
/// <param name="Input">What it scores.</param>
/// <param name="Role">Role of the devices whose rows it scores; null = those of roles that have no model of their own.</param>
/// <param name="Opinion">Name of its training engine, such as "iforest"; a row is judged by all opinions about its input and role together.</param>
/// <param name="Model">The model, with its calibration.</param>
public sealed record ModelEntry(ModelInput Input, DeviceRole? Role, string Opinion, AnomalyModel Model)
{
    /// <summary>Stands for "any role" in file names.</summary>
    public const string AnyRole = "site";

    /// <summary>Role by name.</summary>
    public string RoleName => Role is { } role ? RoleJudgement.NameOf(role) : AnyRole;

    /// <summary>Name of its file in the set's folder: input, role, opinion.</summary>
    public string FileName => $"{ModelInputs.SchemaOf(Input).Name}.{RoleName}.{Opinion}.onnx";
}

/// <summary>
/// The models that judge a site together: one version of what <c>learn</c> or a data scientist made. Immutable; entries are loaded and
/// ready to be forked for scoring.
/// </summary>
public sealed record ModelSet
{
    /// <summary>The file that lists the others; written last.</summary>
    public const string ManifestFile = "set.json";

    private const int Version = 1;

    /// <summary>No models.</summary>
    public static ModelSet Empty { get; } = new();

    /// <summary>What the models were made of, in words.</summary>
    public string Source { get; init; } = "";

    /// <summary>The models, one per input, role and opinion.</summary>
    public IReadOnlyList<ModelEntry> Entries { get; init; } = [];

    /// <summary>The set with an entry, in place of the one about the same input, role and opinion.</summary>
    public ModelSet With(ModelEntry entry) => this with { Entries = [.. Entries.Where(e => e.FileName != entry.FileName), entry] };

    /// <summary>The same where an entry about any role has its say about roles with models of their own too.</summary>
    public ModelSet WithForAllRoles(ModelEntry entry) =>
        Entries.Where(e => e.Input == entry.Input).Select(static e => e.Role).Append(null).Distinct().Aggregate(this, (set, role) => set.With(entry with { Role = role }));

    /// <summary>The set as files; the same set gives the same bytes.</summary>
    public IReadOnlyDictionary<string, byte[]> ToFiles()
    {
        var files = new SortedDictionary<string, byte[]>(Entries.ToDictionary(static e => e.FileName, static e => e.Model.Save(), StringComparer.Ordinal), StringComparer.Ordinal);
        using var manifest = new MemoryStream();
        using (var json = new Utf8JsonWriter(manifest, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            json.WriteString("source", Source);
            json.WriteStartArray("models");
            foreach (var (name, content) in files)
            {
                json.WriteStartObject();
                json.WriteString("file", name);
                json.WriteString("sha256", Convert.ToHexStringLower(SHA256.HashData(content)));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        manifest.WriteByte((byte)'\n');
        files.Add(ManifestFile, manifest.ToArray());
        return files;
    }

    /// <summary>Reads a set.</summary>
    /// <param name="files">Name to content; files that the manifest does not list are not looked at.</param>
    /// <exception cref="SiteException">The manifest is missing or damaged, or a file is not the one it lists.</exception>
    /// <exception cref="ModelException">A model is damaged, or made for another feature schema; the message begins with its file.</exception>
    public static ModelSet FromFiles(IReadOnlyDictionary<string, byte[]> files)
    {
        if (!files.TryGetValue(ManifestFile, out var manifest))
            throw new SiteException(ManifestFile, 0, "the file is missing");
        try
        {
            using var json = JsonDocument.Parse(manifest);
            var version = json.RootElement.GetProperty("version").GetInt32();
            if (version != Version)
                throw new FormatException($"version {version} is not the one this program reads ({Version})");
            return new ModelSet
            {
                Source = json.RootElement.GetProperty("source").GetString() ?? "",
                Entries = [.. json.RootElement.GetProperty("models").EnumerateArray().Select(m => Read(files, m.GetProperty("file").GetString()!, m.GetProperty("sha256").GetString()!))],
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new SiteException(ManifestFile, 0, e is FormatException ? e.Message : "not the JSON object that stands here in a sound file", e);
        }
    }

    private static ModelEntry Read(IReadOnlyDictionary<string, byte[]> files, string name, string hash)
    {
        var (input, role, opinion) = Parse(name);
        if (!files.TryGetValue(name, out var content))
            throw new SiteException(name, 0, "the file is missing");
        if (Convert.ToHexStringLower(SHA256.HashData(content)) != hash)
            throw new SiteException(name, 0, $"the file is not the one that {ManifestFile} lists");
        try
        {
            return new ModelEntry(input, role, opinion, AnomalyModel.Load(content, ModelInputs.SchemaOf(input).Hash));
        }
        catch (ModelException e)
        {
            throw new ModelException(e.Fault, $"{name}: {e.Message}", e);
        }
    }

    private static (ModelInput Input, DeviceRole? Role, string Opinion) Parse(string name)
    {
        var parts = name.Split('.');
        if (parts.Length == 4 && parts[3] == "onnx" && parts[2].Length > 0
            && Enum.GetValues<ModelInput>().Where(i => ModelInputs.SchemaOf(i).Name == parts[0]).Take(1).ToList() is [var input])
        {
            if (parts[1] == ModelEntry.AnyRole)
                return (input, null, parts[2]);
            if (Enum.GetValues<DeviceRole>().Where(r => RoleJudgement.NameOf(r) == parts[1]).Take(1).ToList() is [var role])
                return (input, role, parts[2]);
        }

        throw new FormatException($"\"{name}\" is not a model's file name (input.role.opinion.onnx)");
    }
}
