using System.Text.Json;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Live;

/// <summary>The doctor before a mirror port: what it finds in good and bad traffic, and what it says without.</summary>
public sealed class DoctorTests
{
    [Fact]
    public void Good_and_bad_traffic_are_told_apart_line_by_line()
    {
        LiveNetwork.SkipUnlessPossible();
        foreach (var tool in new[] { "tcpdump", "ethtool", "openssl" })
            Assert.SkipUnless(ProgramRun.Shell($"command -v {tool}").Status == 0, $"{tool} is not installed");
        using var folder = new TemporaryFolder();
        var attacks = Repository.PathOf("captures", "hospital-attacks.pcapng");
        var capture = ProgramRun.Shell($"tcpdump -r {Repository.PathOf("captures", "hospital-benign.pcapng")} -w {folder["one.pcap"]} 'tcp[0:2] > tcp[2:2]'");
        Assert.True(capture.Status == 0, capture.Error);
        File.WriteAllText(folder["doctor.yaml"], $"""
            outputs:
            - to: tls://localhost:6514
              name: siem
              ca: {folder["certificate"]}
              cert: {folder["certificate"]}
              key: {folder["key"]}
            - to: tls://127.0.0.1:6514
              ca: {folder["certificate"]}
            - to: file://{folder["missing/alerts.cef"]}
              format: cef
            - to: file://{folder["full/alerts.json"]}
              format: json
            evidence: {folder["."]}
            """);
        var run = LiveNetwork.Run($"""
            {LiveNetwork.Pair}
            openssl req -x509 -newkey rsa:2048 -nodes -days 3 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout {folder["key"]} -out {folder["certificate"]} 2>/dev/null
            mkdir {folder["full"]} && mount -t tmpfs -o size=64k tmpfs {folder["full"]}
            tail -f /dev/null | openssl s_server -accept 6514 -key {folder["key"]} -cert {folder["certificate"]} -quiet >/dev/null 2>&1 &
            server=$!
            (while sleep 0.2; do tcpreplay -q --preload-pcap -x 60 -i gen {attacks} > /dev/null 2>&1; done) &
            replay=$!
            {LiveNetwork.Program} doctor --interface mon --seconds 8 --json --config {folder["doctor.yaml"]} --syslog 'tls://localhost:6514?ca={folder["certificate"]}' --syslog tcp://127.0.0.1:9 --syslog tcp://siem.invalid > {folder["good"]}
            echo "good $?"
            pkill -P $replay; kill $replay $server
            ethtool -K mon gro on > /dev/null 2>&1
            (while sleep 0.2; do tcpreplay -q --preload-pcap -x 60 -i gen {folder["one.pcap"]} > /dev/null 2>&1; done) &
            replay=$!
            {LiveNetwork.Program} doctor --interface mon --seconds 8 --json > {folder["bad"]}
            echo "bad $?"
            pkill -P $replay; kill $replay
            ip link set mon down
            {LiveNetwork.Program} doctor --interface mon > {folder["down"]}
            echo "down $?"
            """);
        Assert.True(run.OutputLines is ["good 2", "bad 2", "down 2"], run.Output + run.Error);

        var good = Read(folder["good"]);
        foreach (var subject in new[] { "kernel", "processors", "privileges", "memory", "shipped model", "interface", "capture ring", "traffic", "directions", "clock steps", "timestamps", "tunnels" })
            Assert.True(good[subject].Single() is { Verdict: "ok" }, $"{subject}: {good[subject].Single()}");
        Assert.Contains("10, 20, 30", good["VLANs"].Single().Text, StringComparison.Ordinal);
        Assert.Contains("came twice", good["duplicates"].Single().Text, StringComparison.Ordinal);
        var receivers = good["output"].ToList();
        Assert.Equal("warning", receivers[0].Verdict);
        Assert.Contains("its certificate holds until", receivers[0].Text, StringComparison.Ordinal);
        Assert.Equal("fault", receivers[1].Verdict);
        Assert.Contains("the host name is not known", receivers[2].Text, StringComparison.Ordinal);
        Assert.Contains("name servers", receivers[2].Remedy, StringComparison.Ordinal);
        Assert.Contains("takes connections over Tls13; its certificate holds until", receivers[3].Text, StringComparison.Ordinal);
        Assert.Contains("the sensor's own certificate holds until", receivers[4].Text, StringComparison.Ordinal);
        Assert.Contains("is not made out for 127.0.0.1", receivers[5].Text, StringComparison.Ordinal);
        Assert.Equal("fault", receivers[5].Verdict);
        Assert.Contains(good["disk"], static d => d.Verdict == "fault" && d.Text.Contains("missing for file://", StringComparison.Ordinal));
        Assert.Contains(good["disk"], static d => d.Verdict == "fault" && d.Text.Contains("full: what has no room is lost", StringComparison.Ordinal));
        Assert.Contains(good["disk"], static d => d.Text.Contains("free for evidence", StringComparison.Ordinal));
        Assert.Equal("ok", good["promiscuity"].Single().Verdict);

        var bad = Read(folder["bad"]);
        Assert.Equal("fault", bad["directions"].Single().Verdict);
        Assert.Equal("warning", bad["offload GRO"].Single().Verdict);
        foreach (var finding in good.Concat(bad).SelectMany(static g => g).Where(static f => f.Verdict is "warning" or "fault"))
            Assert.False(string.IsNullOrEmpty(finding.Remedy), finding.Text);

        var lines = File.ReadAllLines(folder["down"]);
        Assert.Contains(lines, static l => l.StartsWith("FAULT    interface         mon is down; ", StringComparison.Ordinal));
    }

    private static ILookup<string, (string Verdict, string Text, string? Remedy)> Read(string path) => File.ReadLines(path).Select(static line =>
    {
        using var json = JsonDocument.Parse(line);
        var root = json.RootElement;
        return (Subject: root.GetProperty("subject").GetString()!, Finding: (root.GetProperty("verdict").GetString()!, root.GetProperty("text").GetString()!, root.GetProperty("remedy").GetString()));
    }).ToLookup(static f => f.Subject, static f => f.Finding);
}
