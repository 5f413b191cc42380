using static IoTGuard.Tests.Analysts.AnalysedSite;

namespace IoTGuard.Tests.Analysts;

/// <summary>What a site remembers, and what happens when it cannot.</summary>
public sealed class StateTests(AnalysedSite analysed)
{
    [Fact]
    public void Everything_that_analyze_found_is_remembered_once_however_often_it_runs()
    {
        using var folder = new TemporaryFolder();
        var site = analysed.CopyTo(folder);
        var before = ProgramRun.Of("alerts", "list", "--site", site, "--format", "json").Output;
        Assert.Equal(analysed.AlertIds.Order(StringComparer.Ordinal), Parse(before).EnumerateArray().Select(a => a.GetProperty("id").GetString()!).Order(StringComparer.Ordinal));
        var story = ProgramRun.Of("alerts", "show", analysed.AlertIds[0], "--site", site, "--json").Output;
        var devices = ProgramRun.Of("devices", "--site", site, "--format", "json").Output;

        Assert.Equal(0, ProgramRun.Of("analyze", Attacks, "--site", site).Status);
        Assert.Equal(before, ProgramRun.Of("alerts", "list", "--site", site, "--format", "json").Output);
        Assert.Equal(story, ProgramRun.Of("alerts", "show", analysed.AlertIds[0], "--site", site, "--json").Output);
        Assert.Equal(devices, ProgramRun.Of("devices", "--site", site, "--format", "json").Output);
    }

    [Fact]
    public void A_folder_that_may_not_be_written_is_said_and_suppressions_hold_all_the_same()
    {
        using var folder = new TemporaryFolder();
        var site = analysed.CopyTo(folder);
        Assert.Equal(0, ProgramRun.Of("alerts", "suppress", "--rule", "port-scan", "--reason", "known", "--site", site).Status);
        var program = Path.Combine(AppContext.BaseDirectory, "..", "..", "IoTGuard", "release", "iotguard.dll");
        var analyze = $"dotnet {Path.GetFullPath(program)} analyze {Attacks} --site {site}";
        ProgramRun run;
        if (Environment.IsPrivilegedProcess)
        {
            // Root may write everywhere but on a medium that is read-only.
            Assert.SkipUnless(ProgramRun.Shell("unshare --mount true").Status == 0, "the kernel gives no mount namespace");
            run = ProgramRun.Start("unshare", ["--mount", "bash", "-c", $"mount --bind {site} {site} && mount -o remount,ro,bind {site} && {analyze}"], null, "/");
        }
        else
        {
            run = ProgramRun.Start("bash", ["-c", $"chmod a-w {site} {site}/*; {analyze}; status=$?; chmod u+w {site} {site}/*; exit $status"], null, "/");
        }

        Assert.Equal(0, run.Status);
        Assert.Contains("cannot be written, so alerts and devices of this run are not remembered", OneLine(run), StringComparison.Ordinal);
        Assert.Contains("suppressed by 1 (rule port-scan): known", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not a database, but longer than a hundred bytes, which is what the header of a database file has, and then some more")]
    [InlineData(null)]
    public void A_damaged_or_newer_state_is_refused_in_one_line(string? content)
    {
        using var folder = new TemporaryFolder();
        var site = analysed.CopyTo(folder);
        if (content is null)
            Sql(site, "PRAGMA user_version = 999");
        else
            File.WriteAllText(Path.Combine(site, "state.db"), content);
        foreach (var arguments in new string[][] { ["alerts", "list"], ["devices"], ["analyze", Benign] })
        {
            var run = ProgramRun.Of([.. arguments, "--site", site]);
            Assert.Equal(2, run.Status);
            Assert.Contains("state.db", OneLine(run), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_state_that_fails_is_a_counted_loss_and_the_alerts_are_told()
    {
        using var folder = new TemporaryFolder();
        var site = analysed.CopyTo(folder);
        Sql(site, "DELETE FROM alert; CREATE TRIGGER full BEFORE INSERT ON alert BEGIN SELECT RAISE(FAIL, 'no space'); END");
        var run = ProgramRun.Of("analyze", Attacks, "--site", site, "--alerts", folder["alerts"]);
        Assert.Equal(4, run.Status);
        Assert.Contains($"{analysed.AlertIds.Count} alerts and the devices of this run could not be written", OneLine(run), StringComparison.Ordinal);
        Assert.Equal(analysed.AlertIds.Count, File.ReadLines(folder["alerts"]).Count());
    }

    [Fact]
    public void Half_of_the_traffic_does_not_replace_what_all_of_it_told()
    {
        using var folder = new TemporaryFolder();
        var site = analysed.CopyTo(folder);
        var before = Extent(site);
        var whole = File.ReadAllBytes(Attacks);
        File.WriteAllBytes(folder["half.pcapng"], whole[..(whole.Length / 2)]);
        Assert.Equal(3, ProgramRun.Of("analyze", folder["half.pcapng"], "--site", site).Status);
        Assert.Superset(before, Extent(site));

        static HashSet<string> Extent(string site) =>
            [.. Parse(ProgramRun.Of("alerts", "list", "--site", site, "--format", "json").Output).EnumerateArray().Select(a => $"{a.GetProperty("id")} {a.GetProperty("count")} {a.GetProperty("last_seen")}")];
    }

    [Fact]
    public void Nothing_is_left_half_done_when_the_writer_dies()
    {
        using var folder = new TemporaryFolder();
        var site = analysed.CopyTo(folder);
        var state = Path.Combine(site, "state.db");
        Sql(site, "DELETE FROM alert; DELETE FROM alert_event");
        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={state};Pooling=False"))
        {
            // A writer in the middle of its work: what it wrote lies in the write-ahead log, uncommitted, when the files are taken away under it.
            connection.Open();
            using var transaction = connection.BeginTransaction();
            using var command = connection.CreateCommand();
            command.CommandText = "INSERT INTO alert_event VALUES ('x', 1, 'opened', 1, 1)";
            command.ExecuteNonQuery();
            Directory.CreateDirectory(folder["crashed"]);
            foreach (var file in Directory.EnumerateFiles(site))
                File.Copy(file, Path.Combine(folder["crashed"], Path.GetFileName(file)));
        }

        Assert.Equal("[]", string.Concat(ProgramRun.Of("alerts", "list", "--site", folder["crashed"], "--format", "json").Output.Where(c => !char.IsWhiteSpace(c))));
        Assert.Equal(0, ProgramRun.Of("analyze", Attacks, "--site", folder["crashed"]).Status);
        Assert.Equal(analysed.AlertIds.Count + 1, ProgramRun.Of("alerts", "list", "--site", folder["crashed"], "--format", "csv").OutputLines.Length);
    }
}
