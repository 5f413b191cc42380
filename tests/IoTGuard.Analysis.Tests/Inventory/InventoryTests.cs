using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Rules;
using IoTGuard.Wire.Application.IntelliVue;
using IoTGuard.Wire.Link;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Inventory;

public sealed class InventoryTests
{
    private static readonly MacAddress Gateway = new(0x00000C9FF001);

    private static DeviceInventory NewInventory(int maximum = 1000) => new(new AddressScope([]), maximum);

    [Fact]
    public void A_borrowed_name_is_not_the_borrowers()
    {
        var scene = new Scene();
        scene.Hl7(Sender, Engine).Dicom(Modality, Pacs, DicomEvent.CStore, t => t.StationName = "CT1");
        scene.Hl7(Stranger, Engine, fill: t => t.SendingApplication = "APP21").Dicom(Stranger, Pacs, DicomEvent.CStore, t => t.StationName = "CT1");
        Assert.Equal("APP21", scene.Detector.Devices.Find(Ip(Sender))!.DisplayName);
        Assert.Null(scene.Detector.Devices.Find(Ip(Stranger))!.DisplayName);
    }

    [Fact]
    public void Invented_senders_make_nobody_a_router()
    {
        var inventory = NewInventory();
        var mac = Mac(Stranger);
        inventory.ObserveClaim(Ip(Stranger), mac, 1);
        for (var i = 1; i < 100; i++)
            inventory.Observe(Ip($"10.9.0.{i}"), mac, i, confirmed: false);
        inventory.Observe(Ip(Outside), mac, 200, confirmed: false);
        Assert.False(inventory.IsRouter(mac));
        Assert.Equal(Stranger, inventory.Find(mac)!.Address.ToString());
    }

    [Fact]
    public void Roles_follow_from_what_devices_do()
    {
        var scene = new Scene();
        for (var i = 0; i < 10; i++)
        {
            scene.Work();
            scene.Dicom(Modality, "10.0.0.40", DicomEvent.CFind, t => t.SopClass = "1.2.840.10008.5.1.4.31");
            scene.Hl7(Engine, "10.0.0.30", "ORM^O01");
        }

        DeviceRole RoleOf(string ip) => scene.Detector.Devices.Find(Ip(ip))!.Role.Role;
        Assert.Equal(DeviceRole.Modality, RoleOf(Modality));
        Assert.Equal(DeviceRole.Pacs, RoleOf(Pacs));
        Assert.Equal(DeviceRole.Workstation, RoleOf(Workstation));
        Assert.Equal(DeviceRole.WorklistServer, RoleOf("10.0.0.40"));
        Assert.Equal(DeviceRole.InterfaceEngine, RoleOf(Engine));
        Assert.Equal(DeviceRole.HospitalInformationSystem, RoleOf(Sender));
        Assert.Equal(DeviceRole.Hl7Receiver, RoleOf("10.0.0.30"));
        var pacs = scene.Detector.Devices.Find(Ip(Pacs))!;
        Assert.True(pacs.Role.Confidence > 0.8);
        Assert.Contains(new ServicePort(6, 104), pacs.Offered);
        Assert.Equal("AE10", pacs.DisplayName);
    }

    [Fact]
    public void Laboratories_and_wards_have_roles_of_their_own()
    {
        const string Hospital = "10.0.0.30", Laboratory = "10.0.0.31", Radiology = "10.0.0.32", Chemistry = "10.0.0.33", Monitor = "10.0.0.34", Central = "10.0.0.35", Station = "10.0.0.36", Ward = "10.0.0.37";
        var scene = new Scene();
        for (var i = 0; i < 5; i++)
        {
            scene.Hl7(Hospital, Engine, "ADT^A01").Hl7(Engine, Laboratory, "ADT^A01").Hl7(Engine, Laboratory, "ORM^O01");
            scene.Hl7(Laboratory, Engine, "ORU^R01").Hl7(Engine, Hospital, "ORU^R01").Hl7(Engine, Radiology, "ORM^O01");
            scene.Dicom(Modality, Radiology, DicomEvent.CFind, t => t.SopClass = "1.2.840.10008.5.1.4.31").Hl7(Radiology, Engine, "ORU^R01");
            scene.Other<LisTransaction>(Chemistry, Station, 7001, static t => t.Event = LisEvent.Message);
            scene.Other<IntelliVueTransaction>(Central, Monitor, 24105, static t => (t.Facts.Kind, t.Facts.Results) = (IntelliVueMessageKind.PollRequest, 9));
            scene.Hl7(Ward, Engine, "ADT^A08");
        }

        Assert.Equal(
            [
                DeviceRole.HospitalInformationSystem, DeviceRole.LaboratoryInformationSystem, DeviceRole.WorklistServer, DeviceRole.Analyzer, DeviceRole.LaboratoryInformationSystem,
                DeviceRole.PatientMonitor, DeviceRole.InterfaceEngine, DeviceRole.HospitalInformationSystem,
            ],
            new[] { Hospital, Laboratory, Radiology, Chemistry, Station, Monitor, Engine, Ward }.Select(ip => scene.Detector.Devices.Find(Ip(ip))!.Role.Role));
    }

