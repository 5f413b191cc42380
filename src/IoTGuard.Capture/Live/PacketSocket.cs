using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using IoTGuard.Capture.Native;
using IoTGuard.Wire;
using Microsoft.Win32.SafeHandles;
using static IoTGuard.Capture.Native.IfPacket;
using static IoTGuard.Capture.Native.Libc;

namespace IoTGuard.Capture.Live;

/// <summary>A packet socket (packet(7)) that listens and never sends. What the kernel refuses becomes a <see cref="CaptureException"/> with a remedy.</summary>
internal sealed class PacketSocket : IDisposable
{
    /// <summary>Bytes of a struct ifreq, &lt;linux/if.h&gt;.</summary>
    private const int InterfaceRequestLength = 40;

    /// <summary>IFNAMSIZ.</summary>
    private const int InterfaceNameLength = 16;

    /// <summary>BPF_RET | BPF_K with 0: takes no frame.</summary>
    private static readonly FilterInstruction[] TakeNothing = [new(6, 0, 0, 0)];

    private const string RingRemedy = "ask for a smaller ring, or free memory";

    private readonly string _interface;
    private readonly int _index;

    private PacketSocket(SafeFileHandle handle, string name)
    {
        Handle = handle;
        _interface = name;
        _index = FindIndex() ?? throw new CaptureException(name, "there is no such interface", "list the interfaces with: ip link");
    }

    public SafeFileHandle Handle { get; }

    /// <summary>ARPHRD_ number of the interface.</summary>
    public ushort HardwareType
    {
        get
        {
            Span<byte> request = stackalloc byte[InterfaceRequestLength];
            Name(request);
            Check(Control(Handle, SIOCGIFHWADDR, request), "its type cannot be asked for");
            return MemoryMarshal.Read<ushort>(request[InterfaceNameLength..]);
        }
    }

    /// <summary>True while the interface that was opened exists.</summary>
    public bool InterfaceExists => FindIndex() == _index;

