namespace IoTGuard.Tests.Captures;

/// <summary>What captures/lab/make-secure did between real programs is what the program tells of captures/secure.pcapng.</summary>
public sealed class SecureCaptureTests
{
    private static readonly Lazy<CaptureOutcome> Outcome = new(static () => CaptureOutcome.Of("secure.pcapng"));

    [Theory]
    [InlineData(4431, "version=TLS 1.3 complete=True", 3)]
    [InlineData(4431, "alpn_offered=h2", 1)]
    [InlineData(4431, "resumed=psk", 1)]
    [InlineData(4432, "version=TLS 1.2 complete=True", 4)]
    [InlineData(4432, "resumed=ticket", 1)]
    [InlineData(4432, "resumed=session_id", 1)]
    [InlineData(4432, "complete=False offered_version=TLS 1.3", 1)]
    [InlineData(4433, "version=TLS 1.0 complete=True", 1)]
    [InlineData(4434, "cipher_suite=TLS_ECDHE_RSA_WITH_NULL_SHA", 1)]
    [InlineData(4435, "cipher_suite=TLS_DH_anon_WITH_AES_256_GCM_SHA384 exchange_bits=3072", 1)]
    [InlineData(4436, "complete=True certificate.subject_cn=old.hospital.test certificate.issuer_cn=Example Hospital Root certificate.self_signed=False", 1)]
    [InlineData(4437, "certificate.key_bits=1024", 1)]
    [InlineData(4438, "retried=True version=TLS 1.3", 1)]
    [InlineData(4439, "client_certificate_requested=True client_certificate_sent=True", 1)]
    [InlineData(4440, "cipher_suite=TLS_DHE_RSA_WITH_AES_256_GCM_SHA384 exchange_bits=2048", 1)]
    [InlineData(4441, "certificate.subject_cn=next.hospital.test certificate.dns_names=0", 1)]
    [InlineData(2762, "carries=dicom carries_by=port complete=True", 2)]
    [InlineData(21, "version=TLS 1.3", 1)]
    [InlineData(25, "version=TLS 1.3", 1)]
    [InlineData(3389, "complete=True", 1)]
    public void Handshakes(int port, string fields, int count) => Expect("tls", "handshake", port, fields, count);

    [Theory]
    [InlineData("tls", "alert", 4432, "alert=protocol_version sent_by=server", 1)]
    [InlineData("tls", "alert", 4436, "alert=certificate_expired sent_by=client", 1)]
    [InlineData("quic", "handshake", 4443, "quic_version=1 alpn_offered=h3 complete=True", 1)]
    [InlineData("ssh", "handshake", 22, "host_key=ssh-ed25519", 4)]
    [InlineData("ssh", "session", 22, "login=failed failed_logins=3", 2)]
    [InlineData("ssh", "session", 22, "login=succeeded failed_logins=0", 2)]
    [InlineData("ftp", "login", 21, "login=failed clear_password=True reply_code=530", 1)]
    [InlineData("ftp", "login", 21, "login=succeeded anonymous=True", 1)]
    [InlineData("ftp", "session", 21, "stored=1", 1)]
    [InlineData("ftp", "session", 21, "retrieved=1 anonymous=True", 1)]
    [InlineData("ftp", "session", 21, "start_tls=True", 1)]
    [InlineData("telnet", "login", 23, "login=failed", 1)]
    [InlineData("telnet", "login", 23, "login=succeeded", 1)]
    [InlineData("smtp", "session", 25, "messages=1 recipients=1 client_name=scanner7.hospital.test server_name=mail.hospital.test", 1)]
    [InlineData("smtp", "session", 25, "start_tls=True", 1)]
    [InlineData("smtp", "login", 25, "login=failed mechanism=login", 1)]
    [InlineData("rdp", "connect", 3389, "cookie=True selected=tls", 1)]
    [InlineData("rdp", "connect", 3389, "selected=standard", 1)]
    [InlineData("vnc", "connect", 5901, "security=none login=succeeded", 1)]
    [InlineData("vnc", "connect", 5902, "security=vnc login=failed", 1)]
    [InlineData("vnc", "connect", 5902, "security=vnc login=succeeded", 1)]
    public void Events(string protocol, string kind, int port, string fields, int count) => Expect(protocol, kind, port, fields, count);

    [Fact]
    public void Alerts_are_those_that_the_script_caused()
    {
        var rules = Outcome.Value.Alerts.Select(a => a.GetProperty("rule").GetString()!).Order(StringComparer.Ordinal).Distinct();
        Assert.Equal(["cleartext-where-tls", "dicom-default-ae-title", "ftp-anonymous", "insecure-service", "tls-certificate", "tls-weak", "vnc-no-authentication"], rules);
    }

    [Fact]
    public void Neither_users_nor_passwords_leave()
    {
        foreach (var secret in new[] { "labuser", "wrong-battery", "correct-horse", "scanner@", "desk@", "report.txt", "upload.pem" })
            Assert.DoesNotContain(secret, Outcome.Value.Texts, StringComparison.Ordinal);
    }

    private static void Expect(string protocol, string kind, int port, string fields, int count) => Outcome.Value.Expect(protocol, kind, port, fields, count);
}
