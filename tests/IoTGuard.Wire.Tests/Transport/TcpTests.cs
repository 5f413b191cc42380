using IoTGuard.Wire.Network;
using IoTGuard.Wire.Transport;
using static IoTGuard.Wire.Tests.FrameBytes;

namespace IoTGuard.Wire.Tests.Transport;

public sealed class TcpTests
{
    private const string AllOptions = "0204 05B4 01 0303 07 0402 080A 00000001 00000002 0101 050A 00000010 00000020 00";

    [Fact]
    public void ReadsTheHeaderAndLeavesThePaddingOut()
    {
        var frame = Join(Ethernet(0x0800), Ipv4(6, 20 + 3), Tcp(), "abc"u8.ToArray(), Zeros(3));
        var view = Decode(frame);

        Assert.Equal(PacketKind.Tcp, view.Kind);
        Assert.True(view.Fault.IsNone);
        Assert.Equal((40000, 104), (view.SourcePort, view.DestinationPort));
        Assert.Equal((0x01020304u, 0x05060708u), (view.TcpSequence, view.TcpAcknowledgment));
        Assert.Equal((TcpFlags.Ack | TcpFlags.Psh, 0x2000), (view.TcpFlags, view.TcpWindow));
        Assert.Equal("02:00:00:00:00:01", view.DestinationMac.ToString());
        Assert.Equal("02:00:00:00:00:02", view.SourceMac.ToString());
        Assert.Equal(("192.0.2.1", "192.0.2.2"), (view.Source.ToString(), view.Destination.ToString()));
        Assert.Equal((63, 6, 0x1234), (view.TimeToLive, view.IpProtocol, view.IpIdentification));
        Assert.Equal((14, 0x0800, 0xABCD), (view.NetworkOffset, view.EtherType, view.TransportChecksum));
        Assert.Equal((3, 3), (view.PayloadLength, view.PayloadWireLength));
        Assert.Equal("abc"u8, frame.AsSpan(view.PayloadOffset, view.PayloadLength));
    }

    [Fact]
    public void ReadsTheOptions()
    {
        var tcp = Tcp(AllOptions + " 000000");
        var frame = Join(Ethernet(0x0800), Ipv4(6, tcp.Length), tcp);
        var view = Decode(frame);
        Assert.True(view.Fault.IsNone);
        Assert.Equal(0, view.PayloadLength);

        var seen = new List<string>();
        var reader = TcpOptionReader.Of(frame, view);
        while (reader.MoveNext())
        {
            var option = reader.Current;
            if (option.TryGetMaximumSegmentSize(out var size))
                seen.Add($"mss {size}");
            if (option.TryGetWindowScale(out var shift))
                seen.Add($"scale {shift}");
            if (option.Kind == TcpOptionKind.SackPermitted)
                seen.Add("sack permitted");
            if (option.TryGetTimestamps(out var value, out var echo))
                seen.Add($"timestamps {value} {echo}");
            for (var i = 0; i < option.SackBlocks; i++)
                seen.Add($"sack {option.GetSackBlock(i)}");
        }

        Assert.Equal(["mss 1460", "scale 7", "sack permitted", "timestamps 1 2", "sack (16, 32)"], seen);
        Assert.False(reader.IsMalformed);
    }

    [Theory]
    [InlineData("0200 0000")] // length 0
    [InlineData("0201 0000")] // length 1
    [InlineData("0209 0000")] // beyond the header
    [InlineData("0101 0102")] // kind without a length
    public void ImpossibleOptionsEndTheList(string options)
    {
        var reader = new TcpOptionReader(Hex(options));
        Assert.False(reader.MoveNext());
        Assert.True(reader.IsMalformed);
        Assert.False(reader.MoveNext());
    }

    [Theory]
    [InlineData(0x40, FaultKind.BadLength)] // data offset 4: shorter than the header itself
    [InlineData(0xF0, FaultKind.BadLength)] // data offset 15: longer than the datagram
    public void AWrongDataOffsetIsAFaultAndThePortsStay(byte dataOffset, FaultKind expected)
    {
        var tcp = Tcp();
        tcp[12] = dataOffset;
        var view = Decode(Join(Ethernet(0x0800), Ipv4(6, tcp.Length), tcp));
        Assert.Equal((PacketKind.Tcp, expected, Layer.Transport), (view.Kind, view.Fault.Kind, view.Fault.Layer));
        Assert.Equal((40000, 0), (view.SourcePort, view.PayloadLength));
    }

    [Fact]
    public void ADatagramTooShortForTcpIsToldFromACutCapture()
    {
        Assert.Equal(FaultKind.BadLength, Decode(Join(Ethernet(0x0800), Ipv4(6, 12), Tcp()[..12])).Fault.Kind);
        var cut = Decode(Join(Ethernet(0x0800), Ipv4(6, 20), Tcp()[..12]));
        Assert.Equal(new Fault(FaultKind.Truncated, Layer.Transport, 34, 20, 12), cut.Fault);
        Assert.Equal((PacketKind.Ip, 6), (cut.Kind, cut.IpProtocol));
    }

    [Fact]
    public void ACutPayloadIsNoFault()
    {
        var view = Decode(Join(Ethernet(0x0800), Ipv4(6, 20 + 1000), Tcp(), Zeros(10)));
        Assert.True(view.Fault.IsNone);
        Assert.Equal((10, 1000), (view.PayloadLength, view.PayloadWireLength));
    }
}
