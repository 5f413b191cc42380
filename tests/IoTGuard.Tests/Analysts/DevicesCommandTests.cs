using System.Text.Json;
using static IoTGuard.Tests.Analysts.AnalysedSite;

namespace IoTGuard.Tests.Analysts;

public sealed class DevicesCommandTests(AnalysedSite analysed)
{
    [Fact]
    public void Json_is_one_array_with_what_devices_said_of_themselves()
    {
        var devices = List("--format", "json");
        var scanner = devices.Single(d => Text(d, "name") == "CT_ER1");
        Assert.Equal("modality", Text(scanner, "role"));
        Assert.InRange(scanner.GetProperty("role_confidence").GetDouble(), 0.5, 1);
        Assert.NotNull(Text(scanner, "role_reason"));
        Assert.Equal("Siemens Healthineers", Text(scanner, "vendor"));
        Assert.Contains("Siemens", Text(scanner, "mac_vendor"), StringComparison.Ordinal);
        Assert.Equal("CT-00417", Text(scanner, "serial"));
        Assert.True(scanner.GetProperty("learned").GetBoolean());
        Assert.EndsWith("Z", Text(scanner, "first_seen"), StringComparison.Ordinal);
        Assert.Contains(scanner.GetProperty("history").EnumerateArray(), h => h.GetProperty("address").GetString() == Text(scanner, "address"));
        Assert.Contains(devices, d => d.GetProperty("addresses").GetArrayLength() > 1);
        Assert.Contains(devices, d => !d.GetProperty("learned").GetBoolean());
    }

    [Fact]
    public void Csv_has_a_header_and_a_line_per_device()
    {
        var lines = ProgramRun.Of("devices", "--site", analysed.Site, "--format", "csv").OutputLines;
        Assert.StartsWith("address,addresses,mac,mac_vendor,role,", lines[0], StringComparison.Ordinal);
        Assert.Equal(List("--format", "json").Count, lines.Length - 1);
    }

    [Fact]
    public void The_table_shows_every_device_and_counts_them()
    {
        var run = ProgramRun.Of("devices", "--site", analysed.Site);
        Assert.Contains("CT_ER1", run.Output, StringComparison.Ordinal);
        Assert.Equal($"{List("--format", "json").Count} devices", run.OutputLines[^1]);
    }

    [Fact]
    public void Filters_keep_what_they_say()
    {
        var all = List("--format", "json");
        Assert.All(List("--format", "json", "--role", "modality"), d => Assert.Equal("modality", Text(d, "role")));
        Assert.NotEmpty(List("--format", "json", "--role", "modality"));
        var found = List("--format", "json", "--text", "somatom");
        Assert.Equal("CT_ER1", Text(Assert.Single(found), "name"));
        var time = all.Select(d => Text(d, "first_seen")!).Order(StringComparer.Ordinal).Last();
        var newest = List("--format", "json", "--new-since", time);
        Assert.NotEmpty(newest);
        Assert.True(newest.Count < all.Count);
        Assert.Empty(List("--format", "json", "--zone", "nowhere"));
    }

    [Fact]
    public void Devices_of_a_site_that_was_only_learned_are_known()
    {
        using var folder = new TemporaryFolder();
        var site = analysed.CopyTo(folder);
        File.Delete(Path.Combine(site, "state.db"));
        var devices = Parse(ProgramRun.Of("devices", "--site", site, "--format", "json").Output).EnumerateArray().ToList();
        Assert.NotEmpty(devices);
        Assert.All(devices, d => Assert.True(d.GetProperty("learned").GetBoolean()));
    }

    [Theory]
    [InlineData("--role", "toaster")]
    [InlineData("--new-since", "yesterday-ish")]
    [InlineData("--format", "xml")]
    public void Bad_values_are_refused_in_one_line(string option, string value)
    {
        var run = ProgramRun.Of("devices", "--site", analysed.Site, option, value);
        Assert.Equal(2, run.Status);
        Assert.Contains(value, OneLine(run), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/nonexistent")]
    [InlineData("/proc/self/task")]
    public void What_is_no_site_is_refused_in_one_line(string site)
    {
        var run = ProgramRun.Of("devices", "--site", site);
        Assert.Equal(2, run.Status);
        Assert.Contains("iotguard learn", OneLine(run), StringComparison.Ordinal);
    }

    private List<JsonElement> List(params string[] arguments)
    {
        var run = ProgramRun.Of(["devices", "--site", analysed.Site, .. arguments]);
        Assert.True(run.Status == 0, run.Error);
        return [.. Parse(run.Output).EnumerateArray()];
    }

    private static string? Text(JsonElement device, string name) => device.GetProperty(name).GetString();
}
