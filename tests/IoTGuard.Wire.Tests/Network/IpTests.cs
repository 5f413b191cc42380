using IoTGuard.Wire.Network;
using static IoTGuard.Wire.Tests.FrameBytes;

namespace IoTGuard.Wire.Tests.Network;

public sealed class IpTests
{
    private static readonly byte[] Ports = Udp(8 + 4);
    private static readonly byte[] Data = "data"u8.ToArray();

    [Fact]
    public void Ipv4OptionsAreSkipped()
    {
        var frame = Join(Ethernet(0x0800), Ipv4(17, 12, options: "94040000 01010101"), Ports, Data, Zeros(6));
        var view = Decode(frame);
        Assert.Equal((PacketKind.Udp, 4, 4), (view.Kind, view.PayloadLength, view.PayloadWireLength));
        Assert.Equal(Data, frame[view.PayloadOffset..][..4]);
    }

    [Fact]
    public void Ipv4TotalLength0IsOffloadedSegmentation()
    {
        var view = Decode(Join(Ethernet(0x0800), Ipv4(6, 0, totalLength: 0), Tcp(), Zeros(70_000)));
        Assert.Equal((PacketKind.Tcp, 70_000, 70_000), (view.Kind, view.PayloadLength, view.PayloadWireLength));
        Assert.True(view.Fault.IsNone);
    }

    [Theory]
    [InlineData(0, 0x55, FaultKind.BadValue)] // version 5
    [InlineData(0, 0x44, FaultKind.BadLength)] // header of 16 bytes
    [InlineData(3, 19, FaultKind.BadLength)] // total length shorter than the header
    public void Ipv4HeaderFaultsAreTold(int at, byte value, FaultKind expected)
    {
        var ip = Ipv4(17, 12);
        ip[at] = value;
        var view = Decode(Join(Ethernet(0x0800), ip, Ports, Data));
        Assert.Equal((expected, Layer.Network, 14), (view.Fault.Kind, view.Fault.Layer, view.Fault.Offset));
        Assert.Equal(0, view.PayloadLength);
    }

    [Fact]
    public void Ipv4FragmentsAreFaultsAndTheFirstHasPorts()
    {
        var first = Decode(Join(Ethernet(0x0800), Ipv4(17, 12, flagsAndOffset: 0x2000), Udp(2000), Data));
        Assert.Equal((PacketKind.Udp, 53, FaultKind.Fragment), (first.Kind, first.DestinationPort, first.Fault.Kind));
        Assert.Equal((true, 4), (first.IsFragment, first.PayloadLength));

        var later = Decode(Join(Ethernet(0x0800), Ipv4(17, 4, flagsAndOffset: 0x0002), Data));
        Assert.Equal((PacketKind.Ip, 0, new Fault(FaultKind.Fragment, Layer.Network, 14, 16)), (later.Kind, later.DestinationPort, later.Fault));
        Assert.Equal((true, 34, 4), (later.IsFragment, later.PayloadOffset, later.PayloadLength));
        Assert.False(Decode(Join(Ethernet(0x0800), Ipv4(17, 12, flagsAndOffset: 0x4000), Ports, Data)).IsFragment); // don't fragment
    }

    [Fact]
    public void ATinyFirstFragmentIsABadLength()
    {
        var view = Decode(Join(Ethernet(0x0800), Ipv4(6, 8, flagsAndOffset: 0x2000), Tcp()[..8]));
        Assert.Equal((true, FaultKind.BadLength, Layer.Transport), (view.IsFragment, view.Fault.Kind, view.Fault.Layer));
    }

    [Fact]
    public void Ipv6ExtensionHeadersAreWalked()
    {
        var chain = Join(
            Hex("3C 01 0104 00000000 0000000000000000"), // hop-by-hop, 16 bytes
            Hex("2B 00 0104 00000000"), // destination options
            Hex("33 00 0000 00000000"), // routing
            Hex("11 04 0000 00000001 00000002") // AH, 24 bytes
            , Hex("000000000000000000000000"));
        var frame = Join(Ethernet(0x86DD), Ipv6(0, chain.Length + 12), chain, Ports, Data);
        var view = Decode(frame);
        Assert.True(view.Fault.IsNone, view.Fault.ToString());
        Assert.Equal((PacketKind.Udp, 17, 53), (view.Kind, view.IpProtocol, view.DestinationPort));
        Assert.Equal(Data, frame[view.PayloadOffset..]);
    }

