using System.Runtime.InteropServices;

namespace IoTGuard.Wire.Network;

/// <summary>IPv4 header without options, 20 bytes (RFC 791, 3.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct Ipv4Header
{
    /// <summary>Length in bytes without options.</summary>
    public const int Size = 20;

    public readonly byte VersionAndLength;
    public readonly byte TypeOfService;

    /// <summary>Length of header and data in bytes; 0 when segmentation was left to the network card.</summary>
    public readonly BigEndian16 TotalLength;

    public readonly BigEndian16 Identification;
    public readonly BigEndian16 FlagsAndFragmentOffset;
    public readonly byte TimeToLive;
    public readonly byte Protocol;
    public readonly BigEndian16 Checksum;
    public readonly BigEndian32 SourceNumber;
    public readonly BigEndian32 DestinationNumber;

    public int Version => VersionAndLength >> 4;

    /// <summary>Length of the header with options, in bytes; less than 20 is a fault.</summary>
    public int HeaderLength => (VersionAndLength & 0x0F) * 4;

    /// <summary>True when more fragments follow or this is not the first one.</summary>
    public bool IsFragment => (FlagsAndFragmentOffset & 0x3FFF) != 0;

    /// <summary>Offset of this fragment's data in the datagram, in bytes.</summary>
    public int FragmentOffset => (FlagsAndFragmentOffset & 0x1FFF) * 8;

    public IpAddress Source => IpAddress.FromIpv4(SourceNumber);

    public IpAddress Destination => IpAddress.FromIpv4(DestinationNumber);
}

/// <summary>IPv6 header, 40 bytes (RFC 8200, 3).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct Ipv6Header
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 40;

    public readonly BigEndian32 VersionAndFlow;

    /// <summary>Length of extension headers and data in bytes; 0 for jumbograms (RFC 2675) and offloaded segmentation.</summary>
    public readonly BigEndian16 PayloadLength;

    public readonly byte NextHeader;
    public readonly byte HopLimit;
    public readonly BigEndian64 SourceHigh;
    public readonly BigEndian64 SourceLow;
    public readonly BigEndian64 DestinationHigh;
    public readonly BigEndian64 DestinationLow;

    public int Version => (int)(VersionAndFlow >> 28);

    public IpAddress Source => new(SourceHigh, SourceLow);

    public IpAddress Destination => new(DestinationHigh, DestinationLow);
}

/// <summary>The first eight bytes of any IPv6 extension header (RFC 8200, 4.2), named as in the fragment header (4.5).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct Ipv6ExtensionHeader
{
    /// <summary>Length in bytes of the smallest extension header.</summary>
    public const int Size = 8;

    public readonly byte NextHeader;

    /// <summary>Length in units of 8 bytes without the first 8; AH counts units of 4 bytes without the first two (RFC 4302, 2.2).</summary>
    public readonly byte Length;

    public readonly BigEndian16 OffsetAndFlags;
    public readonly BigEndian32 Identification;

    /// <summary>
    /// Fragment header only: true when more fragments follow or this is not the first; an atomic fragment (RFC 6946) is whole.
    /// </summary>
    public bool IsFragment => (OffsetAndFlags & 0xFFF9) != 0;

    /// <summary>Fragment header only: offset of this fragment's data in bytes.</summary>
    public int FragmentOffset => OffsetAndFlags & 0xFFF8;
}

/// <summary>IP protocol numbers (IANA) that the decoder tells apart.</summary>
public static class IpProtocol
{
    public const byte HopByHop = 0;
    public const byte Icmp = 1;
    public const byte Tcp = 6;
    public const byte Udp = 17;
    public const byte Routing = 43;
    public const byte Fragment = 44;
    public const byte Authentication = 51;
    public const byte Icmpv6 = 58;
    public const byte NoNextHeader = 59;
    public const byte DestinationOptions = 60;
    public const byte Sctp = 132;

    /// <summary>IPv4 in IP, RFC 2003.</summary>
    public const byte Ipv4 = 4;

    /// <summary>IPv6 in IP, RFC 4213.</summary>
    public const byte Ipv6 = 41;

    /// <summary>RFC 2784.</summary>
    public const byte Gre = 47;

    /// <summary>RFC 3378.</summary>
    public const byte EtherIp = 97;

    /// <summary>Version 3, RFC 3931.</summary>
    public const byte L2tp = 115;

    /// <summary>MPLS in IP, RFC 4023.</summary>
    public const byte Mpls = 137;

    /// <summary>RFC 8986, 4.9.</summary>
    public const byte Ethernet = 143;

    /// <summary>True for protocols that carry a further packet.</summary>
    public static bool IsTunnel(byte protocol) => protocol is
        Ipv4 or Ipv6 or Gre or EtherIp or L2tp or Mpls or Ethernet
        or 55 // minimal encapsulation, RFC 2004
        or 94 // IPIP
        or 98; // encapsulation header, RFC 1241
}
