using System.Buffers.Text;
using System.Runtime.CompilerServices;
using IoTGuard.Capture.Native;

namespace IoTGuard.Capture;

/// <summary>
/// Keeps the collector's memory on huge pages, from Linux 6.1 on and unless the administrator has switched them off: state that is met at random costs fewer
/// translations of addresses then. The collector commits memory in steps too small for the kernel to give it a huge page by itself, so what has been
/// committed is put together afterwards (MADV_COLLAPSE, madvise(2)), on a thread of its own, whenever a collection has moved memory around.
/// Only whole huge pages of committed memory are put together, so that next to no memory is added.
/// </summary>
public sealed class HugePages : IDisposable
{
    private const long PageBytes = 2 << 20;

    /// <summary>Time between looks, ms: short while tables grow, long afterwards.</summary>
    private const int FirstLookMs = 250;
    private const int LongestWaitMs = 10_000;

    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread? _thread;
    private (long Start, long End) _heap;
    private int _collections = -1;

    private HugePages(bool isWanted)
    {
        if (!isWanted)
            return;
        _thread = new Thread(Run, maxStackSize: 1 << 18) { IsBackground = true, Name = "huge pages" };
        _thread.Start();
    }

    /// <summary>Begins; disposing of the result ends it. Does nothing where there are no huge pages to be had.</summary>
    public static HugePages Keep() => new(OperatingSystem.IsLinux() && Environment.OSVersion.Version >= new Version(6, 1) && AreAllowed());

    public void Dispose()
    {
        _stop.Set();
        _thread?.Join();
        _stop.Dispose();
    }

    private static bool AreAllowed()
    {
        try
        {
            return !File.ReadAllText("/sys/kernel/mm/transparent_hugepage/enabled").Contains("[never]", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void Run()
    {
        for (var wait = FirstLookMs; !_stop.Wait(wait); wait = Math.Min(wait + (wait / 4), LongestWaitMs))
        {
            var collections = GC.CollectionCount(0);
            if (collections == _collections)
                continue;
            _collections = collections;
            try
            {
                Collapse(File.ReadAllBytes("/proc/self/maps"));
            }
            catch (IOException)
            {
                return;
            }
        }
    }

    /// <summary>Goes through the mappings (proc_pid_maps(5)); those that can be written in the collector's range are its committed memory.</summary>
    private void Collapse(ReadOnlySpan<byte> maps)
    {
        if (_heap == default)
            _heap = FindHeap(maps);
        foreach (var line in maps.Split((byte)'\n'))
        {
            if (!TryRead(maps[line], out var start, out var end, out var canWrite) || !canWrite || start < _heap.Start || end > _heap.End)
                continue;
            start = (start + PageBytes - 1) & -PageBytes;
            end &= -PageBytes;
            if (start < end)
                _ = Libc.Advise((nint)start, (nuint)(end - start), Libc.MADV_COLLAPSE);
        }
    }

    /// <summary>The collector reserves one range and commits pieces of it: the mappings without a gap around any of its objects.</summary>
    private (long Start, long End) FindHeap(ReadOnlySpan<byte> maps)
    {
        object any = this;
        var address = (long)Unsafe.As<object, nint>(ref any);
        var range = (Start: 0L, End: 0L);
        foreach (var line in maps.Split((byte)'\n'))
        {
            if (!TryRead(maps[line], out var start, out var end, out _))
                continue;
            if (start != range.End)
            {
                if (address >= range.Start && address < range.End)
                    break;
                range.Start = start;
            }

            range.End = end;
        }

        return range;
    }

    /// <summary>Reads a private mapping of no file, "7f2c00000000-7f2c00400000 rw-p 00000000 00:00 0"; false for others.</summary>
    private static bool TryRead(ReadOnlySpan<byte> line, out long start, out long end, out bool canWrite)
    {
        end = 0;
        canWrite = false;
        if (!Utf8Parser.TryParse(line, out start, out var used, 'x') || !Utf8Parser.TryParse(line[(used + 1)..], out end, out var more, 'x'))
            return false;
        var rest = line[(used + 1 + more)..];
        canWrite = rest.StartsWith(" rw"u8);
        return rest.Length > 4 && rest[4] == (byte)'p' && rest.TrimEnd((byte)' ').EndsWith(" 00:00 0"u8);
    }
}
