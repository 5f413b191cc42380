using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;

namespace IoTGuard.Analysis.Tests.Lis;

public sealed class PoctSessionTests
{
    private static readonly Turn[] Conversation =
    [
        Turn.Client("<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<HEL.R01><HDR><HDR.control_id V=\"1\"/><HDR.version_id V=\"POCT1\"/></HDR><DEV><DEV.device_id V=\"GLU-7\"/><DEV.vendor_id V=\"ACME\"/>"
            + "<DEV.model_id V=\"G1\"/><DEV.serial_id V=\"SN9\"/><DEV.sw_version V=\"2.1\"/></DEV></HEL.R01>"),
        Turn.Server("<ACK.R01><HDR><HDR.control_id V='1'/></HDR><ACK><ACK.type_cd V='AA'/><ACK.ack_control_id V='1'/></ACK></ACK.R01>", 0.5),
        Turn.Client("<OBS.R01><HDR><HDR.control_id V=\"2\"/></HDR><SVC><PT><PT.patient_id V=\"4711\"/><PT.name V=\"DOE\"/>"
            + "<OBS><OBS.observation_id V=\"GLU\"/><OBS.value V=\"5.4\"/></OBS><OBS><OBS.value V=\"6.1\"/></OBS></PT></SVC></OBS.R01>", 1),
        Turn.Server("<ACK.R01><HDR><HDR.control_id V='2'/></HDR><ACK><ACK.type_cd V='AE'/><ACK.ack_control_id V='2'/></ACK></ACK.R01>", 1.5),
    ];

    [Fact]
    public void MessagesHoldHoweverTheyAreCut()
    {
        var log = SessionContract.Holds(() => new PoctSession(), Conversation, 3001);
        Assert.Equal(4, log.Count);
        Assert.Contains("message_type='HEL.R01' control_id='1' version='POCT1' device_id='GLU-7' vendor='ACME' model='G1' serial='SN9' software='2.1'", log[0], StringComparison.Ordinal);
        Assert.Contains("message_type='ACK.R01' control_id='1' ack_code='AA' acknowledges='1'", log[1], StringComparison.Ordinal);
        Assert.Contains("message_type='OBS.R01' control_id='2' observations=2 patients=1 patient=", log[2], StringComparison.Ordinal);
        Assert.All(log, l => Assert.DoesNotContain("4711", l, StringComparison.Ordinal));
        Assert.All(log, l => Assert.DoesNotContain("DOE", l, StringComparison.Ordinal));
    }

    [Fact]
    public void DevicesDescribeThemselves()
    {
        var claims = new List<string>();
        new SessionPlayer(new PoctSession(), 3001) { Inspect = t => claims.AddRange(t.Claims.ToArray().Select(c => $"{c.Kind} {c.Value}")) }.Play(Conversation).End();
        Assert.Equal(["Vendor ACME", "Model G1", "Serial SN9", "Software 2.1"], claims);
    }

    [Theory]
    [InlineData("<HEL.R01>", ProbeResult.Certain)]
    [InlineData("<?xml version=\"1.0\"?><OBS.R01 x='1'>", ProbeResult.Certain)]
    [InlineData("<?xml version", ProbeResult.Unsure)]
    [InlineData("<HEL", ProbeResult.Unsure)]
    [InlineData("<HELLO>", ProbeResult.NotForUs)]
    [InlineData("<stream:stream", ProbeResult.NotForUs)]
    [InlineData("GET /", ProbeResult.NotForUs)]
    public void Probes(string text, ProbeResult expected) => Assert.Equal(expected, PoctSession.Probe(FlowDirection.FromOriginator, System.Text.Encoding.Latin1.GetBytes(text)));
}
