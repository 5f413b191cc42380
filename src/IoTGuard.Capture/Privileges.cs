using System.Runtime.InteropServices;
using IoTGuard.Capture.Native;

namespace IoTGuard.Capture;

/// <summary>Gives up root once the sockets are open. What is open stays usable.</summary>
public static class Privileges
{
    /// <summary>What this program creates from now on is no business of users outside of its group (umask 027).</summary>
    public static void RestrictNewFiles()
    {
        if (!OperatingSystem.IsWindows())
            _ = Libc.SetFileMask(0b000_010_111);
    }

    /// <summary>
    /// Becomes <paramref name="user"/> for good, in all threads: no supplementary groups, no capabilities, and for this thread and those it
    /// starts no way to new privileges through programs (no_new_privs).
    /// </summary>
    /// <exception cref="CaptureException">There is no such user, we are not root, or the change did not take hold.</exception>
    public static void Drop(string user)
    {
        var entry = Libc.FindUser(user);
        if (entry == 0)
            throw new CaptureException(user, "there is no such user", "create it: useradd --system --no-create-home " + user);
        // struct passwd, <pwd.h>: two pointers, then pw_uid and pw_gid.
        var uid = (uint)Marshal.ReadInt32(entry, 2 * nint.Size);
        var gid = (uint)Marshal.ReadInt32(entry, (2 * nint.Size) + sizeof(int));
        if (uid == 0)
            throw new CaptureException(user, "is root itself", "name a user without privileges");

        // In this order: who is not root any more may not change groups. The C library does it in all threads.
        Check(user, Libc.SetGroups(1, [gid]));
        Check(user, Libc.SetGroup(gid, gid, gid));
        Check(user, Libc.SetUser(uid, uid, uid));
        Check(user, Libc.ProcessControl(Libc.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        Verify(user, uid, gid);
    }

    /// <summary>True when this process is not root and has capabilities all the same: ambient ones of a service, or those of its file.</summary>
    public static bool HasCapabilities =>
        OperatingSystem.IsLinux() && Libc.EffectiveUser() != 0
        && File.ReadLines("/proc/self/status").Any(static line => IsCapabilitySet(line) && HoldsSome(line));

    /// <summary>
    /// Starts this program anew in the same process, with the same arguments and without its capabilities, which other threads could not be made to give up.
    /// Does not return.
    /// </summary>
    /// <param name="descriptors">Descriptors that stay open.</param>
    /// <param name="variable">Environment variable that names them to the new program, with commas between them.</param>
    /// <exception cref="CaptureException">The kernel refuses.</exception>
    public static void StartAnew(IReadOnlyList<int> descriptors, string variable)
    {
        const string who = "this program";
        foreach (var descriptor in descriptors)
            Check(who, Libc.ControlDescriptor(descriptor, Libc.F_SETFD, 0));

        // No ambient capabilities, and none of the file either (execve(2), capabilities(7)): the new program has none.
        Check(who, Libc.ProcessControl(Libc.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        Check(who, Libc.ProcessControl(Libc.PR_CAP_AMBIENT, Libc.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
        var arguments = File.ReadAllText("/proc/self/cmdline").TrimEnd('\0').Split('\0');
        var environment = new List<string> { $"{variable}={string.Join(',', descriptors)}" };
        foreach (System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables())
            environment.Add($"{entry.Key}={entry.Value}");
        Check(who, Libc.Execute("/proc/self/exe", ToNative(arguments), ToNative(environment)));
    }

    /// <summary>Texts as the C library wants them; never freed, as nothing of this program outlives the call.</summary>
    private static nint[] ToNative(IEnumerable<string> texts) => [.. texts.Select(Marshal.StringToCoTaskMemUTF8), 0];

    /// <summary>Asks the kernel about every thread: what is still there after all must not stay unnoticed.</summary>
    private static void Verify(string user, uint uid, uint gid)
    {
        var uids = $"Uid:\t{uid}\t{uid}\t{uid}\t{uid}";
        var gids = $"Gid:\t{gid}\t{gid}\t{gid}\t{gid}";
        foreach (var thread in Directory.EnumerateDirectories("/proc/self/task"))
        {
            string[] lines;
            try
            {
                lines = File.ReadAllLines(Path.Combine(thread, "status"));
            }
            catch (IOException)
            {
                // The thread has ended meanwhile.
                continue;
            }

            if (!lines.Contains(uids, StringComparer.Ordinal) || !lines.Contains(gids, StringComparer.Ordinal)
                || lines.Any(static line => IsCapabilitySet(line) && HoldsSome(line)))
            {
                throw new CaptureException(user, "privileges could not be given up in all threads", "report this; do not run the sensor as root");
            }
        }
    }

    private static bool IsCapabilitySet(string line) =>
        line.StartsWith("CapEff:", StringComparison.Ordinal) || line.StartsWith("CapPrm:", StringComparison.Ordinal) || line.StartsWith("CapAmb:", StringComparison.Ordinal);

    private static bool HoldsSome(string line) => !line.AsSpan().TrimEnd('0').EndsWith('\t');

    private static void Check(string user, int result)
    {
        if (result < 0)
            throw new CaptureException(user, $"cannot become this user ({Marshal.GetLastPInvokeErrorMessage()})", "start as root");
    }
}
