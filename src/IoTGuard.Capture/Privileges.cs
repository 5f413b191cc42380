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
                || lines.Any(static line => IsCapabilitySet(line) && line.AsSpan().TrimEnd('0').EndsWith('\t') == false))
            {
                throw new CaptureException(user, "privileges could not be given up in all threads", "report this; do not run the sensor as root");
            }
        }
    }

    private static bool IsCapabilitySet(string line) =>
        line.StartsWith("CapEff:", StringComparison.Ordinal) || line.StartsWith("CapPrm:", StringComparison.Ordinal) || line.StartsWith("CapAmb:", StringComparison.Ordinal);

    private static void Check(string user, int result)
    {
        if (result < 0)
            throw new CaptureException(user, $"cannot become this user ({Marshal.GetLastPInvokeErrorMessage()})", "start as root");
    }
}
