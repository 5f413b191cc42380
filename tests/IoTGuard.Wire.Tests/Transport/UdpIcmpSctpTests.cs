using static IoTGuard.Wire.Tests.FrameBytes;

namespace IoTGuard.Wire.Tests.Transport;

public sealed class UdpIcmpSctpTests
{
    [Theory]
    [InlineData(12, 12, 4, FaultKind.None)]
    [InlineData(0, 12, 4, FaultKind.None)] // length 0: the datagram's
    [InlineData(10, 12, 2, FaultKind.None)] // bytes behind the UDP datagram
    [InlineData(20, 12, 4, FaultKind.BadLength)]
    [InlineData(7, 12, 0, FaultKind.BadLength)]
    public void TheUdpLengthDecides(int udpLength, int ipLength, int payload, FaultKind fault)
    {
        var view = Decode(Join(Ethernet(0x0800), Ipv4(17, ipLength), Udp(udpLength), Zeros(4)));
        Assert.Equal((PacketKind.Udp, 53, payload, fault), (view.Kind, view.DestinationPort, view.PayloadLength, view.Fault.Kind));
        Assert.Equal(payload, view.PayloadWireLength);
    }

    [Fact]
    public void IcmpGivesTypeAndCode()
    {
        var view = Decode(Join(Ethernet(0x0800), Ipv4(1, 12), Hex("0301 ABCD 0000 0000 00000000")));
        Assert.Equal((PacketKind.Icmp, 0x0301, 0xABCD, 8), (view.Kind, view.IcmpTypeCode, view.TransportChecksum, view.PayloadLength));
        view = Decode(Join(Ethernet(0x86DD), Ipv6(58, 8), Hex("8000 ABCD 00000000")));
        Assert.Equal((PacketKind.Icmpv6, 0x8000, 4), (view.Kind, view.IcmpTypeCode, view.PayloadLength));
    }

    [Fact]
    public void SctpGivesPorts()
    {
        var view = Decode(Join(Ethernet(0x0800), Ipv4(132, 28), Number(2905), Number(2906), Zeros(24)));
        Assert.Equal((PacketKind.Sctp, 2905, 2906, 16), (view.Kind, view.SourcePort, view.DestinationPort, view.PayloadLength));
    }
}
