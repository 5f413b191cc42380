using System.Text.Json;
using static IoTGuard.Tests.Analysts.AnalysedSite;

namespace IoTGuard.Tests.Analysts;

public sealed class AlertsCommandTests(AnalysedSite analysed)
{
    [Fact]
    public void Lists_agree_in_every_form()
    {
        var json = List(analysed.Site);
        Assert.Equal(analysed.AlertIds.Count, json.Count);
        var csv = ProgramRun.Of("alerts", "list", "--site", analysed.Site, "--format", "csv").OutputLines;
        Assert.StartsWith("id,incident,state,", csv[0], StringComparison.Ordinal);
        Assert.Equal(json.Count, csv.Length - 1);
        var table = ProgramRun.Of("alerts", "list", "--site", analysed.Site).Output;
        Assert.All(json, a => Assert.Contains(Text(a, "id")[..8], table, StringComparison.Ordinal));
    }

    [Fact]
    public void Alerts_of_one_incident_stand_together()
    {
        var incidents = List(analysed.Site).GroupBy(a => Text(a, "incident")).ToList();
        Assert.Contains(incidents, i => i.Count() > 3);
        Assert.True(incidents.Count > 1);
        var largest = incidents.MaxBy(i => i.Count())!;
        Assert.Equal(largest.Count(), List(analysed.Site, "--incident", largest.Key[..6]).Count);
    }

    [Fact]
    public void Filters_keep_what_they_say()
    {
        var all = List(analysed.Site);
        Assert.Equal(all.Count(a => a.GetProperty("severity").GetInt32() >= 8), List(analysed.Site, "--severity", "8").Count);
        Assert.All(List(analysed.Site, "--rule", "port-scan"), a => Assert.Equal("port-scan", Text(a, "rule")));
        Assert.NotEmpty(List(analysed.Site, "--rule", "port-scan"));
        var device = all[0].GetProperty("device").GetProperty("ip").GetString()!;
        Assert.NotEmpty(List(analysed.Site, "--device", device));
        Assert.Equal(all.Count, List(analysed.Site, "--device", "10.0.0.0/8").Count);
        Assert.Empty(List(analysed.Site, "--since", "2099-01-01"));
        Assert.Equal(all.Count, List(analysed.Site, "--state", "unanswered").Count);
        Assert.Empty(List(analysed.Site, "--state", "open"));
    }

    [Fact]
    public void Show_tells_the_whole_story()
    {
        var alert = List(analysed.Site, "--rule", "dicom-query-harvesting")[0];
        var run = ProgramRun.Of("alerts", "show", Text(alert, "id")[..8], "--site", analysed.Site);
        Assert.Equal(0, run.Status);
        foreach (var part in new[] { "Evidence", "Why it is unusual", "What else looks like this", "What to do", "History", "opened", "closed", "Related alerts", "Community IDs", "ATT&CK", Text(alert, "id") })
            Assert.Contains(part, run.Output, StringComparison.Ordinal);
        var json = Parse(ProgramRun.Of("alerts", "show", Text(alert, "id"), "--site", analysed.Site, "--json").Output);
        Assert.Equal("opened", json.GetProperty("events")[0].GetProperty("phase").GetString());
        Assert.True(json.GetProperty("related").GetArrayLength() > 0);
    }

    [Fact]
    public void A_label_is_kept_and_benign_suppresses_the_same_finding()
    {
        using var folder = new TemporaryFolder();
        var site = analysed.CopyTo(folder);
        var id = Text(List(site, "--rule", "port-scan")[0], "id");
        Assert.Equal(0, ProgramRun.Of("alerts", "label", id, "true", "--site", site).Status);
        Assert.Equal("true", Text(Assert.Single(List(site, "--state", "answered")), "state"));
        var run = ProgramRun.Of("alerts", "label", id[..10], "benign", "--note", "our scanner", "--site", site);
        Assert.Equal(0, run.Status);
        Assert.Contains("alerts unsuppress 1", run.Output, StringComparison.Ordinal);
        Assert.Equal(id, Text(Assert.Single(List(site, "--state", "benign")), "id"));
        Assert.Contains(id, List(site, "--state", "suppressed").Select(a => Text(a, "id")));
        var story = ProgramRun.Of("alerts", "show", id, "--site", site).Output;
        Assert.Contains("labelled true", story, StringComparison.Ordinal);
        Assert.Contains("labelled benign: our scanner", story, StringComparison.Ordinal);
        Assert.Contains("suppressed by 1", story, StringComparison.Ordinal);
    }

