using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using static IoTGuard.Analysis.Tests.Hl7.Messages;

namespace IoTGuard.Analysis.Tests.Hl7;

public sealed class Hl7FaultTests
{
    private static string[] Kinds(Conversation c) =>
        [.. c.Log.Select(l => l.StartsWith("fault", StringComparison.Ordinal) ? l.Split(' ').First(w => w.StartsWith("fault=", StringComparison.Ordinal)) : l.Split(' ')[0])];

    [Fact]
    public void MissingEndBlock()
    {
        var c = new Conversation().Send(Vt + Admit("1") + Framed(Admit("2"))).End();
        Assert.Equal(["fault=no_end_block", "message", "message"], Kinds(c));
        Assert.Contains("control_id=1", c.Log[0], StringComparison.Ordinal);
        Assert.Contains("fault=no_end_block", c.Log[1], StringComparison.Ordinal);
        Assert.Contains("control_id=2", c.Log[2], StringComparison.Ordinal);

        c = new Conversation().Send(Vt + Admit("1")).HalfClose(FlowDirection.FromOriginator).End();
        Assert.Equal(["fault=no_end_block", "message"], Kinds(c));
    }

    [Fact]
    public void TheEndOfTheCaptureIsNotTheSendersFault()
    {
        var c = new Conversation().Send(Vt + Admit("1")).End(FlowEndReason.EndOfCapture);
        Assert.Equal(["message"], Kinds(c));
        c = new Conversation().Send(Vt + Admit("1"));
        c.TimeNs += Hl7Session.MaximumFrameNs;
        c.End(FlowEndReason.EndOfCapture);
        Assert.Equal(["fault=no_end_block", "message"], Kinds(c));
    }

    [Fact]
    public void AFrameThatWasToldWhileItStayedOpenIsNotToldAgainAtItsEnd()
    {
        var c = new Conversation().Send(Vt + Admit("1"));
        c.TimeNs += Hl7Session.MaximumFrameNs;
        c.Send("NTE|1\r");
        Assert.Equal(["fault=no_end_block"], Kinds(c));
        c.TimeNs += Hl7Session.MaximumFrameNs / 2;
        c.HalfClose(FlowDirection.FromOriginator).End();
        Assert.Equal(["fault=no_end_block", "message"], Kinds(c));
    }

    [Fact]
    public void AGapMayHaveHeldTheEndBlock()
    {
        var c = new Conversation().Send(Vt + Admit("1")).Gap(FlowDirection.FromOriginator, 40).HalfClose(FlowDirection.FromOriginator).End();
        Assert.Equal(["message"], Kinds(c));
    }

    [Fact]
    public void MissingStartBlock()
    {
        var c = new Conversation().Send(Framed(Admit("1")) + Admit("2") + End + Framed(Admit("3"))).End();
        Assert.Equal(["fault=no_start_block", "message", "message", "message"], Kinds(c));
        c = new Conversation().Send(Admit("1") + End).End();
        Assert.Equal(["fault=no_start_block", "message"], Kinds(c));
    }

    [Fact]
    public void GarbageBetweenFramesAndInFrames()
    {
        var c = new Conversation().Send("hello\r\n" + Framed(Admit("1")) + "\u0001\u0002\u0003" + Framed(Admit("2")) + Framed("nonsense\r") + Framed(Admit("3"))).End();
        Assert.Equal(["fault=garbage", "fault=garbage", "fault=garbage", "message", "message", "message"], Kinds(c));
        Assert.Equal(3, c.Flow.Counters.Faults);
    }

    [Fact]
    public void MidStreamStartIsQuiet()
    {
        var c = new Conversation(ConnectionState.MidStream).Send("XJ9|text\rOBX|2|TX\r" + End + Framed(Admit("1"))).End();
        Assert.Equal(["message"], Kinds(c));
    }

    [Fact]
    public void EmptyFrame() => Assert.Equal(["fault=missing_item", "message"], Kinds(new Conversation().Send(Vt + End + Framed(Admit("1"))).End()));

