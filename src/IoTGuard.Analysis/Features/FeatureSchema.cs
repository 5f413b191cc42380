using System.Security.Cryptography;
using System.Text;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Features;

/// <summary>Computes one feature of a flow.</summary>
public delegate float FeatureExtractor(in FlowRecord flow);

/// <summary>One row of the schema.</summary>
/// <param name="Name">Stable name, snake_case; part of the hash.</param>
/// <param name="Unit">Unit of the value; "1" for a pure number. Part of the hash.</param>
/// <param name="Description">What is measured, for explanations and documents.</param>
/// <param name="Extract">Computes the value; never NaN or infinite.</param>
public sealed record Feature(string Name, string Unit, string Description, FeatureExtractor Extract);

/// <summary>
/// The features of a flow: the one table that the flow export, the models and their explanations share. It holds no addresses, ports, TTLs
/// or times of day, by which a model would learn the capture instead of the traffic.
/// </summary>
public static class FeatureSchema
{
    /// <summary>Value of a feature that cannot be computed, such as the entropy of no bytes.</summary>
    public const float Missing = -1;

    private static readonly Feature[] Table = [.. FeatureTable.Rows];

    /// <summary>The features, in the order of the columns.</summary>
    public static ReadOnlySpan<Feature> Features => Table;

    /// <summary>Number of features.</summary>
    public static int Count => Table.Length;

    /// <summary>SHA-256 over names and units in order, 64 lower-case hexadecimal digits. A model made for another schema is refused by it.</summary>
    public static string Hash { get; } = ComputeHash();

    /// <summary>Writes the features of <paramref name="flow"/>, one per row of the table.</summary>
    /// <param name="flow">The flow.</param>
    /// <param name="destination">At least <see cref="Count"/> values.</param>
    public static void Extract(in FlowRecord flow, Span<float> destination)
    {
        var table = Table;
        for (var i = 0; i < table.Length; i++)
            destination[i] = table[i].Extract(in flow);
    }

    private static string ComputeHash()
    {
        var text = new StringBuilder();
        foreach (var feature in Table)
            text.Append(feature.Name).Append('\t').Append(feature.Unit).Append('\n');
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
