using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Syslog;

/// <summary>A real syslog receiver, started for one test with its own configuration and folder on loopback ports.</summary>
internal sealed class SyslogDaemon : IDisposable
{
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

    /// <summary>Starts rsyslog; skips the test when it is not installed.</summary>
    public static SyslogDaemon Rsyslog(TemporaryFolder folder, string inputs)
    {
        const string Program = "/usr/sbin/rsyslogd";
        Assert.SkipUnless(File.Exists(Program), "rsyslogd is not installed (Debian package rsyslog)");
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
        return Start(Program, ["-n", "-f", folder["rsyslog.conf"], "-i", folder["rsyslog.pid"]], folder, libraries: null);
    }

    /// <summary>Starts syslog-ng, which cannot be installed beside rsyslog: its packages are unpacked where they are needed. Skips the test when that fails.</summary>
    public static SyslogDaemon SyslogNg(TemporaryFolder folder, string sources)
    {
        var root = SyslogNgRoot();
        var configuration = $$"""
            @version: 3.38
            options { keep-hostname(yes); use-dns(no); log-msg-size(65536); };
            source s { {{sources}} };
            destination d { file("{{folder["out.json"]}}" template("$(format-json --scope none pri=$PRI time=$ISODATE host=$HOST app=$PROGRAM procid=$PID msgid=$MSGID sd=$SDATA msg=$MSG)\n") frac-digits(6) time-zone("UTC")); };
            log { source(s); destination(d); };
            """;
        File.WriteAllText(folder["syslog-ng.conf"], configuration);
        string[] arguments =
        [
            "-F", "--no-caps", "-f", folder["syslog-ng.conf"], "-R", folder["persist"], "-p", folder["pid"], "-c", folder["ctl"],
            "--module-path", Path.Combine(root, "usr/lib/syslog-ng/3.38"),
        ];
        var libraries = $"{Path.Combine(root, "usr/lib/syslog-ng")}:{Path.Combine(root, "usr/lib/x86_64-linux-gnu")}:{Path.Combine(root, "usr/lib/aarch64-linux-gnu")}";
        return Start(Path.Combine(root, "usr/sbin/syslog-ng"), arguments, folder, libraries);
    }

    /// <summary>Waits until something listens on a TCP port.</summary>
    public async Task Listening(int port)
    {
        for (var tries = 0; tries < 200 && !_process.HasExited; tries++)
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

    private static SyslogDaemon Start(string program, string[] arguments, TemporaryFolder folder, string? libraries)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        if (libraries is not null)
            start.Environment["LD_LIBRARY_PATH"] = libraries;
        return new SyslogDaemon(Process.Start(start)!, folder["out.json"]);
    }

    private static string SyslogNgRoot()
    {
        if (File.Exists("/usr/sbin/syslog-ng"))
            return "/";
        var folder = Repository.PathOf("artifacts", "test-tools", "syslog-ng");
        if (!File.Exists(Path.Combine(folder, "usr/sbin/syslog-ng")))
        {
            Directory.CreateDirectory(folder);
            var run = ProgramRun.Shell($"cd '{folder}' && apt-get download syslog-ng-core libivykis0 libnet1 && for p in *.deb; do dpkg -x \"$p\" . || exit 1; done");
            Assert.SkipUnless(run.Status == 0, "syslog-ng cannot be had with apt-get download");
        }

        return folder;
    }
}
