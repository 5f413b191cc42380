using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;

namespace IoTGuard.Analysis.Tests.Login;

public sealed class SmtpSessionTests
{
    private static readonly Turn[] Mail =
    [
        Turn.Server("220 mail.hospital.test ESMTP Postfix\r\n"),
        Turn.Client("EHLO scanner7.hospital.test\r\n"), Turn.Server("250-mail.hospital.test\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN\r\n"),
        Turn.Client("AUTH LOGIN\r\n"), Turn.Server("334 VXNlcm5hbWU6\r\n"), Turn.Client("aHViZXI=\r\n"), Turn.Server("334 UGFzc3dvcmQ6\r\n"), Turn.Client("c2VjcmV0\r\n"),
        Turn.Server("535 5.7.8 Error\r\n"),
        Turn.Client("MAIL FROM:<huber@hospital.test>\r\nRCPT TO:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\n"),
        Turn.Server("250 Ok\r\n250 Ok\r\n550 No\r\n354 End data with <CR><LF>.<CR><LF>\r\n"),
        Turn.Client("Subject: Huber, Maria\r\n\r\nQUIT\r\n220 not a reply\r\n.\r\n"), Turn.Server("250 Queued\r\n"),
        Turn.Client("MAIL FROM:<huber@hospital.test>\r\nRCPT TO:<a@x.test>\r\nBDAT 20 LAST\r\n"), Turn.Client("huber\r\nhuber\r\nhuber."),
        Turn.Server("250 Ok\r\n250 Ok\r\n250 Ok\r\n"),
        Turn.Client("QUIT\r\n"), Turn.Server("221 Bye\r\n", 3),
    ];

    [Fact]
    public void A_pipelined_mail_after_a_refused_log_in_keeps_the_contract()
    {
        var log = SessionContract.Holds(static () => new SmtpSession(), Mail, 25);
        Assert.Equal(2, log.Count);
        Assert.EndsWith(" login='failed' failed_logins=1 clear_password=True mechanism='login' reply_code=535", log[0], StringComparison.Ordinal);
        Assert.EndsWith(
            " login='failed' clear_password=True server_name='mail.hospital.test' software='ESMTP Postfix' client_name='scanner7.hospital.test' mechanism='login' messages=2 recipients=2 refused=2",
            log[1], StringComparison.Ordinal);
        Assert.DoesNotContain("huber", string.Concat(log), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void After_STARTTLS_the_rest_is_handed_over()
    {
        var player = new SessionPlayer(new SmtpSession(), 587);
        player.Play([Turn.Server("220 m ESMTP\r\n"), Turn.Client("EHLO c\r\n"), Turn.Server("250-m\r\n250 STARTTLS\r\n"), Turn.Client("STARTTLS\r\n"), Turn.Server("220 Go ahead\r\n")]);
        Assert.True(player.IsHandedOver);
        Assert.Contains("start_tls=True", Assert.Single(player.Log), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("220 mail.test ESMTP\r\n", ProbeResult.Certain)]
    [InlineData("220 (vsFTPd 3.0.3)\r\n", ProbeResult.NotForUs)]
    [InlineData("EHLO me\r\n", ProbeResult.Certain)]
    [InlineData("EHL", ProbeResult.Unsure)]
    [InlineData("HELLO there", ProbeResult.NotForUs)]
    internal void Probe(string text, ProbeResult expected) =>
        Assert.Equal(expected, SmtpSession.Probe(FlowDirection.FromResponder, System.Text.Encoding.Latin1.GetBytes(text)));
}