    /// <summary>Opens a socket that receives nothing yet.</summary>
    public static PacketSocket Open(string name)
    {
        // Protocol 0: nothing is received before it is bound, so nothing unfiltered gets into the ring.
        var handle = Socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
        try
        {
            if (!handle.IsInvalid)
                return new PacketSocket(handle, name);
            var error = Marshal.GetLastPInvokeError();
            throw error is EPERM or EACCES
                ? new CaptureException(name, "this user may not listen on interfaces", "run as root, or once: sudo setcap cap_net_raw,cap_net_admin=eip PROGRAM")
                : new CaptureException(name, $"no packet socket ({Marshal.GetPInvokeErrorMessage(error)})", "live capture needs a Linux kernel with packet sockets");
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>A socket that was opened before this program was started anew.</summary>
    public static PacketSocket Inherit(string name, int descriptor) => new(new SafeFileHandle(descriptor, ownsHandle: true), name);

    /// <summary>Takes no frame until <see cref="Filter"/> is called.</summary>
    public void TakeNone()
    {
        var pinned = GCHandle.Alloc(TakeNothing, GCHandleType.Pinned);
        try
        {
            Filter(new FilterProgram((ushort)TakeNothing.Length, pinned.AddrOfPinnedObject()));
        }
        finally
        {
            pinned.Free();
        }
    }

    /// <summary>Takes the frames that a program selects.</summary>
    public void Filter(FilterProgram program) => Set(SOL_SOCKET, SO_ATTACH_FILTER, program, "the filter is refused");

    /// <summary>Takes all frames.</summary>
    public void TakeAll() => Set(SOL_SOCKET, SO_DETACH_FILTER, 0, "the filter cannot be taken away");

    /// <summary>Makes the ring.</summary>
    public void MakeRing(PacketRingOptions options)
    {
        Set(SOL_PACKET, PACKET_VERSION, TPACKET_V3, "the kernel does not know TPACKET_V3 rings");
        const int frameSize = 2048;
        var size = (long)options.BlockBytes * options.BlockCount;
        var request = new RingRequest(
            (uint)options.BlockBytes, (uint)options.BlockCount, frameSize, (uint)(size / frameSize),
            (uint)Math.Max(1, options.BlockTimeout.TotalMilliseconds), PrivateSize: 0, FeatureRequest: 0);
        Set(SOL_PACKET, PACKET_RX_RING, request, RefusalOf(options), RingRemedy);
    }

    /// <summary>Maps the ring and returns its address.</summary>
    public nint MapRing(PacketRingOptions options)
    {
        var address = Map(0, (nuint)((long)options.BlockBytes * options.BlockCount), PROT_READ | PROT_WRITE, MAP_SHARED, Handle, 0);
        Check(address == -1 ? -1 : 0, RefusalOf(options), RingRemedy);
        return address;
    }

    /// <summary>Starts to receive; what comes before that never gets into the ring.</summary>
    public void Bind()
    {
        var address = new LinkAddress(AF_PACKET, BinaryPrimitives.ReverseEndianness(ETH_P_ALL), _index, 0, 0, 0, 0);
        var bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<LinkAddress>(in address))[..20];
        Check(Libc.Bind(Handle, bytes, (uint)bytes.Length), "the interface cannot be listened on");
    }

    /// <summary>Joins a group of sockets that share the frames by flow, and returns the group's number.</summary>
    /// <param name="group">Number of the group, or null to found one.</param>
    /// <param name="rollover">What does not fit goes to another socket of the group.</param>
    public int JoinFanout(int? group, bool rollover)
    {
        var flags = (rollover ? PACKET_FANOUT_FLAG_ROLLOVER : 0) | (group is null ? PACKET_FANOUT_FLAG_UNIQUEID : 0);
        // The hash is symmetric: both directions of a flow come to the same socket.
        Set(SOL_PACKET, PACKET_FANOUT, (group ?? 0) | ((PACKET_FANOUT_HASH | flags) << 16), "the frames cannot be shared between several rings", $"check that it is up: ip link set {_interface} up");
        return Get<int>(SOL_PACKET, PACKET_FANOUT) & 0xFFFF;
    }

    public void BecomePromiscuous() =>
        Set(SOL_PACKET, PACKET_ADD_MEMBERSHIP, new Membership(_index, PACKET_MR_PROMISC, 0, 0), "it cannot be made promiscuous");

    public void IgnoreOutgoing() => Set(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, "outgoing frames cannot be left out", "this needs Linux 4.20 or later");

    /// <summary>The counters since the last time; reading resets them.</summary>
    public Statistics TakeStatistics() => Get<Statistics>(SOL_PACKET, PACKET_STATISTICS);

    /// <summary>The error that the socket has been put into, such as ENETDOWN; reading clears it. 0 is none.</summary>
    public int TakeError() => Get<int>(SOL_SOCKET, SO_ERROR);

    /// <summary>Waits for frames, an error, or a signal; false when the time passed without.</summary>
    public bool Wait(TimeSpan timeout, out bool isError)
    {
        var descriptor = new PollDescriptor { Descriptor = (int)Handle.DangerousGetHandle(), Events = POLLIN | POLLERR };
        var ready = Poll(ref descriptor, 1, (int)timeout.TotalMilliseconds);
        isError = ready > 0 && (descriptor.Received & POLLERR) != 0;
        return ready != 0;
    }

    public void Dispose() => Handle.Dispose();

    private static string RefusalOf(PacketRingOptions options) => $"the kernel refuses a ring of {options.BlockCount} blocks of {options.BlockBytes >> 10} KiB";

    private int? FindIndex()
    {
        Span<byte> request = stackalloc byte[InterfaceRequestLength];
        return Name(request) && Control(Handle, SIOCGIFINDEX, request) == 0 ? MemoryMarshal.Read<int>(request[InterfaceNameLength..]) : null;
    }

    private bool Name(Span<byte> request)
    {
        request.Clear();
        // The name ends in a zero byte.
        return _interface.Length > 0 && Encoding.UTF8.TryGetBytes(_interface, request[..(InterfaceNameLength - 1)], out _);
    }

    private void Set<T>(int level, int option, in T value, string refusal, string remedy = "check the kernel's log: dmesg")
        where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value));
        Check(SetOption(Handle, level, option, bytes, (uint)bytes.Length), refusal, remedy);
    }

    private T Get<T>(int level, int option)
        where T : unmanaged
    {
        var value = default(T);
        var bytes = MemoryMarshal.AsBytes(new Span<T>(ref value));
        var length = (uint)bytes.Length;
        return GetOption(Handle, level, option, bytes, ref length) == 0 ? value : default;
    }

    private void Check(int result, string refusal, string remedy = "check the kernel's log: dmesg")
    {
        if (result >= 0)
            return;
        var error = Marshal.GetLastPInvokeError();
        throw error is EPERM or EACCES
            ? new CaptureException(_interface, $"{refusal}: this user may not do that", "run as root, or once: sudo setcap cap_net_raw,cap_net_admin=eip PROGRAM")
            : new CaptureException(_interface, $"{refusal} ({Marshal.GetPInvokeErrorMessage(error)})", remedy);
    }

    /// <summary>The link type of the frames that an interface delivers, or null when they are none that we decode.</summary>
    public static LinkType? LinkTypeOf(ushort hardwareType) => hardwareType switch
    {
        ARPHRD_ETHER or ARPHRD_LOOPBACK => LinkType.Ethernet,
        ARPHRD_NONE or ARPHRD_RAWIP => LinkType.Raw,
        _ => null,
    };
}
