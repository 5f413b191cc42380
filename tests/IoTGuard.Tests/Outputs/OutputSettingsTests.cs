using IoTGuard.Outputs.Delivery;

namespace IoTGuard.Tests.Outputs;

public sealed class OutputSettingsTests
{
    [Theory]
    [InlineData("udp://siem", "udp://siem:514", 2048)]
    [InlineData("tcp://siem", "tcp://siem:601", 8192)]
    [InlineData("tls://siem.example/", "tls://siem.example:6514", 8192)]
    [InlineData("tcp://[2001:db8::1]:1514?max=480", "tcp://[2001:db8::1]:1514", 480)]
    [InlineData("udp://192.0.2.1:5140", "udp://192.0.2.1:5140", 2048)]
    [InlineData("tls://arr?format=dicom-audit", "tls://arr:6514", 32_768)]
    [InlineData("pandora+https://console/pandora_console", "pandora+https://console:443/pandora_console", 65_507)]
    [InlineData("pandora:///var/spool/pandora/data_in", "pandora:///var/spool/pandora/data_in", 65_507)]
    [InlineData("file:///var/log/my%20alerts.log", "file:///var/log/my alerts.log", 65_507)]
    public void Receivers(string text, string expected, int bytes)
    {
        Assert.True(OutputSettings.TryParse(text, out var uri, out var error), error);
        Assert.Equal(expected, uri!.ToString());
        Assert.Equal(bytes, uri.MaximumBytes);
        Assert.Equal(SyslogFraming.OctetCounting, uri.Framing);
    }

    [Fact]
    public void Options()
    {
        Assert.True(OutputSettings.TryParse("tls://siem?framing=lf&ca=/etc/my%20ca.pem&cert=c.pem&key=k.pem&facility=10&enterprise=99", out var uri, out _));
        Assert.Equal(
            (SyslogFraming.LineFeed, "/etc/my ca.pem", "c.pem", "k.pem", 10, 99),
            (uri!.Framing, uri.AuthorityFile, uri.CertificateFile, uri.KeyFile, uri.Facility, uri.Enterprise));
    }

    [Theory]
    [InlineData("siem")]
    [InlineData("")]
    [InlineData("http://siem", "'http' is not one of udp, tcp, tls, file, pandora")]
    [InlineData("tcp://")]
    [InlineData("tcp://siem:0", "port 0")]
    [InlineData("tcp://siem:99999")]
    [InlineData("tcp://siem/path", "only host")]
    [InlineData("tcp://user@siem", "only host")]
    [InlineData("udp://siem?framing=lf", "'framing' does not apply to udp")]
    [InlineData("tcp://siem?framing=xml", "octet or lf")]
    [InlineData("tcp://siem?ca=x", "'ca' does not apply to tcp")]
    [InlineData("tls://siem?ca=", "'ca' needs a file")]
    [InlineData("tls://siem?key=k.pem", "'key' needs option 'cert'")]
    [InlineData("tcp://siem?max=479", "from 480 to 65507")]
    [InlineData("tcp://siem?max=-1", "from 480 to 65507")]
    [InlineData("tcp://siem?facility=24", "from 0 to 23")]
    [InlineData("tcp://siem?enterprise=x", "enterprise number")]
    [InlineData("tcp://siem?color=red", "'color' is not known")]
    [InlineData("tcp://siem?format=word", "'format' is one of rfc5424, cef, leef, ecs, ocsf, eve, json, dicom-audit, pandora, pandora-event")]
    [InlineData("tcp://siem?format=ecs&max=500", "needs up to 2048 bytes")]
    [InlineData("tcp://siem?severity=11", "from 0 to 10")]
    [InlineData("file://host/path", "file:///path")]
    [InlineData("pandora://host/path", "pandora:///path")]
    [InlineData("pandora:///in?format=cef", "format cef is not for this output")]
    [InlineData("tcp://siem?format=pandora-event", "format pandora-event is not for this output")]
    [InlineData("tcp://siem?user=x", "'user' does not apply to tcp")]
    [InlineData("file:///folder/", "file:///path")]
    [InlineData("file:///a?framing=lf", "'framing' does not apply to file")]
    public void UnusableOnesAreRefusedInOneLine(string text, string reason = "")
    {
        Assert.False(OutputSettings.TryParse(text, out var uri, out var error));
        Assert.Null(uri);
        Assert.StartsWith($"output '{text}': ", error, StringComparison.Ordinal);
        Assert.Contains(reason, error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error!);
    }
}
