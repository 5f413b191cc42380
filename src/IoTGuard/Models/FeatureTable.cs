using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using IoTGuard.Analysis.Features;
using IoTGuard.Learning;
using IoTGuard.Learning.Training;
using IoTGuard.Outputs;

namespace IoTGuard.Models;

/// <summary>
/// Tables of features on disk: CSV files, plain or gzip, each with its schema as JSON beside it (<c>flows.csv.schema.json</c>), as
/// <c>iotguard analyze</c> writes them. A table without a schema file is read too: with this program's schema when it has all columns of it, or else
/// with every column but time, devices and label as a feature.
/// </summary>
internal sealed class FeatureTable
{
    private FeatureTable(string name, TrainingTable table, string schemaHash, IReadOnlyList<string> units)
    {
        Name = name;
        Table = table;
        SchemaHash = schemaHash;
        Units = units;
    }

    /// <summary>File names, for people.</summary>
    public string Name { get; }

    /// <summary>The rows, in order of time.</summary>
    public TrainingTable Table { get; }

    /// <summary>Hash of the feature schema.</summary>
    public string SchemaHash { get; }

    /// <summary>One unit per feature.</summary>
    public IReadOnlyList<string> Units { get; }

    /// <summary>Hours from the first row to the last; 0 when the table has no times.</summary>
    public double Hours => Table.Times is [var first, .., var last] && last > first ? (last - first) / 3600 : 0;

    /// <summary>Reads tables of one schema as one.</summary>
    /// <param name="paths">The files.</param>
    /// <param name="columns">Columns that are no features.</param>
    /// <param name="isAnomaly">Labels rows by time and addresses; null takes the label column.</param>
    /// <param name="progress">Is told how many rows are read.</param>
    public static FeatureTable Load(IReadOnlyList<string> paths, TableColumns columns, Func<double, string, string, bool>? isAnomaly, TaskProgress progress)
    {
        Schema? schema = null;
        var tables = new List<TrainingTable>();
        foreach (var path in paths)
        {
            var own = Schema.FindBeside(path);
            if (schema is not null && own?.Hash != schema.Hash)
                throw new UserException(ExitStatus.Unusable, $"{path} has another feature schema than {paths[0]}; train on tables of one kind and version");
            schema = own;
            progress.Begin($"reading {Path.GetFileName(path)}");
            tables.Add(Read(path, tables.Count > 0 ? tables[0].Rows.Columns : own?.Names, columns, isAnomaly, progress));
        }

        var table = TrainingTable.Concat(tables).InOrder();
        if (table.Rows.RowCount == 0)
            throw new UserException(ExitStatus.UnreadableInput, $"{paths[0]} has no rows below its header");
        string[] units = schema?.Units ?? [.. table.Rows.Columns.Select(_ => "1")];
        return new FeatureTable(string.Join(", ", paths.Select(Path.GetFileName)), table, schema?.Hash ?? Schema.HashOf(table.Rows.Columns, units), units);
    }

    /// <summary>Hash of the schema beside a table; null when there is none.</summary>
    public static string? SchemaHashOf(string path) => Schema.FindBeside(path)?.Hash;

    /// <summary>Reads a table for a model: its columns in its order; a schema of another hash is refused.</summary>
    public static FeatureTable LoadFor(AnomalyModel model, string modelName, string path, TableColumns columns, Func<double, string, string, bool>? isAnomaly, TaskProgress progress)
    {
        if (Schema.FindBeside(path) is { } schema && model.Info.SchemaHash.Length > 0 && schema.Hash != model.Info.SchemaHash)
        {
            throw new UserException(
                ExitStatus.Unusable,
                $"{path} has feature schema {schema.Hash[..Math.Min(12, schema.Hash.Length)]}, {modelName} reads {model.Info.SchemaHash[..Math.Min(12, model.Info.SchemaHash.Length)]}; write the table and train the model with the same version");
        }

        progress.Begin($"reading {Path.GetFileName(path)}");
        var table = Read(path, model.FeatureNames, columns, isAnomaly, progress).InOrder();
        if (table.Rows.RowCount == 0)
            throw new UserException(ExitStatus.UnreadableInput, $"{path} has no rows below its header");
        return new FeatureTable(Path.GetFileName(path), table, model.Info.SchemaHash, [.. model.Info.Features.Select(f => f.Unit)]);
    }

    private static TrainingTable Read(string path, IReadOnlyList<string>? names, TableColumns columns, Func<double, string, string, bool>? isAnomaly, TaskProgress progress)
    {
        try
        {
            using var file = File.OpenRead(path);
            return TrainingTable.Read(file, names, columns, isAnomaly, progress.ReportRows);
        }
        catch (InvalidDataException e)
        {
            throw new UserException(ExitStatus.UnreadableInput, $"{path}, {e.Message.TrimEnd('.')}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitStatus.UnreadableInput, $"cannot read {path}: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <summary>The file beside a table that says what its features are.</summary>
    private sealed record Schema(string Hash, string[] Names, string[] Units)
    {
        public static Schema? FindBeside(string table)
        {
            var plain = table.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? table[..^3] : table;
            var path = ((string[])[$"{table}.schema.json", $"{plain}.schema.json", Path.ChangeExtension(plain, ".schema.json")]).FirstOrDefault(File.Exists);
            if (path is null)
                return FindInHeader(table);
            try
            {
                using var json = JsonDocument.Parse(File.ReadAllBytes(path));
                var root = json.RootElement;
                var items = root.GetProperty("columns").EnumerateArray().Where(c => c.GetProperty("kind").GetString() == "feature").ToList();
                string[] names = [.. items.Select(i => i.GetProperty("name").GetString()!)], units = [.. items.Select(i => i.GetProperty("unit").GetString()!)];
                var hash = root.GetProperty("hash").GetString()!;
                return hash == HashOf(names, units)
                    ? new Schema(hash, names, units)
                    : throw new UserException(ExitStatus.Unusable, $"{path} does not have the hash of the names and units in it; write the table again");
            }
            catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or IOException or UnauthorizedAccessException)
            {
                throw new UserException(ExitStatus.UnreadableInput, $"cannot read {path}: it is not the schema that 'iotguard analyze' writes beside a table", e);
            }
        }

        /// <summary>The schema of this program all of whose columns a table has; null when there is none.</summary>
        private static Schema? FindInHeader(string table)
        {
            try
            {
                using var file = File.OpenRead(table);
                var header = TrainingTable.ReadHeader(file).ToHashSet(StringComparer.Ordinal);
                var known = Enum.GetValues<ModelInput>().Select(ModelInputs.SchemaOf).FirstOrDefault(s => s.Columns.All(c => header.Contains(c.Name)));
                return known is null ? null : new Schema(known.Hash, [.. known.Columns.Select(c => c.Name)], [.. known.Columns.Select(c => c.Unit)]);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                // Reading the table says what is wrong with it.
                return null;
            }
        }

        /// <summary>The hash of IoTGuard.Analysis.Features.FeatureSchema.</summary>
        public static string HashOf(IReadOnlyList<string> names, IReadOnlyList<string> units) =>
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(names.Zip(units, (n, u) => $"{n}\t{u}\n")))));
    }
}
