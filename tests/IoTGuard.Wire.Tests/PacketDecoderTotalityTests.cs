using System.Runtime.CompilerServices;
using IoTGuard.TestSupport;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Transport;
using static IoTGuard.Wire.Tests.FrameBytes;

namespace IoTGuard.Wire.Tests;

/// <summary>Whatever the bytes are: no exception, offsets inside the frame, and a cut frame never shows other values than the whole one.</summary>
public sealed class PacketDecoderTotalityTests(ITestOutputHelper output)
{
    /// <summary>Headers end before this many bytes in nearly every frame; cuts behind them only shorten the payload.</summary>
    private const int LongestCut = 96;

    private static readonly (LinkType Link, byte[] Frame)[] Samples =
    [
        (LinkType.Ethernet, Join(Ethernet(0x0800), Ipv4(6, 32 + 4), Tcp("020405B4 01030307 04020000"), Zeros(4))),
        (LinkType.Ethernet, Join(Ethernet(0x88A8), Vlan(2, 0x8100), Vlan(1, 0x0800), Ipv4(17, 12, options: "94040000"), Udp(12), Zeros(4))),
        (LinkType.Ethernet, Join(Ethernet(0x86DD), Ipv6(0, 44), Hex("2C00010400000000 0600000100000007"), Tcp(), Zeros(8))),
        (LinkType.Ethernet, Join(Ethernet(0x86DD), Ipv6(58, 24), Hex("8700 0000 00000000"), Zeros(16))),
        (LinkType.Ethernet, Join(Ethernet(0x0806), Hex("0001 0800 06 04 0001 020000000002 C0000201 000000000000 C0000202"))),
        (LinkType.Ethernet, Join(Hex("020000000001 020000000002 002A AAAA03 000000 0800"), Ipv4(132, 14), Zeros(14))),
        (LinkType.LinuxSll, Join(Hex("0000 0001 0006 0200000000020000 0800"), Ipv4(1, 8), Hex("0800 0000 00000000"))),
        (LinkType.LinuxSll2, Join(Hex("86DD 0000 00000003 0001 00 06 0200000000020000"), Ipv6(17, 8), Udp(8))),
        (LinkType.Null, Join(Hex("02000000"), Ipv4(51, 32), Hex("1104 0000 00000001 00000002 000000000000000000000000"), Udp(8))),
        (LinkType.Raw, Join(Ipv4(17, 12, flagsAndOffset: 0x2000), Udp(100, 40000, 4789), Zeros(4))),
        .. Tunnels.TunnelBytes.Samples.Select(sample => (sample.Link, sample.Frame)),
    ];

    [Fact]
    public void EverySampleCutAtEveryByte()
    {
        foreach (var (link, frame) in Samples)
        {
            var whole = Decode(frame, link);
            Assert.True(whole.Kind != PacketKind.Other, whole.Fault.ToString());
            for (var length = 0; length < frame.Length; length++)
                AssertAgrees(whole, frame.AsSpan(0, length), link);
        }
    }

    [Fact]
    public void EverySampleWithEveryByteChanged()
    {
        foreach (var (link, frame) in Samples)
        {
            for (var at = 0; at < frame.Length; at++)
            {
                var original = frame[at];
                for (var value = 0; value < 256; value++)
                {
                    frame[at] = (byte)value;
                    AssertConsistent(frame, Decode(frame, link));
                }

                frame[at] = original;
            }
        }
    }

    [Fact]
    public void EveryCapturedFrameCutAndMutated()
    {
        var random = new Random(20261121);
        var frames = 0;
        foreach (var frame in CaptureFile.ReadAll(Repository.SharedDataOrSkip("captures")))
        {
            frames++;
            var link = (LinkType)frame.LinkType;
            var whole = Decode(frame.Bytes, link);
            AssertConsistent(frame.Bytes, whole);
            for (var length = 0; length < Math.Min(frame.Bytes.Length, LongestCut); length++)
                AssertAgrees(whole, frame.Bytes.AsSpan(0, length), link);

            var mutated = frame.Bytes.AsSpan(0, Math.Min(frame.Bytes.Length, LongestCut)).ToArray();
            for (var round = 0; round < 10 && mutated.Length > 0; round++)
            {
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
                AssertConsistent(mutated, Decode(mutated, link));
            }
        }

        output.WriteLine($"{frames} frames");
        Assert.True(frames > 100_000);
    }

