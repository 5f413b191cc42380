using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;
using static IoTGuard.Analysis.Tests.Tls.TlsBytes;

namespace IoTGuard.Analysis.Tests.Tls;

public sealed class TlsSessionTests
{
    private static readonly byte[] Certificate = SelfSigned(
        "CN=pacs.hospital.test, O=Example Hospital", 2048, DateTimeOffset.FromUnixTimeSeconds(1_600_000_000), DateTimeOffset.FromUnixTimeSeconds(1_650_000_000), "pacs.hospital.test", "pacs2.hospital.test");

    /// <summary>TLS 1.2 with everything in the clear that there is: the certificate and the hello spread over records, a client certificate asked for and sent.</summary>
    private static readonly Turn[] Full =
    [
        Turn.Client(Spread(Browser, 200)),
        Turn.Server(
        [
            .. Handshake(ServerHello(0x0303, 0x0033, null, null, Extension(0xFF01, 0))),
            .. Spread([.. Certificates(Certificate, Repeat(0x30, 700)), .. Message(12, [0, 4, 0, 0x80, 1, 2, 0, 1, 2])], 300),
            .. Handshake(Message(13, [1, 1, 0, 0]), Message(14, [])),
        ], 0.010),
        Turn.Client([.. Handshake(Certificates([1, 2, 3]), Message(16, [0, 1, 5])), .. ChangeCipherSpec, .. Finished], 0.020),
        Turn.Server([.. ChangeCipherSpec, .. Finished], 0.030),
        Turn.Client(Data(3000), 0.040),
        Turn.Server(Data(9000), 0.050),
    ];

    private static readonly Turn[] Tls13 =
    [
        Turn.Client(Handshake(Browser)),
        Turn.Server([.. Handshake(ServerHello(0x0303, 0x1302, null, null, Extension(0x2B, 3, 4), Extension(0x33, 0, 0x1D, 0, 1, 9))), .. ChangeCipherSpec, .. Data(2000)], 0.005),
        Turn.Client([.. ChangeCipherSpec, .. Data(53)], 0.010),
        Turn.Client(Data(700), 0.011),
        Turn.Server(Data(700), 0.012),
    ];

    [Fact]
    public void A_full_handshake_of_TLS_1_2_keeps_the_contract()
    {
        var line = Assert.Single(SessionContract.Holds(static () => new TlsSession(), Full, 2762));
        Assert.Contains("handshake time=1700000000000000000 client=40000 duration=30000000 ", line, StringComparison.Ordinal);
        Assert.Contains(" complete=True version='TLS 1.2' offered_version='TLS 1.3' cipher_suite='TLS_DHE_RSA_WITH_AES_128_CBC_SHA' cipher_suite_code=51 suites_offered=15 ", line, StringComparison.Ordinal);
        Assert.Contains(" server_name='pacs.hospital.test' alpn_offered='h2' grease=True ", line, StringComparison.Ordinal);
        Assert.Contains(" client_certificate_requested=True client_certificate_sent=True exchange_bits=24 ", line, StringComparison.Ordinal);
        Assert.Contains(
            " certificate{ subject_cn='pacs.hospital.test' subject_o='Example Hospital' issuer_cn='pacs.hospital.test' issuer_o='Example Hospital' dns_name='pacs.hospital.test' dns_names=2 "
            + "not_before=1600000000 not_after=1650000000 self_signed=True key_type='rsa' key_bits=2048 sha256='", line, StringComparison.Ordinal);
    }

