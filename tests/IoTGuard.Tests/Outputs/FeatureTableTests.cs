using System.IO.Compression;
using System.Text.Json;
using IoTGuard.Analysis.Features;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Outputs;

/// <summary>The tables of features as a data scientist gets them.</summary>
public sealed class FeatureTableTests
{
    private static readonly string Attacks = Repository.PathOf("captures", "hospital-attacks.pcapng");
    private static readonly string Labels = Repository.PathOf("captures", "hospital-attacks.labels.jsonl");

    [Fact]
    public void Tables_carry_their_schema_their_labels_and_the_same_rows_for_any_number_of_workers()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, Analyze(folder, "one", 1).Status);
        Assert.Equal(0, Analyze(folder, "three", 3).Status);
        foreach (var (name, schema, identity) in new (string, FeatureSchema, int)[] { ("flows", FlowFeatures.Schema, 13), ("windows", WindowFeatures.Schema, 5) })
        {
            var lines = Lines(folder[$"one.{name}.csv.gz"]);
            Assert.Equal(lines, Lines(folder[$"three.{name}.csv.gz"]));
            using var beside = JsonDocument.Parse(File.ReadAllText(folder[$"one.{name}.csv.gz.schema.json"]));
            Assert.Equal(schema.Hash, beside.RootElement.GetProperty("hash").GetString());
            var columns = beside.RootElement.GetProperty("columns").EnumerateArray().Select(c => c.GetProperty("name").GetString()!).ToList();
            Assert.Equal(columns, lines[0].Split(','));
            Assert.Equal(schema.Columns.Select(c => c.Name), columns.Skip(identity).Take(schema.Count));
            Assert.Equal("label", columns[^1]);
            Assert.Equal(["0", "1"], lines.Skip(1).Select(line => line.Split(',')[columns.IndexOf("judged")]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
            Assert.All(lines, line => Assert.Equal(columns.Count, line.Split(',').Length));
            var labels = lines.Skip(1).Select(line => line.Split(',')[^1]).Distinct(StringComparer.Ordinal).ToList();
            Assert.Contains("benign", labels);
            Assert.Contains("default-ae-titles", labels);
            Assert.True(labels.Count > 10, string.Join(", ", labels));
        }
    }

    [Fact]
    public void Windows_are_of_the_length_that_was_asked_for_and_end_on_standard_output()
    {
        var run = ProgramRun.Of("analyze", Attacks, "--windows", "-", "--window-seconds", "300");
        Assert.Equal(0, run.Status);
        var rows = run.OutputLines.Skip(1).Select(line => line.Split(',')).ToList();
        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.Equal(300, (Time(row[1]) - Time(row[0])).TotalSeconds));
        Assert.Equal(rows.Select(r => r[0]).Order(StringComparer.Ordinal), rows.Select(r => r[0]));

        static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData("--window-seconds", "0", "--window-seconds takes")]
    [InlineData("--labels", "absent.jsonl", "absent.jsonl")]
    [InlineData("--alert-budget-per-day", "-1", "--alert-budget-per-day takes")]
    public void What_cannot_be_used_is_said_in_a_line(string option, string value, string expected)
    {
        var run = ProgramRun.Of("analyze", Attacks, option, value);
        Assert.NotEqual(0, run.Status);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private static ProgramRun Analyze(TemporaryFolder folder, string name, int workers) => ProgramRun.Of(
        "analyze", Attacks, "--workers", $"{workers}", "--flows", folder[$"{name}.flows.csv.gz"], "--windows", folder[$"{name}.windows.csv.gz"], "--labels", Labels);

    private static List<string> Lines(string path)
    {
        using var text = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var lines = new List<string>();
        while (text.ReadLine() is { } line)
            lines.Add(line);
        return lines;
    }
}
