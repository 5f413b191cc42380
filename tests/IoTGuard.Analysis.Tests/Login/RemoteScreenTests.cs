using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;

namespace IoTGuard.Analysis.Tests.Login;

/// <summary>RDP and VNC.</summary>
public sealed class RemoteScreenTests
{
    private static readonly byte[] Challenge = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];

    [Fact]
    public void Rdp_negotiates_and_hands_over_to_tls()
    {
        Turn[] turns = [Turn.Client(Request("Cookie: mstshash=mhuber\r\n", 3)), Turn.Server(Confirm(2, 2), 0.01), Turn.Client([0x16, 3, 1, 0, 5])];
        var log = SessionContract.Holds(static () => new RdpSession(), turns, 3389);
        Assert.Contains("duration=10000000 ", Assert.Single(log), StringComparison.Ordinal);
        Assert.EndsWith(" cookie=True requested_protocols=3 requested='credssp' selected='credssp'", log[0], StringComparison.Ordinal);
        var player = new SessionPlayer(new RdpSession(), 3389).Play(turns);
        Assert.True(player.IsHandedOver);
    }

    [Fact]
    public void Rdp_refusals_and_standard_security_are_told()
    {
        var log = SessionContract.Holds(static () => new RdpSession(), [Turn.Client(Request("", 0)), Turn.Server(Confirm(3, 5))], 3389);
        Assert.EndsWith(" requested_protocols=0 requested='standard' failure_code=5", Assert.Single(log), StringComparison.Ordinal);
        log = SessionContract.Holds(static () => new RdpSession(), [Turn.Client([3, 0, 0, 11, 6, 0xE0, 0, 0, 0, 0, 0]), Turn.Server([3, 0, 0, 11, 6, 0xD0, 0, 0, 0, 0, 0])], 3389);
        Assert.EndsWith(" selected='standard'", Assert.Single(log), StringComparison.Ordinal);
        Assert.DoesNotContain("requested", log[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Rdp_is_recognised_by_its_request_and_other_users_of_TPKT_are_not()
    {
        Assert.Equal(ProbeResult.Certain, RdpSession.Probe(FlowDirection.FromOriginator, Request("", 3)));
        Assert.Equal(ProbeResult.Likely, RdpSession.Probe(FlowDirection.FromOriginator, [3, 0, 0, 11, 6, 0xE0, 0, 0, 0, 0, 0]));
        Assert.Equal(ProbeResult.NotForUs, RdpSession.Probe(FlowDirection.FromOriginator, [3, 0, 0, 22, 17, 0xE0, 0, 0, 0, 1, 0, 0xC0, 1, 0x0A, 0xC1, 2, 1, 0, 0xC2, 2, 1, 2]));
    }

    [Theory]
    [InlineData(0, "login='succeeded'")]
    [InlineData(1, "login='failed' failed_logins=1")]
    public void Vnc_3_8_with_a_password(byte result, string expected)
    {
        Turn[] turns =
        [
            Turn.Server("RFB 003.008\n"), Turn.Client("RFB 003.008\n"), Turn.Server([2, 2, 16]), Turn.Client([2]), Turn.Server(Challenge), Turn.Client(Challenge), Turn.Server([0, 0, 0, result]),
        ];
        var log = SessionContract.Holds(static () => new VncSession(), turns, 5900);
        Assert.EndsWith(" server_version='3.8' client_version='3.8' security_type=2 security='vnc' " + expected, Assert.Single(log), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8")]
    [InlineData("7")]
    [InlineData("3")]
    public void Vnc_without_authentication(string minor)
    {
        Turn[] turns = minor == "3"
            ? [Turn.Server("RFB 003.003\n"), Turn.Client("RFB 003.003\n"), Turn.Server([0, 0, 0, 1]), Turn.Client([1]), Turn.Server([4, 0, 3, 0])]
            : [Turn.Server($"RFB 003.00{minor}\n"), Turn.Client($"RFB 003.00{minor}\n"), Turn.Server([1, 1]), Turn.Client([1]), Turn.Server([0, 0, 0, 0]), Turn.Client([1])];
        var log = SessionContract.Holds(static () => new VncSession(), turns, 5900);
        Assert.EndsWith(" security_type=1 security='none' offers_none=True login='succeeded'", Assert.Single(log), StringComparison.Ordinal);
    }

    [Fact]
    public void Vnc_over_tls_is_handed_over()
    {
        var player = new SessionPlayer(new VncSession(), 5900);
        player.Play([Turn.Server("RFB 003.008\n"), Turn.Client("RFB 003.008\n"), Turn.Server([1, 18]), Turn.Client([18])]);
        Assert.True(player.IsHandedOver);
        Assert.Contains("security='tls'", Assert.Single(player.Log), StringComparison.Ordinal);
    }

    private static byte[] Request(string cookie, byte protocols)
    {
        byte[] rest = [.. System.Text.Encoding.ASCII.GetBytes(cookie), 1, 0, 8, 0, protocols, 0, 0, 0];
        return [3, 0, 0, (byte)(11 + rest.Length), (byte)(6 + rest.Length), 0xE0, 0, 0, 0, 0, 0, .. rest];
    }

    private static byte[] Confirm(byte type, byte value) => [3, 0, 0, 19, 14, 0xD0, 0, 0, 0x12, 0x34, 0, type, 0, 8, 0, value, 0, 0, 0];
}
