using System.Diagnostics;
using IoTGuard.Capture.Native;
using IoTGuard.Wire;

namespace IoTGuard.Capture.Tests;

/// <summary>What must run in a process of its own, because it changes the whole process: this program, called with "tool".</summary>
internal static class TestTool
{
    /// <summary>Runs the tool, with or without the right to listen and to change the user, and returns what it says.</summary>
    public static string Run(bool privileged, params string[] arguments)
    {
        var program = Environment.ProcessPath!;
        var isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        string[] self = isHost ? [program, typeof(TestTool).Assembly.Location, "tool", .. arguments] : [program, "tool", .. arguments];
        string[] command = privileged || !Environment.IsPrivilegedProcess
            ? self
            : ["setpriv", "--bounding-set", "-net_raw,-net_admin,-setuid,-setgid,-dac_override,-dac_read_search", "--inh-caps", "-all", .. self];
        return Finish(new ProcessStartInfo(command[0], command[1..]));
    }

    /// <summary>Runs the tool in a pipeline of a shell, in which it is called $TOOL.</summary>
    public static string RunInShell(string pipeline)
    {
        var program = Environment.ProcessPath!;
        var isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        var start = new ProcessStartInfo("sh", ["-c", pipeline]);
        start.Environment["TOOL"] = isHost ? $"{program} {typeof(TestTool).Assembly.Location} tool" : $"{program} tool";
        return Finish(start);
    }

    private static string Finish(ProcessStartInfo start)
    {
        (start.UseShellExecute, start.RedirectStandardOutput, start.RedirectStandardError) = (false, true, true);
        using var process = Process.Start(start)!;
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
                ["read", var path] => Read(path),
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

    private static string Read(string path)
    {
        using var capture = CaptureFile.Open(path);
        var batch = new FrameBatch();
        while (capture.Read(batch))
            batch.Release();
        return $"{capture.Statistics.Frames} frames, {capture.Problems.Count} problems";
    }

    private static string FilterWithoutLibpcap(string name)
    {
        LibPcap.FileNames = ["libnosuch.so"];
        using var ring = PacketRing.Open(new(name) { BlockCount = 2, Filter = "tcp" });
        return "opened";
    }

    private static string Drop(string user)
    {
        using var before = CanOpen() ? PacketRing.Open(new("lo") { BlockCount = 2 }) : null;
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
            : File.ReadAllText("/proc/self/status").Contains("Groups:\t0", StringComparison.Ordinal) ? "groups left"
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
