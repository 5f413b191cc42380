"""The other hospital on paper. Nothing here resembles the first one: networks, makers, roles, programs."""

from dataclasses import dataclass

DOMAIN = "stmary.example"
ROUTER_MAC = "00:1c:73:00:00:99"
CLOUD, UPDATES = "203.0.113.80", "198.51.100.20"


@dataclass(frozen=True)
class Vlan:
    id: int
    name: str
    ipv4: str
    ipv6: str = ""
    tagged: bool = True


@dataclass(frozen=True)
class Host:
    name: str
    vlan: int
    octet: int          # 0 = asks DHCP
    mac: str
    latecomer: bool = False
    aliases: tuple = ()
    offload: bool = False
    lossy: bool = False

    @property
    def ipv4(self):
        return f"{VLANS[self.vlan].ipv4}.{self.octet}" if self.octet else ""

    @property
    def ipv6(self):
        prefix = VLANS[self.vlan].ipv6
        return f"{prefix}::{self.octet:x}" if prefix and self.octet else ""


VLANS = {v.id: v for v in (
    Vlan(100, "core", "172.20.1", "fd5a:77:1"),
    Vlan(210, "radiology", "172.20.10"),
    Vlan(220, "wards", "192.168.77", "fd5a:77:2"),
    Vlan(230, "laboratory", "172.20.23"),
    Vlan(240, "office", "172.20.24", "2001:db8:40:24"),
    Vlan(250, "clinic", "172.20.25"),
    Vlan(998, "uplink-a", "203.0.113"),
    Vlan(999, "uplink-b", "198.51.100"),
)}

HOSTS = {h.name: h for h in (
    Host("infra", 100, 2, "00:50:56:a1:00:02"),
    Host("arch", 100, 11, "00:50:56:a1:00:11", offload=True),      # dcmqrscp: the archive
    Host("sched", 100, 12, "00:50:56:a1:00:12"),                   # worklist
    Host("hub", 100, 21, "00:50:56:a1:00:21"),                     # HL7 hub and its web interface
    Host("emr", 100, 22, "00:50:56:a1:00:22"),
    Host("files", 100, 31, "00:50:56:a1:00:31", offload=True),     # Samba, FTP
    Host("portal", 100, 32, "00:50:56:a1:00:32"),                  # nginx, with and without TLS
    Host("broker", 100, 33, "00:50:56:a1:00:33"),                  # mosquitto
    Host("watch", 100, 41, "00:50:56:a1:00:41"),                   # polls everything
    Host("vault", 100, 42, "00:50:56:a1:00:42"),                   # backups
    Host("audit", 100, 43, "00:50:56:a1:00:43"),                   # takes inventory with nmap
    Host("ct64", 210, 5, "a8:13:74:0c:00:05"),
    Host("xr1", 210, 6, "00:1f:c6:0c:00:06"),
    Host("xr2", 210, 7, "00:1f:c6:0c:00:07"),
    Host("sono", 210, 8, "00:09:5c:0c:00:08"),
    Host("read1", 210, 20, "3c:52:82:0c:00:20"),                   # Orthanc as a reading station
    Host("read2", 210, 21, "3c:52:82:0c:00:21"),                   # dcmtk as a reading station
    Host("bed1", 220, 11, "00:09:fb:0d:00:11"),
    Host("bed2", 220, 12, "00:09:fb:0d:00:12"),
    Host("bed3", 220, 13, "00:09:fb:0d:00:13"),
    Host("pump1", 220, 31, "00:03:b1:0d:00:31"),
    Host("pump2", 220, 32, "00:03:b1:0d:00:32"),
    Host("nurse", 220, 50, "3c:52:82:0d:00:50"),
    Host("printer", 220, 60, "00:80:77:0d:00:60"),
    Host("lis", 230, 10, "00:50:56:a1:23:10"),
    Host("gas1", 230, 21, "00:0e:2f:0e:00:21"),
    Host("gas2", 230, 22, "00:0e:2f:0e:00:22"),
    Host("pc1", 240, 0, "3c:52:82:0f:00:01"),
    Host("pc2", 240, 0, "3c:52:82:0f:00:02"),
    Host("pc3", 240, 63, "3c:52:82:0f:00:03"),
    Host("admin", 240, 9, "3c:52:82:0f:00:09"),
    Host("clinic", 250, 2, "00:0d:b9:10:00:02"),                   # a clinic behind network address translation
    Host("cloud", 998, 80, "00:1b:21:bb:00:80"),
    Host("updates", 999, 20, "00:1b:21:bb:00:20"),
    Host("newpc", 240, 0, "3c:52:82:0f:00:77", latecomer=True),    # benign: a workstation is unpacked
    Host("rogue", 240, 0, "dc:a6:32:66:66:66", latecomer=True),    # the intruder's
    Host("rogue2", 210, 99, "00:e0:4c:66:66:99", latecomer=True),
)}
LEASES = {"pc1": "172.20.24.101", "pc2": "172.20.24.102", "newpc": "172.20.24.177", "rogue": "172.20.24.166"}


def address(name):
    return LEASES.get(name) or HOSTS[name].ipv4
