using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Tests.Streams;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Tests.Flows;

/// <summary>Second copies that a mirror delivers are used once; what only looks like one is used.</summary>
public sealed class MirrorTests
{
    private const long Microsecond = 1000;

    private static readonly Packet Dns = new()
    {
        Protocol = 17,
        SourcePort = 50000,
        DestinationPort = 53,
        Payload = [.. "some query"u8],
        Identification = 77,
        Vlan = 10,
    };

    private static readonly Packet Echo = new() { Protocol = 1, Payload = [0, 1, 0, 1, .. "abcdefgh"u8], Identification = 78, Vlan = 10 };

    private static readonly Packet Data = new()
    {
        Flags = TcpFlags.Ack | TcpFlags.Psh,
        Sequence = 100,
        Acknowledgment = 7,
        Payload = [.. "payload bytes"u8],
        Identification = 79,
        Vlan = 10,
    };

    private static readonly Packet Acknowledgment = new() { Sequence = 100, Acknowledgment = 9, Identification = 80, Vlan = 10 };

    public static TheoryData<string> Kinds => ["dns", "echo", "data", "acknowledgment"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void RoutedCopyIsUsedOnceInEitherOrder(string kind)
    {
        var first = PacketOf(kind);
        var second = Routed(first);
        foreach (var (a, b) in new[] { (first, second), (second, first) })
        {
            var flow = Assert.Single(Run(a, b, 200 * Microsecond).Closed);
            Assert.Equal(1, flow.FromOriginator.Packets);
            Assert.Equal(1, flow.MirrorCopies);
            Assert.Equal(0, flow.FromOriginator.Retransmissions);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void RoutedCopyWithoutIdentificationIsUsedOnce(string kind)
    {
        var first = PacketOf(kind) with { Identification = 0 };
        Assert.Equal(1, Run(first, Routed(first), 200 * Microsecond).Counters.MirrorCopies);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void SameTagOnOneSideOnlyIsACopy(string kind)
    {
        var first = PacketOf(kind);
        Assert.Equal(1, Run(first, first with { Vlan = 0 }, 20 * Microsecond).Counters.MirrorCopies);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void EqualPacketAtOnceIsACopyAndLaterIsNot(string kind)
    {
        var first = PacketOf(kind);
        Assert.Equal(1, Run(first, first, 20 * Microsecond).Counters.MirrorCopies);
        Assert.Equal(0, Run(first, first, RecentPackets.RepeatedWindowNs + 1000).Counters.MirrorCopies);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void AnotherIdentificationIsAnotherPacket(string kind)
    {
        var first = PacketOf(kind);
        var outcome = Run(first, first with { Identification = 4000 }, 20 * Microsecond);
        Assert.Equal(0, outcome.Counters.MirrorCopies);
        Assert.Equal(2, Assert.Single(outcome.Closed).FromOriginator.Packets);
    }

    [Fact]
    public void GenuineDuplicateAcknowledgementsWithoutIdentificationAreUsed()
    {
        var first = Acknowledgment with { Identification = 0 };
        Assert.Equal(0, Run(first, first, 20 * Microsecond).Counters.MirrorCopies);
    }

    [Fact]
    public void OtherBytesAreNoCopy()
    {
        var outcome = Run(Data, Routed(Data) with { Payload = [.. "pAyload bytes"u8] }, 20 * Microsecond);
        Assert.Equal(0, outcome.Counters.MirrorCopies);
        Assert.Equal(1, outcome.Closed[0].FromOriginator.Retransmissions);
    }

    [Fact]
    public void WholeRoutedConversationReadsAsOne()
    {
        var plain = new Capture();
        var connection = new Connection(plain) { Template = new Packet { Vlan = 10 } }.Handshake();
        for (var i = 0; i < 40; i++)
            connection.FromClient(new byte[100 + i]).Send(false, TcpFlags.Ack, []).FromServer("answer"u8);
        connection.Close();

        // The copies lag by seven packets.
        var doubled = new Capture();
        for (var i = 0; i < plain.Frames.Count + 7; i++)
        {
            if (i < plain.Frames.Count)
                doubled.AddFrame(plain.Frames[i].Frame, 100 * Microsecond);
            if (i >= 7)
                doubled.AddFrame(Routed(plain.Frames[i - 7].Frame), 10 * Microsecond);
        }

        var expected = new Recorder();
        var single = plain.Run(protocols: expected.Rows);
        var seen = new Recorder();
        var outcome = doubled.Run(protocols: seen.Rows);
        Assert.Equal(plain.Frames.Count, outcome.Counters.MirrorCopies);
        Assert.Equal(expected.Shown[0], seen.Shown[0]);
        Assert.Equal(expected.Shown[1], seen.Shown[1]);
        var flow = Assert.Single(outcome.Closed);
        Assert.Equal(single.Closed[0].FromOriginator.Bytes, flow.FromOriginator.Bytes);
        Assert.Equal(0, outcome.Counters.Retransmissions + outcome.Counters.OutOfOrder);
    }

    private static Packet PacketOf(string kind) => kind switch
    {
        "dns" => Dns,
        "echo" => Echo,
        "data" => Data,
        _ => Acknowledgment,
    };

    private static Packet Routed(Packet packet) => packet with
    {
        Vlan = 20,
        TimeToLive = (byte)(packet.TimeToLive - 1),
        SourceMac = 0x02_00_00_00_00_AA,
        DestinationMac = 0x02_00_00_00_00_BB,
    };

    /// <summary>The same for a built tagged frame.</summary>
    private static byte[] Routed(byte[] frame)
    {
        var copy = (byte[])frame.Clone();
        copy[5] ^= 0xA0;
        copy[11] ^= 0x50;
        copy[15] = 20;
        copy[18 + 8]--;
        return copy;
    }

    private static Outcome Run(Packet first, Packet second, long afterNs) => new Capture().Add(first).Add(second, afterNs).Run();
}
