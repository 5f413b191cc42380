using System.Globalization;
using System.Text.Json;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Oracle;

/// <summary>
/// Over our own captures and captures of the corpus, what tshark shows of TLS, DTLS, QUIC and SSH handshakes (JA3, JA3S, server names, HASSH) the program shows too. It shows more than
/// tshark where that does not recognise TLS: after RDP's negotiation, and on ports of other protocols.
/// </summary>
/// <remarks>
/// Differences in the rest of the corpus: versions of QUIC that only provoke negotiation (quic_interop_V) are not opened; in tls_cipher_lens and
/// tls_invalid_reads lengths are damaged, and tshark reads on where we tell a fault. tshark 4.0 does not open quic-34 and
/// quic_frags_ch_in_multiple_packets, so they show nothing to compare.
/// </remarks>
public sealed class SecureTsharkTests
{
    private const string Filter = "tls.handshake.type==1 or tls.handshake.type==2 or ssh.kex.hassh or ssh.kex.hasshserver or gquic.tag.sni"
        + " or dtls.handshake.extensions_server_name or socks.remote_name";

    private static readonly (string Protocol, string Field, string Theirs)[] Fields =
    [
        ("tls", "ja3", "tls.handshake.ja3"), ("tls", "ja3s", "tls.handshake.ja3s"), ("tls", "server_name", "tls.handshake.extensions_server_name"),
        ("dtls", "server_name", "dtls.handshake.extensions_server_name"), ("socks", "target", "socks.remote_name"),
        ("quic", "server_name", "tls.handshake.extensions_server_name"), ("quic", "server_name", "gquic.tag.sni"), ("ssh", "hassh", "ssh.kex.hassh"), ("ssh", "hassh_server", "ssh.kex.hasshserver"),
    ];

    [Fact]
    public void Our_own_capture() => Assert.InRange(Compare(Repository.PathOf("captures", "secure.pcapng")), 20, 1000);

    [Fact]
    public void Our_own_capture_of_relays() => Assert.InRange(Compare(Repository.PathOf("captures", "relays.pcapng")), 4, 100);

    [Theory]
    [InlineData("quic-v2.pcapng")]
    [InlineData("quic-29.pcap")]
    [InlineData("quic-mvfst-22.pcap")]
    [InlineData("quic-mvfst-27.pcapng")]
    [InlineData("quic-mvfst-exp.pcap")]
    [InlineData("quic_t50.pcap")]
    [InlineData("quic_t51.pcap")]
    [InlineData("quic_q50.pcap")]
    [InlineData("quic_q46.pcap")]
    [InlineData("quic_q39.pcap")]
    [InlineData("gquic.pcap")]
    [InlineData("quic_frags_ch_out_of_order_same_packet_craziness.pcapng")]
    [InlineData("ja3_lots_of_cipher_suites.pcap")]
    [InlineData("ja3_lots_of_cipher_suites_2_anon.pcap")]
    [InlineData("tls_verylong_certificate.pcap")]
    [InlineData("tls_with_huge_ch.pcapng")]
    [InlineData("tls_2_reasms.pcapng")]
    [InlineData("tls-rdn-extract.pcap")]
    [InlineData("smtp-starttls.pcap")]
    [InlineData("ftp-start-tls.pcap")]
    [InlineData("ssh.pcap")]
    public void The_corpus(string name)
    {
        var file = Directory.EnumerateFiles(Repository.SharedDataOrSkip("captures", "ndpi"), name, SearchOption.AllDirectories).FirstOrDefault();
        Assert.SkipUnless(file is not null, $"optional data absent: {name}");
        Assert.InRange(Compare(file), 1, 10_000);
    }

    /// <summary>Returns how many different values were compared.</summary>
    private static int Compare(string capture)
    {
        Assert.SkipUnless((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(p => File.Exists(Path.Combine(p, "tshark"))), "tshark is not installed");
        using var folder = new TemporaryFolder();
        var run = ProgramRun.Of("analyze", capture, "--transactions", folder["transactions"]);
        Assert.True(run.Status is 0 or 3 or 4, run.Error);
        var ours = File.ReadLines(folder["transactions"]).Select(static line => JsonDocument.Parse(line).RootElement)
            .Where(static t => t.GetProperty("event").GetString() is "handshake" or "connect").ToList();
        var theirs = Tshark(capture);
        var missing = new List<string>();
        var compared = 0;
        for (var i = 0; i < Fields.Length; i++)
        {
            var (protocol, field, _) = Fields[i];
            var their = theirs.Where(row => ProtocolOf(row[0]) == protocol).SelectMany(row => row[i + 1].Split(',')).Where(static v => v.Length > 0)
                .Select(static v => v.ToLower(CultureInfo.InvariantCulture)).ToHashSet(StringComparer.Ordinal);
            var our = ours.Where(t => t.GetProperty("protocol").GetString() == protocol && t.TryGetProperty(field, out _))
                .Select(t => t.GetProperty(field).GetString()!.ToLower(CultureInfo.InvariantCulture)).ToHashSet(StringComparer.Ordinal);
            missing.AddRange(their.Except(our).Select(value => $"only tshark has {protocol} {field} {value}"));
            compared += their.Count;
        }

        Assert.True(missing.Count == 0, string.Join('\n', missing));
        return compared;
    }

    private static string ProtocolOf(string layers) =>
        layers.Contains("dtls", StringComparison.Ordinal) ? "dtls" : layers.Contains(":quic", StringComparison.Ordinal) || layers.Contains(":gquic", StringComparison.Ordinal) ? "quic" : layers.Contains(":ssh", StringComparison.Ordinal) ? "ssh" : layers.EndsWith(":socks", StringComparison.Ordinal) ? "socks" : layers.Contains(":openvpn", StringComparison.Ordinal) ? "openvpn" : "tls";

    private static List<string[]> Tshark(string capture)
    {
        string[] arguments = ["-r", capture, "-Y", Filter, "-T", "fields", "-E", "separator=|", "-e", "frame.protocols", .. Fields.SelectMany(static f => (string[])["-e", f.Theirs])];
        return [.. ProgramRun.Start("tshark", arguments, null, Repository.Root).OutputLines.Select(static line => line.Split('|'))];
    }
}
