using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Syslog;

/// <summary>A real syslog receiver, started for one test with its own configuration and folder on loopback ports.</summary>
internal sealed class SyslogDaemon : IDisposable
{
    private static readonly string[] Architectures = ["x86_64-linux-gnu", "aarch64-linux-gnu"];
    private readonly Process _process;
    private readonly string _file;

    private SyslogDaemon(Process process, string file) => (_process, _file) = (process, file);

    /// <summary>A TCP and UDP port that is free now.</summary>
    public static int FreePort()
    {
        using var tcp = new TcpListener(IPAddress.Loopback, 0);
        tcp.Start();
        var port = ((IPEndPoint)tcp.LocalEndpoint).Port;
        using var udp = new UdpClient(new IPEndPoint(IPAddress.Loopback, port));
        return port;
    }

    /// <summary>Starts rsyslog; skips the test when it cannot be had.</summary>
    public static SyslogDaemon Rsyslog(TemporaryFolder folder, string inputs)
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["pri"] = "pri",
            ["timereported\" dateformat=\"rfc3339"] = "time",
            ["hostname"] = "host",
            ["app-name"] = "app",
            ["procid"] = "procid",
            ["msgid"] = "msgid",
            ["structured-data"] = "sd",
            ["msg"] = "msg",
        };
        var template = string.Join('\n', properties.Select(p => $"property(name=\"{p.Key}\" outname=\"{p.Value}\" format=\"jsonf\") constant(value=\",\")"));
        var configuration = $$"""
            global(workDirectory="{{folder["."]}}" maxMessageSize="64k")
            {{inputs}}
            template(name="json" type="list") { constant(value="{") {{template}} constant(value="\"end\":1}\n") }
            action(type="omfile" file="{{folder["out.json"]}}" template="json")
            """;
        File.WriteAllText(folder["rsyslog.conf"], configuration);
        return Start(RsyslogLine(folder["rsyslog.conf"], folder["rsyslog.pid"]), folder);
    }

    /// <summary>A line of shell that becomes rsyslog.</summary>
    public static string RsyslogLine(string configuration, string pidFile)
    {
        var root = RsyslogRoot();
        return $"exec env LD_LIBRARY_PATH={Libraries(root)} {root}/usr/sbin/rsyslogd -n -f {configuration} -i {pidFile} -M {string.Join(':', Architectures.Select(a => $"{root}/usr/lib/{a}/rsyslog"))}";
    }

    /// <summary>True when rsyslog has a module.</summary>
    public static bool HasRsyslogModule(string name)
    {
        var root = RsyslogRoot();
        return Array.Exists(Architectures, a => File.Exists($"{root}/usr/lib/{a}/rsyslog/{name}.so"));
    }

    /// <summary>A line of shell that becomes syslog-ng, with its own files in a folder.</summary>
    public static string SyslogNgLine(string configuration, TemporaryFolder folder)
    {
        var root = Unpacked("usr/sbin/syslog-ng", "syslog-ng-core libivykis0 libnet1");
        return $"exec env LD_LIBRARY_PATH={root}/usr/lib/syslog-ng:{Libraries(root)} {root}/usr/sbin/syslog-ng -F --no-caps -f {configuration} -R {folder["persist"]} -p {folder["pid"]} -c {folder["ctl"]} --module-path {root}/usr/lib/syslog-ng/3.38";
    }

    /// <summary>Starts syslog-ng; skips the test when it cannot be had.</summary>
    public static SyslogDaemon SyslogNg(TemporaryFolder folder, string sources)
    {
        var configuration = $$"""
            @version: 3.38
            options { keep-hostname(yes); use-dns(no); log-msg-size(65536); };
            source s { {{sources}} };
            destination d { file("{{folder["out.json"]}}" template("$(format-json --scope none pri=$PRI time=$ISODATE host=$HOST app=$PROGRAM procid=$PID msgid=$MSGID sd=$SDATA msg=$MSG)\n") frac-digits(6) time-zone("UTC")); };
            log { source(s); destination(d); };
            """;
        File.WriteAllText(folder["syslog-ng.conf"], configuration);
        return Start(SyslogNgLine(folder["syslog-ng.conf"], folder), folder);
    }

    /// <summary>Waits until something listens on a TCP port.</summary>
    public async Task Listening(int port)
    {
        for (var tries = 0; tries < 800 && !_process.HasExited; tries++)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
        }

        Assert.Fail("the receiver did not start: " + (_process.HasExited ? _process.StandardError.ReadToEnd() : "not listening"));
    }

    /// <summary>Waits for messages; gives what came within some seconds, one object per message.</summary>
    public async Task<List<JsonElement>> Received(int count)
    {
        string[] lines = [];
        for (var tries = 0; tries < 200 && lines.Length < count; tries++)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
            lines = File.Exists(_file) ? [.. File.ReadAllText(_file).Split('\n')[..^1]] : [];
        }

        return [.. lines.Select(l => JsonElement.Parse(l))];
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static SyslogDaemon Start(string line, TemporaryFolder folder)
    {
        var start = new ProcessStartInfo("bash", ["-c", line]) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        return new SyslogDaemon(Process.Start(start)!, folder["out.json"]);
    }

    private static string RsyslogRoot() => Unpacked("usr/sbin/rsyslogd", "rsyslog rsyslog-openssl rsyslog-gnutls libestr0 libfastjson4 liblognorm5");

    private static string Libraries(string root) => string.Join(':', Architectures.Select(a => $"{root}/usr/lib/{a}"));

    /// <summary>Where a daemon is: on this machine, or in a folder that its packages are unpacked into, because the two cannot be installed beside each other.</summary>
    private static string Unpacked(string program, string packages)
    {
        if (File.Exists("/" + program))
            return "";
        var folder = Repository.PathOf("artifacts", "test-tools", Path.GetFileName(program));
        if (!File.Exists(Path.Combine(folder, program)))
        {
            Directory.CreateDirectory(folder);
            var run = ProgramRun.Shell($"cd '{folder}' && apt-get download {packages} && for p in *.deb; do dpkg -x \"$p\" . || exit 1; done");
            Assert.SkipUnless(run.Status == 0, $"{Path.GetFileName(program)} is not installed and cannot be had with apt-get download");
        }

        return folder;
    }
}
