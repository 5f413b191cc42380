using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>Floods of names, leases and communities. Alone, because the heap of the whole process is measured.</summary>
[Collection(Alone.Name)]
public sealed class NameFloodTests
{
    [Fact]
    public void Floods_of_names_and_leases_cost_bounded_memory()
    {
        var scene = new Scene();
        Flood(scene, 0, 30_000);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        Flood(scene, 30_000, 60_000);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(grown < 16_000_000, $"grew by {grown} bytes");
        scene.Finish();
        Assert.InRange(scene.Closed.Count, 1, 8);

        static void Flood(Scene scene, int from, int to)
        {
            for (var i = from; i < to; i++)
            {
                var client = $"10.20.{(i >> 8) & 15}.{i & 255}";
                NameRuleTests.Ask(scene, $"n{i}.d{i}.com", IoTGuard.Wire.Application.Dns.DnsType.Txt, code: 3, client);
                NameRuleTests.Ask(scene, $"n{i}.example.com", IoTGuard.Wire.Application.Dns.DnsType.A, code: 3);
                scene.Say<IoTGuard.Analysis.Sessions.DhcpTransaction>("0.0.0.0", "255.255.255.255", 67, t =>
                {
                    t.Facts.Type = IoTGuard.Wire.Application.Dhcp.DhcpMessageType.Discover;
                    t.Facts.Hardware = new IoTGuard.Wire.Link.MacAddress(0x0200_0000_0000 + (ulong)i);
                    t.Facts.TransactionId = (uint)i;
                });
                scene.Say<IoTGuard.Analysis.Sessions.SnmpTransaction>(client, Pacs, 161, t =>
                    (t.Facts.Pdu, t.Facts.Version, t.Facts.CommunityPrint, t.IsAnswered) = (IoTGuard.Wire.Application.Snmp.SnmpPdu.Get, 2, (ulong)(i & 1), false));
                scene.Wait(0.001);
            }
        }
    }
}
