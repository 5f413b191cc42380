using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Live;

/// <summary>A network namespace for tests of the live sensor, with a pair of interfaces: what is played into <c>gen</c> is seen on <c>mon</c>.</summary>
internal static class LiveNetwork
{
    /// <summary>The program as the tests start it. SIGHUP reloads the sensor, and a check that was started by nohup would hand on that it is ignored.</summary>
    public static string Program => "env --default-signal=HUP dotnet " + Repository.PathOf("artifacts", "bin", "IoTGuard", "release", "iotguard.dll");

    public static void SkipUnlessPossible()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "a network namespace needs Linux and root");
        foreach (var tool in new[] { "ip", "tcpreplay", "unshare" })
            Assert.SkipUnless(ProgramRun.Shell($"command -v {tool}").Status == 0, $"{tool} is not installed");
        Assert.SkipUnless(ProgramRun.Shell("unshare --net true").Status == 0, "the kernel gives no network namespace");
    }

    /// <summary>Runs lines of shell in a network namespace of their own, which goes with them. Nothing in it speaks by itself.</summary>
    public static ProgramRun Run(string lines) =>
        ProgramRun.Start(
            "unshare",
            ["--net", "--mount", "bash", "-c", """
                mount -t sysfs sysfs /sys
                sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
                ip link set lo up
                wait_for() { for _ in $(seq 300); do grep -qE "$1" "$2" 2>/dev/null && return; sleep 0.1; done; echo "no '$1' in $2" >&2; return 1; }

                """ + lines],
            null,
            Repository.Root);

    /// <summary>Lines that make the pair of interfaces.</summary>
    public const string Pair = "ip link add mon type veth peer name gen && ip link set mon mtu 65535 up && ip link set gen mtu 65535 up";
}
