using System.Reflection;
using System.Runtime.InteropServices;
using IoTGuard.Capture.Tests.Files;
using IoTGuard.Wire;
using static IoTGuard.Capture.Tests.Live.PacketRingTests;

namespace IoTGuard.Capture.Tests.Live;

/// <summary>It listens and never sends.</summary>
[Collection(Alone.Name)]
public sealed class SilenceTests
{
    /// <summary>Every native function that the capture room may call. None of them can send a frame.</summary>
    private static readonly string[] Allowed =
    [
        "adjtimex", "bind", "execve", "fcntl", "geteuid", "getpwnam", "getsockopt", "ioctl", "madvise", "mmap", "munmap", "poll", "prctl", "setgroups", "setresgid", "setresuid", "setsockopt", "socket", "umask",
        "pcap_close", "pcap_compile", "pcap_freecode", "pcap_geterr", "pcap_open_dead", "pcap_open_live", "pcap_stats",
    ];

    [Fact]
    public void NoNativeFunctionThatCouldSendIsImported()
    {
        const BindingFlags all = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        var imported = typeof(PacketRing).Assembly.GetTypes()
            .SelectMany(static type => type.GetMethods(all))
            .Select(static method => (method, import: method.GetCustomAttribute<DllImportAttribute>()))
            // The source generator nests the true imports in local functions.
            .Where(static m => m.import is not null)
            .Select(static m => m.import!.EntryPoint ?? m.method.Name)
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        Assert.Equal(Allowed.Order(StringComparer.Ordinal), imported);
    }

    [Fact]
    public void NoManagedSocketIsReferenced() =>
        Assert.DoesNotContain(typeof(PacketRing).Assembly.GetReferencedAssemblies(), static a => a.Name!.StartsWith("System.Net", StringComparison.Ordinal));

    [Fact]
    public async Task NothingIsSentWhileListening()
    {
        using var network = TestNetwork.CreateOrSkip();
        Assert.SkipUnless(Tool.Exists("tcpdump"), "tcpdump is not installed");
        var before = network.SentBy("mon");
        using var witness = network.Start("tcpdump", "-i", "gen", "-Q", "in", "-w", "-", "-U", "--immediate-mode");
        // It says on which interface it listens once it does.
        string? line;
        do
            line = await witness.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
        while (line is not null && !line.Contains("listening", StringComparison.Ordinal));

        var rings = network.Open(new("mon"), rings: 3);
        network.Replay(Recording([.. Enumerable.Range(0, 500).Select(static i => Tcp(i, toServer: i % 2 == 0))]));
        Assert.Equal(500, rings.Sum(static ring => Drain(ring).Count));
        foreach (var ring in rings)
            ring.Dispose();
        Assert.Equal(0, network.IpInside("link", "set", "mon", "down"));
        Assert.Equal(0, network.IpInside("link", "set", "mon", "up"));
        using (network.OpenOne())
            await Task.Delay(200, TestContext.Current.CancellationToken);

        Assert.Equal(0, before);
        Assert.Equal(0, network.SentBy("mon"));
        Assert.Equal(500, network.SentBy("gen"));
        using (var stop = System.Diagnostics.Process.Start("sh", ["-c", $"kill -INT {witness.Id}"]))
            await stop.WaitForExitAsync(TestContext.Current.CancellationToken);
        using var seen = CaptureFile.Open(witness.StandardOutput.BaseStream, "witness");
        Assert.Empty(Frames.All(seen));
        Assert.Empty(seen.Problems);
    }
}
