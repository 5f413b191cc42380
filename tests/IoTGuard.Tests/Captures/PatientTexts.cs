using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Captures;

/// <summary>What no output may ever hold: names, identifiers, birth dates and free texts of all synthetic patients; short ones would be found by chance.</summary>
internal static partial class PatientTexts
{
    public static IReadOnlyList<string> All { get; } =
    [
        .. File.ReadLines(Repository.PathOf("captures", "lab", "patients.tsv"))
            .Where(static line => !line.StartsWith('#'))
            .SelectMany(static line => line.Split('\t'))
            .SelectMany(static cell => cell.Split('^'))
            .Where(static text => text.Length >= 6)
            .Distinct(StringComparer.Ordinal),
    ];

    /// <summary>Values that an audit message holds in base64.</summary>
    [GeneratedRegex("value=\"(?<base64>[A-Za-z0-9+/=]+)\"", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Encoded { get; }

    private static readonly SearchValues<string> Wanted =
        SearchValues.Create([.. All.Concat(All.Select(static t => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(t)))).Distinct(StringComparer.Ordinal)], StringComparison.OrdinalIgnoreCase);

    /// <summary>How often texts of patients stand in a file, in UTF-8 or in Latin-1, as they are or in base64.</summary>
    public static int CountIn(string path)
    {
        var content = File.ReadAllText(path, Encoding.Latin1);
        if (path.EndsWith(".dicom-audit", StringComparison.Ordinal))
            content += string.Join('\n', Encoded.Matches(content).Select(static m => Encoding.Latin1.GetString(Convert.FromBase64String(m.Groups["base64"].Value))));
        var count = 0;
        for (var rest = content.AsSpan(); rest.IndexOfAny(Wanted) is >= 0 and var at; rest = rest[(at + 1)..])
            count++;
        return count;
    }

    /// <summary>No file in a folder, and in its folders, may hold any.</summary>
    public static void AssertNoneIn(string folder)
    {
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).ToList();
        Assert.NotEmpty(files);
        Assert.All(files, static file => Assert.True(CountIn(file) == 0, $"a patient's text stands in {file}"));
    }
}
