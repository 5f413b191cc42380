using IoTGuard.Analysis.Sessions;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>What an attacker sends without limit costs memory within one. Alone, because the heap of the whole process is measured.</summary>
[Collection(Alone.Name)]
public sealed class FloodMemoryTests
{
    [Fact]
    public void Floods_of_invented_addresses_cost_bounded_memory()
    {
        var scene = new Scene();
        Flood(scene, 0, 20_000);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        Flood(scene, 20_000, 40_000);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(grown < 8_000_000, $"grew by {grown} bytes");
        scene.Finish();
        Assert.InRange(scene.Closed.Count, 1, 3);
        Assert.Contains(scene.Closed, a => a.Rule == "syn-flood");

        static void Flood(Scene scene, int from, int to)
        {
            for (var i = from; i < to; i++)
                scene.Try($"10.{i >> 16}.{(i >> 8) & 255}.{i & 255}", Pacs, 104, refused: false).Wait(0.0001);
        }
    }

    [Fact]
    public void Floods_of_handshakes_and_log_ins_cost_bounded_memory()
    {
        // Devices and facts have limits of their own, which are not what is measured.
        var scene = new Scene(options: new DetectorOptions { MaximumDevices = 1000, MaximumFacts = 1000 });
        Flood(scene, 0, 20_000);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        Flood(scene, 20_000, 40_000);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(grown < 8_000_000, $"grew by {grown} bytes");

        static void Flood(Scene scene, int from, int to)
        {
            for (var i = from; i < to; i++)
            {
                var client = $"10.{i >> 16}.{(i >> 8) & 255}.{i & 255}";
                scene.Tls(client, Pacs, (ushort)i, t => (t.Facts.HasCertificate, t.Facts.SubjectName, t.Facts.Carried) = (true, client, Analysis.Sessions.TlsCarried.Dicom));
                scene.Other<Analysis.Sessions.FtpTransaction>(client, Pacs, 21, static t => t.FailedLogins = 1).Wait(0.0001);
            }
        }
    }

    [Fact]
    public void Sweeps_over_ports_and_hosts_cost_bounded_memory()
    {
        var scene = new Scene();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 40_000; i++)
            scene.Try(Stranger, $"10.7.{(i >> 8) & 255}.{i & 255}", (ushort)(i % 5000), refused: i % 2 == 0).Wait(0.0005);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(grown < 40_000_000, $"grew by {grown} bytes");
        scene.Wait(5);
        scene.Finish();
        Assert.Equal("host-scan", Assert.Single(scene.Closed).Rule);
    }

    [Fact]
    public void Floods_of_services_and_shares_cost_bounded_memory()
    {
        var scene = new Scene();
        Flood(scene, 0, 15_000);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        Flood(scene, 15_000, 45_000);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(grown < 12_000_000, $"grew by {grown} bytes");

        static void Flood(Scene scene, int from, int to)
        {
            for (var i = from; i < to; i++)
            {
                var client = $"10.8.0.{i % 200}";
                var server = $"10.9.0.{i / 200 % 225}";
                scene.Smb(client, server, SmbEvent.Session, t => (t.Status, t.User) = (0xC000_006D, new Pseudonym((ulong)i, 1)));
                scene.Smb(client, server, SmbEvent.Session, t => (t.Status, t.IsAnonymous) = (0, true));
                scene.Smb(client, server, SmbEvent.Files, t => t.Files = new SmbFileCounts { Deletes = 1, RandomWrites = 1 });
                scene.Other<LdapTransaction>(client, server, 389, t => (t.Event, t.Entries) = (LdapEvent.Search, 3));
                scene.Other<ModbusTransaction>(client, server, 502, t => (t.Unit, t.Requests, t.Exceptions) = (i & 255, 1, 1));
            }
        }
    }
}
