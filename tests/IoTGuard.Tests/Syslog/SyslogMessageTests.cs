using System.Text;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs.Delivery;
using IoTGuard.Outputs.Formats;
using IoTGuard.Outputs.Syslog;

namespace IoTGuard.Tests.Syslog;

public sealed class SyslogMessageTests
{
    private static MessageWriter Writer(string uri = "tcp://siem", string host = "sensor-1", int processId = 4711)
    {
        Assert.True(OutputSettings.TryParse(uri, out var parsed, out var error), error);
        return new MessageWriter(parsed!, new FormatContext(host, processId, parsed!.Enterprise));
    }

    [Fact]
    public void AnAlertIsWrittenInFull()
    {
        var message = Samples.Parse(Writer().Write(Samples.Alert(1), AlertPhase.Opened));
        Assert.Equal((16 * 8) + 3, message.Priority);
        Assert.Equal("2026-01-02T03:04:05.123456Z", message.Timestamp);
        Assert.Equal(("sensor-1", "iotguard", "4711", "dicom-query-harvest"), (message.Host, message.AppName, message.ProcId, message.MsgId));
        Assert.Equal("iotguard@32473", message.SdId);
        Assert.Equal("Query harvesting: A device asked for 4,711 studies. Ask its owner.", message.Text);
        Assert.Equal(
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["id"] = "a00000001",
                ["phase"] = "opened",
                ["rule"] = "dicom-query-harvest",
                ["category"] = "exfiltration",
                ["severity"] = "7",
                ["device_ip"] = "10.0.0.7",
                ["peer_ip"] = "2001:db8::1",
                ["first_seen"] = "2026-01-02T03:03:05.123456Z",
                ["last_seen"] = "2026-01-02T03:04:05.123456Z",
                ["count"] = "13",
                ["confidence"] = "0.875",
                ["protocol"] = "dicom",
                ["ports"] = "104,11112",
                ["attack"] = "T1119",
                ["patients_affected"] = "317",
                ["device_mac"] = "00:11:22:33:44:55",
                ["device_role"] = "workstation",
                ["device_name"] = "WS\"7\\[x]",
                ["device_vendor"] = "Vendor é 中 😀",
                ["peer_role"] = "PACS",
                ["community_id"] = "1:abc=,1:def=",
                ["evidence"] = "studies 4711 per hour (normal 12)",
            },
            message.Parameters);
    }

    [Theory]
    [InlineData(0, 6)]
    [InlineData(3, 5)]
    [InlineData(5, 4)]
    [InlineData(7, 3)]
    [InlineData(9, 2)]
    [InlineData(10, 1)]
    [InlineData(99, 1)]
    [InlineData(-1, 6)]
    public void SeverityAndFacilityMakeThePriority(int severity, int expected) =>
        Assert.Equal((4 * 8) + expected, Samples.Parse(Writer("udp://siem?facility=4").Write(Samples.Alert(1, severity: severity), AlertPhase.Closed)).Priority);

    [Fact]
    public void HeaderFieldsAreLimitedAndPrintable()
    {
        var header = new SyslogHeader(16, new string('h', 300), "a b\u0001é" + new string('x', 60), "").Of(6, "-", "rule id" + new string('y', 60));
        Assert.Equal($"<134>1 - {new string('h', 255)} a_b__{new string('x', 43)} - rule_id{new string('y', 25)} ", header);
    }

    [Fact]
    public void EnterpriseNumberIsConfigurable() =>
        Assert.Equal("iotguard@12345", Samples.Parse(Writer("tcp://siem?enterprise=12345").Write(Samples.Alert(1), AlertPhase.Closed)).SdId);

    [Fact]
    public void EveryLimitGivesAWellFormedMessageOfWholeCharacters()
    {
        var description = string.Concat(Enumerable.Repeat("é中😀 ", 300));
        for (var max = OutputSettings.MinimumMessageBytes; max < 2600; max += 7)
        {
            var bytes = Writer($"tcp://siem?max={max}").Write(Samples.Alert(1, description), AlertPhase.Opened);
            Assert.InRange(bytes.Length, max - 3, max);
            var message = Samples.Parse(bytes);
            Assert.Equal("a00000001", message.Parameters["id"]);
            Assert.StartsWith("Query harvesting: é中😀", message.Text, StringComparison.Ordinal);
            Assert.DoesNotContain('\uFFFD', message.Text);
        }
    }

    [Fact]
    public void ControlCharactersAndBrokenTextCannotEndAMessage()
    {
        var alert = Samples.Alert(1, "line one\nline two\r\0\u0085\u2028<13>1 forged \uD800 end");
        alert.Device = alert.Device with { Name = "evil\n<13>1 - - - - - forged\uDC00" };
        var bytes = Writer().Write(alert, AlertPhase.Opened);
        Assert.Equal(-1, bytes.IndexOfAnyInRange((byte)0, (byte)31));
        var message = Samples.Parse(bytes);
        Assert.Equal("evil <13>1 - - - - - forged\uFFFD", message.Parameters["device_name"]);
        Assert.Contains("line one line two", message.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void LongValuesAreCutBetweenCharacters()
    {
        var alert = Samples.Alert(1);
        alert.Device = alert.Device with { Name = new string('中', 400) };
        var name = Samples.Parse(Writer().Write(alert, AlertPhase.Opened)).Parameters["device_name"];
        Assert.Equal(new string('中', StructuredDataFormat.MaximumValueBytes / 3), name);
    }

    [Fact]
    public void TextEndsInUtf8WithByteOrderMark()
    {
        var bytes = Writer().Write(Samples.Alert(1), AlertPhase.Opened);
        Assert.Equal(1, bytes.Count(Encoding.UTF8.GetPreamble()));
    }
}
