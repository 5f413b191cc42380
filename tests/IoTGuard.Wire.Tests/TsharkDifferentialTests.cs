using System.Globalization;
using IoTGuard.TestSupport;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Transport;
using IoTGuard.Wire.Tunnels;

namespace IoTGuard.Wire.Tests;

/// <summary>Every frame of our captures and of ../shared/data with a link type that is decoded: our headers against tshark's.</summary>
public sealed class TsharkDifferentialTests(ITestOutputHelper output)
{
    private sealed record Field(string Name, Func<CapturedFrame, PacketView, string> Ours);

    private static readonly Field[] Fields =
    [
        new("eth.src", static (frame, view) => IsEthernet(frame, view) ? view.SourceMac.ToString() : ""),
        new("eth.dst", static (frame, view) => IsEthernet(frame, view) ? view.DestinationMac.ToString() : ""),
        new("vlan.id", static (_, view) => string.Join(',', new[] { view.Vlan, view.InnerVlan }.Where(id => id != 0))),
        new("ip.src", static (_, view) => IsIpv4(view) ? view.Source.ToString() : ""),
        new("ip.dst", static (_, view) => IsIpv4(view) ? view.Destination.ToString() : ""),
        new("ip.ttl", static (_, view) => IsIpv4(view) ? Text(view.TimeToLive) : ""),
        new("ip.id", static (_, view) => IsIpv4(view) ? Text(view.IpIdentification) : ""),
        new("ipv6.src", static (_, view) => IsIpv6(view) ? view.Source.ToString() : ""),
        new("ipv6.dst", static (_, view) => IsIpv6(view) ? view.Destination.ToString() : ""),
        new("ipv6.hlim", static (_, view) => IsIpv6(view) ? Text(view.TimeToLive) : ""),
        new("tcp.srcport", static (_, view) => view.Kind == PacketKind.Tcp ? Text(view.SourcePort) : ""),
        new("tcp.dstport", static (_, view) => view.Kind == PacketKind.Tcp ? Text(view.DestinationPort) : ""),
        new("tcp.seq_raw", static (_, view) => view.Kind == PacketKind.Tcp ? Text(view.TcpSequence) : ""),
        new("tcp.ack_raw", static (_, view) => view.Kind == PacketKind.Tcp ? Text(view.TcpAcknowledgment) : ""),
        new("tcp.flags", static (_, view) => view.Kind == PacketKind.Tcp ? Text((byte)view.TcpFlags) : ""),
        new("tcp.window_size_value", static (_, view) => view.Kind == PacketKind.Tcp ? Text(view.TcpWindow) : ""),
        new("tcp.checksum", static (_, view) => view.Kind == PacketKind.Tcp ? Text(view.TransportChecksum) : ""),
        new("tcp.len", static (_, view) => view.Kind == PacketKind.Tcp ? Text(view.PayloadWireLength) : ""),
        new("udp.srcport", static (_, view) => view.Kind == PacketKind.Udp ? Text(view.SourcePort) : ""),
        new("udp.dstport", static (_, view) => view.Kind == PacketKind.Udp ? Text(view.DestinationPort) : ""),
        new("udp.checksum", static (_, view) => view.Kind == PacketKind.Udp ? Text(view.TransportChecksum) : ""),
        new("udp.length", static (_, view) => view.Kind == PacketKind.Udp ? Text(view.PayloadWireLength + UdpHeader.Size) : ""),
        new("icmp.type", static (_, view) => view.Kind == PacketKind.Icmp ? Text(view.IcmpTypeCode >> 8) : ""),
        new("icmp.code", static (_, view) => view.Kind == PacketKind.Icmp ? Text(view.IcmpTypeCode & 0xFF) : ""),
        new("icmpv6.type", static (_, view) => view.Kind == PacketKind.Icmpv6 ? Text(view.IcmpTypeCode >> 8) : ""),
        new("icmpv6.code", static (_, view) => view.Kind == PacketKind.Icmpv6 ? Text(view.IcmpTypeCode & 0xFF) : ""),
        new("sctp.srcport", static (_, view) => view.Kind == PacketKind.Sctp ? Text(view.SourcePort) : ""),
        new("sctp.dstport", static (_, view) => view.Kind == PacketKind.Sctp ? Text(view.DestinationPort) : ""),
        new("arp.opcode", static (_, view) => view.Kind == PacketKind.Arp ? Text((ushort)view.ArpOperation) : ""),
        new("arp.src.proto_ipv4", static (_, view) => view.Kind == PacketKind.Arp && view.Source != default ? view.Source.ToString() : ""),
        new("arp.dst.proto_ipv4", static (_, view) => view.Kind == PacketKind.Arp && view.Destination != default ? view.Destination.ToString() : ""),
        new("communityid", static (_, view) => IsIpv4(view) || IsIpv6(view) ? CommunityIdOf(view) : ""),
    ];

