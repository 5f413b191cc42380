using System.Reflection;
using System.Runtime.InteropServices;

namespace IoTGuard.Capture.Native;

/// <summary>The calls of libpcap that compile a filter and count drops. The library is looked for when the first of them is made.</summary>
internal static partial class LibPcap
{
    /// <summary>PCAP_ERRBUF_SIZE.</summary>
    public const int ErrorBufferLength = 256;

    public const int DLT_EN10MB = 1;
    public const int DLT_RAW = 12;

    private const string Name = "libpcap";

    static LibPcap() => NativeLibrary.SetDllImportResolver(typeof(LibPcap).Assembly, Resolve);

    /// <summary>The names under which distributions install the library, without their development packages; then those of macOS and Windows.</summary>
    internal static string[] FileNames { get; set; } = ["libpcap.so.1", "libpcap.so.0.8", "libpcap.so", "libpcap.A.dylib", "libpcap.dylib", "wpcap"];

    [LibraryImport(Name, EntryPoint = "pcap_open_live", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint OpenLive(string device, int snapLength, int promiscuous, int timeoutMs, Span<byte> error);

    [LibraryImport(Name, EntryPoint = "pcap_open_dead")]
    public static partial nint OpenDead(int link, int snapLength);

    [LibraryImport(Name, EntryPoint = "pcap_compile", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Compile(nint handle, out Program program, string expression, int optimise, uint netmask);

    [LibraryImport(Name, EntryPoint = "pcap_geterr")]
    public static partial nint Error(nint handle);

    [LibraryImport(Name, EntryPoint = "pcap_freecode")]
    public static partial void FreeCode(ref Program program);

    [LibraryImport(Name, EntryPoint = "pcap_close")]
    public static partial void Close(nint handle);

    /// <summary>pcap_stats: fields of struct pcap_stat, 32 bits each: ps_recv, ps_drop, ps_ifdrop, and on Windows others behind.</summary>
    [LibraryImport(Name, EntryPoint = "pcap_stats")]
    public static partial int Statistics(SafeHandle handle, Span<uint> fields);

    private static nint Resolve(string library, Assembly assembly, DllImportSearchPath? path)
    {
        if (library != Name)
            return 0;
        foreach (var name in FileNames)
        {
            if (NativeLibrary.TryLoad(name, out var handle))
                return handle;
        }

        return 0;
    }

    /// <summary>struct bpf_program.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Program
    {
        public uint Length;
        public nint Instructions;
    }
}
