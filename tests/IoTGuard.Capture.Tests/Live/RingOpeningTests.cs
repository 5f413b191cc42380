using System.Runtime.InteropServices;
using IoTGuard.Capture.Tests.Files;
using IoTGuard.Wire;
using static IoTGuard.Capture.Tests.Live.PacketRingTests;

namespace IoTGuard.Capture.Tests.Live;

/// <summary>Filters, and what is said when a ring cannot be opened.</summary>
[Collection(Alone.Name)]
public sealed class RingOpeningTests
{
    [Theory]
    // The kernel has taken the outer tag away before it filters: what is tagged matches like what is not.
    [InlineData("tcp port 104", 2)]
    [InlineData("vlan 100", 2)]
    [InlineData("not vlan", 2)]
    [InlineData("ether proto 0x88b5", 2)]
    [InlineData("host 10.0.0.7", 1)]
    [InlineData("", 4)]
    public void FilterOfTcpdumpSelectsFrames(string filter, int count)
    {
        using var network = TestNetwork.CreateOrSkip();
        SkipWithoutLibpcap();
        using var ring = network.Open(new("mon") { Filter = filter })[0];
        network.Replay(Recording(Tcp(7, toServer: true), Ethernet(80, 1), Tag(Ethernet(80, 2), 0x8100, 100), Tag(Tcp(8, toServer: true), 0x8100, 100)));
        Assert.Equal(count, Drain(ring).Count);
    }

    [Fact]
    public void FilterThatIsNotUnderstoodIsExplained()
    {
        using var network = TestNetwork.CreateOrSkip();
        SkipWithoutLibpcap();
        var refusal = Assert.Throws<CaptureException>(() => network.Open(new("mon") { Filter = "tcp prt 104" }));
        Assert.Contains("\"tcp prt 104\" is not understood (", refusal.Message);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Theory]
    [InlineData("nosuch0")]
    [InlineData("")]
    [InlineData("a-name-longer-than-any-interface")]
    public void InterfaceThatDoesNotExistIsSaid(string name)
    {
        using var network = TestNetwork.CreateOrSkip();
        Assert.Contains("no such interface", Assert.Throws<CaptureException>(() => network.OpenOne(name)).Message);
    }

    [Theory]
    [InlineData(1000, 64)]
    [InlineData(3 << 20, 64)]
    [InlineData(64 << 20, 64)]
    [InlineData(1 << 20, 1)]
    public void RingThatIsNotPossibleIsRefused(int blockBytes, int blockCount)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "live capture needs Linux");
        var options = new PacketRingOptions("lo") { BlockBytes = blockBytes, BlockCount = blockCount };
        Assert.Contains("not possible", Assert.Throws<CaptureException>(() => PacketRing.Open(options)).Message);
    }

    [Fact]
    public void RingThatWouldTakeTheMemoryOfTheMachineIsRefused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "live capture needs Linux");
        var refusal = Assert.Throws<CaptureException>(static () => PacketRing.OpenGroup(new("lo") { BlockBytes = 16 << 20, BlockCount = 65_536 }, 2));
        Assert.Contains("more than half of the memory", refusal.Message);
    }

    [Fact]
    public void GroupOnAnInterfaceThatIsDownWorksOrSaysWhatToDo()
    {
        using var network = TestNetwork.CreateOrSkip();
        Assert.Equal(0, network.IpInside("link", "set", "mon", "down"));
        try
        {
            foreach (var ring in network.Open(new("mon"), rings: 2))
                ring.Dispose();
        }
        catch (CaptureException refusal)
        {
            Assert.Contains("link set mon up", refusal.Remedy);
        }
    }

    [Fact]
    public void RawIpInterfacesAreRead()
    {
        using var network = TestNetwork.CreateOrSkip();
        Assert.SkipUnless(network.IpInside("tuntap", "add", "tun0", "mode", "tun") == 0, "the kernel gives no tun interface");
        Assert.Equal(0, network.IpInside("addr", "add", "10.9.0.1/24", "dev", "tun0"));
        Assert.Equal(0, network.IpInside("link", "set", "tun0", "up"));
        using var ring = network.OpenOne("tun0");
        Assert.True(ring.Read(new FrameBatch()));
    }

    [Fact]
    public void WithoutPermissionTheRemedyIsSaid()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "live capture needs Linux");
        var said = TestTool.Run(privileged: false, "open", "lo");
        Assert.Contains("may not listen", said);
        Assert.Contains("setcap cap_net_raw", said);
    }

    [Fact]
    public void WithoutLibpcapTheRemedyIsSaid()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "listening needs root");
        Assert.Contains("needs libpcap, which is not installed; install it", TestTool.Run(privileged: true, "filter-without-libpcap", "lo"));
    }

    [Fact]
    public void PrivilegesAreGoneInAllThreads()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "giving up root needs root");
        Assert.Equal("gone", TestTool.Run(privileged: true, "drop", "nobody"));
        Assert.Contains("no such user", TestTool.Run(privileged: true, "drop", "no-such-user-here"));
        Assert.Contains("is root itself", TestTool.Run(privileged: true, "drop", "root"));
        Assert.Contains("start as root", TestTool.Run(privileged: false, "drop", "daemon"));
    }

    private static void SkipWithoutLibpcap() =>
        Assert.SkipUnless(
            NativeLibrary.TryLoad("libpcap.so.1", out _) || NativeLibrary.TryLoad("libpcap.so.0.8", out _), "libpcap is not installed (Debian: libpcap0.8)");
}
