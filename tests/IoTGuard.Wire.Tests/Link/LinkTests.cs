using static IoTGuard.Wire.Tests.FrameBytes;

namespace IoTGuard.Wire.Tests.Link;

public sealed class LinkTests
{
    private static readonly byte[] Datagram = Join(Ipv4(17, 8 + 2), Udp(8 + 2), "hi"u8.ToArray());
    private static readonly byte[] Datagram6 = Join(Ipv6(17, 8 + 2), Udp(8 + 2), "hi"u8.ToArray());

    public static TheoryData<LinkType, string> Headers => new()
    {
        { LinkType.Ethernet, "020000000001 020000000002 0800" },
        { LinkType.Ethernet, "020000000001 020000000002 002C AAAA03 000000 0800" }, // 802.3 length, LLC, SNAP
        { LinkType.Ethernet, "020000000001 020000000002 002C AAAA03 0000F8 0800" },
        { LinkType.LinuxSll, "0000 0001 0006 0200000000020000 0800" },
        { LinkType.LinuxSll, "0000 0001 0006 0200000000020000 0004 AAAA03 000000 0800" },
        { LinkType.LinuxSll2, "0800 0000 00000003 0001 00 06 0200000000020000" },
        { LinkType.Null, "02000000" },
        { LinkType.Null, "00000002" },
        { LinkType.Loop, "00000002" },
        { LinkType.Raw, "" },
        { LinkType.RawBsd, "" },
        { LinkType.RawOpenBsd, "" },
        { LinkType.Ipv4, "" },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public void EveryLinkTypeLeadsToTheDatagram(LinkType link, string header)
    {
        var frame = Join(Hex(header), Datagram);
        var view = Decode(frame, link);
        Assert.True(view.Fault.IsNone, view.Fault.ToString());
        Assert.Equal((PacketKind.Udp, 53), (view.Kind, view.DestinationPort));
        Assert.Equal("hi"u8, frame.AsSpan(view.PayloadOffset, view.PayloadLength));
        Assert.Equal(link is LinkType.Ethernet or LinkType.LinuxSll or LinkType.LinuxSll2, view.SourceMac.ToString() == "02:00:00:00:00:02");
        Assert.Equal(link is LinkType.Ethernet, view.DestinationMac.ToString() == "02:00:00:00:00:01");
    }

    [Theory]
    [InlineData(LinkType.Ethernet, "020000000001 020000000002 86DD")]
    [InlineData(LinkType.LinuxSll, "0000 0001 0006 0200000000020000 86DD")]
    [InlineData(LinkType.LinuxSll2, "86DD 0000 00000003 0001 00 06 0200000000020000")]
    [InlineData(LinkType.Null, "18000000")]
    [InlineData(LinkType.Null, "1C000000")]
    [InlineData(LinkType.Null, "0000001E")]
    [InlineData(LinkType.Raw, "")]
    [InlineData(LinkType.Ipv6, "")]
    public void EveryLinkTypeCarriesIpv6(LinkType link, string header)
    {
        var view = Decode(Join(Hex(header), Datagram6), link);
        Assert.True(view.Fault.IsNone);
        Assert.Equal((PacketKind.Udp, "2001:db8::1", 62), (view.Kind, view.Source.ToString(), view.TimeToLive));
    }

    [Fact]
    public void VlanTagsAreReadFromTheFrameAndFromTheKernel()
    {
        var tagged = Decode(Join(Ethernet(0x8100), Vlan(100, 0x0800), Datagram));
        Assert.Equal((100, 0, PacketKind.Udp), (tagged.Vlan, tagged.InnerVlan, tagged.Kind));

        foreach (ushort service in new ushort[] { 0x8100, 0x88A8, 0x9100 })
        {
            var stacked = Decode(Join(Ethernet(service), Vlan(200, 0x8100), Vlan(100, 0x0800), Datagram));
            Assert.Equal((200, 100, PacketKind.Udp), (stacked.Vlan, stacked.InnerVlan, stacked.Kind));
        }

        var stripped = Decode(Join(Ethernet(0x0800), Datagram), auxVlan: 0x8100_A064);
        Assert.Equal((100, 0), (stripped.Vlan, stripped.InnerVlan));
        var outerStripped = Decode(Join(Ethernet(0x8100), Vlan(100, 0x0800), Datagram), auxVlan: 0x88A8_00C8);
        Assert.Equal((200, 100), (outerStripped.Vlan, outerStripped.InnerVlan));
    }

    [Fact]
    public void APriorityTagNamesNoVlan()
    {
        Assert.Equal(0, Decode(Join(Ethernet(0x8100), Vlan(0, 0x0800), Datagram)).Vlan);
        var inner = Decode(Join(Ethernet(0x8100), Vlan(0, 0x8100), Vlan(100, 0x0800), Datagram));
        Assert.Equal((100, 0), (inner.Vlan, inner.InnerVlan));
    }

    [Fact]
    public void VlanTagsHaveALimit()
    {
        var four = Join(Vlan(1, 0x8100), Vlan(2, 0x8100), Vlan(3, 0x8100));
        Assert.Equal(PacketKind.Udp, Decode(Join(Ethernet(0x8100), four, Vlan(4, 0x0800), Datagram)).Kind);
        var five = Decode(Join(Ethernet(0x8100), four, Vlan(4, 0x8100), Vlan(5, 0x0800), Datagram));
        Assert.Equal(new Fault(FaultKind.TooDeep, Layer.Link, 30, 5, 4), five.Fault);
        Assert.Equal((1, 2), (five.Vlan, five.InnerVlan));
    }

    [Fact]
    public void AnIeee8023LengthBoundsThePacket()
    {
        // A length of 37 bytes leaves one of the datagram's two bytes of payload; what follows is padding.
        var view = Decode(Join(Hex("020000000001 020000000002 0025 AAAA03 000000 0800"), Datagram));
        Assert.Equal((PacketKind.Udp, 1, 2), (view.Kind, view.PayloadLength, view.PayloadWireLength));
    }

    [Theory]
    [InlineData(0x22F3, FaultKind.Tunnel)] // TRILL
    [InlineData(0x88CC, FaultKind.Unsupported)] // LLDP
    [InlineData(0x05FF, FaultKind.BadValue)] // neither a length nor an EtherType
    public void OtherEtherTypesAreNamed(ushort etherType, FaultKind expected)
    {
        var view = Decode(Join(Ethernet(etherType), Zeros(46)));
        Assert.Equal((expected, Layer.Link, 14, (long)etherType), (view.Fault.Kind, view.Fault.Layer, view.Fault.Offset, view.Fault.Required));
        Assert.Equal((PacketKind.Other, etherType), (view.Kind, view.EtherType));
        Assert.False(view.SourceMac.IsNone);
    }

    [Theory]
    [InlineData(LinkType.Ethernet, "020000000001 020000000002 0026 424203 0000000000", 0x42)] // spanning tree
    [InlineData(LinkType.Null, "09000000", 9)]
    [InlineData(LinkType.LinuxSll, "0000 0338 0000 0000000000000000 0800 00", 824)] // netlink
    [InlineData(LinkType.LinuxSll, "0000 0001 0000 0000000000000000 000C 00", 12)] // CAN
    [InlineData((LinkType)147, "00", 147)]
    public void WhatIsNotDecodedIsSaid(LinkType link, string frame, long value)
    {
        var view = Decode(Hex(frame), link);
        Assert.Equal((PacketKind.Other, FaultKind.Unsupported, value), (view.Kind, view.Fault.Kind, view.Fault.Required));
    }

    [Fact]
    public void AUsedViewIsOverwritten()
    {
        var view = Decode(Join(Ethernet(0x8100), Vlan(100, 0x0800), Datagram));
        PacketDecoder.Decode([], LinkType.Ethernet, 0, ref view);
        Assert.Equal(new PacketView { Fault = new Fault(FaultKind.Truncated, Layer.Link, 0, 14) }, view);
    }
}
