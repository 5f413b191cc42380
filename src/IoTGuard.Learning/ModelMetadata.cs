using System.Buffers;
using System.Text;
using System.Text.Json;

namespace IoTGuard.Learning;

/// <summary>The metadata_props of our ONNX files: every key, how it is written and how it is read.</summary>
internal static class ModelMetadata
{
    public static IReadOnlyList<KeyValuePair<string, string>> Write(ModelInfo info, double pathNormaliser, Calibration? calibration)
    {
        var entries = new List<KeyValuePair<string, string>>
        {
            new(VersionKey, info.ProgramVersion),
            new(SchemaHashKey, info.SchemaHash),
            new(FeaturesKey, Json(json => WriteFeatures(json, info.Features))),
        };
        if (pathNormaliser > 0)
            entries.Add(new(NormaliserKey, pathNormaliser.ToString("R")));
        if (info.Training is { } training)
            entries.Add(new(TrainingKey, Json(json => WriteTraining(json, training))));
        if (calibration is not null)
            entries.Add(new(CalibrationKey, Json(json => WriteCalibration(json, calibration))));
        return entries;
    }

    public static (ModelInfo Info, double PathNormaliser, Calibration? Calibration) Read(
        IReadOnlyList<KeyValuePair<string, string>> entries, int columns)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in entries)
        {
            if (!values.TryAdd(key, value))
                throw ModelException.Damaged($"metadata '{ModelException.OneLine(key, 40)}' stands twice");
        }

        var features = Parse(values, FeaturesKey, ReadFeatures) ?? [.. Enumerable.Range(0, columns).Select(Unnamed)];
        if (features.Count != columns)
            throw ModelException.Damaged($"the metadata names {features.Count} features, the graph reads {columns} columns");
        var info = new ModelInfo(
            values.GetValueOrDefault(SchemaHashKey, ""),
            features,
            Parse(values, TrainingKey, ReadTraining),
            values.GetValueOrDefault(VersionKey, ""));
        var normaliser = 0.0;
        if (values.TryGetValue(NormaliserKey, out var text) && !(double.TryParse(text, out normaliser) && normaliser > 0 && double.IsFinite(normaliser)))
            throw ModelException.Damaged($"metadata '{NormaliserKey}' is not a number above 0");
        return (info, normaliser, Parse(values, CalibrationKey, ReadCalibration));
    }

    /// <summary>Whether a key is one that <see cref="Write"/> may write.</summary>
    public static bool IsOurs(string key) => key.StartsWith("iotguard.", StringComparison.Ordinal);

    private static FeatureInfo Unnamed(int column) => new($"column{column}", "", float.NaN, float.NaN, float.NaN);

    public static void WriteFeatures(Utf8JsonWriter json, IReadOnlyList<FeatureInfo> features)
    {
        json.WriteStartArray();
        foreach (var feature in features)
        {
            json.WriteStartObject();
            json.WriteString("name", feature.Name);
            json.WriteString("unit", feature.Unit);
            WriteNumber(json, "low", feature.Low);
            WriteNumber(json, "median", feature.Median);
            WriteNumber(json, "high", feature.High);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static List<FeatureInfo> ReadFeatures(JsonElement json)
    {
        var features = new List<FeatureInfo>();
        foreach (var item in json.EnumerateArray())
            features.Add(new(Text(item, "name"), Text(item, "unit"), Number(item, "low"), Number(item, "median"), Number(item, "high")));
        return features;
    }

    public static void WriteTraining(Utf8JsonWriter json, TrainingInfo training)
    {
        json.WriteStartObject();
        json.WriteString("source", training.Source);
        json.WriteNumber("rows", training.Rows);
        json.WriteString("engine", training.Engine);
        json.WriteStartObject("parameters");
        foreach (var (name, value) in training.Parameters.OrderBy(p => p.Key, StringComparer.Ordinal))
            json.WriteNumber(name, value);
        json.WriteEndObject();
        json.WriteNumber("seed", training.Seed);
        json.WriteEndObject();
    }

    private static TrainingInfo ReadTraining(JsonElement json) => new(
        Text(json, "source"),
        json.GetProperty("rows").GetInt32(),
        json.TryGetProperty("engine", out var engine) ? engine.GetString() ?? "" : "",
        json.TryGetProperty("parameters", out var parameters)
            ? parameters.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetDouble(), StringComparer.Ordinal)
            : [],
        json.GetProperty("seed").GetUInt64());

    private static void WriteCalibration(Utf8JsonWriter json, Calibration calibration)
    {
        json.WriteStartObject();
        json.WriteNumber("samples", calibration.SampleCount);
        json.WriteStartArray("scores");
        foreach (var score in calibration.Scores)
            json.WriteNumberValue(score);
        json.WriteEndArray();
        json.WriteStartArray("at_or_above");
        foreach (var count in calibration.AtOrAbove)
            json.WriteNumberValue(count);
        json.WriteEndArray();
        WriteTail(json, calibration);
        json.WriteEndObject();
    }

    public static void WriteTail(Utf8JsonWriter json, Calibration calibration)
    {
        if (calibration.Tail is not { } tail)
            return;
        json.WriteStartObject("tail");
        json.WriteNumber("threshold", tail.Threshold);
        json.WriteNumber("scale", tail.Scale);
        json.WriteNumber("shape", tail.Shape);
        json.WriteNumber("exceedances", tail.Exceedances);
        json.WriteEndObject();
    }

    private static Calibration ReadCalibration(JsonElement json)
    {
        ExtremeTail? tail = json.TryGetProperty("tail", out var t)
            ? new(t.GetProperty("threshold").GetSingle(), t.GetProperty("scale").GetDouble(), t.GetProperty("shape").GetDouble(),
                t.GetProperty("exceedances").GetInt32())
            : null;
        return Calibration.Restore(
            [.. json.GetProperty("scores").EnumerateArray().Select(e => e.GetSingle())],
            [.. json.GetProperty("at_or_above").EnumerateArray().Select(e => e.GetInt32())],
            json.GetProperty("samples").GetInt32(),
            tail);
    }

    private static T? Parse<T>(Dictionary<string, string> values, string key, Func<JsonElement, T> read)
        where T : class
    {
        if (!values.TryGetValue(key, out var text))
            return null;
        try
        {
            using var document = JsonDocument.Parse(text);
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException or ArgumentException)
        {
            throw ModelException.Damaged($"metadata '{key}': {e.Message}", e);
        }
    }

    private static string Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            write(json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>JSON has no NaN: a number that is not finite is null.</summary>
    private static void WriteNumber(Utf8JsonWriter json, string name, float value)
    {
        if (float.IsFinite(value))
            json.WriteNumber(name, value);
        else
            json.WriteNull(name);
    }

    private static float Number(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetSingle() : float.NaN;

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString() ?? "";

    private const string VersionKey = "iotguard.version";
    private const string SchemaHashKey = "iotguard.schema_hash";
    private const string FeaturesKey = "iotguard.features";
    private const string TrainingKey = "iotguard.training";
    private const string NormaliserKey = "iotguard.path_normaliser";
    private const string CalibrationKey = "iotguard.calibration";
}
