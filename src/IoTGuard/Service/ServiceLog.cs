using System.Globalization;

namespace IoTGuard.Service;

/// <summary>The log of the live sensor, on standard error: with the time in UTC, except for the journal of systemd, which has its own.</summary>
internal static class ServiceLog
{
    private static readonly bool IsJournal = ReachesJournal();

    public static void Write(string text) =>
        Console.Error.WriteLine((IsJournal ? "" : DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm:ss.fff 'UTC'", CultureInfo.InvariantCulture) + "  ") + text.ReplaceLineEndings(" "));

    /// <summary>systemd.exec(5): JOURNAL_STREAM holds device and inode of the stream that goes to the journal.</summary>
    private static bool ReachesJournal() =>
        OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("JOURNAL_STREAM")?.Split(':') is [_, var inode]
        && new FileInfo("/proc/self/fd/2").LinkTarget == $"socket:[{inode}]";
}
