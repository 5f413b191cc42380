using System.Text;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Analysis.Tests.Hl7;

public sealed class Hl7ProbeTests
{
    [Theory]
    [InlineData("\vMSH|^~\\&|A", ProbeResult.Certain)]
    [InlineData("\vMSH#", ProbeResult.Certain)]
    [InlineData("\v", ProbeResult.Unsure)]
    [InlineData("\vMS", ProbeResult.Unsure)]
    [InlineData("\vFHS|^~\\&|", ProbeResult.Certain)]
    [InlineData("\v\u0006\u001c\r", ProbeResult.Certain)]
    [InlineData("MSH|^~\\&|A", ProbeResult.Certain)]
    [InlineData("BHS|^~\\&|A", ProbeResult.Certain)]
    [InlineData("MSH|^~", ProbeResult.Unsure)]
    [InlineData("M", ProbeResult.Unsure)]
    [InlineData("tail of text\rOBX|1|TX\rOBX|2", ProbeResult.Certain)]
    [InlineData("tail of text\r\u001c\r\vMSH|^~\\&|", ProbeResult.Certain)]
    [InlineData("tail of text\rPID|1\r", ProbeResult.Unsure)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n", ProbeResult.NotForUs)]
    [InlineData("220 mail.example ESMTP\r\n250-PIPELINING\r\n", ProbeResult.NotForUs)]
    [InlineData("\u0001\0\0\0\u00cd", ProbeResult.NotForUs)]
    [InlineData("\u0016\u0003\u0001\u0002\0", ProbeResult.NotForUs)]
    [InlineData("MSHELL begins\r\nline two|\r\n", ProbeResult.NotForUs)]
    public void FirstBytesDecide(string bytes, ProbeResult expected) =>
        Assert.Equal(expected, Hl7Session.Probe(FlowDirection.FromOriginator, Encoding.Latin1.GetBytes(bytes)));

    [Fact]
    public void EndlessTextIsGivenUp()
    {
        var text = new byte[4096];
        Array.Fill(text, (byte)'a');
        Assert.Equal(ProbeResult.Unsure, Hl7Session.Probe(FlowDirection.FromOriginator, text.AsSpan(0, 4095)));
        Assert.Equal(ProbeResult.NotForUs, Hl7Session.Probe(FlowDirection.FromOriginator, text));
    }
}