    [Fact]
    public void Stolen_ae_title_names_its_first_bearer_only()
    {
        var scene = new Scene();
        scene.Dicom(Modality, Pacs, DicomEvent.AssociateAccept, t => (t.CallingAe, t.CalledAe) = ("CT1", "ARCHIVE"));
        scene.Dicom("10.0.0.66", Pacs, DicomEvent.AssociateAccept, t => (t.CallingAe, t.CalledAe) = ("CT1", "ARCHIVE"));
        Assert.Equal("CT1", scene.Detector.Devices.Find(Ip(Modality))!.DisplayName);
        Assert.Equal("ARCHIVE", scene.Detector.Devices.Find(Ip(Pacs))!.DisplayName);
        Assert.Null(scene.Detector.Devices.Find(Ip("10.0.0.66"))!.DisplayName);
    }

    [Fact]
    public void Equipment_is_described_by_its_own_objects_only()
    {
        var scene = new Scene();
        scene.Dicom(Modality, Pacs, DicomEvent.CStore, t => (t.Manufacturer, t.ModelName, t.DeviceSerial) = ("Maker", "Scanner 5", "S-1"));
        scene.Dicom(Pacs, "10.0.0.50", DicomEvent.CStore, t => (t.Manufacturer, t.ModelName) = ("Maker", "Scanner 5"));
        var modality = scene.Detector.Devices.Find(Ip(Modality))!;
        Assert.Equal(("Maker", "Scanner 5", "S-1"), (modality.Vendor, modality.Model, modality.Serial));
        Assert.Null(scene.Detector.Devices.Find(Ip(Pacs))!.Vendor);
    }

    [Fact]
    public void Devices_behind_a_router_are_told_apart()
    {
        var inventory = NewInventory();
        for (var i = 1; i <= 20; i++)
            inventory.Observe(Ip($"10.9.0.{i}"), Gateway, i, confirmed: true);
        Assert.True(inventory.IsRouter(Gateway));
        Assert.Equal(20, inventory.Devices.Count);
        Assert.All(inventory.Devices, d => Assert.True(d.Mac.IsNone));
    }

    [Fact]
    public void A_router_shows_by_outside_addresses_too()
    {
        var inventory = NewInventory();
        Assert.Null(inventory.Observe(Ip(Outside), Gateway, 1, confirmed: true));
        Assert.True(inventory.IsRouter(Gateway));
        Assert.True(inventory.Observe(Ip("10.9.0.1"), Gateway, 2, confirmed: true)!.Mac.IsNone);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_host_with_both_ip_versions_is_one_device(bool arpFirst)
    {
        var inventory = NewInventory();
        var mac = new MacAddress(0x000C29000001);
        if (arpFirst)
            inventory.ObserveClaim(Ip("10.0.0.5"), mac, 1);
        inventory.Observe(Ip("fd00::5"), mac, 2, confirmed: true);
        if (!arpFirst)
            inventory.ObserveClaim(Ip("10.0.0.5"), mac, 3);
        Assert.Equal(2, Assert.Single(inventory.Devices).Addresses.Count);
        Assert.Same(inventory.Find(Ip("10.0.0.5")), inventory.Find(Ip("fd00::5")));
    }

    [Fact]
    public void Floods_of_invented_senders_stop_at_the_limit()
    {
        var inventory = NewInventory(100_000);
        for (var i = 0; i < 20_000; i++)
            inventory.Observe(Wire.Network.IpAddress.FromIpv4(0x0A000000u + (uint)i + 1), default, i, confirmed: false);
        Assert.Equal(DeviceInventory.MaximumUnconfirmed, inventory.Devices.Count);
        Assert.Equal(20_000 - DeviceInventory.MaximumUnconfirmed, inventory.Overflows);
        Assert.NotNull(inventory.Observe(Ip("10.200.0.1"), default, 1, confirmed: true));
    }

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("172.31.0.1", true)]
    [InlineData("172.32.0.1", false)]
    [InlineData("192.168.1.1", true)]
    [InlineData("100.64.0.1", true)]
    [InlineData("169.254.7.7", true)]
    [InlineData("93.184.216.34", false)]
    [InlineData("fd12::1", true)]
    [InlineData("fe80::1", true)]
    [InlineData("2001:db8::1", false)]
    public void Private_addresses_are_inside(string address, bool inside) => Assert.Equal(inside, new AddressScope([]).IsInside(Ip(address)));

    [Fact]
    public void A_site_may_own_public_networks()
    {
        Assert.True(AddressPrefix.TryParse("93.184.216.0/24", out var network));
        var scope = new AddressScope([network]);
        Assert.True(scope.IsInside(Ip("93.184.216.34")));
        Assert.True(scope.IsOutside(Ip("93.184.217.34")));
        Assert.Equal("93.184.216.0/24", network.ToString());
        Assert.False(AddressPrefix.TryParse("93.184.216.0/33", out _));
        Assert.False(scope.IsOutside(Ip("239.255.255.250")));
    }
}
