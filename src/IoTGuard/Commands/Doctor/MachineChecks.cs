using System.Runtime.InteropServices;
using IoTGuard.Capture;
using IoTGuard.Outputs;
using IoTGuard.Settings;
using IoTGuard.Sites;

namespace IoTGuard.Commands.Doctor;

/// <summary>What the machine has: system, privileges, memory, clock, disk, the program's own parts.</summary>
internal static class MachineChecks
{
    /// <summary>Kernel from which on all is there that capture uses.</summary>
    private static readonly Version LeastKernel = new(4, 20);

    /// <summary>Memory that the sensor takes beside its rings, bytes.</summary>
    private const long OwnBytes = 512L << 20;

    /// <summary>Free space below which a warning is due, and below which the disk counts as full, bytes.</summary>
    private const long LeastFreeBytes = 1L << 30, FullBytes = 16L << 20;

    public static IEnumerable<Finding> Of(SensorSettings settings)
    {
        yield return Finding.Ok("program", $"{ProgramVersion.Text} on {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}");
        yield return Kernel();
        yield return Finding.Ok("processors", $"{Environment.ProcessorCount}, so {Environment.ProcessorCount} workers by default");
        yield return Rights();
        yield return Memory(settings);
        yield return Clock();
        foreach (var (folder, purpose) in Folders(settings))
            yield return Disk(folder, purpose);
        yield return Model();
        yield return Filters(settings);
        yield return NamedPackages.ArePresent ? Finding.Ok("named packages", NamedPackages.Description) : Finding.Note("named packages", NamedPackages.Description);
    }

    private static Finding Kernel()
    {
        if (!OperatingSystem.IsLinux())
            return Finding.Fault("kernel", "live capture through rings needs Linux", "run the sensor on Linux; captures can be analysed here");
        return Environment.OSVersion.Version is var version && version >= LeastKernel
            ? Finding.Ok("kernel", $"Linux {version.ToString(3)} has all that capture uses")
            : Finding.Fault("kernel", $"Linux {version.ToString(3)} is older than {LeastKernel}", "install a newer kernel");
    }

    private static Finding Rights() => Environment.IsPrivilegedProcess || Privileges.HasCapabilities
        ? Finding.Ok("privileges", Environment.IsPrivilegedProcess ? "root; the sensor gives that up once its rings are open when it is given a user" : "capabilities of this user; the sensor gives them up once its rings are open")
        : Finding.Fault("privileges", "this user may not listen on interfaces", "run as root, use the service of the package, or once: sudo setcap cap_net_raw,cap_net_admin=eip PROGRAM");

    private static Finding Memory(SensorSettings settings)
    {
        var workers = settings.Workers > 0 ? settings.Workers : Environment.ProcessorCount;
        var rings = (long)workers * settings.RingMegabytes << 20;
        var free = Available();
        var text = $"{workers} ring{(workers == 1 ? "" : "s")} of {settings.RingMegabytes} MB and some {RunSummary.Bytes(OwnBytes)} of the sensor's own; {RunSummary.Bytes(free)} are available";
        return rings + OwnBytes < free ? Finding.Ok("memory", text) : Finding.Fault("memory", text, "give fewer workers, a smaller ring_megabytes, or the machine more memory");
    }

    private static long Available()
    {
        if (OperatingSystem.IsLinux())
        {
            foreach (var line in File.ReadLines("/proc/meminfo"))
            {
                if (line.StartsWith("MemAvailable:", StringComparison.Ordinal) && long.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], out var kilobytes))
                    return Math.Min(kilobytes << 10, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
            }
        }

        return GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
    }

    private static Finding Clock() => SystemClock.IsSynchronised switch
    {
        true => Finding.Ok("clock", $"synchronised; now {DateTime.UtcNow:yyyy-MM-dd HH:mm:ss} UTC"),
        false => Finding.Warning("clock", $"not synchronised; now {DateTime.UtcNow:yyyy-MM-dd HH:mm:ss} UTC", "run a time service (chrony, systemd-timesyncd): times of alerts are compared with those of other systems"),
        _ => Finding.Note("clock", $"whether it is synchronised cannot be asked; now {DateTime.UtcNow:yyyy-MM-dd HH:mm:ss} UTC"),
    };

    private static IEnumerable<(string Folder, string Purpose)> Folders(SensorSettings settings)
    {
        if (settings.Site is { } site)
            yield return (site, "site");
        if (settings.Evidence.Directory is { } evidence)
            yield return (evidence, "evidence");
        foreach (var file in new[] { settings.Alerts, settings.Transactions })
        {
            if (file is not (null or "-") && Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder)
                yield return (folder, Path.GetFileName(file));
        }
    }

    public static Finding Disk(string folder, string purpose)
    {
        try
        {
            if (!Directory.Exists(folder))
                return Finding.Fault("disk", $"the folder {folder} for {purpose} does not exist", $"make it: sudo install -d -m 0750 -o iotguard -g iotguard {folder}");
            var free = new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
            var text = $"{RunSummary.Bytes(free)} free for {purpose} in {folder}";
            const string remedy = "free some space, or name a folder on another disk";
            return free >= LeastFreeBytes ? Finding.Ok("disk", text)
                : free >= FullBytes ? Finding.Warning("disk", text, remedy)
                : Finding.Fault("disk", $"{text}: what has no room is lost", remedy);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Finding.Warning("disk", $"cannot ask for the free space of {folder}: {e.Message.TrimEnd('.')}", "check the folder and its rights");
        }
    }

    private static Finding Model()
    {
        const string remedy = "build or install the program again";
        try
        {
            return ShippedSite.Load().Models.Active.Entries.Count > 0
                ? Finding.Ok("shipped model", "loads, and fits this program's features")
                : Finding.Warning("shipped model", "models/ beside the program is absent or empty, so nothing is scored without a learned site", remedy);
        }
        catch (UserException e)
        {
            return Finding.Fault("shipped model", e.Message, remedy);
        }
    }

    private static Finding Filters(SensorSettings settings)
    {
        const string remedy = "'apt-get install libpcap0.8' brings it";
        if (Array.Exists(["libpcap.so.1", "libpcap.so.0.8"], static name => NativeLibrary.TryLoad(name, out _)))
            return Finding.Ok("capture filters", "libpcap is installed, --filter works");
        return settings.Filter is null
            ? Finding.Note("capture filters", "libpcap is not installed, so --filter cannot be used", remedy)
            : Finding.Fault("capture filters", "libpcap is not installed, and a filter is set", remedy);
    }
}
