using System.Globalization;
using System.Text.RegularExpressions;
using IoTGuard.Sites.State;
using IoTGuard.TestSupport;
using IoTGuard.Tests.Syslog;

namespace IoTGuard.Tests.Live;

/// <summary>
/// The live sensor and a real receiver, both killed while attacks are replayed, and a receiver's name that nobody knows at first: every alert that the
/// site's store holds is at the receiver in the end.
/// </summary>
public sealed partial class SensorOutageTests
{
    /// <summary>The sensor is killed so often; the last one ends by itself.</summary>
    private const int Kills = 2;

    [GeneratedRegex("id=\"(?<id>[0-9a-f]{32})\" phase=\"(?<phase>opened|updated|closed)\"", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Message();

    [Theory]
    [InlineData("rsyslog")]
    [InlineData("syslog-ng")]
    public void Nothing_that_was_stored_is_lost_when_names_fail_and_sensor_and_receiver_are_killed(string daemon)
    {
        LiveNetwork.SkipUnlessPossible();
        using var folder = new TemporaryFolder();
        Assert.Equal(0, ProgramRun.Of("learn", Repository.PathOf("captures", "hospital-benign.pcapng"), "--site", folder["site"]).Status);
        File.WriteAllText(folder["hosts"], "127.0.0.1 localhost\n");
        File.WriteAllText(folder["nsswitch.conf"], "hosts: files\n");
        var run = LiveNetwork.Run($$"""
            {{LiveNetwork.Pair}}
            mount --bind {{folder["hosts"]}} /etc/hosts && mount --bind {{folder["nsswitch.conf"]}} /etc/nsswitch.conf
            receiver() { rm -f {{folder["pid"]}}; ({{Receiver(daemon, folder)}}) & receiver=$!; }
            receiver
            for round in $(seq 0 {{Kills}}); do
                log={{folder["log"]}}.$round
                {{LiveNetwork.Program}} sensor --interface mon --workers 1 --site {{folder["site"]}} --syslog 'tcp://siem.example:5514?heartbeat=2&name=siem' > /dev/null 2> $log &
                sensor=$!
                wait_for capturing $log
                tcpreplay -q --preload-pcap -x 60 -i gen {{Repository.PathOf("captures", "hospital-attacks.pcapng")}} > /dev/null 2>&1 &
                replay=$!
                sleep $((2 + 2 * round))
                if [ $round = 0 ]; then
                    curl -s http://127.0.0.1:9467/health > {{folder["nameless"]}}
                    echo '127.0.0.1 siem.example' >> {{folder["hosts"]}}
                    sleep 3
                    curl -s http://127.0.0.1:9467/metrics > {{folder["named"]}}
                fi
                # Stopped first: what comes then is acknowledged by its system, read by nobody, and lost with it.
                kill -STOP $receiver; sleep 1; kill -KILL $receiver; wait $receiver
                if [ $round -lt {{Kills}} ]; then kill -KILL $sensor; wait $sensor; receiver; wait $replay
                else receiver; wait $replay; sleep 1; kill -TERM $sensor; wait $sensor; status=$?
                fi
            done
            sleep 1
            kill $receiver; wait $receiver
            exit $status
            """);
        Assert.True(run.Status == 0, run.Error + File.ReadAllText($"{folder["log"]}.{Kills}"));
        Assert.Contains("\"failure\": \"the host name is not known\"", File.ReadAllText(folder["nameless"]), StringComparison.Ordinal);
        var named = File.ReadAllLines(folder["named"]);
        Assert.Contains("iotguard_output_failing{output=\"siem\"} 0", named);
        Assert.DoesNotContain("iotguard_output_retries_total{output=\"siem\"} 0", named);
        var received = File.ReadLines(folder["received"]).ToList();
        var messages = received.Select(static l => Message().Match(l)).Where(static m => m.Success).Select(static m => (m.Groups["id"].Value, m.Groups["phase"].Value)).ToHashSet();
        using var state = SiteState.OpenToRead(folder["site"])!;
        Assert.Empty(state.Outgoing());
        var stored = state.Alerts().SelectMany(a => state.EventsOf(a.Id)).Select(static e => (e.Alert, AlertEvent.NameOf(e.Phase))).ToHashSet();
        Assert.True(stored.Count > 30, string.Create(CultureInfo.InvariantCulture, $"{stored.Count} events"));
        Assert.Empty(stored.Except(messages));
        Assert.Equal(stored.Count(static e => e.Item2 == "opened"), stored.Count(static e => e.Item2 == "closed"));
        Assert.Contains(received, static l => l.Contains("phase=\"heartbeat\"", StringComparison.Ordinal));
    }

    /// <summary>A line of shell that becomes a receiver of TCP on port 5514, which writes structured data into a file.</summary>
    private static string Receiver(string daemon, TemporaryFolder folder)
    {
        var configuration = folder["daemon.conf"];
        if (daemon == "rsyslog")
        {
            File.WriteAllText(configuration, $"""
                global(workDirectory="{folder["."]}" maxMessageSize="64k")
                module(load="imtcp") input(type="imtcp" address="127.0.0.1" port="5514")
                template(name="t" type="string" string="%structured-data%\n")
                action(type="omfile" file="{folder["received"]}" template="t")
                """);
            return SyslogDaemon.RsyslogLine(configuration, folder["pid"]);
        }

        File.WriteAllText(configuration, $$"""
            @version: 3.38
            options { keep-hostname(yes); use-dns(no); log-msg-size(65536); };
            source s { syslog(transport(tcp) ip(127.0.0.1) port(5514)); };
            destination d { file("{{folder["received"]}}" template("$SDATA\n")); };
            log { source(s); destination(d); };
            """);
        return SyslogDaemon.SyslogNgLine(configuration, folder);
    }
}
