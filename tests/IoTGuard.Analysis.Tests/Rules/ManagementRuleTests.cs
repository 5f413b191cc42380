using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Application.Bacnet;
using IoTGuard.Wire.Application.Dhcp;
using IoTGuard.Wire.Application.IntelliVue;
using IoTGuard.Wire.Application.Kerberos;
using IoTGuard.Wire.Application.Ntp;
using IoTGuard.Wire.Application.Snmp;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>Rules about addresses, management, and hidden channels: a sequence that fires each, and one that comes close and must not.</summary>
public sealed class ManagementRuleTests
{
    private const string Server = "10.0.0.2";
    private const string Rogue = "10.0.0.66";

    [Theory]
    [InlineData(Rogue, "10.0.0.66", true)]
    [InlineData(Rogue, "10.0.0.1", false)]
    [InlineData(Server, "10.0.0.66", false)]
    public void Two_dhcp_servers_that_disagree_are_told(string second, string gateway, bool fires)
    {
        var scene = new Scene();
        Dhcp(scene, DhcpMessageType.Discover, Server, 1, "10.0.0.1");
        Dhcp(scene, DhcpMessageType.Offer, Server, 1, "10.0.0.1");
        Dhcp(scene, DhcpMessageType.Offer, second, 1, gateway);
        scene.Finish();
        Assert.Equal(fires, scene.Of("rogue-dhcp-server").Any());
        if (fires)
            Assert.Equal(Rogue, Assert.Single(scene.Closed).Device.Ip);
    }

    [Theory]
    [InlineData(300, 0.1, true)]
    [InlineData(300, 2, false)]
    public void Many_hardware_addresses_that_want_an_address_starve_the_others(int clients, double seconds, bool fires)
    {
        var scene = new Scene();
        Dhcp(scene, DhcpMessageType.Offer, Server, 9999, "10.0.0.1");
        for (var i = 0; i < clients; i++)
            Dhcp(scene, DhcpMessageType.Discover, Server, i, "10.0.0.1").Wait(seconds);
        scene.Finish();
        Assert.Equal(fires, scene.Of("dhcp-starvation").Any());
        Assert.Equal(fires ? 1 : 0, scene.Closed.Count);
    }

    [Fact]
    public void What_a_client_said_is_said_of_its_device_once_it_has_an_address()
    {
        var scene = new Scene();
        Dhcp(scene, DhcpMessageType.Request, Server, 7, "10.0.0.1");
        Dhcp(scene, DhcpMessageType.Ack, Server, 7, "10.0.0.1");
        var device = scene.Detector.Devices.Find(Ip("10.0.1.7"))!;
        Assert.Equal(["host7"], device.HostNames);
        Assert.Equal(["dhcp 1,3,6"], device.Fingerprints);
        Assert.Equal(new MacAddress(0x02_11_00_00_00_07), device.Mac);
    }

