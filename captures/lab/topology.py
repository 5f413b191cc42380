"""The hospital on paper: VLANs, hosts, addresses. Everything else looks things up here."""

from dataclasses import dataclass, field

DOMAIN = "hospital.test"
ROUTER_MAC = "00:00:0c:9f:f0:01"
INTERNET_HOST = "93.184.77.10"


@dataclass(frozen=True)
class Vlan:
    id: int
    name: str
    ipv4: str           # network prefix without the host part; the router is .1, the netmask /24
    ipv6: str = ""      # the same for a /64
    tagged: bool = True  # how frames of this VLAN leave the mirror port


@dataclass(frozen=True)
class Host:
    name: str
    vlan: int
    octet: int           # last octet of the IPv4 address; 0 = asks DHCP
    mac: str             # the first three octets are the vendor's
    aliases: tuple = ()
    offload: bool = False  # segmentation and checksum offload left on: frames larger than the MTU, checksums unfinished
    lossy: bool = False    # reached over a wireless bridge that loses and delays frames
    latecomer: bool = False  # plugged in during the recording

    @property
    def ipv4(self):
        return f"{VLANS[self.vlan].ipv4}.{self.octet}" if self.vlan != 99 or self.octet < 10 else INTERNET_HOST

    @property
    def ipv6(self):
        prefix = VLANS[self.vlan].ipv6
        return f"{prefix}::{self.octet}" if prefix and self.octet else ""


VLANS = {v.id: v for v in (
    Vlan(1, "management", "10.20.1", "fd20:7e57:0:1", tagged=False),
    Vlan(10, "imaging", "10.20.10"),
    Vlan(20, "servers", "10.20.20", "fd20:7e57:0:20"),
    Vlan(30, "clinical", "10.20.30", "fd20:7e57:0:30"),
    Vlan(40, "laboratory", "10.20.40", "fd20:7e57:0:40"),
    Vlan(50, "wards", "10.20.50"),
    Vlan(99, "uplink", "93.184.77"),
)}

HOSTS = {h.name: h for h in (
    Host("infra", 1, 2, "00:0c:29:4e:01:02", ("dns", "ntp", "dhcp")),
    Host("admin", 1, 9, "00:01:e6:41:7c:09"),
    Host("ct1", 10, 11, "20:e7:91:0a:11:5c"),
    Host("mr1", 10, 12, "44:4b:5d:22:90:1e"),
    Host("us1", 10, 13, "00:09:5c:71:03:d4", lossy=True),
    Host("cr1", 10, 14, "88:b4:36:5e:08:77"),
    Host("pacs", 20, 10, "00:0c:29:4e:20:10", offload=True),
    Host("archive", 20, 20, "00:0c:29:4e:20:20", offload=True),
    Host("ris", 20, 30, "00:0c:29:4e:20:30"),
    Host("engine", 20, 40, "00:0c:29:4e:20:40"),
    Host("ehr", 20, 50, "00:0c:29:4e:20:50", offload=True),
    Host("billing", 20, 60, "00:0c:29:4e:20:60"),
    Host("his", 20, 70, "00:0c:29:4e:20:70"),
    Host("ws1", 30, 21, "00:01:e6:8d:33:21", offload=True),
    Host("ws2", 30, 22, "00:01:e6:8d:33:22"),
    Host("webpc", 30, 0, "00:01:e6:8d:40:a3"),
    Host("lis", 40, 10, "00:0c:29:4e:40:10"),
    Host("chem", 40, 21, "00:0e:2f:60:1a:21"),
    Host("hema", 40, 22, "00:06:6b:2c:77:22"),
    Host("monitors", 50, 10, "00:30:e6:15:b0:10"),
    Host("internet", 99, 10, "00:1b:21:aa:00:10"),
    Host("intruder", 30, 0, "b8:27:eb:3d:66:66", latecomer=True),
    Host("laptop", 40, 66, "00:01:e6:66:66:40", latecomer=True),
)}

AE_TITLES = {"ct1": "CT_ER1", "mr1": "MR_MAIN", "us1": "US_CART1", "cr1": "CR_ROOM2", "pacs": "HOSPPACS", "archive": "LTARCHIVE",
             "ris": "RISWL", "ws1": "WS_RAD1", "ws2": "WS_RAD2"}

PACS_PORT, PACS_REST_PORT = 104, 8042
ARCHIVE_PORT, ARCHIVE_TLS_PORT = 11112, 2762
WORKLIST_PORT, MPPS_PORT = 2104, 2105
MR_PORT = 4242
WORKSTATION_PORT = 11113
DOSE_PORT = 50104           # DICOM where nobody expects it: a dose-report collector on the RIS host
HL7_ADT_PORT, HL7_ORU_PORT, HL7_ORDER_PORT = 2575, 2576, 2577
EHR_PORT, BILLING_PORT, RIS_HL7_PORT, LIS_PORT = 6661, 6662, 6663, 6664
TELNET_PORT = 23
