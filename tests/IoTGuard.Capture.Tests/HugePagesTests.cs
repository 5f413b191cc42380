using System.Globalization;

namespace IoTGuard.Capture.Tests;

public sealed class HugePagesTests
{
    private const int Bytes = 64 << 20;

    [Fact]
    public void Memory_of_the_collector_comes_to_lie_on_huge_pages()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.OSVersion.Version >= new Version(6, 1), "needs Linux 6.1");
        const string Setting = "/sys/kernel/mm/transparent_hugepage/enabled";
        Assert.SkipWhen(!File.Exists(Setting) || File.ReadAllText(Setting).Contains("[never]", StringComparison.Ordinal), "huge pages are switched off");

        var before = KilobytesOnHugePages();
        var table = new byte[Bytes];
        for (var i = 0; i < table.Length; i += 4096)
            table[i] = 1;
        using (HugePages.Keep())
            Assert.True(SpinWait.SpinUntil(() => KilobytesOnHugePages() - before > Bytes / 2 / 1024, TimeSpan.FromSeconds(30)));
        GC.KeepAlive(table);
    }

    [Fact]
    public void Ends_at_once_when_it_is_disposed_of()
    {
        var pages = HugePages.Keep();
        pages.Dispose();
    }

    private static long KilobytesOnHugePages()
    {
        Thread.Sleep(20);
        var line = File.ReadLines("/proc/self/smaps_rollup").First(static l => l.StartsWith("AnonHugePages:", StringComparison.Ordinal));
        return long.Parse(line.AsSpan("AnonHugePages:".Length).Trim().TrimEnd("kB").Trim(), CultureInfo.InvariantCulture);
    }
}
