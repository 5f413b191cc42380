using System.Runtime.CompilerServices;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Tunnels;

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
/// The decoded headers of one frame: 128 bytes, what every packet needs in the first half. Of a frame with tunnels they are those of the
/// innermost packet, link included. Values only; offsets point into the frame that was decoded. Filled by <see cref="PacketDecoder"/>, which can be given the same view again and again.
/// </summary>
public struct PacketView
{
    public PacketKind Kind;

    /// <summary>IP protocol number behind all extension headers (RFC 5237 registry); 0 when there is none.</summary>
    public byte IpProtocol;

    /// <summary>IPv4 TTL or IPv6 hop limit.</summary>
    public byte TimeToLive;

    public TcpFlags TcpFlags;

    public ushort SourcePort;
    public ushort DestinationPort;

    /// <summary>Outermost VLAN id (12 bits); 0 = untagged or priority-tagged.</summary>
    public ushort Vlan;

    /// <summary>The next VLAN id of a QinQ frame; 0 = none.</summary>
    public ushort InnerVlan;

    /// <summary>TCP window as sent, unscaled.</summary>
    public ushort TcpWindow;

    /// <summary>IPv4 identification; 0 for IPv6.</summary>
    public ushort IpIdentification;

    public uint TcpSequence;
    public uint TcpAcknowledgment;

    /// <summary>IP source, or the sender of an ARP packet.</summary>
    public IpAddress Source;

    /// <summary>IP destination, or the target of an ARP packet.</summary>
    public IpAddress Destination;

    /// <summary>Offset of the transport payload in the frame, never beyond its end.</summary>
    public int PayloadOffset;

    /// <summary>Captured bytes of transport payload, padding of the link excluded.</summary>
    public int PayloadLength;

    /// <summary>Bytes of transport payload on the wire; more than <see cref="PayloadLength"/> when the capture was cut.</summary>
    public int PayloadWireLength;

    /// <summary>Number of the tunnel: VNI, key, label or session, as <see cref="TunnelKind"/> says; 0 when there is none.</summary>
    public uint TunnelId;

    /// <summary>0 when the link has no addresses.</summary>
    public MacAddress SourceMac;

    /// <summary>0 when the link has no addresses.</summary>
    public MacAddress DestinationMac;

    /// <summary>The fault that ended decoding, or the first that was met on the way; the headers that are filled are valid.</summary>
    public Fault Fault;

    /// <summary>Offset of the IP or ARP header in the frame; 0 and meaningless for <see cref="PacketKind.Other"/>.</summary>
    public ushort NetworkOffset;

    /// <summary>EtherType of the network layer; 0 when the link gave none.</summary>
    public ushort EtherType;

    /// <summary>ICMP type in the upper, code in the lower byte.</summary>
    public ushort IcmpTypeCode;

    /// <summary>Checksum of TCP, UDP or ICMP as sent, never verified; a router leaves it as it is.</summary>
    public ushort TransportChecksum;

    public ArpOperation ArpOperation;

    /// <summary>Length of the TCP options in bytes; 0 when there are none.</summary>
    public byte TcpOptionsLength;

    /// <summary>True for every fragment of an IP datagram, the first one too; an atomic fragment (RFC 6946) is whole.</summary>
    public bool IsFragment;

    /// <summary>The encapsulation next to the packet.</summary>
    public TunnelKind Tunnel;

    /// <summary>Encapsulations around the packet.</summary>
    public byte TunnelDepth;

    private ushort _carrier;

    /// <summary>Offset in the frame of the IP header that is next around the packet; -1 when there is none.</summary>
    public readonly int CarrierOffset => _carrier - 1;

    /// <summary>Offset of the TCP options in the frame; 0 when there are none.</summary>
    public readonly int TcpOptionsOffset => TcpOptionsLength == 0 ? 0 : PayloadOffset - TcpOptionsLength;

    internal void SetCarrier(int offset) => _carrier = (ushort)(offset + 1);

    /// <summary>Takes the next VLAN id from a tag's control information; id 0 is a priority tag and names no VLAN (802.1Q, 9.6).</summary>
    internal void AddVlan(ushort controlInformation)
    {
        var id = (ushort)(controlInformation & 0x0FFF);
        if (Vlan == 0)
            Vlan = id;
        else if (InnerVlan == 0)
            InnerVlan = id;
    }

    /// <summary>Sets where the transport payload lies, given where the captured and the sent bytes end.</summary>
    internal void SetPayload(int offset, int capturedEnd, int wireEnd)
    {
        PayloadOffset = offset;
        PayloadLength = capturedEnd - offset;
        PayloadWireLength = wireEnd - offset;
    }

    /// <summary>Sets that the capture ends before the payload, of which so many bytes were sent.</summary>
    internal void SetNoPayload(int capturedEnd, int wireLength)
    {
        PayloadOffset = capturedEnd;
        PayloadLength = 0;
        PayloadWireLength = Math.Max(0, wireLength);
    }

    /// <summary>Keeps a fault that does not end decoding, unless an earlier one is kept.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal void Note(FaultKind kind, Layer layer, int offset, long required, long available = 0)
    {
        if (Fault.IsNone)
            Fault = new Fault(kind, layer, offset, required, available);
    }

    /// <summary>Keeps the fault that ends decoding. Not inlined: the way without faults needs no room for them on its stack.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal void End(FaultKind kind, Layer layer, int offset, long required, long available = 0) =>
        Fault = new Fault(kind, layer, offset, required, available);
}
