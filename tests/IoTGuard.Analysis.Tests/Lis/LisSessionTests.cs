using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;
using IoTGuard.Wire.Application.Lis;

namespace IoTGuard.Analysis.Tests.Lis;

public sealed class LisSessionTests
{
    private const string Header = "H|\\^&|||ANALYSER^1.2|||||LIS||P|LIS2-A2|20260102\r";
    private const string Patient = "P|1|4711|||DOE^JANE||19700101|F\r";
    private const string Terminator = "L|1|N\r";

    /// <summary>A frame as LIS01-A2 6.3 has it.</summary>
    private static string Frame(int number, string text, bool isLast = true)
    {
        var body = $"{number}{text}{(isLast ? '\u0003' : '\u0017')}";
        return $"\u0002{body}{LisFrame.ChecksumOf(System.Text.Encoding.Latin1.GetBytes(body)):X2}\r\n";
    }

    private static readonly Turn[] Framed =
    [
        Turn.Client("\u0005"),
        Turn.Server("\u0006", 0.1),
        Turn.Client(Frame(1, Header), 0.2),
        Turn.Server("\u0006", 0.3),
        Turn.Client(Frame(2, Patient + "O|1|S1||^^^GLU\rR|1|^^^GLU|5.4|mmol/L", isLast: false), 0.4),
        Turn.Server("\u0006", 0.5),
        Turn.Client(Frame(3, "||N||F\rR|2|^^^NA|140\r"), 0.6),
        Turn.Server("\u0006", 0.7),
        Turn.Client(Frame(4, Terminator), 0.8),
        Turn.Server("\u0006", 0.9),
        Turn.Client("\u0004", 1),
        Turn.Server("\u0005", 2),
        Turn.Client("\u0006", 2.1),
        Turn.Server(Frame(1, "H|\\^&|||LIS|||||ANALYSER||P|1\rQ|1|ALL\rL|1|N\r"), 2.2),
        Turn.Client("\u0006", 2.3),
        Turn.Server("\u0004", 2.4),
    ];

    [Fact]
    public void MessagesHoldHoweverTheyAreCut()
    {
        var log = SessionContract.Holds(() => new LisSession(), Framed, 4000);
        Assert.Equal(2, log.Count);
        Assert.Contains("message time=1700000000000000000 client=40000 duration=800000000 ", log[0], StringComparison.Ordinal);
        Assert.Contains("sender='ANALYSER^1.2' receiver='LIS' version='LIS2-A2' processing_id='P' framed=True records=6 patients=1 orders=1 results=2 frames=4 patient=", log[0], StringComparison.Ordinal);
        Assert.EndsWith("termination='N'", log[0], StringComparison.Ordinal);
        Assert.Contains("client=4000 ", log[1], StringComparison.Ordinal);
        Assert.Contains("sender='LIS' receiver='ANALYSER' version='1' processing_id='P' framed=True records=3 queries=1 frames=1", log[1], StringComparison.Ordinal);
        foreach (var secret in new[] { "4711", "DOE", "5.4", "1970" })
            Assert.All(log, l => Assert.DoesNotContain(secret, l, StringComparison.Ordinal));
    }

    [Fact]
    public void BareRecordsAreReadToo()
    {
        var log = SessionContract.Holds(() => new LisSession(), [Turn.Client(Header + Patient + "R|1|^^^GLU|5.4\r\n" + Terminator + Header + Terminator)], 4000);
        Assert.Equal(2, log.Count);
        Assert.Contains("framed=False records=4 patients=1 results=1", log[0], StringComparison.Ordinal);
    }

    [Fact]
    public void RefusedAndDamagedFramesAreFaultsAndCountOnce()
    {
        var bad = Frame(2, Patient).Replace("4711", "4712", StringComparison.Ordinal);
        var log = SessionContract.Whole(() => new LisSession(),
        [
            Turn.Client("\u0005" + Frame(1, Header)), Turn.Client(bad), Turn.Server("\u0015"), Turn.Client(Frame(2, Patient)), Turn.Client(Frame(3, Terminator) + "\u0004"),
        ]);
        Assert.Equal(3, log.Count);
        Assert.Contains("fault='bad_checksum'", log[0], StringComparison.Ordinal);
        Assert.Contains("fault='refused'", log[1], StringComparison.Ordinal);
        Assert.Contains("records=3 patients=1 frames=4 refused_frames=1", log[2], StringComparison.Ordinal);
        Assert.Contains("fault='bad_frame_number'", SessionContract.Whole(() => new LisSession(), [Turn.Client("\u0005" + Frame(1, Header) + Frame(5, Terminator))])[0], StringComparison.Ordinal);
        Assert.Contains("fault='no_terminator'", SessionContract.Whole(() => new LisSession(), [Turn.Client("\u0005" + Frame(1, Header) + "\u0004")])[0], StringComparison.Ordinal);
        Assert.Contains("access_password=True", SessionContract.Whole(() => new LisSession(), [Turn.Client("H|\\^&||SECRET|A\r" + Terminator)])[0], StringComparison.Ordinal);
    }

    [Fact]
    public void FramesWithoutEndAreBounded()
    {
        var log = SessionContract.Whole(() => new LisSession(), [Turn.Client("\u0005" + Frame(1, Header) + "\u00022" + new string('x', 200_000))]);
        Assert.Contains(log, l => l.Contains("fault='frame_too_large'", StringComparison.Ordinal));
        Assert.InRange(log.Count, 1, 10);
    }

    [Theory]
    [InlineData("\u0005", ProbeResult.Unsure)]
    [InlineData("\u0006", ProbeResult.Unsure)]
    [InlineData("\u0005\u00021H|\\^&", ProbeResult.Certain)]
    [InlineData("\u00021H|\\^&", ProbeResult.Certain)]
    [InlineData("H|\\^&|", ProbeResult.Certain)]
    [InlineData("H|\\", ProbeResult.Unsure)]
    [InlineData("HELO", ProbeResult.NotForUs)]
    [InlineData("\u0005\u0001\0", ProbeResult.NotForUs)]
    [InlineData("\u00029", ProbeResult.NotForUs)]
    [InlineData("\u00021PASS", ProbeResult.NotForUs)]
    [InlineData("H||||", ProbeResult.NotForUs)]
    public void Probes(string text, ProbeResult expected) => Assert.Equal(expected, LisSession.Probe(FlowDirection.FromOriginator, System.Text.Encoding.Latin1.GetBytes(text)));
}
