using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;

namespace IoTGuard.Analysis.Tests.Login;

public sealed class MailboxSessionTests
{
    private static readonly Turn[] Pop =
    [
        Turn.Server("+OK Dovecot ready.\r\n"), Turn.Client("CAPA\r\n"), Turn.Server("+OK\r\nSTLS\r\n.\r\n"),
        Turn.Client("USER huber\r\n"), Turn.Server("+OK\r\n"), Turn.Client("PASS wrong\r\n"), Turn.Server("-ERR no\r\n"),
        Turn.Client("USER huber\r\n"), Turn.Server("+OK\r\n"), Turn.Client("PASS right\r\n"), Turn.Server("+OK in\r\n"),
        Turn.Client("RETR 1\r\n"), Turn.Server("+OK\r\nHuber\r\n.\r\n"),
    ];

    private static readonly Turn[] Imap =
    [
        Turn.Server("* OK [CAPABILITY IMAP4rev1] ready\r\n"), Turn.Client("a1 LOGIN huber wrong\r\n"), Turn.Server("* NO nothing\r\na1 NO [AUTHENTICATIONFAILED]\r\n"),
        Turn.Client("a2 CAPABILITY\r\n"), Turn.Server("* CAPABILITY STARTTLS\r\na2 OK\r\n"), Turn.Client("a3 STARTTLS\r\n"), Turn.Server("a3 OK begin\r\n"),
    ];

    [Fact]
    public void Pop3_with_two_log_ins_keeps_the_contract()
    {
        var line = Assert.Single(SessionContract.Holds(static () => new MailboxSession(isImap: false), Pop, 110));
        Assert.EndsWith(" login='succeeded' failed_logins=1 clear_password=True software='Dovecot ready.'", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Imap_turns_to_tls_and_keeps_the_contract()
    {
        var line = Assert.Single(SessionContract.Holds(static () => new MailboxSession(isImap: true), Imap, 143));
        Assert.EndsWith(" login='failed' failed_logins=1 clear_password=True software='[CAPABILITY IMAP4rev1] ready' start_tls=True", line, StringComparison.Ordinal);
        Assert.True(new SessionPlayer(new MailboxSession(isImap: true)).Play(Imap).IsHandedOver);
    }

    [Fact]
    public void Greetings_are_recognised()
    {
        Assert.Equal(ProbeResult.Likely, MailboxSession.ProbePop3(FlowDirection.FromResponder, "+OK ready\r\n"u8));
        Assert.Equal(ProbeResult.Certain, MailboxSession.ProbeImap(FlowDirection.FromResponder, "* OK IMAP4rev1\r\n"u8));
        Assert.Equal(ProbeResult.NotForUs, MailboxSession.ProbeImap(FlowDirection.FromResponder, "* NO\r\n"u8));
        Assert.Equal(ProbeResult.NotForUs, MailboxSession.ProbePop3(FlowDirection.FromResponder, "+OKAY\r\n"u8));
    }
}