    [Fact]
    public void Suppressed_alerts_are_counted_and_marked_until_it_is_taken_back()
    {
        using var folder = new TemporaryFolder();
        var site = analysed.CopyTo(folder);
        var before = ProgramRun.Of("analyze", Attacks, "--site", site, "--alerts", folder["before"]);
        Assert.Equal(0, ProgramRun.Of("alerts", "suppress", "--rule", "new-peer", "--device", "10.0.0.0/8", "--reason", "moving house", "--site", site).Status);
        var run = ProgramRun.Of("analyze", Attacks, "--site", site, "--alerts", folder["alerts"]);
        var marked = File.ReadLines(folder["alerts"]).Select(Parse).Where(a => a.TryGetProperty("suppressed", out _)).ToList();
        Assert.NotEmpty(marked);
        Assert.All(marked, a => Assert.Equal("new-peer", Text(a, "rule")));
        Assert.Equal("moving house", marked[0].GetProperty("suppressed").GetProperty("reason").GetString());
        Assert.Contains($"{marked.Count} suppressed by 1 (rule new-peer, device 10.0.0.0/8): moving house", run.Output, StringComparison.Ordinal);
        Assert.Equal(File.ReadLines(folder["before"]).Count(), File.ReadLines(folder["alerts"]).Count());

        Assert.Equal(0, ProgramRun.Of("alerts", "unsuppress", "1", "--site", site).Status);
        Assert.Equal(before.Output.Split("Devices (")[1], ProgramRun.Of("analyze", Attacks, "--site", site, "--alerts", folder["after"]).Output.Split("Devices (")[1]);
        Assert.Equal(File.ReadAllText(folder["before"]), File.ReadAllText(folder["after"]));
        Assert.Contains("taken back", ProgramRun.Of("alerts", "suppressions", "--site", site).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_suppression_holds_for_its_time_only()
    {
        using var folder = new TemporaryFolder();
        var site = analysed.CopyTo(folder);
        var raised = List(site).Select(a => Text(a, "raised")).Order(StringComparer.Ordinal).ToList();
        var middle = raised[raised.Count / 2];
        ProgramRun.Of("alerts", "suppress", "--device", "10.0.0.0/8", "--reason", "half", "--until", middle, "--site", site);
        Assert.Equal(raised.Count(r => string.CompareOrdinal(r, middle) < 0), List(site, "--state", "suppressed").Count);
    }

    [Fact]
    public void The_report_has_the_clocks_and_what_article_33_asks_for()
    {
        using var folder = new TemporaryFolder();
        var alert = List(analysed.Site, "--rule", "dicom-query-harvesting")[0];
        var run = ProgramRun.Of("alerts", "report", Text(alert, "id"), "--aware", "2026-01-30T10:00:00Z", "--site", analysed.Site);
        Assert.Equal(0, run.Status);
        foreach (var part in new[]
        {
            "| early warning | CSIRT or competent authority | **2026-01-31 10:00 UTC**", "| incident notification | CSIRT or competent authority | **2026-02-02 10:00 UTC**",
            "**2026-03-02 10:00 UTC** at the latest", "(a) Nature of the breach", "Approximate number of data subjects: at least", "(b) Data protection officer", "(c) Likely consequences",
            "(d) Measures taken", Text(alert, "id"),
        })
            Assert.Contains(part, run.Output, StringComparison.Ordinal);
        Assert.Equal(0, ProgramRun.Of("alerts", "report", Text(alert, "id"), "--site", analysed.Site, "--output", folder["draft.md"]).Status);
        Assert.Contains("# Draft", File.ReadAllText(folder["draft.md"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("show", "zzzz")]
    [InlineData("show", "")]
    [InlineData("label", "zzzz", "true")]
    [InlineData("label", "zzzz", "maybe")]
    [InlineData("report", "zzzz")]
    [InlineData("suppress", "--reason", "everything")]
    [InlineData("suppress", "--device", "the printer", "--reason", "x")]
    [InlineData("suppress", "--rule", "port-scan", "--reason", "x", "--for", "ages")]
    [InlineData("unsuppress", "77")]
    [InlineData("list", "--state", "odd")]
    [InlineData("bogus")]
    public void Bad_arguments_are_refused_in_one_line(params string[] arguments)
    {
        var run = ProgramRun.Of(["alerts", .. arguments, "--site", analysed.Site]);
        Assert.Equal(2, run.Status);
        Assert.StartsWith("iotguard: ", OneLine(run), StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_site_says_so()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["site"]);
        Assert.Contains("No alerts yet", ProgramRun.Of("alerts", "list", "--site", folder["site"]).Output, StringComparison.Ordinal);
        var run = ProgramRun.Of("alerts", "show", "abc", "--site", folder["site"]);
        Assert.Equal(2, run.Status);
        Assert.Contains("no alerts yet", OneLine(run), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_command_explains_itself()
    {
        foreach (var command in new string[][] { ["devices"], ["alerts"], ["alerts", "list"], ["alerts", "show"], ["alerts", "label"], ["alerts", "suppress"], ["alerts", "unsuppress"], ["alerts", "suppressions"], ["alerts", "report"] })
        {
            var run = ProgramRun.Of([.. command, "--help"]);
            Assert.Equal(0, run.Status);
            Assert.Contains("Example", run.Output, StringComparison.Ordinal);
        }
    }

    private static List<JsonElement> List(string site, params string[] arguments)
    {
        var run = ProgramRun.Of(["alerts", "list", "--site", site, "--format", "json", .. arguments]);
        Assert.True(run.Status == 0, run.Error);
        return [.. Parse(run.Output).EnumerateArray()];
    }

    private static string Text(JsonElement alert, string name) => alert.GetProperty(name).GetString()!;
}
