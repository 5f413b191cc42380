using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;

namespace IoTGuard.Analysis.Tests.Tunnelled;

public sealed class SocksSessionTests
{
    private static readonly byte[] Granted = [5, 0, 0, 1, 10, 20, 1, 9, 0x1F, 0x90];

    [Fact]
    public void Socks_5_with_a_name_hands_over_what_it_relays()
    {
        Turn[] turns =
        [
            Turn.Client([5, 2, 0, 2]), Turn.Server([5, 0]), Turn.Client([5, 1, 0, 3, 9, .. "pacs.test"u8, 0, 104]), Turn.Server(Granted, 0.03), Turn.Client([0x16, 3, 1, 0, 5]),
        ];
        var log = SessionContract.Holds(static () => new SocksSession(), turns, 1080);
        Assert.Contains("duration=30000000 ", Assert.Single(log), StringComparison.Ordinal);
        Assert.EndsWith(" version=5 authentication='none' target='pacs.test' target_port=104 granted=True reply=0", log[0], StringComparison.Ordinal);
        Assert.True(new SessionPlayer(new SocksSession(), 1080).Play(turns).IsHandedOver);
    }

    [Theory]
    [InlineData(0, "authentication='password' target='10.20.20.10' target_port=4242 granted=False reply=5")]
    [InlineData(1, "authentication='password' login_refused=True")]
    public void Socks_5_with_a_password_keeps_neither_name_nor_password(byte answer, string expected)
    {
        Turn[] turns =
        [
            Turn.Client([5, 1, 2]), Turn.Server([5, 2]), Turn.Client([1, 5, .. "meier"u8, 6, .. "geheim"u8]), Turn.Server([1, answer]),
            .. answer == 0 ? (Turn[])[Turn.Client([5, 1, 0, 1, 10, 20, 20, 10, 0x10, 0x92]), Turn.Server([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])] : [],
        ];
        var log = SessionContract.Holds(static () => new SocksSession(), turns, 1080);
        Assert.EndsWith(" version=5 " + expected, Assert.Single(log), StringComparison.Ordinal);
        Assert.DoesNotContain("meier", log[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Socks_4_and_4a()
    {
        Turn[] turns = [Turn.Client([4, 1, 0, 104, 10, 20, 20, 10, .. "x"u8, 0]), Turn.Server([0, 90, 0, 0, 0, 0, 0, 0]), Turn.Client("GET / HTTP/1.1\r\n"u8.ToArray())];
        var log = SessionContract.Holds(static () => new SocksSession(), turns, 1080);
        Assert.EndsWith(" version=4 has_user=True target='10.20.20.10' target_port=104 granted=True reply=90", Assert.Single(log), StringComparison.Ordinal);
        turns = [Turn.Client([4, 1, 0, 104, 0, 0, 0, 1, 0, .. "pacs.test"u8, 0]), Turn.Server([0, 91, 0, 0, 0, 0, 0, 0])];
        log = SessionContract.Holds(static () => new SocksSession(), turns, 1080);
        Assert.EndsWith(" version=4 target='pacs.test' target_port=104 granted=False reply=91", Assert.Single(log), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_that_does_not_wait_loses_nothing_and_takes_no_memory()
    {
        var player = new SessionPlayer(new SocksSession(), 1080);
        player.Send(Turn.Client([5, 1, 0]));
        player.Send(Turn.Server([5, 0]));
        player.Send(Turn.Client([5, 1, 0, 1, 10, 20, 20, 10, 0, 104, .. "GET "u8]));
        player.Send(Turn.Server(Granted));
        Assert.True(player.IsHandedOver);

        player = new SessionPlayer(new SocksSession(), 1080);
        player.Send(Turn.Client([4, 1, 0, 104, 10, 20, 20, 10, 0, .. new byte[SocksSession.MaximumEarlyBytes + 1]]));
        player.Send(Turn.Server([0, 90, 0, 0, 0, 0, 0, 0]));
        Assert.False(player.IsHandedOver);
        Assert.Single(player.End().Log);
    }

    [Theory]
    [InlineData("05", ProbeResult.Unsure)]
    [InlineData("0502", ProbeResult.Unsure)]
    [InlineData("050200", ProbeResult.Unsure)]
    [InlineData("05020002", ProbeResult.Certain)]
    [InlineData("0502000205", ProbeResult.NotForUs)]
    [InlineData("0500", ProbeResult.NotForUs)]
    [InlineData("05020000", ProbeResult.NotForUs)]
    [InlineData("05023148", ProbeResult.NotForUs)]
    [InlineData("0401006800000001", ProbeResult.Unsure)]
    [InlineData("040100680A14140A00", ProbeResult.Certain)]
    [InlineData("040100680A14140A01", ProbeResult.NotForUs)]
    [InlineData("040100000A14140A00", ProbeResult.NotForUs)]
    [InlineData("0403", ProbeResult.NotForUs)]
    public void A_greeting_is_recognised_when_it_is_all_there_is(string bytes, ProbeResult expected) =>
        Assert.Equal(expected, SocksSession.Probe(FlowDirection.FromOriginator, Convert.FromHexString(bytes)));
}
