using IoTGuard.Wire.Network;
using IoTGuard.Wire.Transport;
using IoTGuard.Wire.Tunnels;
using static IoTGuard.Wire.Tests.FrameBytes;
using static IoTGuard.Wire.Tests.Tunnels.TunnelBytes;

namespace IoTGuard.Wire.Tests.Tunnels;

/// <summary>Every encapsulation leads to its inner packet; what only looks like one, or cannot be read, stays what it is.</summary>
public sealed class TunnelTests
{
    [Fact]
    public void EveryEncapsulationLeadsToItsInnerPacket()
    {
        foreach (var sample in Samples)
        {
            var view = Decode(sample.Frame, sample.Link);
            Assert.True(view.Fault.IsNone, $"{sample.Name}: {view.Fault}");
            Assert.Equal((sample.Name, PacketKind.Udp, 1111, 2222), (sample.Name, view.Kind, view.SourcePort, view.DestinationPort));
            Assert.Equal((sample.Name, sample.Kind, sample.Id, sample.Depth), (sample.Name, view.Tunnel, view.TunnelId, view.TunnelDepth));
            Assert.Equal(view.EtherType == 0x86DD ? "fd00::1" : "10.1.1.1", view.Source.ToString());
            Assert.Equal(view.EtherType == 0x86DD ? "fd00::2" : "10.2.2.2", view.Destination.ToString());
            Assert.Equal(Payload, sample.Frame.AsSpan(view.PayloadOffset, view.PayloadLength));
            Assert.Equal(8, view.PayloadWireLength);
            Assert.Equal(sample.Carrier, CarrierOf(sample.Frame, view));
        }

        Assert.Equal(TunnelKinds.Count - 1, Samples.Select(s => s.Kind).Distinct().Count());
    }

    [Fact]
    public void TheLinkIsTheInnerPackets()
    {
        var bridged = Decode(OverUdp(4789, Hex("08000000 00002A00"), TaggedFrame));
        Assert.Equal((InnerMac, (ushort)7), (bridged.SourceMac.ToString(), bridged.Vlan));
        var routed = Decode(OverIp(4, InnerIpv4));
        Assert.True(routed.SourceMac.IsNone && routed.DestinationMac.IsNone);
        var labelled = Decode(Join(Ethernet(0x8100), Vlan(9, 0x8847), Hex("00064140"), InnerIpv4));
        Assert.Equal(("02:00:00:00:00:02", (ushort)9), (labelled.SourceMac.ToString(), labelled.Vlan));
    }

    [Fact]
    public void ArpInATunnelIsRead()
    {
        var arp = Hex("FFFFFFFFFFFF 02000000000B 0806 0001 0800 06 04 0001 02000000000B 0A010101 000000000000 0A020202");
        var view = Decode(OverUdp(4789, Hex("08000000 00002A00"), arp));
        Assert.Equal((PacketKind.Arp, "10.1.1.1", TunnelKind.Vxlan), (view.Kind, view.Source.ToString(), view.Tunnel));
    }

    [Theory]
    [InlineData(4789, "00000000 00002A00")] // no VNI
    [InlineData(4789, "08000001 00002A00")] // reserved bits
    [InlineData(4789, "08000000 00002A01")]
    [InlineData(4790, "08000003 00002A00")] // no next protocol
    [InlineData(4790, "1C000003 00002A00")] // version
    [InlineData(6081, "4000 6558 00002A00")] // version
    [InlineData(6081, "0001 6558 00002A00")] // reserved bits
    [InlineData(6081, "0000 0001 00002A00")] // no EtherType
    [InlineData(2152, "28FF 0024 00000001")] // version 1 of GTP', 3 bits
    [InlineData(2152, "3001 0000 00000001")] // echo request
    [InlineData(2152, "34FF 0024 00000001 00000085 00")] // an extension header of length 0
    [InlineData(3544, "00010000")]
    [InlineData(1701, "C802 0014 0001 0000")] // control
    [InlineData(37008, "02000001 01")]
    [InlineData(37008, "01000012 01")] // 802.11
    [InlineData(5247, "0110 0200 00000000")] // DTLS
    [InlineData(6635, "00000000")]
    [InlineData(4754, "4000 0800")]
    public void OtherDatagramsOnTheirPortsStay(ushort port, string content)
    {
        var frame = OverUdp(port, Hex(content), Enumerable.Repeat((byte)0xA5, 60).ToArray());
        var view = Decode(frame);
        Assert.Equal((PacketKind.Udp, port, TunnelKind.None, 0), (view.Kind, view.DestinationPort, view.Tunnel, view.TunnelDepth));
        Assert.Equal("192.0.2.1", view.Source.ToString());
        Assert.Equal(frame.Length - 42, view.PayloadLength);
        Assert.True(view.Fault.IsNone, view.Fault.ToString());
    }