    [Theory]
    [InlineData("MSH|&&&&|A|B|C|D|||ADT^A01|1|P|2.5\rPID|1\r")]
    [InlineData("MSH||A|B|C|D|||ADT^A01|1|P|2.5\rPID|1\r")]
    [InlineData("MSH|^~\\&|A|B|C|D|||ADT^A01|1|P|2.5\rPID^1^x\r")]
    [InlineData("MSH|^~\\&|A|B|C|D|||ADT^A01|1|P|2.5\rpid|1\rpv1|1\r")]
    [InlineData("MSH|^~\\&|A|B|C|D|||ADT^A01|1|P|2.5\r|\r")]
    public void WrongDelimitersAreToldOncePerMessage(string message)
    {
        var c = new Conversation().Send(Framed(message) + Framed(Admit("2"))).End();
        Assert.Equal(["fault=bad_characters", "message", "message"], Kinds(c));
        Assert.Contains("control_id=1", c.Log[1], StringComparison.Ordinal);
    }

    [Fact]
    public void AGrowingFrameIsToldWhileItGoesOn()
    {
        var c = new Conversation().Send(Vt + Admit("1") + "OBX|1|ED|");
        var chunk = new byte[64 * 1024];
        Array.Fill(chunk, (byte)'A');
        for (var sent = 0; sent < 36 << 20; sent += chunk.Length)
            c.Show(FlowDirection.FromOriginator, chunk);
        Assert.Equal([4L << 20, 8L << 20, 16L << 20, 32L << 20], c.Log.Select(l => long.Parse(l.Split("fault_required=")[1].Split(' ')[0])));
        c.Send("\r" + End).End();
        Assert.Equal(["fault=too_large", "fault=too_large", "fault=too_large", "fault=too_large", "message"], Kinds(c));
        Assert.Contains("segments=5 observations=1", c.Log[4], StringComparison.Ordinal);
    }

    [Fact]
    public void AFrameThatDripsIsTold()
    {
        var c = new Conversation().Send(Vt + Admit("1") + "NTE|");
        for (var i = 0; i < 43; i++)
        {
            c.TimeNs += Conversation.Second;
            c.Send("O");
        }

        Assert.Equal(["fault=no_end_block", "fault=no_end_block", "fault=no_end_block"], Kinds(c));
        Assert.Contains($"bytes={1 + Admit("1").Length + 4 + 10} ", c.Log[0], StringComparison.Ordinal);
        Assert.Contains("fault_required=10 fault_limit=10", c.Log[0], StringComparison.Ordinal);
    }

    [Fact]
    public void AFloodOfFaultsIsCountedButNotEmitted()
    {
        var c = new Conversation();
        for (var i = 0; i < 1024; i++)
            c.Send(Vt + End);
        Assert.Equal(1024, c.Flow.Counters.Faults);
        Assert.Equal(16 + 6, c.Log.Count);
    }

    [Fact]
    public void AGapInsideAMessageKeepsIt()
    {
        var c = new Conversation().Send(Vt + Admit("1") + "OBX|1|TX|||abc").Gap(FlowDirection.FromOriginator, 100).Send("xyz\rOBX|2|TX\r" + End).End();
        var line = Assert.Single(c.Log);
        Assert.Contains("control_id=1", line, StringComparison.Ordinal);
        Assert.Contains("observations=2", line, StringComparison.Ordinal);
        Assert.Contains("fault=gap", line, StringComparison.Ordinal);
        Assert.Contains($"bytes={Admit("1").Length + 14 + 100 + 13} ", line, StringComparison.Ordinal);
    }

    [Fact]
    public void AGapInTheHeaderLosesTheMessageAndNoMore()
    {
        var c = new Conversation().Send(Vt + "MSH|^~\\&|A").Gap(FlowDirection.FromOriginator, 10).Send("|P|2.5\rPID|1\r" + End + Framed(Admit("2"))).End();
        Assert.Equal(["message"], Kinds(c));
        Assert.Contains("control_id=2", c.Log[0], StringComparison.Ordinal);
    }

    [Fact]
    public void VerticalTabInTextIsText()
    {
        var c = new Conversation().Send(Framed(Admit("1") + "OBX|1|TX|||a\vb\r\vNTE|1\r")).End();
        Assert.Equal(["message"], Kinds(c));
        Assert.Contains("segments=6", c.Log[0], StringComparison.Ordinal);
    }
}
