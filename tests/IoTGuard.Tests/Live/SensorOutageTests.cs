using System.Globalization;
using System.Text.RegularExpressions;
using IoTGuard.Sites.State;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Live;

/// <summary>
/// The live sensor and rsyslog, both killed while attacks are replayed: every alert that the site's store holds is at the receiver in the end.
/// </summary>
public sealed partial class SensorOutageTests
{
    /// <summary>The sensor is killed so often; the last one ends by itself.</summary>
    private const int Kills = 2;

    [GeneratedRegex("id=\"(?<id>[0-9a-f]{32})\" phase=\"(?<phase>opened|updated|closed)\"", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Message();

    [Fact]
    public void Nothing_that_was_stored_is_lost_when_sensor_and_receiver_are_killed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "a network namespace needs Linux and root");
        foreach (var tool in new[] { "ip", "tcpreplay", "unshare", "rsyslogd" })
            Assert.SkipUnless(ProgramRun.Shell($"command -v {tool}").Status == 0, $"{tool} is not installed");
        Assert.SkipUnless(ProgramRun.Shell("unshare --net true").Status == 0, "the kernel gives no network namespace");
        using var folder = new TemporaryFolder();
        Assert.Equal(0, ProgramRun.Of("learn", Repository.PathOf("captures", "hospital-benign.pcapng"), "--site", folder["site"]).Status);
        File.WriteAllText(folder["rsyslog.conf"], $"""
            global(workDirectory="{folder["."]}" maxMessageSize="64k")
            module(load="imtcp") input(type="imtcp" address="127.0.0.1" port="5514")
            template(name="t" type="string" string="%structured-data%\n")
            action(type="omfile" file="{folder["received"]}" template="t")
            """);
        var program = Repository.PathOf("artifacts", "bin", "IoTGuard", "release", "iotguard.dll");
        var run = ProgramRun.Start(
            "unshare",
            ["--net", "--mount", "bash", "-c", $$"""
                mount -t sysfs sysfs /sys
                sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
                ip link set lo up && ip link add mon type veth peer name gen
                ip link set mon mtu 65535 up && ip link set gen mtu 65535 up
                receiver() { rm -f {{folder["pid"]}}; rsyslogd -n -f {{folder["rsyslog.conf"]}} -i {{folder["pid"]}} & receiver=$!; }
                receiver
                for round in $(seq 0 {{Kills}}); do
                    log={{folder["log"]}}.$round
                    : > $log
                    dotnet {{program}} sensor --interface mon --workers 1 --site {{folder["site"]}} --syslog 'tcp://127.0.0.1:5514?heartbeat=2' > /dev/null 2> $log &
                    sensor=$!
                    while ! grep -q capturing $log; do sleep 0.1; done
                    tcpreplay -q --preload-pcap -x 60 -i gen {{Repository.PathOf("captures", "hospital-attacks.pcapng")}} > /dev/null 2>&1 &
                    replay=$!
                    sleep $((2 + 2 * round))
                    # Stopped first: what comes then is acknowledged by its system, read by nobody, and lost with it.
                    kill -STOP $receiver; sleep 1; kill -KILL $receiver; wait $receiver
                    if [ $round -lt {{Kills}} ]; then kill -KILL $sensor; wait $sensor; receiver; wait $replay
                    else receiver; wait $replay; sleep 1; kill -TERM $sensor; wait $sensor; status=$?
                    fi
                done
                sleep 1
                kill $receiver; wait $receiver
                exit $status
                """],
            null,
            Repository.Root);
        Assert.True(run.Status == 0, run.Error + File.ReadAllText($"{folder["log"]}.{Kills}"));
        var received = File.ReadLines(folder["received"]).ToList();
        var messages = received.Select(static l => Message().Match(l)).Where(static m => m.Success).Select(static m => (m.Groups["id"].Value, m.Groups["phase"].Value)).ToHashSet();
        using var state = SiteState.OpenToRead(folder["site"])!;
        Assert.Empty(state.Outgoing());
        var stored = state.Alerts().SelectMany(a => state.EventsOf(a.Id)).Select(static e => (e.Alert, AlertEvent.NameOf(e.Phase))).ToHashSet();
        Assert.True(stored.Count > 30, string.Create(CultureInfo.InvariantCulture, $"{stored.Count} events"));
        // The closing of alerts that a killed sensor had open is noted in the store by the next one, and no message.
        Assert.Empty(stored.Where(static e => e.Item2 != "closed").Except(messages));
        Assert.Contains(received, static l => l.Contains("phase=\"heartbeat\"", StringComparison.Ordinal));
    }
}
