"""The hospital on paper and its day: who is there, and what each does in quiet times."""

import random
import struct
from functools import partial

import speech
from speech import CT, MPPS, MR, SR, STUDY_FIND, STUDY_MOVE, US, VERIFICATION, WORKLIST
from wire import CLIENT, SERVER, Clock, Connection, Host

START = 1_790_000_000.0
SECOND, MINUTE = 1.0, 60.0

#           name, VLAN, address, maker's prefix of the hardware address
ADDRESSES = """
dc 10 10.9.0.10 005056
dhcp 10 10.9.0.11 005056
time 10 10.9.0.12 005056
files 10 10.9.0.20 005056
backup 10 10.9.0.25 0025b5
proxy 10 10.9.0.30 005056
watch 10 10.9.0.40 005056
updates 10 10.9.0.45 005056
pacs 11 10.9.1.10 0025b5
ris 11 10.9.1.12 005056
vna 11 10.9.1.14 0025b5
viewer 11 10.9.1.16 005056
hie 11 10.9.1.20 005056
kis 11 10.9.1.21 005056
lis 11 10.9.1.22 005056
pharmacy 11 10.9.1.23 005056
central 11 10.9.1.30 00145e
pumps 11 10.9.1.31 005056
broker 11 10.9.1.40 005056
nvr 11 10.9.1.50 001018
ct 20 10.9.20.11 0009fb
mr 20 10.9.20.12 080019
us1 20 10.9.20.13 00a0d5
us2 20 10.9.20.14 00a0d5
dx 20 10.9.20.15 0009fb
read1 21 10.9.21.11 8cdcd4
read2 21 10.9.21.12 8cdcd4
read3 21 10.9.21.13 8cdcd4
hema 30 10.9.30.11 00e0c5
chem 30 10.9.30.12 00e0c5
gas 30 10.9.30.13 00e0c5
gateway 40 10.9.40.5 000947
camera 50 10.9.50.11 accc8e
meter 50 10.9.50.20 0080f4
printer 60 10.9.60.200 3ca82a
"""

IMAGERS = {  # modality, maker, model, station, serial, software; SOP class; images of a study; pixels' bytes
    "ct": (("CT", "Paper CT Works", "Slice 64", "CT_A", "CT-70012", "VB42"), CT, 40, 32768), "mr": (("MR", "Paper MR Works", "Field 3", "MR_A", "MR-3311", "R9.1"), MR, 60, 16384),
    "us1": (("US", "Echo Paper", "E7", "US_1", "US-101", "4.2"), US, 8, 98304), "us2": (("US", "Echo Paper", "E7", "US_2", "US-102", "4.2"), US, 8, 98304),
    "dx": (("DX", "Plate Paper", "P2", "DX_A", "DX-9", "2.0"), b"1.2.840.10008.5.1.4.1.1.1.1", 2, 262144),
}


