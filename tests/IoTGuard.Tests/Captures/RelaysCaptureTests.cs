namespace IoTGuard.Tests.Captures;

/// <summary>What captures/lab/make-relays did between real programs is what the program tells of captures/relays.pcapng.</summary>
public sealed class RelaysCaptureTests
{
    private static readonly Lazy<CaptureOutcome> Outcome = new(static () => CaptureOutcome.Of("relays.pcapng"));

    [Theory]
    [InlineData("socks", "connect", 1080, "version=5 authentication=none target=10.78.0.10 target_port=8080 granted=True reply=0", 1)]
    [InlineData("socks", "connect", 1080, "target=localhost target_port=8080 granted=True", 1)]
    [InlineData("socks", "connect", 1080, "target_port=8443 granted=True", 1)]
    [InlineData("socks", "connect", 1080, "target_port=9 granted=False reply=5", 1)]
    [InlineData("socks", "connect", 1081, "version=4 target=10.78.0.10 target_port=8080 granted=True reply=90", 1)]
    [InlineData("socks", "connect", 1081, "version=4 target=localhost granted=False reply=91", 1)]
    [InlineData("socks", "connect", 1082, "authentication=password granted=True", 1)]
    [InlineData("socks", "connect", 1082, "authentication=password login_refused=True", 1)]
    [InlineData("http", "request", 1080, "method=GET status=200", 2)]
    [InlineData("http", "request", 1081, "method=GET status=200", 1)]
    [InlineData("http", "request", 1082, "method=GET status=200", 1)]
    [InlineData("tls", "handshake", 1080, "version=TLS 1.3 complete=True", 1)]
    public void Proxies_and_what_they_relay(string protocol, string kind, int port, string fields, int count) => Outcome.Value.Expect(protocol, kind, port, fields, count);

    [Theory]
    [InlineData(4433, "version=DTLS 1.2 server_name=www.hospital.test alpn_offered=coap retried=True complete=True")]
    [InlineData(4433, "certificate.subject_cn=www.hospital.test")]
    [InlineData(4434, "version=DTLS 1.2 client_certificate_requested=True client_certificate_sent=True complete=True")]
    [InlineData(4435, "version=DTLS 1.0 complete=True")]
    public void Handshakes_of_DTLS(int port, string fields) => Outcome.Value.Expect("dtls", "handshake", port, fields, 1);

    [Theory]
    [InlineData(1194, "protection=tls answered=True")]
    [InlineData(1195, "protection=tls-auth answered=True")]
    [InlineData(1196, "protection=tls-crypt answered=True")]
    [InlineData(1197, "protection=tls-crypt-v2 answered=True")]
    [InlineData(1198, "protection=tls-crypt answered=True")]
    [InlineData(1199, "protection=tls answered=False")]
    public void Sessions_of_OpenVPN(int port, string fields) => Outcome.Value.Expect("openvpn", "connect", port, fields, 1);

    [Fact]
    public void An_outdated_DTLS_is_told() => Assert.Contains(Outcome.Value.Alerts, static a => a.GetProperty("rule").GetString() == "tls-weak");

    [Fact]
    public void Neither_users_nor_passwords_leave()
    {
        foreach (var secret in new[] { "labuser", "correct-horse", "wrong" })
            Assert.DoesNotContain(secret, Outcome.Value.Texts, StringComparison.Ordinal);
    }
}