    [Fact]
    public void DecodingAllocatesNothing()
    {
        var view = default(PacketView);
        var sum = Pass(ref view);
        var allocations = Allocations.Start();
        for (var i = 0; i < 1000; i++)
            sum += Pass(ref view);
        Assert.Equal(0, allocations.Bytes);
        Assert.NotEqual(0UL, sum);

        static ulong Pass(ref PacketView view)
        {
            var sum = 0UL;
            foreach (var (link, frame) in Samples)
            {
                PacketDecoder.Decode(frame, link, 0, ref view);
                var options = TcpOptionReader.Of(frame, view);
                while (options.MoveNext())
                    sum += (ulong)options.Current.Kind;
                sum += FlowKey.From(view, true, out _).GetHash(1, 2);
            }

            return sum;
        }
    }

    [Fact]
    public void TheViewStaysWithinTwoCacheLines() => Assert.True(Unsafe.SizeOf<PacketView>() <= 128);

    /// <summary>What a cut frame shows is what the whole frame shows.</summary>
    private static void AssertAgrees(in PacketView whole, ReadOnlySpan<byte> cut, LinkType link)
    {
        var view = default(PacketView);
        PacketDecoder.Decode(cut, link, 0, ref view);
        AssertConsistent(cut, view);
        if (view.Kind is PacketKind.Other or PacketKind.Arp)
            return;

        // A packet whose own headers are cut leaves its carrier, of which other rules hold.
        if (view.TunnelDepth != whole.TunnelDepth)
        {
            Check(view.TunnelDepth < whole.TunnelDepth, "deeper than the whole frame");
            return;
        }

        Check(view.Source == whole.Source && view.Destination == whole.Destination && view.TimeToLive == whole.TimeToLive, "addresses");
        if (view.Kind == PacketKind.Ip)
            return;
        Check(view.Kind == whole.Kind && view.IpProtocol == whole.IpProtocol && view.IsFragment == whole.IsFragment, "kind");
        Check(view.SourcePort == whole.SourcePort && view.DestinationPort == whole.DestinationPort, "ports");
        Check(view.IcmpTypeCode == whole.IcmpTypeCode && view.TransportChecksum == whole.TransportChecksum, "checksum");
        Check(view.TcpSequence == whole.TcpSequence && view.TcpFlags == whole.TcpFlags && view.TcpWindow == whole.TcpWindow, "TCP");
        Check(view.PayloadLength <= whole.PayloadLength, "payload");
    }

    private static void AssertConsistent(ReadOnlySpan<byte> frame, in PacketView view)
    {
        Check(view.PayloadOffset >= 0 && view.PayloadLength >= 0 && view.PayloadOffset + view.PayloadLength <= frame.Length, "payload outside the frame");
        Check(view.PayloadWireLength >= view.PayloadLength, "wire length");
        Check(view.TcpOptionsOffset + view.TcpOptionsLength <= frame.Length && view.TcpOptionsLength <= 40, "options outside the frame");
        Check(view.NetworkOffset <= frame.Length && view.CarrierOffset < frame.Length, "network offset");
        Check((byte)view.Tunnel < IoTGuard.Wire.Tunnels.TunnelKinds.Count && view.Tunnel != 0 == view.TunnelDepth > 0, "tunnel");
        Check(view.Kind != PacketKind.Other || !view.Fault.IsNone, "nothing decoded and no fault");
        Check(view.Fault.Offset >= 0 && view.Fault.Offset <= frame.Length, "fault outside the frame");
        Check(view.Kind != PacketKind.Tcp || view.IpProtocol == IpProtocol.Tcp, "protocol");
        var options = TcpOptionReader.Of(frame, view);
        var count = 0;
        while (options.MoveNext())
            count++;
        Check(count <= 20, "options");
    }

    private static void Check(bool condition, string what)
    {
        if (!condition)
            Assert.Fail(what);
    }
}