    [Fact]
    public void RandomDatagramsOnTheirPortsStayAndAreWhole()
    {
        var random = new Random(7);
        var followed = 0;
        ushort[] ports = [1701, 2152, 3544, 4754, 4789, 4790, 5247, 6081, 6635, 8472, 37008];
        for (var i = 0; i < 200_000; i++)
        {
            var content = new byte[random.Next(90)];
            random.NextBytes(content);
            var view = Decode(OverUdp(ports[i % ports.Length], content));
            if (view.Tunnel == TunnelKind.None)
                Assert.Equal((PacketKind.Udp, content.Length), (view.Kind, view.PayloadLength));
            else
                followed++;
        }

        Assert.InRange(followed, 0, 20);
    }

    [Theory]
    [InlineData(0x88E5, "2C00 00000001 0200000000020001", 0x2C)] // MACsec, encrypted
    [InlineData(0x8864, "1100 0001 0004 C021 0101", 0xC021)] // PPP link control
    [InlineData(0x8864, "1109 0001 0004 0021", 0x1109)] // discovery
    [InlineData(0x22F3, "0000", 0x22F3)] // TRILL
    [InlineData(0x8847, "00064140 1000000000", 100)] // an associated channel
    public void WhatIsNotFollowedOnTheLinkIsSaid(ushort type, string content, long value)
    {
        var view = Decode(Join(Ethernet(type), Hex(content), Zeros(40)));
        Assert.Equal((PacketKind.Other, TunnelKind.None, type), (view.Kind, view.Tunnel, view.EtherType));
        Assert.Equal((FaultKind.Tunnel, Layer.Link, 14, value), (view.Fault.Kind, view.Fault.Layer, view.Fault.Offset, view.Fault.Required));
    }

    [Theory]
    [InlineData(47, "4000 0800 00000000")] // routing
    [InlineData(47, "0005 0800")] // version
    [InlineData(47, "2001 880B 0000 0001")] // PPTP acknowledgement
    [InlineData(47, "1000 88BE 00000001 3007 0123 00000000")] // ERSPAN of another version
    [InlineData(47, "1000 22EB 00000001 2007 0001 00000000 0000 1C00")] // ERSPAN III of frame type 7
    [InlineData(47, "0000 0000")] // keep-alive
    [InlineData(97, "4000")]
    [InlineData(98, "0000")]
    [InlineData(115, "00000000")] // control
    public void WhatIsNotFollowedOverIpStaysWithItsCarrier(byte protocol, string content)
    {
        var frame = OverIp(protocol, Hex(content), Zeros(40));
        var view = Decode(frame);
        Assert.Equal((PacketKind.Ip, protocol, TunnelKind.None), (view.Kind, view.IpProtocol, view.Tunnel));
        Assert.Equal((FaultKind.Tunnel, Layer.Network, 34), (view.Fault.Kind, view.Fault.Layer, view.Fault.Offset));
        Assert.Equal(frame.Length - 34, view.PayloadLength);
    }

    [Fact]
    public void AnInnerFrameThatIsNoPacketLeavesTheCarrier()
    {
        var view = Decode(OverUdp(4789, Hex("08000000 00002A00"), Hex("02000000000A 02000000000B 88CC"), Zeros(46)));
        Assert.Equal((PacketKind.Udp, 4789, "192.0.2.1", 68), (view.Kind, view.DestinationPort, view.Source.ToString(), view.PayloadLength));
        Assert.Equal((FaultKind.Unsupported, 64), (view.Fault.Kind, view.Fault.Offset));
        view = Decode(OverIp(4, Zeros(40)));
        Assert.Equal((PacketKind.Ip, 4, FaultKind.BadValue, 34), (view.Kind, view.IpProtocol, view.Fault.Kind, view.Fault.Offset));
    }

