using System.Text.Json;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Live;

/// <summary>SIGHUP in the middle of traffic: the new configuration is in force, and nothing was lost; a broken one is refused.</summary>
public sealed class ReloadTests
{
    private static readonly string Attacks = Repository.PathOf("captures", "hospital-attacks.pcapng");

    [Fact]
    public void Policy_rules_and_outputs_change_under_traffic_and_nothing_is_lost()
    {
        LiveNetwork.SkipUnlessPossible();
        using var folder = new TemporaryFolder();
        Assert.Equal(0, ProgramRun.Of("analyze", Attacks, "--transactions", folder["file"]).Status);
        Assert.Equal(0, ProgramRun.Of("learn", Repository.PathOf("captures", "hospital-benign.pcapng"), "--site", folder["site"]).Status);
        Write(folder["first.yaml"], $"interface: mon\nworkers: 1\nsite: {folder["site"]}\nalerts: {folder["alerts1"]}\ntransactions: {folder["live1"]}\n");
        Write(folder["second.yaml"], $"interface: mon\nworkers: 2\nsite: {folder["other"]}\nalerts: {folder["alerts2"]}\ntransactions: {folder["live2"]}\nrules: {folder["rules.yaml"]}\npolicy: {folder["policy.yaml"]}\nevidence: {folder["evidence"]}\n");
        Write(folder["policy.yaml"], "zones:\n  everything: [10.0.0.0/8]\n");
        Write(folder["broken.yaml"], $"interface: mon\nsite: {folder["site"]}\nalrets: {folder["alerts3"]}\n");
        Write(folder["rules.yaml"], """
            rules:
              - id: reload-echo
                title: An echo was seen after the reload
                severity: 4
                detection: {s: {protocol: dicom}}
                description: "{device} spoke DICOM."
                recommendation: Nothing.
            """);
        var run = LiveNetwork.Run($"""
            {LiveNetwork.Pair}
            cp -r {folder["site"]} {folder["other"]}
            cp {folder["first.yaml"]} {folder["sensor.yaml"]}
            {LiveNetwork.Program} sensor --config {folder["sensor.yaml"]} > {folder["out"]} 2> {folder["log"]} &
            sensor=$!
            wait_for capturing {folder["log"]}
            tcpreplay -q --preload-pcap -x 25 -i gen {Attacks} > {folder["replay"]} 2>&1 &
            replay=$!
            sleep 4
            cp {folder["broken.yaml"]} {folder["sensor.yaml"]}
            kill -HUP $sensor
            wait_for 'is refused' {folder["log"]}
            cp {folder["second.yaml"]} {folder["sensor.yaml"]}
            kill -HUP $sensor
            wait_for 'configuration reloaded' {folder["log"]}
            kill -HUP $sensor
            wait_for 'nothing in it has changed' {folder["log"]}
            wait $replay
            cat /sys/class/net/gen/statistics/tx_dropped > {folder["lost"]}
            sleep 1
            kill -TERM $sensor && wait $sensor
            """);
        var log = File.ReadAllText(folder["log"]);
        Assert.True(run.Status == 0, run.Error + log);
        Assert.Contains("kernel drops 0", log, StringComparison.Ordinal);
        Assert.Matches(@"refused and the old one stays in force: .*sensor\.yaml, line 3: .*has no key alrets", log);
        Assert.Contains("workers is now 2", log, StringComparison.Ordinal);
        foreach (var key in new[] { "workers", "site", "evidence" })
            Assert.Matches($"configuration reloaded: .*{key} is now [^;]+ in the configuration; the change waits for a restart", log);

        // Also at the reload after it the site is the one that the sensor began with.
        Assert.DoesNotContain("the learned site was read again", log, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["evidence"]));
        Assert.False(File.Exists(folder["alerts3"]));

        // Every packet and flow reached one of the two outputs, and associations that were open at the reload were seen to their end.
        var lost = File.ReadAllText(folder["lost"]).Trim();
        Assert.SkipUnless(lost == "0", $"the pair of interfaces lost {lost} packets before the sensor could see them: this machine is too busy to say more");
        var first = Events(folder["live1"]);
        var second = Events(folder["live2"]);
        Assert.NotEmpty(first);
        Assert.NotEmpty(second);
        Assert.Equal(Events(folder["file"]).Order(StringComparer.Ordinal), first.Concat(second).Order(StringComparer.Ordinal));

        // The rule came with the reload; alerts that were open before were closed by the same detector after it.
        Assert.DoesNotContain("reload-echo", File.ReadAllText(folder["alerts1"]), StringComparison.Ordinal);
        Assert.Contains("reload-echo", File.ReadAllText(folder["alerts2"]), StringComparison.Ordinal);
        Assert.DoesNotContain("\"zone\":\"everything\"", File.ReadAllText(folder["alerts1"]), StringComparison.Ordinal);
        Assert.Contains("\"zone\":\"everything\"", File.ReadAllText(folder["alerts2"]), StringComparison.Ordinal);
        var opened = Phases(folder["alerts1"], folder["alerts2"]).Where(static p => p.Phase == "opened").Select(static p => p.Id).ToList();
        var closed = Phases(folder["alerts1"], folder["alerts2"]).Where(static p => p.Phase == "closed").Select(static p => p.Id).ToList();
        Assert.Equal(opened.Distinct(StringComparer.Ordinal).Count(), opened.Count);
        Assert.Equal(opened.Order(StringComparer.Ordinal), closed.Order(StringComparer.Ordinal));
    }

    private static void Write(string path, string text) => File.WriteAllText(path, text);

    /// <summary>Protocol and event of each transaction. Faults are left out: that a frame stays open for long depends on the speed of the replay.</summary>
    private static IEnumerable<string> Events(string path) => File.ReadLines(path).Select(static line =>
    {
        using var json = JsonDocument.Parse(line);
        return $"{json.RootElement.GetProperty("protocol").GetString()} {json.RootElement.GetProperty("event").GetString()}";
    }).Where(static e => !e.EndsWith(" fault", StringComparison.Ordinal));

    private static IEnumerable<(string Id, string Phase)> Phases(params string[] paths) => paths.SelectMany(File.ReadLines).Select(static line =>
    {
        using var json = JsonDocument.Parse(line);
        return (json.RootElement.GetProperty("id").GetString()!, json.RootElement.GetProperty("phase").GetString()!);
    });
}
