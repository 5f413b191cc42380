using System.Text.Json;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Captures;

/// <summary>The capture of real tunnels: in each of them the same conversation, found whole.</summary>
public sealed class TunnelCaptureTests
{
    private static readonly string[] Conversation =
        ["dicom associate_accept", "dicom c_echo", "dicom release", "dicom associate_accept", "dicom c_store", "dicom release", "hl7 message", "hl7 ack"];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Every_tunnel_gives_its_conversation(int workers)
    {
        using var folder = new TemporaryFolder();
        var run = ProgramRun.Of("analyze", Repository.PathOf("captures", "tunnels.pcapng"), "--workers", $"{workers}", "--transactions", folder["transactions"]);
        Assert.Equal(0, run.Status);
        var tunnels = File.ReadLines(folder["transactions"]).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(t => t.GetProperty("protocol").GetString() is "dicom" or "hl7")
            .GroupBy(static t => $"{t.GetProperty("encapsulation").GetProperty("kind")} {t.GetProperty("encapsulation").GetProperty("id")}", static t => t)
            .ToList();
        Assert.Equal(["VXLAN 4096", "Geneve 77", "VXLAN 5", "GRE 99", "ERSPAN 7", "ERSPAN 8"], tunnels.Select(t => t.Key));
        foreach (var tunnel in tunnels)
        {
            Assert.Equal(Conversation, tunnel.Select(t => $"{t.GetProperty("protocol")} {t.GetProperty("event")}"));
            foreach (var transaction in tunnel)
            {
                Assert.Equal(("10.8.0.1", "10.8.0.2"), (Text(transaction, "client", "ip"), Text(transaction, "server", "ip")));
                Assert.Equal(("10.9.0.1", "10.9.0.2"), (Text(transaction, "encapsulation", "source"), Text(transaction, "encapsulation", "destination")));
            }
        }

        // Two pings of 3000 bytes and their answers in each tunnel, each in three fragments or more.
        Assert.Contains("24 datagrams made of fragments", string.Join(' ', run.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private static string? Text(JsonElement transaction, string name, string field) => transaction.GetProperty(name).GetProperty(field).GetString();
}
