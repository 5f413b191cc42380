using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using IoTGuard.Service;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Live;

/// <summary>What the running sensor says about itself: endpoint, log, alerts about the mirror port, and systemd.</summary>
public sealed partial class HealthTests
{
    [GeneratedRegex("""^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? -?[0-9][0-9.E+-]*$""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Sample { get; }

    [Fact]
    public async Task A_mirror_port_with_one_direction_is_told_within_a_minute_everywhere()
    {
        LiveNetwork.SkipUnlessPossible();
        foreach (var tool in new[] { "tcpdump", "curl", "ss" })
            Assert.SkipUnless(ProgramRun.Shell($"command -v {tool}").Status == 0, $"{tool} is not installed");
        using var folder = new TemporaryFolder();

        // To the lower port: what clients send.
        var capture = ProgramRun.Shell($"tcpdump -r {Repository.PathOf("captures", "hospital-benign.pcapng")} -w {folder["one.pcap"]} 'tcp[0:2] > tcp[2:2] or udp'");
        Assert.True(capture.Status == 0, capture.Error);

        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(folder["notify"]));
        using var listening = new CancellationTokenSource();
        var saying = Task.Run(() => Received(manager, listening.Token), CancellationToken.None);
        var run = LiveNetwork.Run($$"""
            {{LiveNetwork.Pair}}
            export NOTIFY_SOCKET={{folder["notify"]}} WATCHDOG_USEC=2000000
            {{LiveNetwork.Program}} sensor --interface mon --alerts {{folder["alerts"]}} > {{folder["out"]}} 2> {{folder["log"]}} &
            sensor=$!
            wait_for capturing {{folder["log"]}}
            tcpreplay -q --preload-pcap -x 20 -i gen {{folder["one.pcap"]}} > /dev/null 2>&1 &
            replay=$!
            wait_for 'only one direction' {{folder["log"]}}
            sleep 1
            curl -s http://127.0.0.1:9467/metrics > {{folder["metrics"]}}
            curl -s -w '%{http_code}' http://127.0.0.1:9467/health > {{folder["health"]}}
            curl -s -o /dev/null -w '%{http_code}' -X DELETE http://127.0.0.1:9467/health > {{folder["delete"]}}
            curl -s -o /dev/null -w '%{http_code}' -H 'Host: evil.example' http://127.0.0.1:9467/metrics > {{folder["host"]}}
            ss -Hltun > {{folder["sockets"]}}
            kill -HUP $sensor
            wait_for reloaded {{folder["log"]}}
            kill $replay
            kill -TERM $sensor && wait $sensor
            """);
        var log = File.ReadAllText(folder["log"]);
        Assert.True(run.Status == 0, run.Error + log);
        Assert.Matches(@"only one direction.*Mirror both directions", log);

        var answer = File.ReadAllText(folder["health"]);
        Assert.EndsWith("503", answer, StringComparison.Ordinal);
        using var health = JsonDocument.Parse(answer[..^3]);
        Assert.Equal("degraded", health.RootElement.GetProperty("status").GetString());
        Assert.Contains("one-direction", health.RootElement.GetProperty("conditions").EnumerateArray().Select(static c => c.GetProperty("name").GetString()));
        Assert.InRange(health.RootElement.GetProperty("capture_loss").GetDouble(), 0.2, 1);
        Assert.InRange(health.RootElement.GetProperty("uptime_seconds").GetDouble(), 0, 60);

        var metrics = File.ReadAllLines(folder["metrics"]);
        Assert.All(metrics.Where(static l => !l.StartsWith('#')), static l => Assert.Matches(Sample, l));
        foreach (var metric in MetricTable.Metrics)
        {
            Assert.Contains($"# TYPE {metric.Name} {(metric.IsCounter ? "counter" : "gauge")}", metrics);
            Assert.Equal(metric.IsCounter, metric.Name.EndsWith("_total", StringComparison.Ordinal));
        }

        Assert.Contains("iotguard_condition{name=\"one-direction\"} 1", metrics);
        foreach (var stage in new[] { "read", "process", "detect", "deliver" })
        {
            var time = double.Parse(Assert.Single(metrics, l => l.StartsWith($"iotguard_stage_seconds_total{{stage=\"{stage}\"}} ", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture);
            Assert.InRange(time, double.Epsilon, 60);
            Assert.InRange(health.RootElement.GetProperty("stage_seconds").GetProperty(stage).GetDouble(), 0, 60);
            Assert.Matches($"stats .*  {stage} [0-9.]+ s", log);
        }

        Assert.Equal("405", File.ReadAllText(folder["delete"]));
        Assert.StartsWith("40", File.ReadAllText(folder["host"]), StringComparison.Ordinal);
        Assert.All(File.ReadLines(folder["sockets"]), static l => Assert.Contains("127.0.0.1:9467", l, StringComparison.Ordinal));
        Assert.Contains(File.ReadLines(folder["alerts"]), static l => l.Contains("\"rule\":\"sensor-one-direction\"", StringComparison.Ordinal) && l.Contains("\"category\":\"sensor-health\"", StringComparison.Ordinal));

        listening.Cancel();
        var said = await saying;
        Assert.Equal("READY=1", said[0]);
        Assert.Contains("WATCHDOG=1", said);
        Assert.Contains(said, static s => s.StartsWith("STATUS=The mirror port carries only one direction", StringComparison.Ordinal));
        var reloading = said.FindIndex(static s => s.StartsWith("RELOADING=1\nMONOTONIC_USEC=", StringComparison.Ordinal));
        Assert.True(reloading > 0 && said.IndexOf("READY=1", reloading) > reloading, string.Join(", ", said));
        Assert.Contains("STOPPING=1", said);
    }

    [Fact]
    public void Conditions_begin_when_found_and_end_when_not_found_any_more()
    {
        var watch = new SensorWatch();
        Assert.Empty(watch.Look(At(packets: 0), null).Began);
        var counters = default(Analysis.SensorCounters);
        counters.AcknowledgedBytes = 100_000;
        counters.UnseenBytes = 1000;
        Assert.Empty(watch.Look(At(packets: 100, counters: counters), null).Began);
        counters.AcknowledgedBytes = 200_000;
        counters.UnseenBytes = 95_000;
        counters.GapBytes = 5000;
        var (began, _) = watch.Look(At(packets: 200, counters: counters), null);
        Assert.Equal(["one-direction", "capture-loss"], began.Select(static c => c.Name));
        Assert.Empty(watch.Look(At(packets: 300, drops: 0, counters: counters), null).Began);
        Assert.Equal("kernel-drops", Assert.Single(watch.Look(At(packets: 400, drops: 7, counters: counters), null).Began).Name);
        var ended = new List<string>();
        for (var i = 0; i < SensorWatch.Clear; i++)
            ended.AddRange(watch.Look(At(packets: 500 + i, drops: 7, counters: counters), null).Ended.Select(static c => c.Name));
        Assert.Equal(["one-direction", "capture-loss", "kernel-drops"], ended);
        Assert.Empty(watch.Present);
        for (var i = 1; i < SensorWatch.Silence; i++)
            Assert.Empty(watch.Look(At(packets: 505, drops: 7, counters: counters), null).Began);
        var silence = Assert.Single(watch.Look(At(packets: 505, drops: 7, counters: counters), "the interface is down").Began);
        Assert.Contains("the interface is down", silence.Text, StringComparison.Ordinal);
        Assert.Equal("no-packets", Assert.Single(watch.Look(At(packets: 506, drops: 7, counters: counters), null).Ended).Name);
    }

    [Fact]
    public void An_output_that_fails_for_long_is_a_condition()
    {
        var watch = new SensorWatch();
        DeliveryStatus[] failing = [new("tcp://siem:601", 12, 0, 0, 3, "connection refused"), new("alerts.jsonl", 0, 9, 0, 0, null)];
        for (var look = 0; look < SensorWatch.Silence; look++)
            Assert.Empty(watch.Look(At(packets: look, deliveries: failing), null).Began);
        var began = Assert.Single(watch.Look(At(packets: 100, deliveries: failing), null).Began);
        Assert.Equal("output-fails", began.Name);
        Assert.Contains("tcp://siem:601: connection refused, 12 wait", began.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("alerts.jsonl", began.Text, StringComparison.Ordinal);
        var ended = new List<Condition>();
        for (var look = 1; look <= SensorWatch.Clear; look++)
            ended.AddRange(watch.Look(At(packets: 100 + look, deliveries: [failing[1]]), null).Ended);
        Assert.Equal("output-fails", Assert.Single(ended).Name);
    }

    [Theory]
    [InlineData(3600, "ahead", "went ahead by 3,600.0 s")]
    [InlineData(-1.5, "back", "went back by 1.5 s")]
    [InlineData(0.5, null, "")]
    public void A_clock_that_is_set_is_a_condition(double seconds, string? direction, string expected)
    {
        var watch = new SensorWatch();
        watch.Look(At(packets: 1), null);
        Assert.Empty(watch.Look(At(packets: 2) with { Uptime = TimeSpan.FromSeconds(10), Time = DateTimeOffset.UnixEpoch.AddSeconds(10) }, null).Began);
        var (began, _) = watch.Look(At(packets: 3) with { Uptime = TimeSpan.FromSeconds(20), Time = DateTimeOffset.UnixEpoch.AddSeconds(20 + seconds) }, null);
        Assert.Equal(direction is null ? [] : ["clock-set-" + direction], began.Select(static c => c.Name));
        Assert.All(began, c => Assert.Contains(expected, c.Text, StringComparison.Ordinal));
    }

    private static SensorStatus At(long packets, long drops = 0, Analysis.SensorCounters counters = default, DeliveryStatus[]? deliveries = null) => new()
    {
        Interface = "mon",
        Uptime = default,
        Time = DateTimeOffset.UnixEpoch,
        Rings = [new RingStatus(new Wire.CaptureStatistics(packets, 0, drops, 0), 0, 0)],
        Counters = counters,
        Flows = default,
        Devices = 0,
        OpenAlerts = 0,
        Outputs = default,
        Deliveries = deliveries ?? [],
        Models = "",
        Stages = default,
        Waiting = 0,
        FlowsScored = 0,
        ScoringTime = null,
        Reloads = default,
        Conditions = [],
    };

    /// <summary>All that is said until cancelled, as systemd hears it: it reads on, or the sender would wait.</summary>
    private static List<string> Received(Socket socket, CancellationToken cancellation)
    {
        var said = new List<string>();
        var buffer = new byte[4096];
        while (true)
        {
            if (socket.Poll(100_000, SelectMode.SelectRead))
                said.Add(Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer)));
            else if (cancellation.IsCancellationRequested)
                return said;
        }
    }
}
