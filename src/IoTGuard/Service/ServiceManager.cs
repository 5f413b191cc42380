using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace IoTGuard.Service;

/// <summary>What systemd is told and asks for (sd_notify(3), sd_watchdog_enabled(3)). Without systemd nothing happens.</summary>
internal static class ServiceManager
{
    private const string Ready = "READY=1";

    /// <summary>Longest wait for a service manager that does not listen.</summary>
    private const int MaximumWaitMilliseconds = 1000;

    /// <summary>How often the watchdog wants to hear of us; null when there is none.</summary>
    public static TimeSpan? WatchdogInterval =>
        long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), out var microseconds) && microseconds > 0
        && (Environment.GetEnvironmentVariable("WATCHDOG_PID") is not { Length: > 0 } pid || pid == Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture))
            ? TimeSpan.FromMicroseconds(microseconds)
            : null;

    public static void IsReady() => Notify(Ready);

    public static void IsStopping() => Notify("STOPPING=1");

    /// <summary>The configuration is being read again, until <see cref="IsReady"/>.</summary>
    public static void IsReloading() => Notify($"RELOADING=1\nMONOTONIC_USEC={(long)Stopwatch.GetElapsedTime(0).TotalMicroseconds}");

    public static void IsAlive() => Notify("WATCHDOG=1");

    /// <summary>One line that <c>systemctl status</c> shows.</summary>
    public static void Say(string status) => Notify("STATUS=" + status.ReplaceLineEndings(" "));

    private static void Notify(string state)
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 1 } path)
            return;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { SendTimeout = MaximumWaitMilliseconds };

            // A name that begins with @ is one of the abstract namespace, which begins with a zero byte (unix(7)).
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(path[0] == '@' ? "\0" + path[1..] : path));
        }
        catch (SocketException)
        {
            // The service manager has gone; it will start us again when it misses us.
        }
    }
}
