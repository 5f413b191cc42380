using System.Text.Json;
using IoTGuard.TestSupport;
using IoTGuard.Tests.Analysts;

namespace IoTGuard.Tests.DataScientists;

/// <summary>Tables in the hands of others: pandas reads them without options, and takes every column for what the schema says it is.</summary>
public sealed class OtherReadersTests
{
    private const string Python = "/usr/bin/python3";

    private const string Script = """
        import json, sys, pandas
        table = pandas.read_csv(sys.argv[1])
        times = [c for c in sys.argv[2:]]
        print(json.dumps({
            "rows": len(table),
            "types": {c: str(t) for c, t in table.dtypes.items()},
            "missing": int(table.isna().sum().sum()),
            "first": {c: str(pandas.to_datetime(table[c]).min().value) for c in times},
            "bytes": float(table["bytes_out"].sum())}))
        """;

    [Theory]
    [InlineData("flows", "flows.csv")]
    [InlineData("windows", "windows.csv.gz")]
    public void Pandas_reads_a_table_as_its_schema_says(string kind, string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists(Python) && ProgramRun.Start(Python, ["-c", "import pandas"], null, "/").Status == 0, "Debian package python3-pandas is absent");
        using var folder = new TemporaryFolder();
        Assert.Equal(0, ProgramRun.Of("analyze", AnalysedSite.Attacks, $"--{kind}", folder[name], "--labels", Path.ChangeExtension(AnalysedSite.Attacks, ".labels.jsonl")).Status);
        var columns = AnalysedSite.Parse(File.ReadAllText(folder[name + ".schema.json"])).GetProperty("columns").EnumerateArray()
            .ToDictionary(c => c.GetProperty("name").GetString()!, c => c.GetProperty("type").GetString()!, StringComparer.Ordinal);
        var read = ProgramRun.Start(Python, ["-c", Script, folder[name], .. columns.Where(c => c.Value == "time").Select(c => c.Key)], null, "/");
        Assert.True(read.Status == 0, read.Error);

        var said = AnalysedSite.Parse(read.Output);
        Assert.True(said.GetProperty("rows").GetInt32() > 200);
        Assert.Equal(0, said.GetProperty("missing").GetInt32());
        Assert.True(said.GetProperty("bytes").GetDouble() > 1e6);
        foreach (var (column, type) in columns)
        {
            var expected = type switch { "real" => "float64", "integer" => "int64", _ => "object" };
            Assert.True(said.GetProperty("types").GetProperty(column).GetString() == expected, $"{column} is {said.GetProperty("types").GetProperty(column)}, not {expected}");
        }

        // Times are exact to the nanosecond.
        Assert.All(said.GetProperty("first").EnumerateObject(), time => Assert.StartsWith("179", time.Value.GetString(), StringComparison.Ordinal));
    }

    /// <summary>DuckDB guesses from the first 20,480 rows: a feature that is whole in all of them must not be taken for one of whole numbers.</summary>
    [Fact]
    public void The_first_row_shows_that_features_are_real_numbers()
    {
        using var folder = new TemporaryFolder();
        var rows = ProgramRun.Of("analyze", AnalysedSite.Benign, "--windows", "-").OutputLines.Skip(1).Select(line => line.Split(',')[5..]).ToList();
        Assert.All(rows[0], field => Assert.Contains('.', field));
        Assert.Contains(rows[1..], row => row.Contains("0", StringComparer.Ordinal));
    }
}
