using System.Text.Json;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs.Delivery;

namespace IoTGuard.Tests.Syslog;

/// <summary>rsyslog and syslog-ng read our messages as they were meant, over all transports and framings.</summary>
public sealed class ReceiverTests
{
    private const int Alerts = 40;

    private static Alert Numbered(int i) => Samples.Alert(i, i % 2 == 0 ? $"Number {i}: plain." : "Ünïcode 中 😀 \"quoted\" [brackets] \\ back\nslash.", severity: i % 11);

    private static async Task<List<JsonElement>> Send(SyslogDaemon daemon, string uri)
    {
        using (var outputs = new TestOutputs(uri))
        {
            for (var i = 0; i < Alerts; i++)
                outputs.Send(Numbered(i));
            Assert.Empty(outputs.Complete());
            Assert.Equal(Alerts, outputs.Only.Delivered);
        }

        return await daemon.Received(Alerts);
    }

    /// <summary>Holds what a receiver read against our message, read by the tests' own reader.</summary>
    private static void Compare(string uri, List<JsonElement> received)
    {
        Assert.True(OutputSettings.TryParse(uri, out var parsed, out _));
        var writer = new MessageWriter(parsed!, MessageWriter.ContextOf(parsed!));
        Assert.Equal(Alerts, received.Count);
        for (var i = 0; i < Alerts; i++)
        {
            var expected = Samples.Parse(writer.Write(Numbered(i), AlertPhase.Closed));
            string Field(string name) => received[i].GetProperty(name).ToString();
            Assert.Equal(expected.Priority.ToString(), Field("pri"));
            Assert.Equal(DateTimeOffset.Parse(expected.Timestamp), DateTimeOffset.Parse(Field("time")));
            Assert.Equal((expected.Host, expected.AppName, expected.ProcId, expected.MsgId), (Field("host"), Field("app"), Field("procid"), Field("msgid")));
            var sd = Samples.Parse(System.Text.Encoding.UTF8.GetBytes($"<1>1 - - - - - {Field("sd")} \uFEFFx"));
            Assert.Equal(expected.SdId, sd.SdId);
            Assert.Equal(expected.Parameters.OrderBy(p => p.Key, StringComparer.Ordinal), sd.Parameters.OrderBy(p => p.Key, StringComparer.Ordinal));
            Assert.Equal(expected.Text, Field("msg").TrimStart('\uFEFF', ' '));
        }
    }

    [Theory]
    [InlineData("udp", "")]
    [InlineData("tcp", "")]
    [InlineData("tcp", "?framing=lf")]
    public async Task Rsyslog(string transport, string options)
    {
        using var folder = new TemporaryFolder();
        var port = SyslogDaemon.FreePort();
        using var daemon = SyslogDaemon.Rsyslog(folder, $"""
            module(load="imudp") input(type="imudp" address="127.0.0.1" port="{port}")
            module(load="imtcp") input(type="imtcp" address="127.0.0.1" port="{port}")
            """);
        await daemon.Listening(port);
        var uri = $"{transport}://127.0.0.1:{port}{options}";
        Compare(uri, await Send(daemon, uri));
    }

    [Theory]
    [InlineData("ossl", "")]
    [InlineData("gtls", "")]
    [InlineData("ossl", "&framing=lf")]
    public async Task RsyslogTls(string driver, string options)
    {
        Assert.SkipUnless(SyslogDaemon.HasRsyslogModule($"lmnsd_{driver}"), $"rsyslog's {driver} driver is not installed");
        using var folder = new TemporaryFolder();
        using var certificates = new Certificates();
        WriteCertificates(folder, certificates);
        var port = SyslogDaemon.FreePort();
        using var daemon = SyslogDaemon.Rsyslog(folder, $"""
            global(DefaultNetstreamDriverCAFile="{folder["ca.pem"]}" DefaultNetstreamDriverCertFile="{folder["cert.pem"]}" DefaultNetstreamDriverKeyFile="{folder["key.pem"]}")
            module(load="imtcp" StreamDriver.Name="{driver}" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/name" PermittedPeer="sensor")
            input(type="imtcp" address="127.0.0.1" port="{port}")
            """);
        await daemon.Listening(port);
        var uri = $"tls://localhost:{port}?ca={folder["ca.pem"]}&cert={folder["own.pem"]}{options}";
        Compare(uri, await Send(daemon, uri));
    }

    [Theory]
    [InlineData("udp", "syslog(transport(udp) ip(127.0.0.1) port({0})); network(transport(tcp) ip(127.0.0.1) port({0}));", "")]
    [InlineData("tcp", "syslog(transport(tcp) ip(127.0.0.1) port({0}));", "")]
    [InlineData("tcp", "network(transport(tcp) ip(127.0.0.1) port({0}) flags(syslog-protocol));", "?framing=lf")]
    public async Task SyslogNg(string transport, string sources, string options)
    {
        using var folder = new TemporaryFolder();
        var port = SyslogDaemon.FreePort();
        using var daemon = SyslogDaemon.SyslogNg(folder, sources.Replace("{0}", port.ToString(), StringComparison.Ordinal));
        await daemon.Listening(port);
        var uri = $"{transport}://127.0.0.1:{port}{options}";
        Compare(uri, await Send(daemon, uri));
    }

    [Fact]
    public async Task SyslogNgTls()
    {
        using var folder = new TemporaryFolder();
        using var certificates = new Certificates();
        WriteCertificates(folder, certificates);
        var port = SyslogDaemon.FreePort();
        using var daemon = SyslogDaemon.SyslogNg(
            folder,
            $"syslog(transport(tls) ip(127.0.0.1) port({port}) tls(key-file(\"{folder["key.pem"]}\") cert-file(\"{folder["cert.pem"]}\") ca-file(\"{folder["ca.pem"]}\") peer-verify(required-trusted)));");
        await daemon.Listening(port);
        var uri = $"tls://localhost:{port}?ca={folder["ca.pem"]}&cert={folder["own.pem"]}";
        Compare(uri, await Send(daemon, uri));
    }

    private static void WriteCertificates(TemporaryFolder folder, Certificates certificates)
    {
        File.WriteAllText(folder["ca.pem"], certificates.AuthorityPem);
        var (certificate, key, _) = certificates.Issue("localhost");
        File.WriteAllText(folder["cert.pem"], certificate);
        File.WriteAllText(folder["key.pem"], key);
        var own = certificates.Issue("sensor");
        File.WriteAllText(folder["own.pem"], own.Certificate + "\n" + own.Key);
    }
}
