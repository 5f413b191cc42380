using System.Runtime.InteropServices;

namespace IoTGuard.Capture.Native;

/// <summary>Constants and structures of &lt;linux/if_packet.h&gt; and what goes with it.</summary>
internal static class IfPacket
{
    public const int SOL_PACKET = 263; // <linux/socket.h>

    public const int PACKET_ADD_MEMBERSHIP = 1;
    public const int PACKET_RX_RING = 5;
    public const int PACKET_STATISTICS = 6;
    public const int PACKET_VERSION = 10;
    public const int PACKET_FANOUT = 18;
    public const int PACKET_IGNORE_OUTGOING = 23;

    public const int TPACKET_V3 = 2;
    public const ushort PACKET_MR_PROMISC = 1;
    public const byte PACKET_OUTGOING = 4;

    public const int PACKET_FANOUT_HASH = 0;
    public const int PACKET_FANOUT_FLAG_ROLLOVER = 0x1000;
    public const int PACKET_FANOUT_FLAG_UNIQUEID = 0x2000;

    public const uint TP_STATUS_KERNEL = 0;
    public const uint TP_STATUS_USER = 1;
    public const uint TP_STATUS_VLAN_VALID = 1 << 4;
    public const uint TP_STATUS_VLAN_TPID_VALID = 1 << 6;

    // <linux/if_ether.h>
    public const ushort ETH_P_ALL = 0x0003;
    public const ushort ETH_P_8021Q = 0x8100;

    // <linux/if_arp.h>
    public const ushort ARPHRD_ETHER = 1;
    public const ushort ARPHRD_RAWIP = 519;
    public const ushort ARPHRD_LOOPBACK = 772;
    public const ushort ARPHRD_NONE = 0xFFFE;

    /// <summary>struct tpacket_req3: the ring that is asked for.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct RingRequest(
        uint BlockSize, uint BlockCount, uint FrameSize, uint FrameCount, uint RetireTimeoutMs, uint PrivateSize, uint FeatureRequest);

    /// <summary>struct tpacket_block_desc with struct tpacket_hdr_v1: the head of a block.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct BlockHeader(
        uint Version, uint OffsetToPrivate, uint Status, uint PacketCount, uint OffsetToFirstPacket, uint Length, ulong Sequence)
    {
        /// <summary>Offset of block_status in a block.</summary>
        public const int StatusOffset = 8;
    }

    /// <summary>struct tpacket3_hdr with struct tpacket_hdr_variant1, and the start of the struct sockaddr_ll behind it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct PacketHeader(
        uint NextOffset, uint Seconds, uint Nanoseconds, uint SnapLength, uint Length, uint Status, ushort MacOffset, ushort NetOffset,
        uint RxHash, uint VlanTci, ushort VlanTpid, ushort Padding, ulong Padding8, LinkAddress Sender)
    {
        /// <summary>Bytes of the header without the address: TPACKET_ALIGN(sizeof(struct tpacket3_hdr)).</summary>
        public const int AddressOffset = 48;
    }

    /// <summary>struct sockaddr_ll.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct LinkAddress(ushort Family, ushort Protocol, int Interface, ushort HardwareType, byte PacketType, byte AddressLength, ulong Address);

    /// <summary>struct packet_mreq.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct Membership(int Interface, ushort Type, ushort AddressLength, ulong Address);

    /// <summary>struct tpacket_stats_v3.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct Statistics(uint Packets, uint Drops, uint Freezes);

    /// <summary>struct sock_filter, &lt;linux/filter.h&gt;: one instruction of a classic BPF program.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct FilterInstruction(ushort Code, byte JumpTrue, byte JumpFalse, uint Operand);

    /// <summary>struct sock_fprog, &lt;linux/filter.h&gt;, and struct bpf_program of libpcap without its wider length.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct FilterProgram(ushort Length, nint Instructions);
}
