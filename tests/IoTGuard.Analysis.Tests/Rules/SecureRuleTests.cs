using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Application.X509;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>Each rule about encryption and log-ins: what fires it, and what comes close and must not.</summary>
public sealed class SecureRuleTests
{
    private const long Day = 86_400;
    private const long StartSeconds = Start / 1_000_000_000;

    [Theory]
    [InlineData(0x0301, 0xC013, 0, true)]
    [InlineData(0x0302, 0xC013, 0, true)]
    [InlineData(0x0300, 0x0005, 0, true)]
    [InlineData(0x0303, 0x000A, 0, true)]
    [InlineData(0x0303, 0x003B, 0, true)]
    [InlineData(0x0303, 0x006C, 0, true)]
    [InlineData(0x0303, 0x009F, 1024, true)]
    [InlineData(0x0303, 0x009F, 2048, false)]
    [InlineData(0x0303, 0xC02F, 0, false)]
    [InlineData(0x0304, 0x1301, 0, false)]
    public void Weak_versions_suites_and_primes(ushort version, ushort suite, int prime, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 3; i++)
            scene.Tls(Workstation, Pacs, 443, t => (t.Facts.Version, t.Facts.Suite, t.Facts.ExchangeBits) = (version, suite, prime)).Wait(60);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("tls-weak").Count());
        Assert.Equal(fires ? 1 : 0, scene.Closed.Count);
        if (fires)
            Assert.Equal((Pacs, Workstation), (scene.Closed[0].Device.Ip, scene.Closed[0].Peer!.Ip));
    }

    [Fact]
    public void What_the_client_offers_or_an_outside_server_chooses_is_not_the_sites_weakness()
    {
        var scene = new Scene();
        scene.Tls(Workstation, Pacs, 443, t => (t.Facts.IsComplete, t.Facts.Version, t.Facts.Suite) = (false, 0x0301, 5));
        scene.Tls(Workstation, Outside, 443, t => (t.Facts.Version, t.Facts.Suite) = (0x0301, 5));
        scene.Tls(Workstation, Pacs, 443, t => t.Facts.WeakSuitesOffered = 10);
        Assert.Empty(scene.Finish());
    }

    [Theory]
    [InlineData(-10, -1, 2048, false, 443, "it has expired")]
    [InlineData(1, 10, 2048, false, 443, "it is not yet valid")]
    [InlineData(-10, 10, 1024, false, 443, "its key is short")]
    [InlineData(-10, 10, 2048, true, 2762, "it is signed by itself")]
    [InlineData(-10, 10, 2048, true, 443, null)]
    [InlineData(-10, 10, 2048, false, 2762, null)]
    public void Certificates_that_prove_nothing(int from, int to, int bits, bool selfSigned, ushort port, string? problem)
    {
        var scene = new Scene();
        scene.Tls(Workstation, Pacs, port, t =>
        {
            Show(t, "CN of the server", "CA");
            (t.Facts.NotBeforeSeconds, t.Facts.NotAfterSeconds, t.Facts.KeyBits, t.Facts.IsSelfIssued) = (StartSeconds + (from * Day), StartSeconds + (to * Day), bits, selfSigned);
            t.Facts.Carried = port == 2762 ? TlsCarried.Dicom : TlsCarried.Unknown;
        });
        scene.Finish();
        Assert.Equal(problem, scene.Of("tls-certificate").SingleOrDefault()?.Evidence.Single(e => e.Name == "problem").Observed);
    }

    [Theory]
    [InlineData("pacs.test", "Other CA", 1)]
    [InlineData("pacs.test", "CA", 0)]
    public void Another_certificate_than_the_learned_one(string subject, string issuer, int alerts)
    {
        var scene = new Scene(Learned()) { Seconds = 90_000 };
        scene.Tls(Workstation, Pacs, 2762, t => Show(t, subject, issuer));
        scene.Finish();
        Assert.Equal(alerts, scene.Of("tls-certificate-changed").Count());
    }

    [Fact]
    public void A_certificate_is_no_change_while_nothing_was_learned_or_on_another_port()
    {
        var scene = new Scene();
        scene.Tls(Workstation, Pacs, 2762, t => Show(t, "a", "CA")).Tls(Workstation, Pacs, 2762, t => Show(t, "b", "CB"));
        Assert.Empty(scene.Finish());
        scene = new Scene(Learned()) { Seconds = 90_000 };
        scene.Tls(Workstation, Pacs, 8443, t => Show(t, "web", "Other CA"));
        scene.Finish();
        Assert.Empty(scene.Of("tls-certificate-changed"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Weaker_than_before(bool learned)
    {
        var scene = new Scene(learned ? Learned() : null) { Seconds = 90_000 };
        if (!learned)
            scene.Tls(Workstation, Pacs, 2762).Wait(10);
        scene.Tls(Modality, Pacs, 2762, t => t.Facts.Version = 0x0301).Wait(10);
        scene.Tls(Workstation, Pacs, 2762, t => t.Facts.Version = 0x0301);
        scene.Finish();
        var alert = Assert.Single(scene.Of("tls-downgrade"));
        Assert.Equal((Workstation, Pacs), (alert.Device.Ip, alert.Peer!.Ip));
        Assert.Contains("TLS 1.0", alert.Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 0)]
    public void Clear_text_where_it_was_encrypted(bool plainBefore, int alerts)
    {
        var scene = new Scene();
        if (plainBefore)
            scene.Exchange(Workstation, Pacs, 104, ApplicationProtocol.Dicom);
        scene.Tls(Workstation, Pacs, 2762, t => t.Facts.Carried = TlsCarried.Dicom).Wait(10);
        scene.Exchange(Workstation, Pacs, 104, ApplicationProtocol.Dicom).Exchange(Modality, Pacs, 104, ApplicationProtocol.Dicom).Exchange(Workstation, Pacs, 2575, ApplicationProtocol.Hl7);
        scene.Finish();
        Assert.Equal(alerts, scene.Of("cleartext-where-tls").Count());
        Assert.Equal(alerts, scene.Closed.Count);
    }

    [Fact]
    public void Fingerprints_of_the_sites_list()
    {
        var options = new DetectorOptions { Indicators = new HashSet<string>(StringComparer.Ordinal) { "bad3", "badssh" } };
        var scene = new Scene(options: options);
        scene.Tls(Workstation, Outside, 443, t => (t.Facts.Ja3, t.Facts.Ja4) = ("good3", "good4"));
        scene.Tls(Modality, Outside, 443, t => t.Facts.Ja3 = "bad3");
        scene.Other<SshTransaction>(Engine, Pacs, 22, t => (t.Event, t.Hassh) = (SshEvent.Handshake, "badssh"));
        scene.Finish();
        Assert.Equal([Modality, Engine], scene.Of("known-bad-fingerprint").Select(a => a.Device.Ip).Order(StringComparer.Ordinal));
        Assert.Equal(2, scene.Closed.Count);
    }

    [Theory]
    [InlineData(10, 5, 1)]
    [InlineData(5, 5, 0)]
    [InlineData(10, 100, 0)]
    public void Log_ins_that_fail_again_and_again(int failures, double apart, int alerts)
    {
        var scene = new Scene();
        for (var i = 0; i < failures; i++)
            scene.Other<VncTransaction>(Stranger, Pacs, 5900, static t => (t.SecurityType, t.Login, t.FailedLogins) = (2, LoginResult.Failed, 1)).Wait(apart);
        scene.Finish();
        Assert.Equal(alerts, scene.Of("login-guessing").Count());
    }

    [Fact]
    public void Guessing_is_one_alert_whether_it_is_seen_in_sessions_or_in_replies()
    {
        var scene = new Scene();
        for (var i = 0; i < 20; i++)
        {
            scene.Other<FtpTransaction>(Stranger, Pacs, 21, static t => (t.Event, t.Login, t.FailedLogins) = (FtpEvent.Login, LoginResult.Failed, 1));
            scene.Exchange(Stranger, Pacs, 21, ApplicationProtocol.Ftp, duration: 2);
        }

        scene.Finish();
        Assert.Single(scene.Of("login-guessing"));
    }

    [Fact]
    public void Screens_and_files_for_everybody()
    {
        var scene = new Scene();
        scene.Other<VncTransaction>(Workstation, Pacs, 5900, static t => (t.SecurityType, t.Login) = (1, LoginResult.Succeeded));
        scene.Other<VncTransaction>(Workstation, Engine, 5900, static t => (t.SecurityType, t.Login, t.OffersNone) = (2, LoginResult.Succeeded, true));
        scene.Other<FtpTransaction>(Workstation, Engine, 21, static t => (t.Event, t.IsAnonymous, t.Login) = (FtpEvent.Login, true, LoginResult.Succeeded));
        scene.Other<FtpTransaction>(Workstation, Modality, 21, static t => (t.Event, t.IsAnonymous, t.Login, t.FailedLogins) = (FtpEvent.Login, true, LoginResult.Failed, 1));
        scene.Finish();
        Assert.Equal(["ftp-anonymous 10.0.0.20", "vnc-no-authentication 10.0.0.10"], scene.Closed.Select(a => $"{a.Rule} {a.Device.Ip}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Passwords_in_the_clear_belong_to_the_finding_about_the_service()
    {
        var scene = new Scene();
        scene.Other<TelnetTransaction>(Workstation, Modality, 23, static t => (t.Event, t.Login, t.ClearPassword) = (TelnetEvent.Login, LoginResult.Succeeded, true));
        scene.Exchange(Workstation, Modality, 23, ApplicationProtocol.Telnet);
        scene.Other<TelnetTransaction>(Workstation, Modality, 23, static t => t.ClearPassword = true);
        scene.Finish();
        var alert = Assert.Single(scene.Closed);
        Assert.Equal("insecure-service", alert.Rule);
        Assert.Contains(alert.Evidence, e => e is { Name: "passwords seen", Observed: "telnet" });
    }

    [Fact]
    public void Ftp_that_turns_to_tls_is_no_insecure_service()
    {
        var scene = new Scene();
        scene.Exchange(Workstation, Modality, 21, ApplicationProtocol.Tls);
        Assert.Empty(scene.Finish());
    }

    private static Site Learned()
    {
        var scene = new Scene();
        foreach (var host in new[] { Pacs, Modality, Workstation })
            scene.Arp(host, host, "10.0.0.1");
        for (var i = 0; i < 60; i++)
        {
            scene.Tls(Workstation, Pacs, 2762, t => Show(t, "pacs.test", "CA")).Tls(Workstation, Pacs, 8443, t => t.Facts.Version = 0x0304);
            scene.Exchange(Workstation, Pacs, 2762, ApplicationProtocol.Tls).Wait(60);
        }

        scene.Finish();
        return scene.Detector.Learn();
    }

    private static void Show(TlsTransaction t, string subject, string issuer)
    {
        t.Facts.HasCertificate = true;
        (t.Facts.SubjectName, t.Facts.IssuerName, t.Facts.KeyKind, t.Facts.KeyBits) = (subject, issuer, PublicKeyKind.Rsa, 2048);
        (t.Facts.NotBeforeSeconds, t.Facts.NotAfterSeconds) = (StartSeconds - Day, StartSeconds + (1000 * Day));
    }
}
