using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Flows;
using IoTGuard.TestSupport;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Tests.Sessions;

/// <summary>Protocols that are named and not read: messages written from their standards, through the whole sensor; what is near them, and noise, has no name.</summary>
public sealed class NamedProtocolTests
{
    private const string Zeros8 = "0000000000000000";

    /// <summary>Name, port, first bytes of the client.</summary>
    public static TheoryData<string, int, string> Streams => new()
    {
        { "iec104", 40_001, "680407000000" },
        { "iec104", 2404, "680E00000000 64010600 01000000 0014" },
        { "opcua", 40_001, "48454C46 20000000 00000000 FFFF0000 FFFF0000" },
        { "enip", 40_001, "65000400 00000000 00000000" + Zeros8 + "00000000 01000000" },
        { "enip", 44818, "70000800 12345678 00000000" + Zeros8 + "00000000 0000000000000000" },
        { "amqp", 40_001, "414D5150 00000901" },
        { "amqp", 5672, "01 0001 0000000D 003C0050 000000000000000100 CE" },
        { "bittorrent", 40_001, "13 426974546F7272656E742070726F746F636F6C" + Zeros8 },
        { "teamviewer", 5938, "17240A20 00000000" },
        { "kpasswd", 464, "0000000A 000A 0001 0004 6E020000" },
        { "stun", 40_001, "00010000 2112A442 000102030405060708090A0B" },
        { "dnp3", 40_001, "0564 05C0 0100 0004 E921" },
        { "iscsi", 40_001, "43870000 00000020 400001370000 0000 00000000 0000 0000 00000001 00000000" + Zeros8 + Zeros8 + "496E69746961746F724E616D653D69716E2E323030312D30312E612E623A6300" },
        { "s7comm", 40_001, "03000016 11E00000000100C0010AC1020100C2020102 03000019 02F080 3201 0000 0000 0008 0000 F0000001000101E0" },
        { "knxip", 3671, "0610 0420 0014 04010000 2900BCE0 1101 0901 01 00 80 00" },
        { "syslog", 40_001, "3C33343E 31 20 323032362D31312D32375432323A30303A30305A20612062202D202D202D2074" },
        { "syslog", 40_001, "3439 20 3C33343E 4F637420 3131 2032323A31343A3135" },
        { "tds", 40_001, "0301 0040 0000 0100 16000000 12000000 0200 0000000000000000 01000000" },
        { "tds", 1433, "0101 0024 0000 0100 43004F004D004D0049005400" },
    };

    /// <summary>Name, port, a datagram.</summary>
    public static TheoryData<string, int, string> Datagrams => new()
    {
        { "wireguard", 40_001, "01000000" + new string('A', 288) },
        { "wireguard", 40_001, "02000000" + new string('A', 176) },
        { "wireguard", 51820, "04000000" + new string('A', 56) },
        { "isakmp", 40_001, "0102030405060708" + Zeros8 + "21 20 22 08 00000000 00000020 00000004" },
        { "isakmp", 4500, "00000000 0102030405060708" + Zeros8 + "01 10 02 00 00000000 00000020 00000004" },
        { "ptp", 319, "0002002C 00000200" + Zeros8 + "00000000 001122FFFE334455 0001 0001 00 7F" + "00000000000000000000" },
        { "knxip", 3671, "0610 0201 000E 0801 C0A80001 0E57" },
        { "cnpip", 1628, "0014 01 01 0000000000000000 00000000 00000000" },
        { "enip", 40_001, "63000000 00000000 00000000" + Zeros8 + "00000000" },
        { "ipmi", 623, "0600FF07 00 00000000 00000000 09 2018C88100388E04B5" },
        { "nbdgm", 138, "110A1234 0A000001 008A 00BB 0000" },
        { "bittorrent", 40_001, "64313A6164323A696432303A6162636465" },
        { "srvloc", 40_001, "0201 000014 0000 000000 0001 0002 656E 00000000" },
        { "kpasswd", 464, "000A 0001 0004 6E020000" },
        { "dcerpc", 40_001, "04002000 100000 00" + new string('0', 132) + "0400 0000 0000" + "AABBCCDD" },
        { "dnp3", 40_001, "0564 05C0 0100 0004 E921" },
        { "stun", 40_001, "01010008 2112A442 000102030405060708090A0B 00200004 00000000" },
        { "rtcp", 40_001, "80C90001 11223344 81CA0003 11223344 01026162 00000000" },
    };

