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

/// <summary>UDP ports of tunnels. What comes on them is only followed when its bytes are consistent with the tunnel.</summary>
public static class UdpTunnel
{
    /// <summary>RFC 2661, and version 3 in RFC 3931.</summary>
    public const ushort L2tp = 1701;

    /// <summary>3GPP TS 29.281.</summary>
    public const ushort GtpUser = 2152;

    /// <summary>RFC 4380.</summary>
    public const ushort Teredo = 3544;

    /// <summary>GRE in UDP, RFC 8086.</summary>
    public const ushort Gre = 4754;

    /// <summary>RFC 7348.</summary>
    public const ushort Vxlan = 4789;
    public const ushort VxlanGpe = 4790;

    /// <summary>CAPWAP data, RFC 5415.</summary>
    public const ushort Capwap = 5247;

    /// <summary>RFC 8926.</summary>
    public const ushort Geneve = 6081;

    /// <summary>MPLS in UDP, RFC 7510.</summary>
    public const ushort Mpls = 6635;

    /// <summary>VXLAN in Linux before the port was assigned.</summary>
    public const ushort OldVxlan = 8472;
    public const ushort Tzsp = 37008;

    /// <summary>True when the ports say that the datagram may carry a further packet.</summary>
    public static bool IsTunnel(ushort sourcePort, ushort destinationPort) =>
        destinationPort is L2tp or GtpUser or Teredo or Gre or Vxlan or VxlanGpe or Capwap or Geneve or Mpls or OldVxlan or Tzsp
        || sourcePort is L2tp or Teredo or Capwap; // both ways between fixed ports
}
