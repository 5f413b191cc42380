using System.Globalization;
using System.Net.NetworkInformation;
using PacketDotNet;

namespace IoTGuard.PacketDotNet.Tests;

/// <summary>
/// The headers of a frame as PacketDotNet sees them, named like tshark's fields. Never asks for TCP options: that list does not end on an
/// option of length 0.
/// </summary>
internal static class Oracle
{
    /// <summary>Link types (LINKTYPE_ numbers) that PacketDotNet and IoTGuard both read.</summary>
    public static readonly ushort[] LinkTypes = [0, 1, 12, 101, 113, 276];

    /// <summary>Null when PacketDotNet throws, as it does on malformed frames.</summary>
    public static Dictionary<string, string>? Read(ushort linkType, byte[] frame)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            Read(Packet.ParsePacket((LinkLayers)linkType, frame), fields);
            return fields;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return null;
        }
    }

    private static void Read(Packet packet, Dictionary<string, string> fields)
    {
        if (packet is EthernetPacket ethernet)
        {
            fields["eth.src"] = Text(ethernet.SourceHardwareAddress);
            fields["eth.dst"] = Text(ethernet.DestinationHardwareAddress);
        }

        var tags = new List<int>();
        var inner = packet.PayloadPacket;
        for (; inner is Ieee8021QPacket tag; inner = tag.PayloadPacket)
            tags.Add(tag.VlanIdentifier);
        fields["vlan"] = string.Join(',', tags.Where(id => id != 0).Take(2));

        if (inner is ArpPacket arp)
        {
            fields["arp.operation"] = Text((int)arp.Operation);
            fields["arp.sender"] = arp.SenderProtocolAddress.ToString();
            fields["arp.target"] = arp.TargetProtocolAddress.ToString();
        }
        else if (inner is IPPacket ip)
        {
            fields["ip.src"] = ip.SourceAddress.ToString();
            fields["ip.dst"] = ip.DestinationAddress.ToString();
            fields["ip.ttl"] = Text(ip.TimeToLive);
            fields["ip.protocol"] = Text((int)ip.Protocol);
            ReadTransport(ip.PayloadPacket, fields);
        }
    }

    private static void ReadTransport(Packet? packet, Dictionary<string, string> fields)
    {
        switch (packet)
        {
            case TcpPacket tcp:
                fields["tcp.ports"] = $"{tcp.SourcePort} {tcp.DestinationPort}";
                fields["tcp.sequence"] = Text(tcp.SequenceNumber);
                fields["tcp.acknowledgment"] = Text(tcp.AcknowledgmentNumber);
                fields["tcp.flags"] = Text(tcp.Flags & 0xFF);
                fields["tcp.window"] = Text(tcp.WindowSize);
                fields["tcp.checksum"] = Text(tcp.Checksum);
                fields["tcp.options"] = Text((tcp.DataOffset * 4) - 20);
                fields["tcp.payload"] = Text(PayloadLength(tcp));
                break;
            case UdpPacket udp:
                fields["udp.ports"] = $"{udp.SourcePort} {udp.DestinationPort}";
                fields["udp.checksum"] = Text(udp.Checksum);
                fields["udp.payload"] = Text(PayloadLength(udp));
                break;
            case IcmpV4Packet icmp:
                fields["icmp.type"] = Text((int)icmp.TypeCode);
                break;
            case IcmpV6Packet icmp:
                fields["icmp.type"] = Text(((int)icmp.Type << 8) | icmp.Code);
                break;
        }
    }

    private static int PayloadLength(Packet packet) => packet.PayloadPacket is { } inner
        ? inner.BytesSegment.Length
        : packet.PayloadDataSegment?.Length ?? 0;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(PhysicalAddress address) =>
        string.Join(':', address.GetAddressBytes().Select(octet => octet.ToString("x2", CultureInfo.InvariantCulture)));
}
