using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;

namespace IoTGuard.Analysis.Tests.Login;

public sealed class TelnetSessionTests
{
    private static readonly Turn[] Visit =
    [
        Turn.Server("\u00ff\u00fd\u0018\u00ff\u00fd\u0020\u00ff\u00fb\u0003"),
        Turn.Client("\u00ff\u00fb\u0018\u00ff\u00fc\u0020\u00ff\u00fa\u0018\u0000xterm login:\u00ff\u00f0"),
        Turn.Server("\r\nDebian GNU/Linux 12\r\n\r\npump3 login: "),
        Turn.Client("h"), Turn.Server("h"), Turn.Client("uber\r\u0000"), Turn.Server("uber\r\nPassword: "),
        Turn.Client("secret\r\u0000"), Turn.Server("\r\n"), Turn.Server("\r\nLogin incorrect\r\npump3 login: ", 2),
        Turn.Client("huber\r\u0000"), Turn.Server("huber\r\nPassword: "),
        Turn.Client("better\r\u0000"), Turn.Server("\r\nLast login: Sat Nov 21 23:00:00\r\nhuber@pump3:~$ ", 3),
        Turn.Client("cat patients\r\u0000"), Turn.Server("cat patients\r\n... login: Password:"),
    ];

    [Fact]
    public void A_visit_with_two_log_ins_keeps_the_contract()
    {
        var log = SessionContract.Holds(static () => new TelnetSession(), Visit, 23);
        Assert.Equal(3, log.Count);
        Assert.EndsWith(" login='failed' failed_logins=1 clear_password=True", log[0], StringComparison.Ordinal);
        Assert.EndsWith(" login='succeeded' clear_password=True", log[1], StringComparison.Ordinal);
        Assert.EndsWith(" login='succeeded' clear_password=True prompt=True negotiations=5", log[2], StringComparison.Ordinal);
        Assert.DoesNotContain("huber", string.Concat(log), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("\u00ff\u00fd\u0018\u00ff\u00fb\u0003", ProbeResult.Certain)]
    [InlineData("\u00ff\u00fd\u0018", ProbeResult.Likely)]
    [InlineData("\u00ff\u00fd", ProbeResult.Unsure)]
    [InlineData("\u00ff\u00fe<\u0000x\u0000m\u0000", ProbeResult.NotForUs)]
    [InlineData("\u00ff\u00d8\u00ff\u00e0", ProbeResult.NotForUs)]
    internal void Probe(string text, ProbeResult expected) =>
        Assert.Equal(expected, TelnetSession.Probe(FlowDirection.FromResponder, System.Text.Encoding.Latin1.GetBytes(text)));
}
