using System.Runtime.InteropServices;
using System.Text;
using IoTGuard.Capture.Native;
using static IoTGuard.Capture.Native.Libc;

namespace IoTGuard.Capture;

/// <summary>What the driver of an interface does to frames before they are captured (ethtool(8), &lt;linux/ethtool.h&gt;). Linux only.</summary>
/// <param name="GenericReceive">GRO: segments of a connection are joined to frames of up to 64 KiB; null when the driver does not tell.</param>
/// <param name="LargeReceive">LRO: the same in the network card, not reversible.</param>
public sealed record InterfaceFacts(bool? GenericReceive, bool? LargeReceive)
{
    private const nuint SIOCETHTOOL = 0x8946;
    private const uint ETHTOOL_GGRO = 0x2B;
    private const uint ETHTOOL_GFLAGS = 0x25;
    private const uint ETH_FLAG_LRO = 1 << 15;
    private const int AF_INET = 2;
    private const int SOCK_DGRAM = 2;
    private const int RequestLength = 40;
    private const int NameLength = 16;

    /// <summary>Asks the driver.</summary>
    /// <param name="name">Name of the interface.</param>
    public static InterfaceFacts Of(string name)
    {
        if (!OperatingSystem.IsLinux() || Encoding.UTF8.GetByteCount(name) >= NameLength)
            return new InterfaceFacts(null, null);
        return new InterfaceFacts(
            Ask(name, ETHTOOL_GGRO) is { } generic ? generic != 0 : null,
            Ask(name, ETHTOOL_GFLAGS) is { } flags ? (flags & ETH_FLAG_LRO) != 0 : null);
    }

    /// <summary>struct ethtool_value: the command, then the answer.</summary>
    private static uint? Ask(string name, uint command)
    {
        using var socket = Socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (socket.IsInvalid)
            return null;
        uint[] value = [command, 0];
        var pinned = GCHandle.Alloc(value, GCHandleType.Pinned);
        try
        {
            Span<byte> request = stackalloc byte[RequestLength];
            request.Clear();
            Encoding.UTF8.GetBytes(name, request);
            MemoryMarshal.Write(request[NameLength..], pinned.AddrOfPinnedObject());
            return Control(socket, SIOCETHTOOL, request) == 0 ? value[1] : null;
        }
        finally
        {
            pinned.Free();
        }
    }
}
