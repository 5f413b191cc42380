using System.Text.Json;
using IoTGuard.Analysis.Features;

namespace IoTGuard.Outputs.Tables;

/// <summary>The columns of a table, with units and hash, as JSON beside its file: FILE.schema.json.</summary>
internal static class SchemaFile
{
    public const string Extension = ".schema.json";

    /// <summary>Writes it; nothing for standard output.</summary>
    /// <param name="tablePath">The table's file.</param>
    /// <param name="schema">The features.</param>
    /// <param name="identity">The columns before them.</param>
    /// <param name="isLabelled">Whether a label follows.</param>
    /// <param name="windowSeconds">Length of windows, s; null for flows.</param>
    public static void Write<T>(string tablePath, FeatureSchema<T> schema, IReadOnlyList<IdentityColumn<T>> identity, bool isLabelled, int? windowSeconds)
    {
        if (tablePath == "-")
            return;
        using var file = OutputFile.Create(tablePath + Extension);
        using (var json = new Utf8JsonWriter(file.Buffer, JsonForm.Indented))
        {
            json.WriteStartObject();
            json.WriteString("table", schema.Name);
            json.WriteString("hash", schema.Hash);
            if (windowSeconds is { } seconds)
                json.WriteNumber("window_seconds", seconds);
            json.WriteStartArray("columns");
            foreach (var column in identity)
                Column(json, column.Name, "identity", column.Type, null, column.Description);
            foreach (var column in schema.Columns)
                Column(json, column.Name, "feature", "real", column.Unit, column.Description);
            if (isLabelled)
                Column(json, FeatureTableCsv<T>.LabelColumn, "label", "text", null, $"name of the scenario that the row belongs to, or {RowLabels.Benign}");
            json.WriteEndArray();
            json.WriteEndObject();
        }

        file.EndLine();
    }

    private static void Column(Utf8JsonWriter json, string name, string kind, string type, string? unit, string description)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("kind", kind);
        json.WriteString("type", type);
        if (unit is not null)
            json.WriteString("unit", unit);
        json.WriteString("description", description);
        json.WriteEndObject();
    }
}
