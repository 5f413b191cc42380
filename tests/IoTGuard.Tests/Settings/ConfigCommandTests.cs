using System.Text.Json;
using IoTGuard.TestSupport;
using static IoTGuard.Tests.Analysts.AnalysedSite;

namespace IoTGuard.Tests.Settings;

/// <summary>Policy and rules of a site through the real program.</summary>
public sealed class ConfigCommandTests(Analysts.AnalysedSite analysed)
{
    [Fact]
    public void The_examples_of_the_guides_are_sound_and_find_what_they_say()
    {
        using var folder = new TemporaryFolder();
        var site = analysed.CopyTo(folder);
        File.WriteAllText(Path.Combine(site, "policy.yaml"), Example("policy.md"));
        File.WriteAllText(Path.Combine(site, "rules.yaml"), Example("rules.md"));
        var check = ProgramRun.Of("config", "check", "--site", site);
        Assert.True(check.Status == 0, check.Error);
        Assert.Contains("3 zones, 3 lines of traffic, 1 thresholds", check.Output, StringComparison.Ordinal);
        Assert.Contains("4 rules", check.Output, StringComparison.Ordinal);

        var run = ProgramRun.Of("analyze", Attacks, "--site", site, "--alerts", folder["alerts"]);
        Assert.True(run.Status == 0, run.Error);
        var alerts = File.ReadLines(folder["alerts"]).Select(Parse).ToList();
        var violations = Of("zone-violation");
        Assert.NotEmpty(violations);
        Assert.All(violations, a => Assert.NotEqual(Zone(a, "device"), Zone(a, "peer")));
        Assert.Contains(Of("old-scanner-software"), a => a.GetProperty("description").GetString()!.Contains("VB20A-LAB", StringComparison.Ordinal));
        Assert.Contains("modalities", ProgramRun.Of("devices", "--site", site, "--zone", "modalities").Output, StringComparison.Ordinal);

        List<JsonElement> Of(string rule) => [.. alerts.Where(a => a.GetProperty("rule").GetString() == rule)];
        static string? Zone(JsonElement alert, string party) => alert.GetProperty(party).TryGetProperty("zone", out var zone) ? zone.GetString() : null;
    }

    [Theory]
    [InlineData("policy.yaml", "zonse: {a: 10.0.0.0/8}", 1, "has no key zonse")]
    [InlineData("policy.yaml", "zones:\n  a: 10.0.0.300", 2, "10.0.0.300 is no address or network")]
    [InlineData("policy.yaml", "zones: {a: 10.0.0.0/8}\ntraffic:\n  - {from: a, to: b}", 3, "there is no zone b")]
    [InlineData("policy.yaml", "zones: {a: 10.0.0.0/8}\ntraffic:\n  - {from: a, to: a, services: telephone}", 3, "telephone is no service")]
    [InlineData("policy.yaml", "thresholds:\n  port-scan.porst: 3", 2, "no rule has the threshold port-scan.porst")]
    [InlineData("policy.yaml", "default: perhaps", 1, "default is perhaps")]
    [InlineData("policy.yaml", "zones: [\n", 2, "correct the YAML")]
    [InlineData("rules.yaml", "rules:\n  - id: x", 2, "has no detection")]
    [InlineData("rules.yaml", "rules:\n  - {id: port-scan, title: t, severity: 3, description: d, recommendation: r, detection: {s: {protocol: dicom}}}", 2, "port-scan cannot be used")]
    [InlineData("rules.yaml", "rules:\n  - {id: x, title: t, severity: 30, description: d, recommendation: r, detection: {s: {protocol: dicom}}}", 2, "severity of the rule is 30")]
    [InlineData("rules.yaml", "rules:\n  - {id: x, title: t, severity: 3, description: d, recommendation: r, detection: {s: {protocol|like: dicom}}}", 2, "modifier that is not known")]
    [InlineData("rules.yaml", "rules:\n  - {id: x, title: t, severity: 3, description: d, recommendation: r, detection: {s: {protocol: dicom}, condition: s and t}}", 2, "there is no selection t")]
    [InlineData("rules.yaml", "rules:\n  - {id: x, source: flow, title: t, severity: 3, description: d, recommendation: r, detection: {s: {colour: red}}}", 2, "which a flow does not have")]
    [InlineData("rules.yaml", "rules:\n  - {id: x, title: t, severity: 3, description: d, recommendation: r, detection: {s: {protocol: dicom}}, correlation: {type: event_count, timespan: soon, condition: {gte: 3}}}", 2, "soon is no duration")]
    public void Every_fault_is_said_with_file_line_and_remedy(string file, string content, int line, string fault)
    {
        using var folder = new TemporaryFolder();
        var site = analysed.CopyTo(folder);
        var path = Path.Combine(site, file);
        File.WriteAllText(path, content);
        var check = ProgramRun.Of("config", "check", "--site", site);
        Assert.Equal(2, check.Status);
        Assert.Contains($"{path}, line {line}: ", check.Error, StringComparison.Ordinal);
        Assert.Contains(fault, check.Error, StringComparison.Ordinal);
        Assert.Contains("; ", check.Error, StringComparison.Ordinal);
        var analyze = ProgramRun.Of("analyze", Benign, "--site", site);
        Assert.Equal(2, analyze.Status);
        Assert.Contains(path, OneLine(analyze), StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_that_is_none_is_said_with_its_line_and_a_missing_file_with_a_remedy()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["sensor.yaml"], $"interface: eth1\nsyslog: [tcp:/siem]\nrules: {folder["missing.yaml"]}\n");
        var check = ProgramRun.Of("config", "check", "--config", folder["sensor.yaml"]);
        Assert.Equal(2, check.Status);
        Assert.Contains($"{folder["sensor.yaml"]}, line 2: output 'tcp:/siem': the host is missing; docs/outputs.md", check.Error, StringComparison.Ordinal);
        Assert.Matches("cannot read .*missing.yaml: .*; name a file that exists", check.Error);
    }

