using System.Diagnostics;
using System.Text.RegularExpressions;
using IoTGuard.Tests.Outputs;

namespace IoTGuard.Tests.Syslog;

/// <summary>
/// Real TLS receivers that are wrong for a while, and a sensor whose own certificate is: nothing is read by them, everything waits, and goes out in order once
/// what was wrong is mended. Counts before and after.
/// </summary>
public sealed partial class TlsReceiverTests
{
    private const int Alerts = 40;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [GeneratedRegex("id=\"(?<id>a[0-9a-f]{8})\"", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Id { get; }

    [Theory]
    [InlineData("ossl", "expired", "the receiver's certificate has expired or is not yet valid")]
    [InlineData("gtls", "expired", "the receiver's certificate has expired or is not yet valid")]
    [InlineData("syslog-ng", "expired", "the receiver's certificate has expired or is not yet valid")]
    [InlineData("ossl", "name", "the receiver's certificate is not made out for localhost")]
    [InlineData("gtls", "name", "the receiver's certificate is not made out for localhost")]
    [InlineData("syslog-ng", "name", "the receiver's certificate is not made out for localhost")]
    [InlineData("ossl", "own", null)]
    [InlineData("gtls", "own", null)]
    [InlineData("syslog-ng", "own", "the receiver refuses the sensor's certificate: it has expired")]
    public async Task What_waits_for_a_right_certificate_is_delivered_with_it(string daemon, string flaw, string? reason)
    {
        Assert.SkipUnless(daemon == "syslog-ng" || SyslogDaemon.HasRsyslogModule($"lmnsd_{daemon}"), $"rsyslog's {daemon} driver is not installed");
        using var folder = new TemporaryFolder();
        using var certificates = new Certificates();
        File.WriteAllText(folder["ca.pem"], certificates.AuthorityPem);
        Issue(flaw == "name" ? "other.example" : "localhost", flaw == "expired", "cert.pem", "key.pem");
        Issue("sensor", flaw == "own", "own.pem", "own.key");
        var port = SyslogDaemon.FreePort();
        using var journal = new Journal(folder["site"], $"tls://localhost:{port}?ca={folder["ca.pem"]}&cert={folder["own.pem"]}&key={folder["own.key"]}");
        using (var wrong = Start(daemon, folder, port))
        {
            await wrong.Listening(port);
            journal.Send(0, Alerts);
            var said = await Failures(journal, attempts: 3);
            Assert.Equal((0, Alerts), (journal.Output.Delivered, journal.Output.Waiting));
            Assert.Empty(await wrong.Received(0));
            if (reason is not null)
                Assert.Contains(reason, said);
        }

        Issue("localhost", expired: false, "cert.pem", "key.pem");
        Issue("sensor", expired: false, "own.pem", "own.key");
        using var right = Start(daemon, folder, port);
        await right.Listening(port);
        await journal.Delivered(Alerts);
        Assert.Empty(journal.End());
        var ids = (await right.Received(Alerts)).Select(static m => Id.Match(m.GetProperty("sd").GetString()!).Groups["id"].Value);
        Assert.Equal(Enumerable.Range(0, Alerts).Select(static i => $"a{i:x8}"), ids.Distinct(StringComparer.Ordinal));
        Assert.Equal((Alerts, 0, 0), (journal.Output.Delivered, journal.Output.Waiting, journal.Output.Dropped));

        void Issue(string name, bool expired, string certificate, string key)
        {
            var issued = certificates.Issue(name, expired);
            File.WriteAllText(folder[certificate], issued.Certificate);
            File.WriteAllText(folder[key], issued.Key);
        }
    }

    [Theory]
    [InlineData("-tls1_1 -cipher ALL:@SECLEVEL=0", "the receiver does not speak TLS 1.2 or later")]
    [InlineData("-Verify 1 -verify_return_error", "the receiver asks for a certificate of the sensor (options cert and key)")]
    public async Task A_receiver_that_asks_for_another_kind_of_TLS_gets_nothing_until_it_does_not(string asks, string reason)
    {
        Assert.SkipUnless(ProgramRun.Shell("command -v openssl").Status == 0, "openssl is not installed");
        using var folder = new TemporaryFolder();
        using var certificates = new Certificates();
        File.WriteAllText(folder["ca.pem"], certificates.AuthorityPem);
        var (certificate, key, _) = certificates.Issue("localhost");
        File.WriteAllText(folder["cert.pem"], certificate + "\n" + key);
        var port = SyslogDaemon.FreePort();
        using var journal = new Journal(folder["site"], $"tls://localhost:{port}?ca={folder["ca.pem"]}");
        using (Serve("wrong", asks))
        {
            journal.Send(0, Alerts);
            Assert.Contains(reason, await Failures(journal, attempts: 3));
            Assert.Equal((0, Alerts), (journal.Output.Delivered, journal.Output.Waiting));
        }

        Assert.DoesNotMatch(Id, File.ReadAllText(folder["wrong"]));
        using (Serve("right", "-tls1_2"))
        {
            await journal.Delivered(Alerts);
            Assert.Empty(journal.End());
        }

        var ids = Id.Matches(File.ReadAllText(folder["right"])).Select(static m => m.Groups["id"].Value);
        Assert.Equal(Enumerable.Range(0, Alerts).Select(static i => $"a{i:x8}"), ids.Distinct(StringComparer.Ordinal));

        // What comes from the sensor goes to a file; standard input stays open, at whose end s_server would end.
        Server Serve(string output, string options) => new(Process.Start(new ProcessStartInfo(
            "bash", ["-c", $"exec openssl s_server -accept {port} -cert '{folder["cert.pem"]}' -CAfile '{folder["ca.pem"]}' -quiet {options} > '{folder[output]}' 2> '{folder[output]}.log'"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
        })!);
    }

    private sealed class Server(Process process) : IDisposable
    {
        public void Dispose()
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }

    /// <summary>What the output says of so many attempts that fail.</summary>
    private static async Task<HashSet<string>> Failures(Journal journal, int attempts)
    {
        var said = new HashSet<string>(StringComparer.Ordinal);
        var clock = Stopwatch.StartNew();
        while (journal.Output.Retries < attempts)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"{journal.Output.Delivered} delivered; {journal.Output.LastError}");
            if (journal.Output.LastError is { } error)
                said.Add(error);
            await Task.Delay(10, Cancellation);
        }

        return said;
    }

    private static SyslogDaemon Start(string daemon, TemporaryFolder folder, int port) => daemon == "syslog-ng"
        ? SyslogDaemon.SyslogNg(
            folder,
            $"syslog(transport(tls) ip(127.0.0.1) port({port}) tls(key-file(\"{folder["key.pem"]}\") cert-file(\"{folder["cert.pem"]}\") ca-file(\"{folder["ca.pem"]}\") peer-verify(required-trusted)));")
        : SyslogDaemon.Rsyslog(folder, $"""
            global(DefaultNetstreamDriverCAFile="{folder["ca.pem"]}" DefaultNetstreamDriverCertFile="{folder["cert.pem"]}" DefaultNetstreamDriverKeyFile="{folder["key.pem"]}")
            module(load="imtcp" StreamDriver.Name="{daemon}" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/name" PermittedPeer="sensor")
            input(type="imtcp" address="127.0.0.1" port="{port}")
            """);
}
