using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Live;

/// <summary>A sensor with a shadow model, which is promoted and taken back while traffic goes on.</summary>
public sealed class ModelPromotionTests
{
    private static readonly string Attacks = Repository.PathOf("captures", "hospital-attacks.pcapng");
    private static readonly string Benign = Repository.PathOf("captures", "hospital-benign.pcapng");

    [Fact]
    public void A_running_sensor_takes_up_a_promotion_and_its_rollback_and_loses_nothing()
    {
        LiveNetwork.SkipUnlessPossible();
        using var folder = new TemporaryFolder();
        var site = folder["site"];
        Of("analyze", Benign, "--flows", folder["flows.csv"]);
        Of("learn", Benign, "--site", site);
        Of("train", folder["flows.csv"], "--engine", "hbos", "--folds", "0", "--out", folder["hbos.onnx"]);
        Of("models", "add", folder["hbos.onnx"], "--site", site, "--shadow");
        Of("analyze", Attacks, "--site", site, "--transactions", folder["file"], "--flows", folder["attacks.csv"]);
        var run = LiveNetwork.Run($"""
            {LiveNetwork.Pair}
            {LiveNetwork.Program} sensor --interface mon --workers 1 --site {site} --alert-budget-per-day 1000 --statistics-seconds 1 --transactions {folder["live"]} --alerts {folder["alerts"]} --ring-megabytes 256 > {folder["out"]} 2> {folder["log"]} &
            sensor=$!
            wait_for capturing {folder["log"]}
            tcpreplay -q --preload-pcap -x 40 -i gen {Attacks} > {folder["replay"]} 2>&1 &
            replay=$!
            wait_for 'to the shadow' {folder["log"]}
            sleep 2
            {LiveNetwork.Program} models promote 0002 --site {site}
            wait_for 'models: version 0002 judges, shadow none' {folder["log"]}
            {LiveNetwork.Program} models rollback --site {site}
            wait_for 'models: version 0001 judges, shadow none' {folder["log"]}
            echo '"damaged' > {site}/models/current.json
            wait_for 'are refused and the old ones stay' {folder["log"]}
            kill -0 $replay && echo 'all of it under traffic'
            wait $replay
            sleep 1
            kill -TERM $sensor && wait $sensor
            """);
        var log = File.ReadAllText(folder["log"]);
        Assert.True(run.Status == 0, run.Error + log);
        Assert.Equal(["active 0002, shadow none, previous 0001", "active 0001, shadow none, previous 0002", "all of it under traffic"], run.OutputLines);
        Assert.Contains("kernel drops 0", log, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(log, "are refused and the old ones stay", RegexOptions.None, TimeSpan.FromSeconds(1)));

        // Every packet and association went through, whatever judged it, and what was counted before went on being counted.
        Assert.Equal(Events(folder["file"]), Events(folder["live"]));
        var judged = Regex.Matches(log, "models: (?<flows>[0-9,]+) flows", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))
            .Select(static m => int.Parse(m.Groups["flows"].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(judged.Order(), judged);
        Assert.True(judged[^1] > 300, $"{judged[^1]} flows were judged");
        var drift = ProgramRun.Of("models", "drift", "0002", "--site", site, "--data", folder["attacks.csv"], "--before", folder["flows.csv"]);
        Assert.True(drift.Status == 0, drift.Error);
        Assert.Contains("not uniform", drift.Output, StringComparison.Ordinal);
    }

    private static void Of(params string[] arguments)
    {
        var run = ProgramRun.Of(arguments);
        Assert.True(run.Status == 0, run.Error);
    }

    /// <summary>Protocol and event of each transaction, sorted. Faults are left out: that a frame stays open for long depends on the speed of the replay.</summary>
    private static IEnumerable<string> Events(string path) => File.ReadLines(path).Select(static line =>
    {
        using var json = JsonDocument.Parse(line);
        return $"{json.RootElement.GetProperty("protocol").GetString()} {json.RootElement.GetProperty("event").GetString()}";
    }).Where(static e => !e.EndsWith(" fault", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
}