class Hospital:
    """Hosts, patients and what is open; runs on the clock of the network."""

    def __init__(self, network, seed):
        self.network, self.chance, self.clock = network, network.chance, Clock()
        self.hosts = {}
        for line in ADDRESSES.split("\n")[1:-1]:
            name, vlan, address, maker = line.split()
            self.add(name, address, int(vlan), maker)
        for n in range(24):
            self.add(f"pc{n:02d}", f"10.9.60.{20 + n}", 60, "8cdcd4")
        for n in range(12):
            self.add(f"bed{n:02d}", f"10.9.40.{20 + n}", 40, "000947")
        self.patients = [(f"P{self.chance.randrange(10**7):07d}", f"PAPER{n:03d}^{self.chance.choice(('ANNA', 'BERT', 'CLEO', 'DORA'))}") for n in range(160)]
        self.studies, self.sent, self.links, self.numbers, self.first_number = [], [], {}, {}, 100_000

    def add(self, name, address, vlan, maker="020000"):
        mac = bytes.fromhex(maker) + bytes(int(part) & 255 for part in address.split(".")[1:])
        self.hosts[name] = Host(name, address, mac, vlan)
        return self.hosts[name]

    def outside(self, address):
        return self.hosts.setdefault(address, Host(address, address, b"", 0))

    def open(self, t, client, server, port, **options):
        to = self.hosts.get(server) or self.outside(server)
        return Connection(self.network, t, self.hosts[client], to, port, rtt=0.03 if to.vlan == 0 else 6e-4, **options).open()

    def patient(self):
        return self.chance.choice(self.patients)

    def uid(self):
        return b"2.25.%d" % self.chance.getrandbits(110)

    def number(self, name):
        self.numbers[name] = self.numbers.get(name, self.first_number) + 1
        return self.numbers[name]

    def exponential(self, mean):
        return lambda: self.chance.expovariate(1 / mean)

    def steady(self, mean, jitter=0.03):
        return lambda: mean * self.chance.uniform(1 - jitter, 1 + jitter)

    # Radiology

    def worklist(self, t, name):
        link = self.open(t, name, "ris", 5104)
        link.talk(speech.association(IMAGERS[name][0][3], "RIS_WL", [WORKLIST]))
        answers = [((0x00080050, "SH", f"A{n}"), (0x00100010, "PN", p[1]), (0x00100020, "LO", p[0])) for n, p in enumerate(self.chance.sample(self.patients, self.chance.randrange(9)))]
        link.talk(speech.find(1, 1, WORKLIST, ((0x00080050, "SH", ""), (0x00100010, "PN", ""), (0x00100020, "LO", ""), (0x00080060, "CS", IMAGERS[name][0][0])), answers))
        link.talk(speech.RELEASE).close()

    def examination(self, t, name, images=None):
        device, sop_class, usual, size = IMAGERS[name]
        patient, study = self.patient(), self.uid()
        self.step(t, name, 0x140)
        count = images or max(1, int(usual * self.chance.uniform(0.6, 1.4)))
        end = self.send_images(t + self.chance.uniform(60, 240), name, "pacs", 104, device[3], "PACS", sop_class, study, patient, device, count, size)
        self.step(end + 5, name, 0x120)
        self.studies.append((end, study, patient, sop_class, device, count, size))
        self.clock.at(end + 20, lambda t: self.send_images(t, "pacs", "vna", 11112, "PACS", "VNA", sop_class, study, patient, device, count, size) and None)

    def send_images(self, t, client, server, port, calling, called, sop_class, study, patient, device, count, size, changed=False):
        """The pixels of an image follow from its instance: the same wherever it goes, unless they are changed."""
        link = self.open(t, client, server, port)
        link.talk(speech.association(calling, called, [sop_class, VERIFICATION]))
        for n in range(count):
            instance = study + b".%d" % n
            own = random.Random(instance + (b"!" if changed else b"")).randrange(1 << 19)
            pixels = self.network.noise_pool[own:own + size // 2] + bytes(size // 2)
            link.talk(speech.store(n + 1, 1, sop_class, instance, speech.image(sop_class, instance, study, patient, device, pixels)))
        return link.talk(speech.RELEASE).close()

    def step(self, t, name, field):
        link = self.open(t, name, "ris", 5104)
        link.talk(speech.association(IMAGERS[name][0][3], "RIS_WL", [MPPS]))
        data = speech.data_set(((0x00400252, "CS", "IN PROGRESS" if field == 0x140 else "COMPLETED"),))
        link.send(CLIENT, speech.pdata(1, 1, speech.command(field, 1, MPPS, data=True, instance=self.uid())) + speech.pdata(1, 0, data))
        link.send(SERVER, speech.pdata(1, 1, speech.command(field | 0x8000, 1, MPPS, response=True)), 0.01)
        link.talk(speech.RELEASE).close()

    def reading(self, t, name, studies=1, destination=None):
        """A radiologist looks for a patient's studies and has one sent to the station."""
        title = name.upper()
        for _ in range(studies):
            known = [s for s in self.studies if s[0] < t]
            if not known:
                return
            _, study, patient, sop_class, device, count, size = self.chance.choice(known[-40:])
            link = self.open(t, name, "pacs", 104)
            link.talk(speech.association(title, "PACS", [STUDY_FIND, STUDY_MOVE]))
            link.talk(speech.find(1, 1, STUDY_FIND, speech.study_keys(patient=patient[0]), [speech.study_keys(patient=patient[0], name=patient[1], study=study.decode(), modality=device[0])]))
            target, called = destination or (name, title)
            link.send(CLIENT, speech.pdata(3, 1, speech.command(0x21, 2, STUDY_MOVE, data=True, destination=called.encode())) + speech.pdata(3, 0, speech.data_set(((0x00080052, "CS", "STUDY"), (0x0020000D, "UI", study)))), 1)
            link.t = self.send_images(link.t, "pacs", target, 11112 if destination else 4104, "PACS", called, sop_class, study, patient, device, count, size)
            link.send(SERVER, speech.pdata(3, 1, speech.command(0x8021, 2, STUDY_MOVE, response=True, counts=(0, count, 0, 0))))
            t = link.talk(speech.RELEASE).close() + self.chance.uniform(3, 9)

    # HL7: connections stay open, one for each sender and receiver

    def say(self, t, client, server, port, application, receiver, kind, segments, version="2.4"):
        link = self.links.get((client, server, port))
        if link is None or link.t > t + 3600:
            link = self.links[client, server, port] = self.open(t, client, server, port)
        link.t = max(link.t, t)
        control = f"{application}{self.number(application)}"
        message = speech.hl7(application, "MSH", receiver, kind, control, link.t, segments, version)
        self.sent.append((client, server, port, control, message))
        link.send(CLIENT, message)
        link.send(SERVER, speech.acknowledgement(receiver, "MSH", application, control, link.t), self.chance.uniform(0.004, 0.03))

    def admission(self, t):
        patient, event = self.patient(), self.chance.choice(("A01", "A04", "A08", "A08", "A08", "A03", "A02"))
        self.say(t, "kis", "hie", 6661, "KIS", "HIE", f"ADT^{event}", speech.adt(patient, event, t))
        for n, (server, port, application) in enumerate((("ris", 6701, "RIS"), ("lis", 6702, "LIS"), ("pharmacy", 6703, "PHARM"))):
            self.say(t + 0.1 * (n + 1), "hie", server, port, "HIE", application, f"ADT^{event}", speech.adt(patient, event, t))

    def order(self, t):
        patient = self.patient()
        segments = [speech.pid(patient), f"ORC|NW|{self.number('order')}", "OBR|1|||CBC^Blood count"]
        server, port, application = self.chance.choice((("lis", 6702, "LIS"), ("ris", 6701, "RIS")))
        self.say(t, "kis", "hie", 6661, "KIS", "HIE", "ORM^O01", segments)
        self.say(t + 0.1, "hie", server, port, "HIE", application, "ORM^O01", segments)

    def result(self, t):
        segments = speech.results(self.patient(), t, [f"{c}^{c}||{self.chance.uniform(1, 150):.1f}|g/L" for c in ("HB", "HCT", "WBC", "PLT", "NA", "K")])
        self.say(t, "lis", "hie", 6662, "LIS", "HIE", "ORU^R01", segments)
        self.say(t + 0.2, "hie", "kis", 6704, "HIE", "KIS", "ORU^R01", segments)

    def vitals(self, t):
        """IHE PCD-01: one message for each bed and minute."""
        for bed in range(12):
            observations = [f"{code}^MDC||{self.chance.uniform(lo, hi):.0f}|{unit}^MDC" for code, lo, hi, unit in (
                ("147842^MDC_ECG_HEART_RATE", 55, 120, "264864^MDC_DIM_BEAT_PER_MIN"), ("150456^MDC_PULS_OXIM_SAT_O2", 90, 100, "262688^MDC_DIM_PERCENT"))]
            segments = speech.results(self.patients[bed], t, observations, "69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC")
            self.say(t + bed * 0.4, "gateway", "hie", 6663, "PCDGW", "HIE", "ORU^R01^ORU_R01", segments, "2.6")

    def sample(self, t, name):
        """LIS02: a header, a patient, an order, results, a terminator; a new connection each time."""
        p = self.patient()
        link = self.open(t, name, "lis", 7001)
        link.talk(speech.astm((f"H|\\^&|||{name.upper()}^2.1|||||||P|LIS2-A2|{speech.stamp(t)}", f"P|1||{p[0]}", f"O|1|S{self.number('sample')}||^^^CBC",
                               *(f"R|{n}|^^^T{n}|{self.chance.uniform(1, 99):.1f}|U/L" for n in range(1, 9)), "L|1|N"))).close()

    # Wards, building, offices

    def bedside(self, t, bed):
        self.network.udp(t, self.hosts[bed], self.hosts["central"], 24105, 24005, b"\xe1\0\0\x02" + self.network.noise(420))

    def pump(self, t):
        self.open(t, f"bed{self.chance.randrange(12):02d}", "pumps", 8443).talk(speech.tls(self.network, "pumps.paper.example", 700, 400)).close()

    def fridge(self, t):
        link = self.links.get("mqtt")
        if link is None:
            link = self.links["mqtt"] = self.open(t, "meter", "broker", 1883)
            connect = b"\x00\x04MQTT\x04\xc2\x00\x3c" + b"\0\x05meter" + b"\0\x05fleet" + b"\0\x09paper-pass"
            link.send(CLIENT, bytes((0x10, len(connect))) + connect).send(SERVER, b"\x20\x02\0\0")
        link.t = max(link.t, t)
        body = b"\0\x0cfridge/blood" + b"%.1f" % self.chance.uniform(3, 5)
        link.send(CLIENT, bytes((0x30, len(body))) + body)

    def video(self, t):
        link = self.links.get("rtsp")
        if link is None:
            link = self.links["rtsp"] = self.open(t, "nvr", "camera", 554)
            link.send(CLIENT, b"DESCRIBE rtsp://10.9.50.11/s RTSP/1.0\r\nCSeq: 1\r\n\r\n").send(SERVER, b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n")
        for n in range(8):
            self.network.udp(t + n * 0.03, self.hosts["camera"], self.hosts["nvr"], 50000, 50002, struct.pack("!BBHII", 0x80, 96, self.number("rtp") & 0xFFFF, int(t * 90000) & 0xFFFFFFFF, 7) + self.network.noise(1100))

    def browse(self, t, pc):
        site = int(self.chance.paretovariate(0.7)) % 400
        name, address = f"www.site{site:03d}.example", f"{20 + site % 40}.{site // 2}.7.{site % 250 + 1}"
        self.network.dns(t, self.hosts[pc], self.hosts["dc"], name, address)
        for n in range(self.chance.randrange(1, 4)):
            link = self.open(t + 0.05 + n * 0.3, pc, address, 443)
            link.talk(speech.tls(self.network, name, self.chance.randrange(400, 3000), int(self.chance.lognormvariate(9, 1.2)))).close()

    def letter(self, t, pc):
        """A document is read, changed and written back; another is only read."""
        share = speech.Share(self.network, "files", "wards")
        share.open(f"letters\\{self.chance.randrange(900)}.docx").read(self.chance.randrange(20000, 60000)).close()
        share.open(f"letters\\{self.chance.randrange(900)}.docx", 1, 0x12019F).read(30000).write(b"a letter of plain words " * 1200).close()
        self.open(t, pc, "files", 445).talk(share.turns).close()

    def office(self, t, pc):
        job = self.chance.choices((self.browse, self.letter, self.show, self.printed), (5, 2, 3, 0.4))[0]
        job(t, pc)

    def show(self, t, pc):
        """The web viewer of the archive and the ward's application, by HTTPS."""
        name = self.chance.choice(("viewer", "kis"))
        self.network.dns(t, self.hosts[pc], self.hosts["dc"], f"{name}.paper.example", self.hosts[name].address)
        self.open(t + 0.01, pc, name, 443).talk(speech.tls(self.network, f"{name}.paper.example", 1500, self.chance.randrange(5000, 90000))).close()

    def printed(self, t, pc):
        self.open(t, pc, "printer", 9100).send(CLIENT, b"\x1b%-12345X@PJL JOB\r\n" + self.network.noise(40000)).close()

    def log_on(self, t, pc):
        """Address, directory and time of a PC in the morning or after a restart."""
        host, server, ident = self.hosts[pc], self.hosts["dhcp"], self.chance.getrandbits(32)
        self.network.udp(t, host, server, 68, 67, speech.dhcp(self.network, host, 3, address="0.0.0.0", ident=ident))
        self.network.udp(t + 0.002, server, host, 67, 68, speech.dhcp(self.network, host, 5, server.address, host.address, host.gateway, "10.9.0.10", ident))
        self.network.arp(t + 0.1, 1, host, host.gateway)
        self.network.dns(t + 0.2, host, self.hosts["dc"], "_ldap._tcp.paper.example", kind=33, data=struct.pack("!HHH", 0, 100, 389) + b"\x02dc\xc0\x0c")
        self.time(t + 0.5, pc)

    def time(self, t, name):
        self.network.udp(t, self.hosts[name], self.hosts["time"], 123, 123, b"\x23\x02\x06\xec" + bytes(36) + self.network.noise(8))
        self.network.udp(t + 4e-4, self.hosts["time"], self.hosts[name], 123, 123, b"\x24\x02\x06\xec" + bytes(36) + self.network.noise(8))

    def poll(self, t, name):
        """The monitoring asks each server and switch by SNMP and knocks at its service."""
        port, number = self.network.port(), self.chance.getrandbits(31)
        self.network.udp(t, self.hosts["watch"], self.hosts[name], port, 161, speech.snmp(b"paper-ro", number))
        self.network.udp(t + 0.001, self.hosts[name], self.hosts["watch"], 161, port, speech.snmp(b"paper-ro", number, 0xA2, value=b"\x41\x01\x05"))

    def arps(self, t, name):
        host = self.hosts[name]
        self.network.arp(t, 1, host, host.gateway)
        gateway = Host("", host.gateway, bytes.fromhex("84782d0a0b01"), host.vlan)
        self.network.arp(t + 3e-4, 2, gateway, host.address, to=host)

    def save(self, t):
        """The backup pulls from the file server and the archive by SSH, a few minutes each hour."""
        for name in ("files", "vna"):
            self.open(t, "backup", name, 22).talk(speech.ssh(self.network, 4000, 3_000_000)).close()
            t += 200

    def administer(self, t):
        target = self.chance.choice(("pacs", "hie", "files"))
        self.open(t, "pc00", target, 22).talk(speech.ssh(self.network, self.chance.randrange(2000, 9000), self.chance.randrange(9000, 60000))).close(self.chance.uniform(20, 300))

    def quiet(self, begin, end):
        """Puts a quiet day on the clock."""
        every = partial(self.clock.every, begin, end)
        for name in IMAGERS:
            every(self.exponential(6 * MINUTE), partial(self.worklist, name=name))
            every(self.exponential(15 * MINUTE), partial(self.examination, name=name))
        for name in ("read1", "read2", "read3"):
            every(self.exponential(5 * MINUTE), partial(self.reading, name=name))
        for mean, job in ((12, self.admission), (25, self.order), (18, self.result), (40, self.pump)):
            every(self.exponential(mean), job)
        for mean, job in ((MINUTE, lambda t: self.vitals(t)), (30, self.fridge), (1, self.video), (60 * MINUTE, self.save)):
            every(self.steady(mean), job)
        every(self.exponential(30 * MINUTE), self.administer)
        for name, mean in (("hema", 50), ("chem", 35), ("gas", 240)):
            every(self.exponential(mean), partial(self.sample, name=name))
        for name in (h for h in self.hosts if h.startswith("bed")):
            every(self.steady(1.0), partial(self.bedside, bed=name))
        for name in (h for h in self.hosts if h.startswith("pc")):
            every(self.exponential(70), partial(self.office, pc=name))
            every(self.exponential(90 * MINUTE), partial(self.log_on, pc=name))
        for name in ("pacs", "ris", "vna", "hie", "lis", "files", "dc", "printer", "ct", "mr"):
            every(self.steady(MINUTE), partial(self.poll, name=name))
        for name, host in list(self.hosts.items()):
            if host.vlan:
                every(self.exponential(4 * MINUTE), partial(self.arps, name=name))
                every(self.steady(1024, 0.2), partial(self.time, name=name))
