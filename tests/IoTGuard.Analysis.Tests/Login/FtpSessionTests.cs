using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;

namespace IoTGuard.Analysis.Tests.Login;

public sealed class FtpSessionTests
{
    private static readonly Turn[] Visit =
    [
        Turn.Server("220-Welcome\r\n220 (vsFTPd 3.0.3)\r\n"),
        Turn.Client("USER maria.huber\r\n"), Turn.Server("331 Please specify the password.\r\n"),
        Turn.Client("PASS wrong\r\n"), Turn.Server("530 Login incorrect.\r\n"),
        Turn.Client("user anonymous\r\n"), Turn.Server("331 Please specify the password.\r\n"),
        Turn.Client("pass me@\r\n"), Turn.Server("230-Hello\r\n230-  530 not this\r\n230 Login successful.\r\n"),
        Turn.Client("PASV\r\n"), Turn.Server("227 Entering Passive Mode (10,0,0,2,200,1).\r\n"),
        Turn.Client("STOR huber_maria_19700101.dcm\r\n"), Turn.Server("150 Ok to send data.\r\n"), Turn.Server("226 Transfer complete.\r\n", 1.5),
        Turn.Client("RETR a\r\n"), Turn.Server("550 Failed to open file.\r\n"),
        Turn.Client("DELE a\r\n"), Turn.Server("250 Gone.\r\n"),
        Turn.Client("QUIT\r\n"), Turn.Server("221 Goodbye.\r\n", 2),
    ];

    [Fact]
    public void A_visit_with_two_log_ins_keeps_the_contract()
    {
        var log = SessionContract.Holds(static () => new FtpSession(), Visit, 21);
        Assert.Equal(3, log.Count);
        Assert.EndsWith(" login='failed' failed_logins=1 clear_password=True reply_code=530", log[0], StringComparison.Ordinal);
        Assert.EndsWith(" login='succeeded' reply_code=230 anonymous=True", log[1], StringComparison.Ordinal);
        Assert.StartsWith("session time=1700000000000000000 client=40000 duration=2000000000 ", log[2], StringComparison.Ordinal);
        Assert.EndsWith(" login='succeeded' clear_password=True software='Welcome' anonymous=True commands=9 stored=1 deleted=1 refused=2", log[2], StringComparison.Ordinal);
        Assert.DoesNotContain("huber", string.Concat(log), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void After_AUTH_TLS_the_rest_is_handed_over()
    {
        var player = new SessionPlayer(new FtpSession(), 21);
        player.Play([Turn.Server("220 FTP ready\r\n"), Turn.Client("AUTH TLS\r\n"), Turn.Server("234 Proceed\r\n")]);
        Assert.True(player.IsHandedOver);
        Assert.Contains("start_tls=True", Assert.Single(player.Log), StringComparison.Ordinal);
    }

    [Fact]
    public void Guessing_on_one_connection_is_told_in_part_and_counted_in_full()
    {
        var player = new SessionPlayer(new FtpSession(), 21);
        player.Play([Turn.Server("220 FTP ready\r\n")]);
        for (var i = 0; i < 1000; i++)
            player.Play([Turn.Client("USER a\r\n"), Turn.Server("331 ?\r\n"), Turn.Client("PASS b\r\n"), Turn.Server("530 no\r\n")]);
        player.End();
        Assert.Equal(FtpSession.MaximumLogins + 1, player.Log.Count);
        Assert.Contains($"failed_logins={1000 - FtpSession.MaximumLogins} ", player.Log[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("220 ProFTPD 1.3 Server\r\n", ProbeResult.Certain)]
    [InlineData("220 ready\r\n", ProbeResult.Likely)]
    [InlineData("220 mail.test ESMTP\r\n", ProbeResult.NotForUs)]
    [InlineData("220 rea", ProbeResult.Unsure)]
    [InlineData("USER anonymous\r\n", ProbeResult.Likely)]
    [InlineData("AUTH TLS\r\n", ProbeResult.Likely)]
    [InlineData("UNKNOWN command", ProbeResult.NotForUs)]
    [InlineData("200 OK text", ProbeResult.NotForUs)]
    internal void Probe(string text, ProbeResult expected) =>
        Assert.Equal(expected, FtpSession.Probe(FlowDirection.FromResponder, System.Text.Encoding.Latin1.GetBytes(text)));
}
