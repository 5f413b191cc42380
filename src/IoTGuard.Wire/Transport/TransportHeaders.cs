using System.Runtime.InteropServices;

namespace IoTGuard.Wire.Transport;

/// <summary>TCP header without options, 20 bytes (RFC 9293, 3.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct TcpHeader
{
    /// <summary>Length in bytes without options.</summary>
    public const int Size = 20;

    public readonly BigEndian16 SourcePort;
    public readonly BigEndian16 DestinationPort;
    public readonly BigEndian32 Sequence;
    public readonly BigEndian32 Acknowledgment;
    public readonly byte OffsetAndReserved;
    public readonly TcpFlags Flags;
    public readonly BigEndian16 Window;
    public readonly BigEndian16 Checksum;
    public readonly BigEndian16 UrgentPointer;

    /// <summary>Length of the header with options, in bytes; less than 20 is a fault.</summary>
    public int HeaderLength => (OffsetAndReserved >> 4) * 4;
}

/// <summary>UDP header, 8 bytes (RFC 768).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct UdpHeader
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 8;

    public readonly BigEndian16 SourcePort;
    public readonly BigEndian16 DestinationPort;

    /// <summary>Length of header and data in bytes; 0 in jumbograms (RFC 2675, 4) and offloaded segmentation.</summary>
    public readonly BigEndian16 Length;

    public readonly BigEndian16 Checksum;
}

/// <summary>What all ICMP (RFC 792) and ICMPv6 (RFC 4443, 2.1) messages begin with, 4 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct IcmpHeader
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 4;

    /// <summary>Type in the upper, code in the lower byte.</summary>
    public readonly BigEndian16 TypeAndCode;

    public readonly BigEndian16 Checksum;
}

/// <summary>SCTP common header, 12 bytes (RFC 9260, 3.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct SctpHeader
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 12;

    public readonly BigEndian16 SourcePort;
    public readonly BigEndian16 DestinationPort;
    public readonly BigEndian32 VerificationTag;
    public readonly BigEndian32 Checksum;
}

/// <summary>UDP ports of tunnels.</summary>
public static class UdpTunnel
{
    /// <summary>True when the ports say that the datagram carries a further packet.</summary>
    public static bool IsTunnel(ushort sourcePort, ushort destinationPort) =>
        destinationPort is
            4789 or 8472 // VXLAN, RFC 7348, and its port in older Linux
            or 4790 // VXLAN GPE
            or 6081 // Geneve, RFC 8926
            or 6635 // MPLS in UDP, RFC 7510
            or 4754 // GRE in UDP, RFC 8086
            or 2152 // GTP-U, 3GPP TS 29.281
            or 3544 // Teredo, RFC 4380
            or 1701 // L2TP, RFC 2661
        || sourcePort is 3544 or 1701; // both ways between fixed ports
}