    private sealed record Explanation(string Why, Func<CapturedFrame, PacketView, string, string, string, bool> Covers);

    private static readonly Explanation[] Explanations =
    [
        new("ICMP quotes a packet: tshark shows its headers, we do not follow it", static (_, view, name, _, _) =>
            view.Kind is PacketKind.Icmp or PacketKind.Icmpv6 && !name.StartsWith(view.Kind == PacketKind.Icmp ? "icmp." : "icmpv6.", StringComparison.Ordinal)),
        new("L2TP 3 over UDP, where nothing says how long the cookie is: tshark does not look into it", static (frame, view, _, _, _) =>
            view.Tunnel == TunnelKind.L2tpV3 && frame.Bytes[EthernetHeader.Size + 9] == IpProtocol.Udp),
        new("802.1ah: tshark has other names for the addresses of the customer's frame, which ours are", static (_, view, name, _, _) =>
            view.Tunnel == TunnelKind.BackboneBridge && name.StartsWith("eth.", StringComparison.Ordinal)),
        new("first fragment of a tunnel's packet: tshark reads what it holds of the packet within, we wait for the whole", static (_, view, name, ours, _) =>
            view.IsFragment && (name == "communityid" || (ours.Length == 0 && name.StartsWith("tcp.", StringComparison.Ordinal)))),
        new("an inner packet without a link of its own has no MAC addresses", static (_, view, name, ours, _) =>
            view.TunnelDepth > 0 && ours == "00:00:00:00:00:00" && name.StartsWith("eth.", StringComparison.Ordinal)),
        new("tshark shows addresses of every packet on the way, IPv4 and IPv6; ours are the innermost's", static (_, view, name, ours, _) =>
            view.TunnelDepth > 0 && ours.Length == 0 && OtherLayer(name, view)),
        new("tshark's Community ID takes addresses and ports from different packets when the innermost has no ports", static (_, view, name, _, _) =>
            name == "communityid" && (view.TunnelDepth > 0 && view.Kind is PacketKind.Ip or PacketKind.Arp || view.DestinationPort == UdpTunnel.Capwap)),
        new("an inner frame that is neither IP nor ARP: tshark shows its link, we keep the carrier", static (_, view, name, _, _) =>
            view.Kind != PacketKind.Other && view.Fault is { Kind: FaultKind.Unsupported, Layer: Layer.Link } && name is "vlan.id" or "eth.src" or "eth.dst"),
        new("lengths of 0 (segmentation beyond 64 KiB left to the network card): tshark stops, we take the frame's", static (frame, view, _, _, _) =>
            view.TunnelDepth > 0 && frame.Bytes.Length > ushort.MaxValue),
        new("tshark shows the fields that still fit before the capture was cut, we take whole headers", static (_, view, name, ours, theirs) =>
            view.Fault.Kind == FaultKind.Truncated && (ours.Length == 0 || theirs.Length == 0 || name == "communityid")),
        new("the datagram is too short for its own header: tshark shows the fields that fit, we take whole headers", static (_, view, name, ours, _) =>
            view.Fault is { Kind: FaultKind.BadLength, Layer: Layer.Transport } && view.Kind == PacketKind.Ip && (ours.Length == 0 || name == "communityid")),
        new("IPv4 header says version 6: tshark gives it to IPv6, we refuse it", static (_, view, _, ours, _) =>
            view.Fault is { Kind: FaultKind.BadValue, Layer: Layer.Network } && ours.Length == 0),
        new("IPv4 total length below the header length: tshark stops before the addresses, we keep them", static (_, view, name, _, theirs) =>
            view.Fault is { Kind: FaultKind.BadLength, Layer: Layer.Network } && view.Kind == PacketKind.Ip && theirs.Length == 0),
        new("TCP header shorter than 20 bytes: tshark stops there, we keep the fields that are there", static (_, view, name, _, _) =>
            view.Fault is { Kind: FaultKind.BadLength, Layer: Layer.Transport } && view.Kind == PacketKind.Tcp && name.StartsWith("tcp.", StringComparison.Ordinal)),
        new("first fragment: we count the datagram's bytes in this fragment, tshark all of it or nothing", static (_, view, name, _, _) =>
            view.IsFragment && name is "udp.length" or "tcp.len"),
        new("UDP length contradicts the datagram: tshark shows the field, we take the datagram's", static (_, view, name, _, _) =>
            view.Fault.Kind == FaultKind.BadLength && name == "udp.length"),
        new("UDP length 0 (jumbogram, offloaded segmentation): tshark stops, we take the datagram's", static (frame, view, name, _, theirs) =>
            UdpLength(frame, view) == 0 && (theirs.Length == 0 || name is "udp.length" or "communityid")),
        new("tshark has no Community ID for IPv6 without ports, nor for IPv4 with protocol number 0", static (_, view, name, _, theirs) =>
            name == "communityid" && view.Kind == PacketKind.Ip && (view.EtherType == 0x86DD || view.IpProtocol == 0) && theirs.Length == 0),
        new("mobility header (135, once 62): tshark's Community ID names the header after it", static (_, view, name, _, _) =>
            name == "communityid" && view.IpProtocol is 135 or 62),
        new("ARP of an unknown hardware type", static (_, view, name, _, theirs) =>
            name.StartsWith("arp.", StringComparison.Ordinal) && view.Fault.IsNone && theirs.Length == 0),
        new("ARP whose addresses are not 6 and 4 bytes: tshark cuts four bytes out, we say it is unsupported", static (_, view, name, ours, _) =>
            name.StartsWith("arp.", StringComparison.Ordinal) && view.Fault.Kind == FaultKind.Unsupported && ours.Length == 0),
        new("Cisco ISL: tshark shows the inner Ethernet header, we do not follow it", static (_, _, name, ours, _) =>
            name == "eth.dst" && ours == "01:00:0c:00:00:00"),
    ];

