using System.Security.Cryptography;
using System.Text;

namespace IoTGuard.Analysis.Features;

/// <summary>Computes one feature of a row's source; never NaN or infinite.</summary>
public delegate float FeatureExtractor<T>(in T source);

/// <summary>A column of a table of features, as people and files know it.</summary>
/// <param name="Name">Stable name, snake_case; part of the hash.</param>
/// <param name="Unit">Unit of the value; "1" for a pure number. Part of the hash.</param>
/// <param name="Description">What is measured, for explanations and documents.</param>
public record FeatureColumn(string Name, string Unit, string Description);

/// <summary>A column with the way it is computed.</summary>
public sealed record Feature<T>(string Name, string Unit, string Description, FeatureExtractor<T> Extract) : FeatureColumn(Name, Unit, Description);

/// <summary>
/// The columns of a table of features: the one truth that exports, models and explanations share. A table holds no addresses, ports, TTLs
/// or times of day, by which a model would learn the capture instead of the traffic.
/// </summary>
public abstract class FeatureSchema
{
    /// <summary>Value of a feature that cannot be computed, such as the entropy of no bytes.</summary>
    public const float Missing = -1;

    private protected FeatureSchema(string name, IReadOnlyList<FeatureColumn> columns)
    {
        Name = name;
        Columns = columns;
        Hash = HashOf(columns);
    }

    /// <summary>Name of the table: "flows", "windows".</summary>
    public string Name { get; }

    /// <summary>The columns, in order.</summary>
    public IReadOnlyList<FeatureColumn> Columns { get; }

    /// <summary>Number of columns.</summary>
    public int Count => Columns.Count;

    /// <summary>SHA-256 over names and units in order, 64 lower-case hexadecimal digits. A model made for another schema is refused by it.</summary>
    public string Hash { get; }

    private static string HashOf(IReadOnlyList<FeatureColumn> columns)
    {
        var text = new StringBuilder();
        foreach (var column in columns)
            text.Append(column.Name).Append('\t').Append(column.Unit).Append('\n');
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}

/// <summary>A schema with the ways its columns are computed.</summary>
/// <typeparam name="T">What a row is computed from.</typeparam>
public sealed class FeatureSchema<T> : FeatureSchema
{
    private readonly Feature<T>[] _features;

    internal FeatureSchema(string name, Feature<T>[] features)
        : base(name, features) => _features = features;

    /// <summary>The columns with the ways they are computed, in order.</summary>
    public IReadOnlyList<Feature<T>> Features => _features;

    /// <summary>Writes a row.</summary>
    /// <param name="source">What it is computed from.</param>
    /// <param name="row">At least <see cref="FeatureSchema.Count"/> values.</param>
    public void Extract(in T source, Span<float> row)
    {
        var features = _features;
        for (var i = 0; i < features.Length; i++)
            row[i] = features[i].Extract(in source);
    }
}