    [Fact]
    public void Ipv6ExtensionHeadersHaveALimit()
    {
        var eight = Join([.. Enumerable.Repeat(Hex("3C 00 010400000000"), 7)]);
        var last = Hex("11 00 010400000000");
        Assert.Equal(PacketKind.Udp, Decode(Join(Ethernet(0x86DD), Ipv6(60, 64 + 12), eight, last, Ports, Data)).Kind);
        var nine = Decode(Join(Ethernet(0x86DD), Ipv6(60, 72 + 12), Hex("3C 00 010400000000"), eight, last, Ports, Data));
        Assert.Equal((PacketKind.Ip, FaultKind.TooDeep, 8), (nine.Kind, nine.Fault.Kind, nine.Fault.Available));
    }

    [Fact]
    public void Ipv6FragmentsAreFaultsButAtomicOnesAreWhole()
    {
        var first = Decode(Join(Ethernet(0x86DD), Ipv6(44, 20), Hex("11 00 0001 0000002A"), Udp(2000), Data));
        Assert.Equal((PacketKind.Udp, 53, FaultKind.Fragment, true), (first.Kind, first.DestinationPort, first.Fault.Kind, first.IsFragment));
        var later = Decode(Join(Ethernet(0x86DD), Ipv6(44, 12), Hex("11 00 0010 0000002A"), Data));
        Assert.Equal((PacketKind.Ip, new Fault(FaultKind.Fragment, Layer.Network, 54, 16)), (later.Kind, later.Fault));
        Assert.Equal(17, later.IpProtocol);
        var atomic = Decode(Join(Ethernet(0x86DD), Ipv6(44, 20), Hex("11 00 0000 0000002A"), Ports, Data));
        Assert.Equal((PacketKind.Udp, false, true), (atomic.Kind, atomic.IsFragment, atomic.Fault.IsNone));
    }

    [Fact]
    public void Ipv6JumbogramsAndOffloadedSegmentsUseTheFrame()
    {
        var offloaded = Decode(Join(Ethernet(0x86DD), Ipv6(6, 0), Tcp(), Zeros(70_000)));
        Assert.Equal((PacketKind.Tcp, 70_000), (offloaded.Kind, offloaded.PayloadLength));
        var jumbo = Decode(Join(Ethernet(0x86DD), Ipv6(0, 0), Hex("06 00 C204 00020000"), Tcp(), Zeros(100)));
        Assert.Equal((PacketKind.Tcp, 100, 0x20000 - 8 - 20), (jumbo.Kind, jumbo.PayloadLength, jumbo.PayloadWireLength));
        var nothing = Decode(Join(Ethernet(0x86DD), Ipv6(59, 0), Zeros(6)));
        Assert.Equal((PacketKind.Ip, 0, 59), (nothing.Kind, nothing.PayloadLength, nothing.IpProtocol));
    }

    [Fact]
    public void ArpGivesBothAddresses()
    {
        var frame = Join(Ethernet(0x0806), Hex("0001 0800 06 04 0002 020000000002 C0000201 020000000001 C0000202"), Zeros(18));
        var view = Decode(frame);
        Assert.Equal((PacketKind.Arp, ArpOperation.Reply, true), (view.Kind, view.ArpOperation, view.Fault.IsNone));
        Assert.Equal(("192.0.2.1", "192.0.2.2"), (view.Source.ToString(), view.Destination.ToString()));
        Assert.True(ArpView.TryRead(frame, view, out var arp));
        Assert.Equal(("02:00:00:00:00:02", "02:00:00:00:00:01"), (arp.SenderMac.ToString(), arp.TargetMac.ToString()));
        Assert.Equal(("192.0.2.1", "192.0.2.2"), (arp.Sender.ToString(), arp.Target.ToString()));

        frame[18] = 8; // hardware addresses of eight bytes
        view = Decode(frame);
        Assert.Equal((PacketKind.Arp, FaultKind.Unsupported), (view.Kind, view.Fault.Kind));
        Assert.False(ArpView.TryRead(frame, view, out _));
        Assert.False(ArpView.TryRead(frame, Decode(Join(Ethernet(0x0800), Ipv4(17, 12), Ports, Data)), out _));
    }

    [Fact]
    public void ADatagramThatClaimsMoreThanWasSentEndsWithTheFrame()
    {
        var frame = Join(Ethernet(0x0800), Ipv4(6, 20 + 60_000), Tcp(), Data);
        var view = default(PacketView);
        PacketDecoder.Decode(frame, new FrameHeader(0, 0, frame.Length, frame.Length, LinkType.Ethernet), ref view);
        Assert.Equal((PacketKind.Tcp, FaultKind.BadLength, 4, 4), (view.Kind, view.Fault.Kind, view.PayloadLength, view.PayloadWireLength));
        PacketDecoder.Decode(frame, new FrameHeader(0, 0, frame.Length, 70_000, LinkType.Ethernet), ref view);
        Assert.Equal((true, 4, 60_000), (view.Fault.IsNone, view.PayloadLength, view.PayloadWireLength));
    }
}
