using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;

namespace IoTGuard.Analysis.Tests.Datagrams;

/// <summary>Every session over UDP is held to the contract, on conversations of real programs.</summary>
public sealed class NamesCaptureTests
{
    private const string Name = "names.pcapng";

    public static TheoryData<string, int> Ports => new()
    {
        { "dns", 53 }, { "dns", 5353 }, { "dns", 5355 }, { "dns", 137 }, { "dhcp", 67 }, { "dhcpv6", 547 }, { "ntp", 123 }, { "snmp", 161 }, { "snmp", 162 },
        { "syslog", 514 }, { "intellivue", 24005 }, { "intellivue", 24105 }, { "bacnet", 47808 }, { "coap", 5683 }, { "radius", 1812 }, { "kerberos", 88 },
        { "tftp", 69 },
    };

    [Theory]
    [MemberData(nameof(Ports))]
    public void SessionsKeepTheContractOnRealConversations(string name, int port)
    {
        var row = Assert.Single(ProtocolTable.Datagrams, r => r.Name == name);
        var conversations = DatagramContract.ConversationsOf(Name, port);
        Assert.NotEmpty(conversations);
        foreach (var turns in conversations.DistinctBy(c => c.Sum(t => t.Bytes.Length)).Take(4))
        {
            var first = turns[0];
            var answer = row.Probe(first.Direction, first.Bytes);
            Assert.True(answer is ProbeResult.Certain or ProbeResult.Likely, $"{name}: {answer}");
            Assert.NotEmpty(SessionContract.Holds(row.Create, turns, (ushort)port));
            DatagramContract.ProbeIsTotal(row.Probe, turns, port);
        }
    }

    /// <summary>Over TCP the same messages have their length before them: two bytes in DNS (RFC 1035, 4.2.2), four in Kerberos (RFC 4120, 7.2.2).</summary>
    [Theory]
    [InlineData("dns", 53, 2)]
    [InlineData("kerberos", 88, 4)]
    public void TheSameConversationsOverTcpTellTheSame(string name, int port, int lengthSize)
    {
        var datagrams = Assert.Single(ProtocolTable.Datagrams, r => r.Name == name);
        var streams = Assert.Single(ProtocolTable.Streams, r => r.Name == name);
        foreach (var turns in DatagramContract.ConversationsOf(Name, port).DistinctBy(c => c.Sum(t => t.Bytes.Length)).Take(4))
        {
            var framed = turns.Select(t => t with { Bytes = WithLength(t.Bytes, lengthSize) }).ToList();
            Assert.Equal(ProbeResult.Certain, streams.Probe(framed[0].Direction, framed[0].Bytes));
            var log = SessionContract.Holds(streams.Create, framed, (ushort)port);
            Assert.Equal(SessionContract.Whole(datagrams.Create, turns, (ushort)port), log);
            DatagramContract.ProbeIsTotal(streams.Probe, framed, port);
        }
    }

    [Fact]
    public void ConversationsOfOneProtocolAreNoOthers()
    {
        foreach (var port in Ports.Select(p => p.Data.Item2))
        {
            var name = Ports.First(p => p.Data.Item2 == port).Data.Item1;
            foreach (var turns in DatagramContract.ConversationsOf(Name, port))
            {
                foreach (var row in ProtocolTable.Datagrams.Where(r => r.Name != name && r.Name != "quic"))
                    Assert.NotEqual(ProbeResult.Certain, row.Probe(turns[0].Direction, turns[0].Bytes));
            }
        }
    }

    [Fact]
    public void ManyQuestionsThatNobodyAnswersAreBounded()
    {
        var question = DatagramContract.ConversationsOf(Name, 53)[0][0];
        var player = new SessionPlayer(new DnsSession(), 53);
        for (var i = 0; i < 1000; i++)
        {
            question.Bytes[0] = (byte)(i >> 8);
            question.Bytes[1] = (byte)i;
            player.Send(question);
        }

        Assert.Equal(1000 - 16, player.Log.Count);
        player.End();
        Assert.Equal(1000, player.Log.Count);
        Assert.All(player.Log, l => Assert.DoesNotContain("rcode", l, StringComparison.Ordinal));
    }

    [Fact]
    public void BroadcastsBeforeAnAddressIsKnownMakeNoDevice()
    {
        var discover = DatagramContract.ConversationsOf(Name, 67).SelectMany(c => c).First(t => t.Bytes[0] == 1);
        var outcome = DatagramContract.Run([discover], 67, new Flows.Packet { Source = "0.0.0.0", Destination = "255.255.255.255", SourcePort = 68, DestinationMac = 0xFFFF_FFFF_FFFF });
        Assert.Contains("dhcp 0.0.0.0>255.255.255.255:67 discover", Assert.Single(outcome.Transactions), StringComparison.Ordinal);
        var devices = new IoTGuard.Analysis.Inventory.DeviceInventory(new IoTGuard.Analysis.Baselines.AddressScope([]), 10);
        Assert.All(outcome.Closed, f => Assert.Null(devices.Observe(f.Originator, f.OriginatorMac, 0, false)));
        Assert.All(outcome.Closed, f => Assert.Null(devices.Observe(f.Responder, f.ResponderMac, 0, true)));
    }

    private static byte[] WithLength(byte[] message, int lengthSize)
    {
        var framed = new byte[lengthSize + message.Length];
        framed[lengthSize - 2] = (byte)(message.Length >> 8);
        framed[lengthSize - 1] = (byte)message.Length;
        message.CopyTo(framed, lengthSize);
        return framed;
    }
}