    [Fact]
    public void Show_tells_where_each_setting_comes_from()
    {
        using var folder = new TemporaryFolder();
        var site = analysed.CopyTo(folder);
        File.WriteAllText(Path.Combine(site, "policy.yaml"), "thresholds:\n  port-scan.ports: 41\n");
        File.WriteAllText(folder["sensor.yaml"], "interface: eth1\nworkers: 3\n");
        var run = ProgramRun.Of("config", "show", "--site", site, "--config", folder["sensor.yaml"]);
        Assert.Equal(0, run.Status);
        Assert.Matches($@"workers +3 +{System.Text.RegularExpressions.Regex.Escape(folder["sensor.yaml"])}, line 2", Joined(run.Output));
        Assert.Matches(@"port-scan\.ports +41.* line 2", Joined(run.Output));
        Assert.Matches(@"ring_megabytes +32 MB +default", Joined(run.Output));

        // Long paths wrap in a table; blanks put together tell the same.
        static string Joined(string text) => text;
    }

    [Fact]
    public void A_faulty_sensor_configuration_is_named_beside_other_faults()
    {
        using var folder = new TemporaryFolder();
        var site = analysed.CopyTo(folder);
        File.WriteAllText(Path.Combine(site, "policy.yaml"), "default: perhaps\nzonse: x\n");
        File.WriteAllText(folder["sensor.yaml"], "wrokers: 3\n");
        var run = ProgramRun.Of("config", "check", "--site", site, "--config", folder["sensor.yaml"]);
        Assert.Equal(2, run.Status);
        Assert.Equal(3, run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void What_was_learned_can_be_read_and_taken_back()
    {
        using var folder = new TemporaryFolder();
        var site = analysed.CopyTo(folder);
        var report = ProgramRun.Of("learn", "--site", site, "--report");
        Assert.Equal(0, report.Status);
        foreach (var part in new[] { "## Devices", "CT_ER1", "calls HOSPPACS", "## Volumes", "--forget" })
            Assert.Contains(part, report.Output, StringComparison.Ordinal);
        var line = report.OutputLines.First(l => l.Contains("calls HOSPPACS", StringComparison.Ordinal));
        var run = ProgramRun.Of("learn", "--site", site, "--forget", line.Split('|')[1].Trim(), "--forget", "10.20.10.11");
        Assert.True(run.Status == 0, run.Error);
        var after = ProgramRun.Of("learn", "--site", site, "--report").Output;
        Assert.DoesNotContain(line.Split('|')[1].Trim(), after, StringComparison.Ordinal);
        Assert.DoesNotContain("CT_ER1 (", after, StringComparison.Ordinal);
        Assert.Equal(0, ProgramRun.Of("analyze", Benign, "--site", site).Status);
        Assert.Equal(2, ProgramRun.Of("learn", "--site", site, "--forget", "10.99.99.99").Status);
        Assert.Equal(2, ProgramRun.Of("learn", "--site", site).Status);
    }

    private static string Example(string guide) =>
        File.ReadAllText(Repository.PathOf("docs", guide)).Split("```yaml\n")[1].Split("\n```")[0];
}
