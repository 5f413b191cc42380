using IoTGuard.Capture;
using IoTGuard.Wire;
using SharpPcap;
using SharpPcap.LibPcap;

namespace IoTGuard.SharpPcap;

/// <summary>Opens devices of SharpPcap; what it throws becomes a <see cref="CaptureException"/> with a remedy.</summary>
internal static class Devices
{
    /// <summary>Largest buffer that pcap_set_buffer_size(3PCAP) can be asked for, bytes.</summary>
    private const long LargestBuffer = int.MaxValue;

    public static LibPcapLiveDevice OpenInterface(PacketRingOptions options) => Opening(options.Interface, () =>
    {
        var bytes = (long)options.BlockBytes * options.BlockCount;
        if (bytes > LargestBuffer)
            throw new CaptureException(options.Interface, $"a buffer of {bytes >> 20} MiB is not possible with pcap", $"give at most {LargestBuffer >> 20} MiB");
        var device = Find(options.Interface);
        var configuration = new DeviceConfiguration
        {
            Mode = options.Promiscuous ? DeviceModes.Promiscuous : DeviceModes.None,
            Snaplen = CaptureLimits.MaxFrameLength,
            ReadTimeout = (int)Math.Max(1, options.BlockTimeout.TotalMilliseconds),
            // KernelBufferSize, which is not this, throws on Linux.
            BufferSize = (int)bytes,
            TimestampResolution = TimestampResolution.Nanosecond,
        };
        // Where stamps cannot be so fine they stay microseconds: HasNanoseconds asks. Without a handler it would throw.
        configuration.ConfigurationFailed += (_, failure) =>
        {
            if (failure.Property != nameof(DeviceConfiguration.TimestampResolution))
                throw new CaptureException(options.Interface, $"{failure.Property} cannot be set ({failure.Error})", "ask for a smaller buffer, or another interface");
        };
        return Prepared(device, configuration, options.Filter, options.Interface, static device => device.NonBlockingMode = true);
    });

    public static CaptureFileReaderDevice OpenFile(string path, string? filter) => Opening(path, () =>
    {
        var configuration = new DeviceConfiguration { TimestampResolution = TimestampResolution.Nanosecond };
        configuration.ConfigurationFailed += static (_, _) => { };
        if (path != "-" && !File.Exists(path))
            throw new CaptureException(path, "does not exist", "check the path");
        return Prepared(new CaptureFileReaderDevice(path), configuration, filter, path, static _ => { });
    });

    /// <summary>Link type by the number that pcap_datalink(3PCAP) gives, which differs by platform for raw IP (DLT_RAW).</summary>
    public static LinkType LinkTypeOf(int dataLink) => dataLink is 12 or 14 ? LinkType.Raw : (LinkType)dataLink;

    /// <summary>Whether stamps are nanoseconds.</summary>
    public static bool HasNanoseconds(PcapDevice device) => device.TimestampResolution == TimestampResolution.Nanosecond;

    private static T Prepared<T>(T device, DeviceConfiguration configuration, string? filter, string name, Action<T> prepare)
        where T : PcapDevice
    {
        try
        {
            device.Open(configuration);
            prepare(device);
            SetFilter(device, filter, name);
            return device;
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    private static void SetFilter(PcapDevice device, string? filter, string name)
    {
        if (filter is null)
            return;
        try
        {
            device.Filter = filter;
        }
        catch (PcapException e)
        {
            throw new CaptureException(name, $"the filter \"{filter}\" is not understood ({OneLine(e)})", "see: man pcap-filter");
        }
    }

    /// <summary>By pcap's name (eth1, \Device\NPF_{…}), or the one that people see (Ethernet 2).</summary>
    private static LibPcapLiveDevice Find(string name)
    {
        var all = LibPcapLiveDeviceList.New();
        return all.FirstOrDefault(device => device.Name == name)
            ?? all.FirstOrDefault(device => device.Interface?.FriendlyName == name || device.Description == name)
            ?? throw new CaptureException(name, "there is no such interface", all.Count == 0
                ? "pcap shows none to this user: run as root or administrator"
                : $"these can be listened on: {string.Join(", ", all.Select(static device => device.Interface?.FriendlyName ?? device.Name))}");
    }

    private static T Opening<T>(string name, Func<T> open)
    {
        try
        {
            return open();
        }
        catch (PcapException e) when (e.Error is PcapError.PermissionDenied or PcapError.PromiscuousPermissionDenied)
        {
            throw new CaptureException(name, "this user may not listen on interfaces", "run as root or administrator");
        }
        catch (PcapException e)
        {
            throw new CaptureException(name, $"pcap cannot open it ({OneLine(e)})", "check the name, the file, or that the interface is up");
        }
        catch (Exception e) when (e is DllNotFoundException || e.InnerException is DllNotFoundException)
        {
            throw new CaptureException(name, "the pcap library is not installed", "install it (Debian: apt install libpcap0.8; Windows: Npcap)");
        }
    }

    private static string OneLine(Exception e) => e.Message.ReplaceLineEndings(" ").TrimEnd('.', ' ');
}
