using System.Runtime.InteropServices;
using IoTGuard.Capture.Native;
using IoTGuard.Wire;
using static IoTGuard.Capture.Native.IfPacket;

namespace IoTGuard.Capture.Live;

/// <summary>A filter in the language of tcpdump, compiled by libpcap for the kernel.</summary>
internal sealed class CaptureFilter : IDisposable
{
    private const uint NetmaskUnknown = 0xFFFFFFFF;

    private LibPcap.Program _compiled;

    private CaptureFilter(LibPcap.Program compiled) => _compiled = compiled;

    /// <summary>The program, for as long as this is not disposed.</summary>
    public FilterProgram Program => new((ushort)_compiled.Length, _compiled.Instructions);

    public static CaptureFilter Compile(string device, string expression, LinkType link)
    {
        try
        {
            var error = new byte[LibPcap.ErrorBufferLength];
            // A live handle makes "vlan" look where the kernel keeps the tag that it strips. An interface that is down has none.
            var handle = LibPcap.OpenLive(device, CaptureLimits.MaxFrameLength, promiscuous: 0, timeoutMs: 1, error);
            if (handle == 0)
                handle = LibPcap.OpenDead(link == LinkType.Ethernet ? LibPcap.DLT_EN10MB : LibPcap.DLT_RAW, CaptureLimits.MaxFrameLength);
            try
            {
                if (LibPcap.Compile(handle, out var program, expression, optimise: 1, NetmaskUnknown) == 0)
                    return new CaptureFilter(program);
                var reason = Marshal.PtrToStringUTF8(LibPcap.Error(handle));
                throw new CaptureException(device, $"the filter \"{expression}\" is not understood ({reason})", "see: man pcap-filter");
            }
            finally
            {
                LibPcap.Close(handle);
            }
        }
        catch (DllNotFoundException)
        {
            throw new CaptureException(device, "a filter needs libpcap, which is not installed", "install it (Debian: apt install libpcap0.8), or leave the filter out");
        }
    }

    public void Dispose() => LibPcap.FreeCode(ref _compiled);
}