    [Fact]
    public void TLS_1_3_shows_no_certificate_and_ends_with_the_clients_first_encrypted_record()
    {
        var line = Assert.Single(SessionContract.Holds(static () => new TlsSession(), Tls13, 443));
        Assert.Contains(" duration=10000000 ", line, StringComparison.Ordinal);
        Assert.Contains("complete=True version='TLS 1.3' offered_version='TLS 1.3' cipher_suite='TLS_AES_256_GCM_SHA384'", line, StringComparison.Ordinal);
        Assert.DoesNotContain("certificate{", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Fingerprints_are_those_of_the_documents()
    {
        var line = SessionContract.Whole(static () => new TlsSession(), Tls13)[0];
        Assert.Contains(" ja4='t13d1516h2_8daaf6152771_e5627efa2ab1'", line, StringComparison.Ordinal);
        Assert.Contains(" ja4s='t130200_1302_", line, StringComparison.Ordinal);

        // The example of the JA3 documents; JA3S is the MD5 of 769,47,65281-0-11-35-5-16.
        var old = ClientHello(
            0x0301, [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4], ServerName("x.test"), Extension(10, 0, 6, 0, 23, 0, 24, 0, 25), Extension(11, 1, 0));
        var answer = ServerHello(0x0301, 47, null, null, Extension(65281, 0), Extension(0), Extension(11, 1, 0), Extension(35), Extension(5), Extension(16, 0, 2, 1, 0x78));
        line = SessionContract.Whole(static () => new TlsSession(), [Turn.Client(Handshake(old)), Turn.Server(Handshake(answer))])[0];
        Assert.Contains(" ja3='ada70206e40642a3e4461f35503241d5' ja3s='836ce314215654b5b1f85f97c73e506f' ja4='t10d120300_", line, StringComparison.Ordinal);
        Assert.Contains(" ja4s='t1006xx_002f_", line, StringComparison.Ordinal);
        Assert.Contains("complete=False", line, StringComparison.Ordinal);
        Assert.Contains("weak_suites_offered=2 ", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "session_id")]
    [InlineData(true, "ticket")]
    public void Resumption_by_session_id_and_ticket(bool ticket, string expected)
    {
        var id = Repeat(7, 32);
        Turn[] turns =
        [
            Turn.Client(Handshake(ClientHelloOf(id, 0x0303, [0xC02F], Extension(35, ticket ? Ticket : [])))),
            Turn.Server([.. Handshake(ServerHello(0x0303, 0xC02F, id)), .. ChangeCipherSpec, .. Finished]),
            Turn.Client([.. ChangeCipherSpec, .. Finished]),
        ];
        Assert.Contains($"resumed='{expected}'", Assert.Single(SessionContract.Holds(static () => new TlsSession(), turns)), StringComparison.Ordinal);
    }

    [Fact]
    public void Pre_shared_key_of_TLS_1_3_is_resumption_and_a_retry_is_seen()
    {
        byte[] retry = Convert.FromHexString("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C");
        Turn[] turns =
        [
            Turn.Client(Handshake(Browser)),
            Turn.Server([.. Handshake(ServerHello(0x0303, 0x1301, null, retry, Extension(0x2B, 3, 4))), .. ChangeCipherSpec]),
            Turn.Client([.. ChangeCipherSpec, .. Handshake(Browser)]),
            Turn.Server([.. Handshake(ServerHello(0x0303, 0x1301, null, null, Extension(0x29, 0, 0), Extension(0x2B, 3, 4))), .. Data(80)]),
            Turn.Client(Data(53)),
        ];
        var line = Assert.Single(SessionContract.Holds(static () => new TlsSession(), turns));
        Assert.Contains("resumed='psk' retried=True", line, StringComparison.Ordinal);
        Assert.Contains("complete=True", line, StringComparison.Ordinal);
    }

    [Fact]
    public void An_alert_in_the_clear_ends_an_incomplete_handshake()
    {
        Turn[] turns = [Turn.Client(Handshake(Browser)), Turn.Server(TlsBytes.Alert(2, 40))];
        var log = SessionContract.Holds(static () => new TlsSession(), turns);
        Assert.Equal(2, log.Count);
        Assert.Contains("complete=False", log[0], StringComparison.Ordinal);
        Assert.StartsWith("alert ", log[1], StringComparison.Ordinal);
        Assert.Contains("sent_by='server' alert='handshake_failure' alert_code=40 fatal=True", log[1], StringComparison.Ordinal);
    }

    [Fact]
    public void An_encrypted_alert_of_TLS_1_3_is_no_success()
    {
        var line = Assert.Single(SessionContract.Whole(static () => new TlsSession(), [Tls13[0], Tls13[1], Turn.Client(Data(19))]));
        Assert.Contains("complete=False", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hello_of_SSL_2_is_read()
    {
        byte[] hello = [0x80, 9 + 6 + 16, 1, 3, 1, 0, 6, 0, 0, 0, 16, 0, 0, 0x2F, 7, 0, 0xC0, .. Repeat(5, 16)];
        Assert.Equal(ProbeResult.Certain, TlsSession.Probe(FlowDirection.FromOriginator, hello));
        Turn[] turns = [Turn.Client(hello), Turn.Server(Handshake(ServerHello(0x0301, 0x2F)))];
        var line = Assert.Single(SessionContract.Holds(static () => new TlsSession(), turns));
        Assert.Contains("version='TLS 1.0' offered_version='TLS 1.0'", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dicom", 9999, null, "carries='dicom' carries_by='alpn'")]
    [InlineData(null, 2762, null, "carries='dicom' carries_by='port'")]
    [InlineData(null, 2575, null, "carries='hl7' carries_by='port'")]
    [InlineData(null, 9999, "mllp.hospital.test", "carries='hl7' carries_by='name'")]
    [InlineData("h2", 2762, null, null)]
    [InlineData(null, 443, "pacs.hospital.test", null)]
    public void What_is_carried_is_judged_by_what_surrounds_it(string? alpn, ushort port, string? name, string? expected)
    {
        byte[][] extensions = [.. alpn is null ? [] : (byte[][])[Alpn(alpn)], .. name is null ? [] : (byte[][])[ServerName(name)]];
        var line = Assert.Single(SessionContract.Whole(static () => new TlsSession(), [Turn.Client(Handshake(ClientHello(0x0303, [0xC02F], extensions)))], port));
        if (expected is null)
            Assert.DoesNotContain("carries", line, StringComparison.Ordinal);
        else
            Assert.Contains(expected, line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_connection_picked_up_in_its_middle_tells_nothing_and_is_skipped()
    {
        var player = new SessionPlayer(new TlsSession());
        player.Gap(FlowDirection.FromOriginator, 0);
        player.Send(FlowDirection.FromOriginator, Data(100));
        Assert.Empty(player.End().Log);
    }

    [Fact]
    public void A_connection_of_which_only_its_opening_was_missed_is_read()
    {
        var player = new SessionPlayer(new TlsSession(), 443);
        player.Gap(FlowDirection.FromOriginator, 0);
        player.Send(Tls13[0]);
        player.Gap(FlowDirection.FromResponder, 0);
        player.Play(Tls13.Skip(1)).End();
        Assert.Contains("complete=True version='TLS 1.3'", Assert.Single(player.Log), StringComparison.Ordinal);
    }

    [Fact]
    public void Messages_of_many_records_and_of_megabytes_are_bounded()
    {
        byte[] bomb = [.. Enumerable.Range(0, 10_000).SelectMany(i => Record(22, i == 0 ? (byte)1 : i == 2 ? (byte)0x10 : (byte)0))];
        var log = SessionContract.Whole(static () => new TlsSession(), [Turn.Client(bomb)]);
        Assert.Contains("very many records", Assert.Single(log), StringComparison.Ordinal);

        byte[] large = [.. Message(11, Repeat(0, 1 << 20)).Chunk(16_000).SelectMany(part => Record(22, part))];
        log = SessionContract.Whole(static () => new TlsSession(), [.. Full.Take(1), Turn.Server([.. Handshake(ServerHello(0x0303, 0x2F)), .. large, .. Handshake(Message(13, [1, 1, 0, 0]))])]);
        Assert.Contains("client_certificate_requested=True", Assert.Single(log), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("\u0016\u0003text that begins like a record")]
    [InlineData("\u0003\u0000\u0000\u0013\u000e\u00e0")]
    public void The_probe_turns_others_down(string text) =>
        Assert.Equal(ProbeResult.NotForUs, TlsSession.Probe(FlowDirection.FromOriginator, System.Text.Encoding.Latin1.GetBytes(text)));

    /// <summary>A connection that is met on its way begins with any record: a ChangeCipherSpec, data, an alert.</summary>
    [Theory]
    [InlineData("140303000101", ProbeResult.Certain)]
    [InlineData("1403030001", ProbeResult.Unsure)]
    [InlineData("140303000102", ProbeResult.NotForUs)]
    [InlineData("14030300020101", ProbeResult.NotForUs)]
    [InlineData("17030301a0101cc992", ProbeResult.Certain)]
    [InlineData("15030300020228", ProbeResult.Certain)]
    [InlineData("1503030010000102030405060708090a0b0c0d0e0f", ProbeResult.Certain)]
    [InlineData("1503030010000102030405060708090a0b0c0d0e", ProbeResult.Unsure)]
    [InlineData("1503030010000102030405060708090a0b0c0d0e0f10", ProbeResult.NotForUs)]
    [InlineData("1503030051000102030405060708090a0b0c0d0e0f10", ProbeResult.NotForUs)]
    [InlineData("1303030001", ProbeResult.NotForUs)]
    public void A_connection_on_its_way_is_recognised(string bytes, ProbeResult expected) =>
        Assert.Equal(expected, TlsSession.Probe(FlowDirection.FromResponder, Convert.FromHexString(bytes)));

    private static byte[] Spread(byte[] messages, int size) => [.. messages.Chunk(size).SelectMany(part => Record(22, part))];
}