    [Fact]
    public void AgreesOnTheCapturesOfTheRepository()
    {
        var folder = Repository.PathOf("captures");
        var frames = Directory.Exists(folder) ? CaptureFile.ReadAll(folder).ToList() : [];
        Assert.SkipWhen(frames.Count == 0, "no captures in captures/");
        Compare(frames);
    }

    [Fact]
    public void AgreesOnTheSharedCaptures() => Compare(CaptureFile.ReadAll(Repository.SharedDataOrSkip("captures")));

    private void Compare(IEnumerable<CapturedFrame> captured)
    {
        Assert.SkipUnless(Tshark.IsInstalled, "tshark is not installed");
        var frames = captured.Where(frame => Enum.IsDefined((LinkType)frame.LinkType)).ToList();
        var rows = Tshark.Run(frames, [.. Fields.Select(field => field.Name), "ieee8021ad.id", "frame.protocols"]);
        Assert.Equal(frames.Count, rows.Count);

        var explained = new int[Explanations.Length];
        var unexplained = new List<string>();
        for (var i = 0; i < frames.Count; i++)
        {
            var frame = frames[i];
            var view = default(PacketView);
            PacketDecoder.Decode(frame.Bytes, new FrameHeader(0, 0, frame.Bytes.Length, frame.WireLength, (LinkType)frame.LinkType), ref view);
            for (var f = 0; f < Fields.Length; f++)
            {
                var name = Fields[f].Name;
                var ours = Fields[f].Ours(frame, view);
                var theirs = Normal(name, rows[i][f], view);
                if (name == "vlan.id")
                    theirs = Normal(name, string.Join(',', new[] { rows[i][^2], rows[i][f] }.Where(ids => ids.Length > 0)), view);
                if (string.Equals(ours, theirs, StringComparison.Ordinal))
                    continue;
                var at = Array.FindIndex(Explanations, explanation => explanation.Covers(frame, view, name, ours, theirs));
                if (at >= 0)
                    explained[at]++;
                else
                    unexplained.Add($"{frame.Origin} [{frame.LinkType}] {name}: ours '{ours}', tshark '{theirs}' {view.Kind} {view.Fault} {rows[i][^1]}");
            }
        }

        output.WriteLine($"{frames.Count} frames, {(long)frames.Count * Fields.Length} fields compared");
        for (var i = 0; i < explained.Length; i++)
            output.WriteLine($"{explained[i],6}  {Explanations[i].Why}");
        foreach (var difference in unexplained)
            output.WriteLine(difference);
        Assert.Empty(unexplained);
    }

