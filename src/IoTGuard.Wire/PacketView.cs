using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Wire;

/// <summary>What the innermost decoded header of a packet is.</summary>
public enum PacketKind : byte
{
    /// <summary>Not IP, or not decodable; see <see cref="PacketView.Fault"/>.</summary>
    Other,
    Arp,
    Tcp,
    Udp,
    Icmp,
    Icmpv6,
    Sctp,

    /// <summary>An IP datagram of another protocol, or a fragment without its transport header.</summary>
    Ip,
}

/// <summary>TCP control bits (RFC 9293, 3.1; RFC 3168 for the two highest).</summary>
[Flags]
public enum TcpFlags : byte
{
    None = 0,
    Fin = 0x01,
    Syn = 0x02,
    Rst = 0x04,
    Psh = 0x08,
    Ack = 0x10,
    Urg = 0x20,
    Ece = 0x40,
    Cwr = 0x80,
}

/// <summary>
/// The decoded headers of one frame. Values only; <see cref="PayloadOffset"/> points into the frame that was decoded.
/// Filled by <see cref="PacketDecoder.Decode"/>, which can be given the same view again and again.
/// </summary>
public struct PacketView
{
    public PacketKind Kind;

    /// <summary>IP protocol number of the innermost datagram (RFC 5237 registry); 0 when there is none.</summary>
    public byte IpProtocol;

    /// <summary>IPv4 TTL or IPv6 hop limit.</summary>
    public byte TimeToLive;

    public TcpFlags TcpFlags;

    /// <summary>Outermost VLAN id (12 bits); 0 = untagged or priority-tagged.</summary>
    public ushort Vlan;

    /// <summary>Inner VLAN id of a QinQ frame; 0 = none.</summary>
    public ushort InnerVlan;

    /// <summary>EtherType of the network layer; 0 when the link gave none.</summary>
    public ushort EtherType;

    public ushort SourcePort;
    public ushort DestinationPort;

    /// <summary>IPv4 identification; 0 for IPv6.</summary>
    public ushort IpIdentification;

    /// <summary>TCP window as sent, unscaled.</summary>
    public ushort TcpWindow;

    /// <summary>ICMP type in the upper, code in the lower byte.</summary>
    public ushort IcmpTypeCode;

    public uint TcpSequence;
    public uint TcpAcknowledgment;

    public MacAddress SourceMac;
    public MacAddress DestinationMac;
    public IpAddress Source;
    public IpAddress Destination;

    /// <summary>Offset of the IP header in the frame; 0 and meaningless when <see cref="Kind"/> is not an IP kind.</summary>
    public int NetworkOffset;

    /// <summary>Offset of the transport payload in the frame.</summary>
    public int PayloadOffset;

    /// <summary>Captured bytes of transport payload, padding of the link excluded.</summary>
    public int PayloadLength;

    /// <summary>Bytes of transport payload on the wire; more than <see cref="PayloadLength"/> when the capture was cut.</summary>
    public int PayloadWireLength;

    /// <summary>Offset of the TCP options in the frame, and their length in bytes; 0 when there are none.</summary>
    public int TcpOptionsOffset;
    public int TcpOptionsLength;

    /// <summary>True for every fragment of an IP datagram, the first one too.</summary>
    public bool IsFragment;

    /// <summary>The fault that ended decoding, or that was met on the way; headers above it are valid.</summary>
    public Fault Fault;
}
