using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using IoTGuard.TestSupport;
using IoTGuard.Tests.Live;

namespace IoTGuard.Tests.Packaging;

/// <summary>The package that ./package made, installed, run and removed in a copy-on-write view of this machine that has no .NET.</summary>
public sealed class PackageTests
{
    private const long MaximumProgramBytes = 60_000_000;
    private const int MaximumIdleKilobytes = 150_000;
    private static readonly string[] Logs = ["dpkg.log", "sensor.log", "unit.log"];

    [Fact]
    public void Installs_runs_as_the_normal_build_does_and_goes_without_a_trace()
    {
        var package = Package();
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "a view of the machine needs Linux and root");
        foreach (var tool in new[] { "dpkg", "unshare", "tcpreplay", "setpriv", "ip", "ss" })
            Assert.SkipUnless(ProgramRun.Shell($"command -v {tool}").Status == 0, $"{tool} is not installed");
        Assert.SkipUnless(ProgramRun.Shell("unshare --net --mount --pid --fork bash -c 'd=$(mktemp -d); mount -t tmpfs t $d && mkdir $d/u $d/w $d/r && mount -t overlay o -o lowerdir=/,upperdir=$d/u,workdir=$d/w $d/r'").Status == 0,
            "the kernel gives no overlay over the root");

        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["results"]);
        var run = ProgramRun.Start(Repository.PathOf("tests", "package", "install-run-remove"), [package, folder["results"]], null, Repository.Root);
        var log = string.Join('\n', Logs.Select(n => Path.Combine(folder["results"], n)).Where(File.Exists).Select(File.ReadAllText));
        Assert.True(run.Status == 0, run.Output + run.Error + log);
        var facts = File.ReadLines(Path.Combine(folder["results"], "facts")).Select(static l => l.Split(": ", 2)).ToLookup(static f => f[0], static f => f[1].Trim());

        Assert.Equal("iotguard:iotguard", facts["user"].Single());
        Assert.Equal(
            [
                "/etc/iotguard 750 root:iotguard", "/etc/iotguard/iotguard.yaml 640 root:iotguard", "/var/lib/iotguard 750 iotguard:iotguard",
                "/var/log/iotguard 750 iotguard:iotguard", "/usr/lib/iotguard/iotguard 755 root:root", "alerts 640 iotguard:iotguard",
            ], facts["mode"]);
        Assert.InRange(long.Parse(facts["size"].Single(), CultureInfo.InvariantCulture), 1, MaximumProgramBytes);
        Assert.InRange(int.Parse(facts["resident_kilobytes"].Single(), CultureInfo.InvariantCulture), 1, MaximumIdleKilobytes);
        Assert.Equal("0000000000000000", facts["capabilities"].Single());
        Assert.Equal("tcp/127.0.0.1:9467", facts["listening"].Single());
        Assert.Equal("0", facts["sensor_status"].Single());
        Assert.Equal("", facts["left_after_remove"].Single());
        Assert.Equal("", facts["left_after_purge"].Single());
        if (facts["exposure"].FirstOrDefault() is { } exposure)
            Assert.InRange(double.Parse(exposure, CultureInfo.InvariantCulture), 0, 2.5);
        foreach (var silent in new[] { "man.warnings", "unit.log" })
            Assert.True(!File.Exists(Path.Combine(folder["results"], silent)) || File.ReadAllText(Path.Combine(folder["results"], silent)).Length == 0, log);
        Assert.Equal("check show example", File.ReadAllText(Path.Combine(folder["results"], "completion")).Trim());
        Assert.Contains("kernel drops 0", log, StringComparison.Ordinal);
        AssertSensorsAgree(folder);

        // Trimming took nothing away: the same bytes as the normal build writes.
        var normal = ProgramRun.Of("analyze", Repository.PathOf("captures", "hospital-attacks.pcapng"), "--alerts", folder["alerts"], "--flows", folder["flows"], "--transactions", folder["transactions"]);
        Assert.True(normal.Status == 0, normal.Error);
        foreach (var name in new[] { "alerts", "flows", "transactions" })
            Assert.True(File.ReadAllBytes(folder[name]).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(folder["results"], "analyze." + name))), $"{name} differ");
        Assert.Equal(
            ProgramRun.Of("evaluate", "--alerts", folder["alerts"], "--labels", Repository.PathOf("captures", "hospital-attacks.labels.jsonl")).Output,
            File.ReadAllText(Path.Combine(folder["results"], "evaluate.out")));
        Assert.Equal(0, ProgramRun.Of("learn", Repository.PathOf("captures", "hospital-benign.pcapng"), "--site", folder["site"]).Status);
        Assert.Equal(Learned(folder["site"]), Learned(Path.Combine(folder["results"], "site")));

        // Without what each run has of its own: the key, the alerts told so far, and devices, whose rhythm counts looks of the run's threads.
        static SortedDictionary<string, string> Learned(string site) => new(
            Directory.EnumerateFiles(site, "*", SearchOption.AllDirectories).Where(static f => !(Path.GetFileName(f) is "devices.jsonl" || Path.GetFileName(f).StartsWith("state.db", StringComparison.Ordinal) || f.EndsWith(".key", StringComparison.Ordinal)))
                .ToDictionary(f => Path.GetRelativePath(site, f), static f => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f)))), StringComparer.Ordinal);
    }

    /// <summary>
    /// The packaged sensor and the normal one, given the same packets at the same speed: the same protocol events and findings. Their bytes differ by the times at
    /// which packets came, and so by what is measured over time.
    /// </summary>
    private static void AssertSensorsAgree(TemporaryFolder folder)
    {
        var run = LiveNetwork.Run($"""
            {LiveNetwork.Pair}
            {LiveNetwork.Program} sensor --interface mon --workers 2 --alerts {folder["normal.alerts"]} --transactions {folder["normal.transactions"]} > {folder["out"]} 2> {folder["log"]} &
            sensor=$!
            wait_for capturing {folder["log"]}
            sleep 1
            tcpreplay -q --preload-pcap -x 100 -i gen {Repository.PathOf("captures", "hospital-attacks.pcapng")} > /dev/null 2>&1
            sleep 1
            kill -TERM $sensor && wait $sensor
            """);
        Assert.True(run.Status == 0, run.Error + File.ReadAllText(folder["log"]));
        var packaged = Path.Combine(folder["results"], "sensor");
        Assert.Equal(Events(folder["normal.transactions"]), Events(packaged + ".transactions"));
        Assert.Equal(Events(Path.Combine(folder["results"], "analyze.transactions")), Events(packaged + ".transactions"));
        Assert.Equal(Findings(folder["normal.alerts"]), Findings(packaged + ".alerts"));

        static SortedDictionary<string, int> Events(string path) => Counted(path, static e => e.GetProperty("event").GetString() == "fault" ? null : $"{e.GetProperty("protocol")} {e.GetProperty("event")}");

        // Of several victims of one scan, which one opens the alert depends on whose packet came first.
        static SortedDictionary<string, int> Findings(string path) => Counted(path, static e => e.GetProperty("phase").GetString() != "closed" ? null : $"{e.GetProperty("rule")} {e.GetProperty("device").GetProperty("ip")}");

        static SortedDictionary<string, int> Counted(string path, Func<JsonElement, string?> key) => new(
            File.ReadLines(path).Select(l => key(JsonElement.Parse(l))).OfType<string>().GroupBy(static k => k, StringComparer.Ordinal).ToDictionary(static g => g.Key, static g => g.Count(), StringComparer.Ordinal),
            StringComparer.Ordinal);
    }

    [Fact]
    public void In_a_container_it_analyses_the_same_and_the_sensor_keeps_no_capability()
    {
        var package = Package();
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "a container needs Linux and root");
        foreach (var tool in new[] { "buildah", "podman", "tcpreplay", "curl", "unshare" })
            Assert.SkipUnless(ProgramRun.Shell($"command -v {tool}").Status == 0, $"{tool} is not installed");
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["results"]);
        var run = ProgramRun.Start(Repository.PathOf("tests", "package", "run-in-container"), [package, folder["results"]], null, Repository.Root);
        Assert.SkipUnless(run.Status != 3, "no base image can be had here");
        Assert.True(run.Status == 0, run.Error);
        var facts = File.ReadLines(Path.Combine(folder["results"], "facts")).Select(static l => l.Split(": ", 2)).ToDictionary(static f => f[0], static f => f[1].Trim(), StringComparer.Ordinal);
        Assert.Equal(("other", "0000000000000000", "0"), (facts["user"], facts["capabilities"], facts["stopped"]));
        Assert.Equal("\"status\": \"ok\" \"kernel_drops\": 0 \"faults\": 0", facts["health"]);
        var counts = facts["alerts"].Split(' ');
        Assert.True(counts[0] == counts[2] && int.Parse(counts[0], CultureInfo.InvariantCulture) > 5, facts["alerts"]);
        Assert.Equal(0, ProgramRun.Of("analyze", Repository.PathOf("captures", "hospital-attacks.pcapng"), "--alerts", folder["alerts"], "--flows", folder["flows"], "--transactions", folder["transactions"]).Status);
        foreach (var name in new[] { "alerts", "flows", "transactions" })
            Assert.True(File.ReadAllBytes(folder[name]).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(folder["results"], "analyze." + name))), $"{name} differ");
    }

    [Fact]
    public void Under_systemd_the_unit_starts_reloads_survives_a_kill_and_a_hang_and_ends_cleanly()
    {
        var package = Package();
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "a container needs Linux and root");
        foreach (var tool in new[] { "systemd-nspawn", "tcpreplay", "curl", "nsenter", "dpkg" })
            Assert.SkipUnless(ProgramRun.Shell($"command -v {tool}").Status == 0, $"{tool} is not installed");
        Assert.SkipUnless(File.Exists("/usr/lib/systemd/systemd"), "systemd is not installed");
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["results"]);
        var run = ProgramRun.Start(Repository.PathOf("tests", "package", "run-under-systemd"), [package, folder["results"]], null, Repository.Root);
        Assert.SkipUnless(run.Status != 3, "systemd does not boot in a container here");
        Assert.True(run.Status == 0, run.Error);
        var facts = File.ReadLines(Path.Combine(folder["results"], "facts")).Select(static l => l.Split(": ", 2)).ToDictionary(static f => f[0], static f => f[1].Trim(), StringComparer.Ordinal);
        Assert.Equal("active running", facts["started"]);
        Assert.Equal("iotguard:iotguard", facts["user"]);
        Assert.Equal(("2", "1", "0000000000000000", "read-only"), (facts["seccomp"], facts["no_new_privileges"], facts["capabilities"], facts["system"]));
        Assert.Contains("\"kernel_drops\": 0", facts["health"], StringComparison.Ordinal);
        Assert.StartsWith("640 iotguard:iotguard", facts["alerts"], StringComparison.Ordinal);
        Assert.Equal("active same process", facts["reloaded"]);
        Assert.Equal("active, restarts 1", facts["after_kill"]);
        Assert.Equal("active, restarts 2, 1 watchdog", facts["after_hang"]);
        Assert.Equal("success 0", facts["stopped"]);
        Assert.Equal("", facts["left_after_purge"]);
    }

    private static string Package()
    {
        var folder = Repository.PathOf("artifacts", "package");
        var packages = Directory.Exists(folder) ? Directory.GetFiles(folder, "iotguard_*.deb") : [];
        Assert.SkipUnless(packages.Length == 1, "there is no package; ./package builds it");
        return packages[0];
    }

    [Fact]
    public void The_bill_of_materials_lists_what_the_program_is_linked_with()
    {
        var bill = Repository.PathOf("artifacts", "package", "work", "publish", "sbom.cdx.json");
        Assert.SkipUnless(File.Exists(bill), "there is no package; ./package builds it");
        using var json = JsonDocument.Parse(File.ReadAllText(bill));
        var components = json.RootElement.GetProperty("components").EnumerateArray().ToList();
        var names = components.ConvertAll(static c => c.GetProperty("name").GetString());
        foreach (var expected in new[] { "YamlDotNet", "System.CommandLine", "Microsoft.Data.Sqlite.Core", "Google.Protobuf", "Microsoft.NETCore.App.Runtime.linux-x64" })
            Assert.Contains(expected, names);
        Assert.All(components, static c =>
        {
            Assert.NotEqual("", c.GetProperty("version").GetString());
            Assert.Equal(1, c.GetProperty("licenses").GetArrayLength());
        });
    }
}