    [Fact]
    public void TheDepthIsLimited()
    {
        var eight = OverIp(4, Nested(7));
        Assert.Equal((8, PacketKind.Udp, true), (Decode(eight).TunnelDepth, Decode(eight).Kind, Decode(eight).Fault.IsNone));
        var nine = Decode(OverIp(4, Nested(8)));
        Assert.Equal((PacketKind.Ip, 4, 8), (nine.Kind, nine.IpProtocol, nine.TunnelDepth));
        Assert.Equal((FaultKind.TooDeep, 9L, 8L), (nine.Fault.Kind, nine.Fault.Required, nine.Fault.Available));
        var bomb = Decode(OverIp(4, Nested(400)));
        Assert.Equal((PacketKind.Ip, FaultKind.TooDeep), (bomb.Kind, bomb.Fault.Kind));
        var labels = Decode(Join(Ethernet(0x8847), Enumerable.Range(0, 100).SelectMany(_ => Hex("00064040")).ToArray()));
        Assert.Equal((PacketKind.Other, FaultKind.TooDeep), (labels.Kind, labels.Fault.Kind));

        static byte[] Nested(int count)
        {
            var packet = InnerIpv4;
            for (var i = 0; i < count; i++)
                packet = Join(Ipv4(4, packet.Length), packet);
            return packet;
        }
    }

    [Fact]
    public void AnInnerPacketEndsWithItsCarrier()
    {
        // The inner datagram claims 100 bytes more than its carrier holds; padding of the frame is not part of it.
        var inner = (byte[])InnerIpv4.Clone();
        inner[3] += 100;
        inner[25] += 100;
        inner[10] = inner[11] = 0;
        var view = Decode(Join(OverIp(4, inner), Zeros(30)));
        Assert.Equal((PacketKind.Udp, 8, 8), (view.Kind, view.PayloadLength, view.PayloadWireLength));
        Assert.Equal(FaultKind.BadLength, view.Fault.Kind);
    }

    [Fact]
    public void ACutCaptureKeepsTheLengthOnTheWire()
    {
        var frame = OverUdp(4789, Hex("08000000 00002A00"), InnerEthernet);
        var view = default(PacketView);
        PacketDecoder.Decode(frame.AsSpan(0, frame.Length - 5), new FrameHeader(0, 0, frame.Length - 5, frame.Length, LinkType.Ethernet), ref view);
        Assert.Equal((PacketKind.Udp, 3, 8, true), (view.Kind, view.PayloadLength, view.PayloadWireLength, view.Fault.IsNone));
    }

    [Fact]
    public void AFragmentIsNotFollowed()
    {
        var content = Join(Hex("0000 0800"), InnerIpv4);
        var view = Decode(Join(Ethernet(0x0800), Ipv4(47, content.Length, flagsAndOffset: 0x2000), content));
        Assert.Equal((PacketKind.Ip, true, TunnelKind.None, 47), (view.Kind, view.IsFragment, view.Tunnel, view.IpProtocol));
    }

    [Fact]
    public void VirtualNetworksAreKeptApartWhenVlansAre()
    {
        var one = Decode(OverUdp(4789, Hex("08000000 00002A00"), InnerEthernet));
        var two = Decode(OverUdp(4789, Hex("08000000 00002B00"), InnerEthernet));
        Assert.Equal(FlowKey.From(one, false, out _), FlowKey.From(two, false, out _));
        Assert.NotEqual(FlowKey.From(one, true, out _), FlowKey.From(two, true, out _));
        var teid = Decode(OverUdp(2152, Hex("30FF 0024 A0B0C0D0"), InnerIpv4));
        Assert.Equal(FlowKey.From(Decode(Join(Ethernet(0x0800), InnerIpv4)), true, out _), FlowKey.From(teid, true, out _));
    }

    private static string? CarrierOf(byte[] frame, in PacketView view)
    {
        if (view.CarrierOffset < 0)
            return null;
        var header = frame.AsSpan(view.CarrierOffset);
        return (header[0] >> 4 == 4 ? IpAddress.ReadIpv4(header[12..]) : IpAddress.ReadIpv6(header[8..])).ToString();
    }
}