    [Theory]
    [MemberData(nameof(Streams))]
    public void A_connection_has_its_name_however_it_is_cut(string name, int port, string hex)
    {
        var bytes = Bytes(hex);
        Assert.Equal(name, NameOf([bytes], port));
        Assert.Equal(name, NameOf(bytes.Select(b => new[] { b }), port));
        for (var at = 1; at < bytes.Length; at++)
            Assert.Equal(name, NameOf([bytes[..at], bytes[at..]], port));
        foreach (var row in ProtocolTable.Streams.Where(r => r.Name != name))
            Assert.NotEqual(ProbeResult.Certain, row.Probe(FlowDirection.FromOriginator, bytes));
    }

    [Theory]
    [MemberData(nameof(Datagrams))]
    public void A_datagram_gives_a_flow_its_name(string name, int port, string hex)
    {
        var bytes = Bytes(hex);
        Assert.Equal(name, NameOf([bytes], port, 17));
        foreach (var row in ProtocolTable.Datagrams.Where(r => r.Name != name))
            Assert.NotEqual(ProbeResult.Certain, row.Probe(FlowDirection.FromOriginator, bytes));
        var own = ProtocolTable.Datagrams.First(r => r.Name == name);
        Assert.Equal(0, Allocations.Of(() => own.Probe(FlowDirection.FromOriginator, bytes)));
        for (var length = 0; length <= bytes.Length; length++)
            own.Probe(FlowDirection.FromOriginator, bytes.AsSpan(0, length));
    }

    /// <summary>Hints are hints: what much else could be has no name on other ports.</summary>
    [Theory]
    [InlineData("680E0000000064010600010000000014")]
    [InlineData("70000800123456780000000000000000000000000000000000000000")]
    [InlineData("17240A2000000000")]
    [InlineData("0000000A000A000100046E020000")]
    [InlineData("0101002400000100430000004F004D00")]
    public void What_could_be_much_else_has_no_name_on_another_port(string hex) => Assert.Equal("unknown", NameOf([Bytes(hex)], 40_001));

    [Theory]
    [InlineData("01000000" + "AABB", 51820)] // an initiation of another length
    [InlineData("0102030405060708000000000000000021202208000000000000002100000004", 500)] // a wrong length
    [InlineData("0564 05C0 0100 0004 E920", 20000)] // a wrong checksum
    [InlineData("00010001 2112A442 000102030405060708090A0B 00", 3478)] // no whole words
    [InlineData("80C90002 11223344", 5005)] // a report longer than its datagram
    [InlineData("80C80001 11223344", 5005)] // a sender's report without the sender
    [InlineData("0610 0201 000F 0801 C0A80001 0E57", 3671)]
    public void What_is_nearly_a_message_gives_no_name(string hex, int port) => Assert.Equal("unknown", NameOf([Bytes(hex)], port, 17));

    [Theory]
    [InlineData("03000016 11E00000000100C0010AC1020100C2020102 03000019 02F080 0D01")] // MMS: a session instead
    [InlineData("3C3139323E 31 20 3230")] // priority 192
    [InlineData("3C31333E 48656C6C6F")] // neither a version nor a month
    public void Neighbours_on_the_same_carrier_are_not_confused(string hex) => Assert.Equal("unknown", NameOf([Bytes(hex)], 102));

    [Fact]
    public void Noise_has_no_name()
    {
        var random = new Random(3);
        Span<byte> noise = stackalloc byte[64];
        var named = 0;
        for (var i = 0; i < 200_000; i++)
        {
            var data = noise[..random.Next(noise.Length + 1)];
            random.NextBytes(data);
            foreach (var row in NamedProtocols.Streams)
                named += row.Probe(FlowDirection.FromOriginator, data) == ProbeResult.Certain ? 1 : 0;
            foreach (var row in NamedProtocols.Datagrams.Where(static r => r.Name != "rtp"))
                named += row.Probe(FlowDirection.FromOriginator, data) == ProbeResult.Certain ? 1 : 0;
        }

        Assert.Equal(0, named);
    }