    [Theory]
    [InlineData("fd00:2::", 0, true)]
    [InlineData("fd00:1::", 0, false)]
    [InlineData("fd00:2::", 7, false)]
    public void A_second_router_with_another_prefix_is_told(string prefix, ushort vlan, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 5; i++)
        {
            Advertise(scene, "fe80::1", "fd00:1::", 0);
            Advertise(scene, "fe80::66", prefix, vlan).Wait(60);
        }

        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("rogue-router-advertisement").Count());
    }

    [Theory]
    [InlineData(SnmpCommunity.Public, 2, true, true)]
    [InlineData(SnmpCommunity.Other, 2, true, false)]
    [InlineData(SnmpCommunity.Public, 2, false, false)]
    [InlineData(SnmpCommunity.None, 3, true, false)]
    public void A_default_community_that_works_is_a_finding(SnmpCommunity community, byte version, bool isAnswered, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 3; i++)
        {
            scene.Say<SnmpTransaction>(Workstation, Pacs, 161, t =>
                (t.Facts.Pdu, t.Facts.Version, t.Facts.Community, t.IsAnswered) = (SnmpPdu.Get, version, community, isAnswered));
        }

        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("snmp-default-community").Count());
    }

    [Theory]
    [InlineData(6, 1, true)]
    [InlineData(3, 1, false)]
    [InlineData(6, 60, false)]
    public void Communities_that_nobody_answers_are_guesses(int communities, double seconds, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < communities; i++)
        {
            scene.Say<SnmpTransaction>(Stranger, Pacs, 161, t =>
                (t.Facts.Pdu, t.Facts.Version, t.Facts.Community, t.Facts.CommunityPrint, t.IsAnswered) = (SnmpPdu.Get, 2, SnmpCommunity.Other, (ulong)i, false));
            scene.Wait(seconds);
        }

        scene.Finish();
        Assert.Equal(fires, scene.Of("snmp-community-guessing").Any());
    }

    [Theory]
    [InlineData(24, 60, true)]
    [InlineData(6, 60, true)]
    [InlineData(25, 60, false)]
    [InlineData(24, 20, false)]
    public void Failed_log_ins_at_kerberos_are_guesses(int error, int requests, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < requests; i++)
        {
            scene.Say<KerberosTransaction>(Stranger, Server, 88, t =>
                (t.Facts.Kind, t.Facts.Answer, t.Facts.ErrorCode, t.Facts.User) = (KerberosKind.AsRequest, KerberosKind.Error, error, new Pseudonym(1, (ulong)i)));
            scene.Wait(1);
        }

        scene.Finish();
        Assert.Equal(fires, scene.Of("kerberos-guessing").Any());
    }

    [Theory]
    [InlineData(23, 15, true)]
    [InlineData(18, 15, false)]
    [InlineData(23, 8, false)]
    public void Many_tickets_in_a_weak_cipher_are_collected_to_be_cracked(int encryption, int services, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < services; i++)
        {
            scene.Say<KerberosTransaction>(Stranger, Server, 88, t =>
                (t.Facts.Kind, t.Facts.Answer, t.Facts.TicketEncryption, t.Facts.Service, t.Facts.Instance) =
                (KerberosKind.TgsRequest, KerberosKind.TgsReply, encryption, "MSSQLSvc", "db" + i));
            scene.Wait(1);
        }

        scene.Finish();
        Assert.Equal(fires, scene.Of("kerberoasting").Any());
    }

    [Theory]
    [InlineData(15, true)]
    [InlineData(20, true)]
    [InlineData(6, false)]
    public void Changes_of_building_technology_are_told(byte service, bool fires)
    {
        var scene = new Scene();
        scene.Say<BacnetTransaction>(Workstation, Pacs, 47808, t => (t.Facts.Pdu, t.Facts.Service) = (BacnetPdu.ConfirmedRequest, service));
        scene.Say<BacnetTransaction>(Workstation, Pacs, 47808, t => t.Facts.Reads = 100);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Closed.Count);
    }

    [Theory]
    [InlineData(Outside, true)]
    [InlineData(Workstation, false)]
    public void A_monitor_that_talks_to_the_outside_is_told(string collector, bool fires)
    {
        var scene = new Scene();
        scene.Say<IntelliVueTransaction>(collector, Modality, 24105, t => t.Facts.Kind = IntelliVueMessageKind.PollRequest);
        scene.Finish();
        Assert.Equal(fires, scene.Of("monitor-data-outside").Any(a => a.Device.Ip == Modality));
    }

    [Theory]
    [InlineData(500, true)]
    [InlineData(5, false)]
    public void A_time_server_that_is_wrong_is_told(int seconds, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 5; i++)
            scene.Say<NtpTransaction>(Workstation, Server, 123, t => (t.Facts.Mode, t.Facts.HasOffset, t.Facts.OffsetNs) = (NtpMode.Client, true, seconds * 1_000_000_000L)).Wait(60);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Closed.Count);
    }

    [Theory]
    [InlineData(-3600, 0, true)]
    [InlineData(-3600, 20, false)]
    [InlineData(-10, 0, false)]
    public void A_sender_whose_messages_are_off_by_the_same_time_has_a_wrong_clock(int seconds, int drift, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 40; i++)
        {
            var offset = seconds + (drift * i);
            scene.Hl7(Sender, Engine, fill: t => t.MessageTimeNs = scene.Now + (offset * 1_000_000_000L)).Wait(10);
        }

        scene.Finish();
        Assert.Equal(fires, scene.Of("hl7-clock-off").Any());
    }

    [Fact]
    public void Tftp_is_a_finding_once()
    {
        var scene = new Scene();
        for (var i = 0; i < 3; i++)
            scene.Say<TftpTransaction>(Workstation, Pacs, 69, t => t.Facts.IsWrite = i == 1);
        scene.Finish();
        Assert.Contains("write", Assert.Single(scene.Of("tftp-use")).Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void A_call_kept_alive_from_one_port_is_no_beacon(bool isNewPort, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 30; i++)
        {
            var flow = scene.Flow(Modality, Outside, 50004, IpProtocol.Udp);
            if (!isNewPort)
                flow.OriginatorPort = 57955;
            flow.FromResponder = new DirectionCounters { Packets = 1, PayloadBytes = 40 };
            scene.Send(SensorEventKind.FlowClosed, flow).Wait(60);
        }

        scene.Finish();
        Assert.Equal(fires, scene.Of("beaconing").Any());
    }

    [Theory]
    [InlineData(60, 0.1, 400, true)]
    [InlineData(60, 0.9, 400, false)]
    [InlineData(60, 0.1, 400_000, false)]
    [InlineData(2, 0.1, 400, false)]
    public void Periodic_calls_to_the_outside_are_beacons(double interval, double jitter, int bytes, bool fires)
    {
        var scene = new Scene();
        var random = new Random(7);
        for (var i = 0; i < 30; i++)
        {
            var flow = scene.Flow(Modality, Outside, 443);
            flow.State = ConnectionState.Closed;
            flow.FromOriginator.PayloadBytes = bytes;
            flow.FromResponder = new DirectionCounters { Packets = 5, PayloadBytes = 100 };
            scene.Send(SensorEventKind.FlowClosed, flow);
            scene.Wait(interval * (1 + (jitter * ((2 * random.NextDouble()) - 1))));
        }

        scene.Finish();
        Assert.Equal(fires, scene.Of("beaconing").Any());
    }

    [Theory]
    [InlineData(300, 200, Outside, true)]
    [InlineData(0, 200, Outside, false)]
    [InlineData(0, 40, Outside, true)]
    [InlineData(0, 40, Pacs, false)]
    public void Echo_messages_of_changing_size_or_without_pause_to_the_outside_are_a_tunnel(int deviation, int seconds, string peer, bool fires)
    {
        var scene = new Scene();
        var flow = scene.Flow(Modality, peer, 0, Wire.Network.IpProtocol.Icmp);
        flow.LastNs = flow.FirstNs + (seconds * 1_000_000_000L);
        for (var i = 0; i < 200; i++)
        {
            var size = 600 + (deviation * ((i % 3) - 1));
            flow.FromOriginator.Packets++;
            flow.FromOriginator.Bytes += size;
            flow.FromOriginator.Size.Add(size);
        }

        scene.Send(SensorEventKind.FlowClosed, flow);
        scene.Finish();
        Assert.Equal(fires, scene.Of("icmp-tunnel").Any());
    }

    [Theory]
    [InlineData(Stranger, true)]
    [InlineData(Engine, false)]
    public void A_new_device_that_gives_out_addresses_is_told_once(string server, bool fires)
    {
        var scene = new Scene(LearnedSite()) { Seconds = 90_000 };
        scene.Arp(server, server, "10.0.0.1").Wait(1);
        for (var i = 1; i <= 3; i++)
            Dhcp(scene, DhcpMessageType.Offer, server, i, "10.0.0.1").Wait(3600);
        scene.Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("new-dhcp-server").Count());
        Assert.All(scene.Of("new-dhcp-server"), static a => Assert.Equal((Stranger, 3), (a.Device.Ip, a.Count)));
    }

    [Theory]
    [InlineData("1,3,6,15,119", null, true)]
    [InlineData("1,3,6,15,119", "PXEClient:Arch:00007", false)]
    [InlineData("1,3,6", null, false)]
    public void A_known_device_that_asks_as_another_kind_does_is_told_once(string options, string? vendorClass, bool fires)
    {
        var learning = new Scene();
        Lease(learning, "1,3,6", null).Exchange(Workstation, Pacs, 443).Wait(60).Finish();
        var scene = new Scene(learning.Detector.Learn()) { Seconds = 90_000 };
        Lease(scene, options, vendorClass).Wait(10);
        Lease(scene, options, vendorClass).Wait(10_000);
        Lease(scene, options, vendorClass).Finish();
        Assert.Equal(fires ? 1 : 0, scene.Of("device-fingerprint-changed").Count());
    }

    [Fact]
    public void Small_flows_beside_a_large_exchange_with_the_same_service_are_no_beacon()
    {
        var scene = new Scene();
        for (var i = 0; i < 30; i++)
        {
            var call = scene.Flow(Modality, Outside, 50004, IpProtocol.Udp);
            (call.OriginatorPort, call.FromOriginator.PayloadBytes, call.FromResponder) = (57955, 9_000_000, new DirectionCounters { Packets = 90_000, PayloadBytes = 9_000_000 });
            scene.Send(SensorEventKind.FlowUpdated, call);
            var flow = scene.Flow(Modality, Outside, 50004, IpProtocol.Udp);
            flow.FromResponder = new DirectionCounters { Packets = 1, PayloadBytes = 40 };
            scene.Send(SensorEventKind.FlowClosed, flow).Wait(60);
        }

        scene.Finish();
        Assert.Empty(scene.Of("beaconing"));
    }

    private static Scene Lease(Scene scene, string options, string? vendorClass)
    {
        foreach (var type in new[] { DhcpMessageType.Request, DhcpMessageType.Ack })
        {
            scene.Say<DhcpTransaction>("0.0.0.0", Server, 67, t => (t.Facts.Type, t.Facts.TransactionId, t.Facts.Hardware, t.Facts.ParameterList, t.Facts.VendorClass, t.Facts.Your) =
                (type, 5, Mac(Workstation), options, vendorClass, Ip(Workstation)));
        }

        return scene;
    }

    private static Scene Dhcp(Scene scene, DhcpMessageType type, string server, int client, string gateway) =>
        scene.Say<DhcpTransaction>("0.0.0.0", type is DhcpMessageType.Offer or DhcpMessageType.Ack ? server : "255.255.255.255", 67, t =>
        {
            t.Facts.Type = type;
            t.Facts.TransactionId = (uint)client;
            t.Facts.Hardware = new MacAddress(0x02_11_00_00_00_00 + (ulong)client);
            t.Facts.HostName = "host" + client;
            t.Facts.ParameterList = "1,3,6";
            if (type is not (DhcpMessageType.Offer or DhcpMessageType.Ack))
                return;
            t.Facts.Your = Ip("10.0.1." + (client & 127));
            t.Facts.Server = Ip(server);
            t.Facts.Router = Ip(gateway);
        });

    private static Scene Advertise(Scene scene, string router, string prefix, ushort vlan) =>
        scene.Say<RouterTransaction>(router, "ff02::1", 134, t =>
        {
            t.Facts.Lifetime = 1800;
            t.Facts.Prefixes = 1;
            t.Facts.Prefix = Ip(prefix);
            t.Facts.PrefixLength = 64;
            t.Facts.Vlan = vlan;
        });
}
