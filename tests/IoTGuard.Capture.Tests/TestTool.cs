using System.Diagnostics;
using IoTGuard.Capture.Native;
using IoTGuard.Wire;

namespace IoTGuard.Capture.Tests;

/// <summary>What must run in a process of its own, because it changes the whole process: this program, called with "tool".</summary>
internal static class TestTool
{
    /// <summary>Runs the tool and returns what it says.</summary>
    public static string Run(string? asUser, params string[] arguments)
    {
        string[] self = [Environment.ProcessPath!, .. Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? [typeof(TestTool).Assembly.Location] : Array.Empty<string>(), "tool", .. arguments];
        string[] command = asUser is null || !Environment.IsPrivilegedProcess ? self : ["setpriv", $"--reuid={asUser}", "--clear-groups", "--inh-caps=-all", .. self];
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return said.Trim() + error.GetAwaiter().GetResult().Trim();
    }

    public static int Serve(string[] arguments)
    {
        try
        {
            Console.WriteLine(arguments switch
            {
                ["open", var name] => Open(name),
                ["filter-without-libpcap", var name] => FilterWithoutLibpcap(name),
                ["drop", var user] => Drop(user),
                _ => "unknown",
            });
            return 0;
        }
        catch (CaptureException refusal)
        {
            Console.WriteLine(refusal.Message);
            return 3;
        }
    }

    private static string Open(string name)
    {
        using var ring = PacketRing.Open(new(name) { BlockCount = 2 });
        return "opened";
    }

    private static string FilterWithoutLibpcap(string name)
    {
        LibPcap.FileNames = ["libnosuch.so"];
        using var ring = PacketRing.Open(new(name) { BlockCount = 2, Filter = "tcp" });
        return "opened";
    }

    private static string Drop(string user)
    {
        using var before = Environment.IsPrivilegedProcess ? PacketRing.Open(new("lo") { BlockCount = 2 }) : null;
        // Threads that exist already must lose them, too.
        using var started = new ManualResetEventSlim();
        using var dropped = new ManualResetEventSlim();
        var other = Task.Factory.StartNew(
            () =>
            {
                started.Set();
                dropped.Wait();
                return CanOpen();
            },
            TaskCreationOptions.LongRunning);
        started.Wait();
        try
        {
            Privileges.Drop(user);
        }
        finally
        {
            dropped.Set();
        }

        var batch = new FrameBatch();
        return other.Result || CanOpen() ? "still there"
            : !before!.Read(batch) ? "open ring is dead"
            : !File.ReadAllText("/proc/thread-self/status").Contains("NoNewPrivs:\t1", StringComparison.Ordinal) ? "new privileges possible"
            : File.ReadLines("/proc/self/status").Single(static l => l.StartsWith("Groups:", StringComparison.Ordinal)).Contains(" 0 ", StringComparison.Ordinal) ? "groups left"
            : "gone";
    }

    private static bool CanOpen()
    {
        try
        {
            Open("lo");
            return true;
        }
        catch (CaptureException)
        {
            return false;
        }
    }
}
