using System.Collections.Frozen;

namespace IoTGuard.Wire.Application.Dicom;

/// <summary>Names of the UIDs that DICOM registers (PS3.6 annex A).</summary>
public static partial class DicomUid
{
    /// <summary>The root of all registered UIDs.</summary>
    public const string Root = "1.2.840.10008.";

    public const string ApplicationContext = "1.2.840.10008.3.1.1.1";
    public const string Verification = "1.2.840.10008.1.1";

    private static readonly FrozenDictionary<string, string> Names = ReadRegistry();

    /// <summary>Number of UIDs with a name.</summary>
    public static int Count => Names.Count;

    /// <summary>The name of a UID; null when it is not registered.</summary>
    public static string? NameOf(string? uid) => uid is not null && Names.TryGetValue(uid, out var name) ? name : null;

    private static FrozenDictionary<string, string> ReadRegistry()
    {
        var names = new Dictionary<string, string>(512, StringComparer.Ordinal);
        foreach (var line in Registry.AsSpan().EnumerateLines())
        {
            var space = line.IndexOf(' ');
            names.Add(string.Concat(Root, line[..space]), line[(space + 1)..].ToString());
        }

        return names.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