    /// <summary>tshark's values as we write them. Of the packets that are in each other, ours is the last.</summary>
    private static string Normal(string name, string text, in PacketView view)
    {
        var values = text.Split(',');
        if (name == "vlan.id")
        {
            var ids = values.Where(id => id.Length > 0 && id != "0").ToList();
            var ours = (view.Vlan == 0 ? 0 : 1) + (view.InnerVlan == 0 ? 0 : 1);
            return string.Join(',', view.TunnelDepth > 0 ? ids.TakeLast(ours) : ids.Take(2));
        }

        var value = view.TunnelDepth > 0 ? values[^1] : values[0];
        if (name == "tcp.flags" && text.Length > 0)
            return Text(long.Parse(value.AsSpan(2), NumberStyles.HexNumber) & 0xFF);
        return value.StartsWith("0x", StringComparison.Ordinal) ? Text(long.Parse(value.AsSpan(2), NumberStyles.HexNumber)) : value;
    }

    /// <summary>True for fields of a kind of header that the innermost packet does not have, but a carrier may.</summary>
    private static bool OtherLayer(string name, in PacketView view) => name.Split('.')[0] switch
    {
        "ip" => !IsIpv4(view),
        "ipv6" => !IsIpv6(view),
        "udp" => view.Kind != PacketKind.Udp,
        _ => false,
    };

    private static string CommunityIdOf(in PacketView view)
    {
        var key = FlowKey.From(view, vlanAware: true, out var sender);
        return CommunityId.ToString(key, sender);
    }

    private static int UdpLength(CapturedFrame frame, in PacketView view) =>
        view.Kind == PacketKind.Udp ? (frame.Bytes[view.PayloadOffset - 4] << 8) | frame.Bytes[view.PayloadOffset - 3] : -1;

    private static bool IsEthernet(CapturedFrame frame, in PacketView view) =>
        frame.LinkType == (ushort)LinkType.Ethernet && frame.Bytes.Length >= 14;

    private static bool IsIpv4(in PacketView view) => view.Kind is not (PacketKind.Other or PacketKind.Arp) && view.EtherType == 0x0800;

    private static bool IsIpv6(in PacketView view) => view.Kind is not (PacketKind.Other or PacketKind.Arp) && view.EtherType == 0x86DD;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
