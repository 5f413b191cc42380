using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using IoTGuard.Capture.Tests.Files;
using Microsoft.Win32.SafeHandles;

namespace IoTGuard.Capture.Tests.Live;

/// <summary>
/// A network namespace of its own with a cable from <c>gen</c>, where traffic is replayed, to <c>mon</c>, where we listen.
/// Nothing in it speaks by itself: IPv6 is off and no address is set. It is gone with the object.
/// </summary>
internal sealed class TestNetwork : IDisposable
{
    private const int CloneNewNet = 0x40000000;

    private static int s_count;

    private readonly string _name = $"iotg{Environment.ProcessId}n{Interlocked.Increment(ref s_count)}";

    private TestNetwork()
    {
    }

    /// <summary>Makes the network, or skips the test with the reason why it cannot be made.</summary>
    public static TestNetwork CreateOrSkip()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "live capture needs Linux");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "a network namespace needs root");
        Assert.SkipUnless(Tool.Exists("ip"), "ip is not installed (Debian: iproute2)");
        Assert.SkipUnless(Tool.Exists("tcpreplay"), "tcpreplay is not installed (Debian: tcpreplay)");
        var network = new TestNetwork();
        try
        {
            Assert.SkipUnless(Ip("netns", "add", network._name) == 0, "the kernel gives no network namespace");
            network.Execute("sh", "-c", "for f in all default; do echo 1 > /proc/sys/net/ipv6/conf/$f/disable_ipv6; done 2>/dev/null; true");
            Assert.SkipUnless(network.IpInside("link", "add", "mon", "type", "veth", "peer", "name", "gen") == 0, "the kernel gives no veth pair");
            Assert.Equal(0, network.IpInside("link", "set", "mon", "up"));
            Assert.Equal(0, network.IpInside("link", "set", "gen", "up"));
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Opens rings inside; sockets stay in the namespace in which they were opened.</summary>
    public IReadOnlyList<PacketRing> Open(PacketRingOptions options, int rings = 1) => Inside(() => PacketRing.OpenGroup(options, rings));

    public PacketRing OpenOne(string @interface = "mon") => Open(new PacketRingOptions(@interface))[0];

    /// <summary>Runs on a thread that is inside the namespace, and ends with it.</summary>
    public T Inside<T>(Func<T> action)
    {
        T? result = default;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var file = File.OpenHandle($"/var/run/netns/{_name}");
                Assert.Equal(0, SetNamespace(file, CloneNewNet));
                result = action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result! : throw failure;
    }

    /// <summary>Sends the frames of a capture into the cable and waits until they are sent.</summary>
    public void Replay(byte[] capture, params string[] options)
    {
        using var file = new TemporaryFile(capture);
        ReplayFile(file.Path, options);
    }

    /// <summary>On one processor, or frames would overtake each other in the kernel's queues.</summary>
    public void ReplayFile(string path, params string[] options) =>
        Execute("taskset", ["-c", FirstProcessor(), "tcpreplay", "-q", "-i", "gen", "--preload-pcap", .. options, path]);

    public int IpInside(params string[] arguments) => Ip(["-n", _name, .. arguments]);

    /// <summary>Packets sent by an interface, as the kernel counts them.</summary>
    public long SentBy(string @interface) => SendingCounter(@interface, "packets");

    /// <summary>Packets that got lost in the kernel's queue for the cable, before any socket.</summary>
    public long LostOnCable() => SendingCounter("gen", "dropped");

    private long SendingCounter(string @interface, string counter)
    {
        using var json = JsonDocument.Parse(Tool.Run("ip", "-n", _name, "-s", "-j", "link", "show", @interface));
        return json.RootElement[0].GetProperty("stats64").GetProperty("tx").GetProperty(counter).GetInt64();
    }

    private static string FirstProcessor() =>
        File.ReadLines("/proc/self/status").Single(static l => l.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split('\t', ',', '-')[1];

    /// <summary>Starts a program inside.</summary>
    public Process Start(string program, params string[] arguments) =>
        Process.Start(new ProcessStartInfo("ip", ["netns", "exec", _name, program, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    public void Execute(string program, params string[] arguments)
    {
        using var process = Start(program, arguments);
        process.OutputDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program}: {error}");
    }

    public void Dispose() => Ip("netns", "del", _name);

    private static int Ip(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetNamespace(SafeFileHandle file, int type);
}
