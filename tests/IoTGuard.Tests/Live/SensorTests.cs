using System.Globalization;
using System.Text.Json;
using IoTGuard.TestSupport;
using IoTGuard.Tests.Captures;

namespace IoTGuard.Tests.Live;

/// <summary>The live sensor as a network team runs it: in a network namespace, the shipped attacks replayed into its interface.</summary>
public sealed class SensorTests
{
    /// <summary>An HL7 sender of the benign capture, in the language of tcpdump.</summary>
    private const string OneConnection = "vlan and host 10.20.50.10 and tcp port 45452";

    /// <summary>Replayed this many times faster than recorded: ten minutes in fifteen seconds, some 3,500 packets a second.</summary>
    private const int Speed = 40;

    [Fact]
    public void Sees_live_what_analyze_sees_in_the_capture_and_ends_cleanly()
    {
        LiveNetwork.SkipUnlessPossible();
        using var folder = new TemporaryFolder();
        var capture = Repository.PathOf("captures", "hospital-attacks.pcapng");
        Assert.Equal(0, ProgramRun.Of("analyze", capture, "--transactions", folder["file"]).Status);
        Assert.Equal(0, ProgramRun.Of("learn", Repository.PathOf("captures", "hospital-benign.pcapng"), "--site", folder["site"]).Status);

        var program = Repository.PathOf("artifacts", "bin", "IoTGuard", "release", "iotguard.dll");
        var run = LiveNetwork.Run($"""
            ip link add mon type veth peer name gen
            ip link set mon mtu 65535 up && ip link set gen mtu 65535 up
            dotnet {program} sensor --interface mon --workers 2 --site {folder["site"]} --alerts {folder["alerts"]} --transactions {folder["live"]} --evidence {folder["evidence"]} --redact > {folder["out"]} 2> {folder["log"]} &
            sensor=$!
            while ! grep -q capturing {folder["log"]}; do sleep 0.1; done
            before=$(cat /sys/class/net/mon/statistics/tx_packets)
            tcpreplay -q --preload-pcap -x {Speed} -i gen {capture} > /dev/null 2>&1
            sleep 1
            curl -s http://127.0.0.1:9467/metrics > {folder["metrics"]}
            curl -s http://127.0.0.1:9467/health > {folder["health"]}
            kill -TERM $sensor && wait $sensor
            status=$?
            echo "transmitted $(( $(cat /sys/class/net/mon/statistics/tx_packets) - before ))"
            exit $status
            """);
        var log = File.ReadAllText(folder["log"]);
        Assert.True(run.Status == 0, $"status {run.Status}: {run.Output}{run.Error}{log}");
        Assert.Contains("transmitted 0", run.Output, StringComparison.Ordinal);
        Assert.Contains("kernel drops 0", log, StringComparison.Ordinal);
        Assert.Equal(Events(folder["file"]), Events(folder["live"]));
        PatientTexts.AssertNoneIn(folder[""]);
        Assert.NotEmpty(Directory.EnumerateFiles(folder["evidence"]));
        if (File.Exists("/usr/bin/curl"))
            Assert.NotEqual(0, new FileInfo(folder["metrics"]).Length);

        var phases = File.ReadLines(folder["alerts"]).Select(l => Property(l, "id") + Property(l, "phase")).ToHashSet(StringComparer.Ordinal);
        var ids = File.ReadLines(folder["alerts"]).Select(l => Property(l, "id")).Distinct(StringComparer.Ordinal).ToList();
        Assert.True(ids.Count > 5);
        foreach (var id in ids)
        {
            Assert.Contains(id + "opened", phases);
            Assert.Contains(id + "closed", phases);
        }

        var remembered = ProgramRun.Of("alerts", "list", "--site", folder["site"], "--state", "closed", "--format", "csv").OutputLines.Skip(1).Select(l => l.Split(',')[0]);
        Assert.Equal(ids.Order(StringComparer.Ordinal), remembered.Order(StringComparer.Ordinal));
        Assert.Contains("10.20.30.166", ProgramRun.Of("devices", "--site", folder["site"], "--format", "csv").Output, StringComparison.Ordinal);
    }

    /// <summary>One connection falls to one ring; the other has nothing to say, and must not hold back what the first has seen.</summary>
    [Fact]
    public void A_ring_without_packets_holds_nothing_back()
    {
        LiveNetwork.SkipUnlessPossible();
        using var folder = new TemporaryFolder();
        var program = Repository.PathOf("artifacts", "bin", "IoTGuard", "release", "iotguard.dll");
        var run = LiveNetwork.Run($"""
            ip link add mon type veth peer name gen
            sysctl -qw net.ipv6.conf.mon.disable_ipv6=1 net.ipv6.conf.gen.disable_ipv6=1
            ip link set mon mtu 65535 up && ip link set gen mtu 65535 up
            tcpdump -r {Repository.PathOf("captures", "hospital-benign.pcapng")} -w {folder["one"]} {OneConnection} 2> /dev/null
            dotnet {program} sensor --interface mon --workers 2 --transactions {folder["live"]} > {folder["out"]} 2> {folder["log"]} &
            sensor=$!
            while ! grep -q capturing {folder["log"]}; do sleep 0.1; done
            tcpreplay -q -t -i gen {folder["one"]} > /dev/null 2>&1
            for i in $(seq 100); do grep -q ack {folder["live"]} && break; sleep 0.1; done
            grep -c ack {folder["live"]}
            kill -TERM $sensor && wait $sensor
            """);
        Assert.True(run.Status == 0, run.Error + File.ReadAllText(folder["log"]));
        Assert.InRange(int.Parse(run.OutputLines[^1], CultureInfo.InvariantCulture), 1, int.MaxValue);
    }

    [Fact]
    public void Without_the_right_to_listen_it_says_what_to_do()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "taking rights away needs root");
        var program = Repository.PathOf("artifacts", "bin", "IoTGuard", "release", "iotguard.dll");
        var run = ProgramRun.Shell($"setpriv --bounding-set -net_raw,-net_admin --inh-caps -all dotnet {program} sensor --interface lo");
        Assert.Equal(2, run.Status);
        Assert.Contains("setcap", run.Error, StringComparison.Ordinal);
    }

    /// <summary>How often each protocol event was seen. Faults are left out: that a frame stays open for long depends on the speed of the replay.</summary>
    private static SortedDictionary<string, int> Events(string file)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var line in File.ReadLines(file))
        {
            var name = $"{Property(line, "protocol")} {Property(line, "event")}";
            if (Property(line, "event") == "fault")
                continue;
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }

        return counts;
    }

    private static string Property(string line, string name)
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.GetProperty(name).GetString()!;
    }
}
