using System.Text.Json;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Captures;

/// <summary>Tunnels of a kernel of its own and of programs, and frames that Scapy wrapped: the same conversation in each, found whole.</summary>
public sealed class MoreTunnelsCaptureTests
{
    private const string Capture = "more-tunnels.pcapng";

    private static readonly string[] Conversation =
        ["dicom associate_accept", "dicom c_echo", "dicom release", "dicom associate_accept", "dicom c_store", "dicom release", "hl7 message", "hl7 ack"];

    /// <summary>Client and tunnel. Identifiers that the programs choose by chance are left out: of L2TP.</summary>
    private static readonly string[] Tunnels =
    [
        "10.8.1.1 MPLS 202", "10.8.2.1 MACsec 0", "10.8.3.1 GRE 55 93.184.79.1>93.184.79.2", "10.8.4.1 GRE 66 fd00:9::1>fd00:9::2", "10.8.5.1 IPv4 in IP 0 93.184.79.1>93.184.79.2",
        "10.8.6.1 IPv4 in IP 0 fd00:9::1>fd00:9::2", "fd00:8:7::1 IPv6 in IP 0 93.184.79.1>93.184.79.2", "10.8.8.1 VXLAN-GPE 9 93.184.79.1>93.184.79.2", "10.8.9.1 PPPoE 1",
        "10.8.10.1 L2TP 93.184.79.1>93.184.79.2", "2001:0: Teredo 0 93.184.79.1>93.184.79.2", "10.8.12.1 L2TPv3 196609 10.9.3.1>10.9.3.2", "10.8.13.1 GTP-U 1 93.184.79.1>93.184.79.2",
        "10.8.20.1 802.1ah 43981", "10.8.21.1 TZSP 0 93.184.80.1>93.184.80.2", "10.8.22.1 Ethernet in IP 0 93.184.80.1>93.184.80.2",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Every_tunnel_gives_its_conversation(int workers)
    {
        using var folder = new TemporaryFolder();
        var run = ProgramRun.Of("analyze", Repository.PathOf("captures", Capture), "--workers", $"{workers}", "--transactions", folder["transactions"]);
        Assert.Equal(0, run.Status);
        var tunnels = File.ReadLines(folder["transactions"]).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(t => t.GetProperty("protocol").GetString() is "dicom" or "hl7")
            .GroupBy(TunnelOf)
            .ToDictionary(t => t.Key, t => t.Select(e => $"{e.GetProperty("protocol")} {e.GetProperty("event")}").ToList());
        Assert.Equal(Tunnels.Order(StringComparer.Ordinal), tunnels.Keys.Order(StringComparer.Ordinal));
        Assert.All(tunnels, tunnel => Assert.Equal(Conversation, tunnel.Value));
    }

    /// <summary>
    /// What tshark finds inside. It does not look into L2TP version 3 over UDP, where nothing says how long the cookie is; and in the two tunnels with IPv6, where HL7 is not on
    /// its port, it knows the message but not the acknowledgement.
    /// </summary>
    [Fact]
    public void Tshark_finds_as_many_messages_in_them()
    {
        Assert.SkipUnless(ProgramRun.Shell("command -v tshark").Status == 0, "tshark is not installed");
        var seen = ProgramRun.Start(
            "tshark", ["-n", "-r", Repository.PathOf("captures", Capture), "-Y", "dicom.pdu.type == 1 || hl7", "-T", "fields", "-e", "frame.protocols"], null, Repository.Root).OutputLines;
        var others = Tunnels.Length - 1;
        Assert.Equal((2 * others, (2 * others) - 2), (seen.Count(line => line.EndsWith(":dicom", StringComparison.Ordinal)), seen.Count(line => line.EndsWith(":hl7", StringComparison.Ordinal))));
    }

    private static string TunnelOf(JsonElement transaction)
    {
        var tunnel = transaction.GetProperty("encapsulation");
        var client = transaction.GetProperty("client").GetProperty("ip").GetString()!;
        var kind = tunnel.GetProperty("kind").GetString()!;
        var ends = tunnel.TryGetProperty("source", out var source) ? $" {source}>{tunnel.GetProperty("destination")}" : "";
        var id = kind == "L2TP" ? "" : $" {tunnel.GetProperty("id")}";
        return $"{(client.StartsWith("2001:0:", StringComparison.Ordinal) ? "2001:0:" : client)} {kind}{id}{ends}";
    }
}