    [Fact]
    public void Rtp_needs_five_packets_that_follow_each_other()
    {
        Assert.Equal("unknown", NameOf(Enumerable.Range(0, 4).Select(i => Rtp(100 + i, 160 * i)), 40_001, 17));
        Assert.Equal("rtp", NameOf(Enumerable.Range(0, 5).Select(i => Rtp(65_534 + i, 160 * i)), 40_001, 17));
        Assert.Equal("rtp", NameOf(Enumerable.Range(0, 5).Select(i => Rtp(100 + (3 * i), 0)), 40_001, 17));
        Assert.Equal("unknown", NameOf(Enumerable.Range(0, 50).Select(i => Rtp(100 + (9 * i), 160 * i)), 40_001, 17));
        Assert.Equal("unknown", NameOf(Enumerable.Range(0, 50).Select(i => Rtp(100 + i, i * 10_000_000)), 40_001, 17));
        Assert.Equal("unknown", NameOf(Enumerable.Range(0, 50).Select(i => Rtp(100 + i, 160 * i, source: (uint)(7 + (i % 4)))), 40_001, 17));
        Assert.Equal("unknown", NameOf(Enumerable.Range(0, 50).Select(i => Rtp(100 + i, 160 * i, type: (byte)(96 + (i % 4)))), 40_001, 17));
    }

    [Fact]
    public void Random_datagrams_that_look_like_rtp_have_no_name()
    {
        var random = new Random(5);
        for (var flow = 0; flow < 100; flow++)
        {
            Assert.Equal("unknown", NameOf(
                Enumerable.Range(0, 50).Select(_ =>
                {
                    var data = new byte[100];
                    random.NextBytes(data);
                    data[0] = 0x80;
                    data[1] = 96;
                    return data;
                }),
                40_001, 17));
        }
    }

    [Fact]
    public void What_stun_makes_way_for_has_the_flow()
    {
        var stun = Bytes("00010000 2112A442 000102030405060708090A0B");
        Assert.Equal("rtp", NameOf([stun, stun, stun, stun, stun, stun, .. Enumerable.Range(0, 5).Select(i => Rtp(i, 160 * i))], 40_001, 17));
        Assert.Equal("ntp", NameOf([stun, stun, [0x23, .. new byte[47]]], 123, 17));
        Assert.Equal("stun", NameOf([stun, .. Enumerable.Repeat(new byte[] { 0x40, 0, 0, 4, 1, 2, 3, 4 }, 30), .. Enumerable.Range(0, 5).Select(i => Rtp(i, 160 * i))], 40_001, 17));
    }

    /// <summary>A first datagram that looks like RTP hides nothing that comes behind it.</summary>
    [Fact]
    public void What_only_began_like_rtp_is_shown_to_the_other_probes() => Assert.Equal("ntp", NameOf([Rtp(1, 0), [0x23, .. new byte[47]]], 123, 17));

    [Fact]
    public void A_database_connection_that_is_met_on_its_way_tells_nothing_about_its_beginning()
    {
        var log = SessionContract.Whole(static () => new TdsSession(), [Turn.Client(Bytes("0301 0022 0000 0100 16000000 12000000 0200 0000000000000000 01000000 00000000")), Turn.Server(Bytes("0401 0010 0035 0100 00 0000 06 00 0006"))], 1433);
        Assert.Empty(log);
    }

    private static byte[] Rtp(int sequence, int timestamp, uint source = 0x1122_3344, byte type = 96)
    {
        var packet = new byte[52];
        packet[0] = 0x80;
        packet[1] = type;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)sequence);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), (uint)timestamp);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), source);
        return packet;
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    /// <summary>The name of the one flow in which the client sends these pieces.</summary>
    private static string NameOf(IEnumerable<byte[]> pieces, int port, byte protocol = 6)
    {
        var capture = new Capture();
        var connection = new Connection(capture) { Template = new Packet { Protocol = protocol, DestinationPort = port } };
        if (protocol == 6)
            connection.Handshake();
        foreach (var piece in pieces)
        {
            if (protocol == 6)
                connection.Send(true, TcpFlags.Ack | TcpFlags.Psh, piece);
            else
                capture.Add(connection.Make(true, default, 0, piece));
        }

        return ApplicationProtocols.NameOf(Assert.Single(capture.Run().Closed).Application);
    }
}
