"""What the programs of the hospital say: payloads, and turns of conversations, (direction, payload[, pause in seconds])."""

import struct
import time

from wire import CLIENT, SERVER, ip

CT, MR, US, SR = (b"1.2.840.10008.5.1.4.1.1.2", b"1.2.840.10008.5.1.4.1.1.4", b"1.2.840.10008.5.1.4.1.1.6.1", b"1.2.840.10008.5.1.4.1.1.88.33")
VERIFICATION, WORKLIST, MPPS = b"1.2.840.10008.1.1", b"1.2.840.10008.5.1.4.31", b"1.2.840.10008.3.1.2.3.3"
STUDY_FIND, STUDY_MOVE = b"1.2.840.10008.5.1.4.1.2.2.1", b"1.2.840.10008.5.1.4.1.2.2.2"
IMPLICIT, EXPLICIT = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1"


# DICOM (PS3.5, PS3.7, PS3.8)

def item(kind, body):
    return struct.pack("!BBH", kind, 0, len(body)) + body


def pdu(kind, body):
    return struct.pack("!BBI", kind, 0, len(body)) + body


def association(calling, called, contexts, implementation=b"1.2.276.0.7230010.3.0.3.6.7", version=b"OFFIS_DCMTK_367", maximum=16384):
    """The request and the acceptance; context identifiers are 1, 3, …"""
    titles = called.encode().ljust(16) + calling.encode().ljust(16)
    user = item(0x50, item(0x51, struct.pack("!I", maximum)) + item(0x52, implementation) + item(0x55, version))
    head = struct.pack("!HH", 1, 0) + titles + bytes(32) + item(0x10, b"1.2.840.10008.3.1.1.1")
    asked = b"".join(item(0x20, bytes((2 * n + 1, 0, 0, 0)) + item(0x30, c) + item(0x40, EXPLICIT) + item(0x40, IMPLICIT)) for n, c in enumerate(contexts))
    given = b"".join(item(0x21, bytes((2 * n + 1, 0, 0, 0)) + item(0x40, EXPLICIT)) for n in range(len(contexts)))
    return [(CLIENT, pdu(1, head + asked + user)), (SERVER, pdu(2, head + given + user), 0.002)]


RELEASE = [(CLIENT, pdu(5, bytes(4)), 0.01), (SERVER, pdu(6, bytes(4)))]


def rejection(reason, source=1):
    return (SERVER, pdu(3, bytes((0, 1, source, reason))), 0.001)


def pdata(context, flags, data, most=16370):
    """Data in as many PDUs as the maximum length asks for; flags: 1 command, 0 data set."""
    parts = [data[at:at + most] for at in range(0, len(data), most)] or [b""]
    return b"".join(pdu(4, struct.pack("!IBB", len(p) + 2, context, flags | (2 if n == len(parts) - 1 else 0)) + p) for n, p in enumerate(parts))


def command(field, number, sop_class, response=False, data=False, status=0, instance=b"", destination=b"", counts=()):
    """A command set; counts: remaining, completed, failed, warning sub-operations."""
    even = lambda value, pad: value + pad * (len(value) % 2)
    elements = [(2, even(sop_class, b"\0")), (0x100, struct.pack("<H", field)), (0x120 if response else 0x110, struct.pack("<H", number))]
    if destination:
        elements.append((0x600, even(destination, b" ")))
    if not response:
        elements.append((0x700, struct.pack("<H", 0)))
    elements.append((0x800, struct.pack("<H", 1 if data else 0x101)))
    if response:
        elements.append((0x900, struct.pack("<H", status)))
    if instance:
        elements.append((0x1000, even(instance, b"\0")))
    elements += [(0x1020 + n, struct.pack("<H", count)) for n, count in enumerate(counts)]
    body = b"".join(struct.pack("<HHI", 0, tag, len(value)) + value for tag, value in elements)
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def data_set(elements):
    """Explicit little endian; elements: (tag, VR, value as text or bytes)."""
    result = b""
    for tag, vr, value in elements:
        value = value.encode() if isinstance(value, str) else value
        value += (b"\0" if vr in ("UI", "OB", "OW") else b" ") * (len(value) % 2)
        size = struct.pack("<HI", 0, len(value)) if vr in ("OB", "OW", "SQ", "UN") else struct.pack("<H", len(value))
        result += struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode() + size + value
    return result


def image(sop_class, instance, study, patient, device, pixels, rows=128):
    """device: (modality, manufacturer, model, station, serial, software)."""
    modality, maker, model, station, serial, software = device
    return data_set((
        (0x00080016, "UI", sop_class), (0x00080018, "UI", instance), (0x00080060, "CS", modality), (0x00080070, "LO", maker), (0x00081010, "SH", station), (0x00081090, "LO", model),
        (0x00100010, "PN", patient[1]), (0x00100020, "LO", patient[0]), (0x00181000, "LO", serial), (0x00181020, "LO", software), (0x0020000D, "UI", study),
        (0x00280010, "US", struct.pack("<H", rows)), (0x00280011, "US", struct.pack("<H", len(pixels) // 2 // rows)), (0x00280100, "US", struct.pack("<H", 16)), (0x7FE00010, "OW", pixels)))


def store(number, context, sop_class, instance, dataset, status=0):
    return [(CLIENT, pdata(context, 1, command(0x01, number, sop_class, data=True, instance=instance)) + pdata(context, 0, dataset), 0.02),
            (SERVER, pdata(context, 1, command(0x8001, number, sop_class, response=True, status=status, instance=instance)), 0.01)]


def echo(number, context=1):
    return [(CLIENT, pdata(context, 1, command(0x30, number, VERIFICATION))), (SERVER, pdata(context, 1, command(0x8030, number, VERIFICATION, response=True)), 0.001)]


def find(number, context, sop_class, keys, answers):
    turns = [(CLIENT, pdata(context, 1, command(0x20, number, sop_class, data=True)) + pdata(context, 0, data_set(keys)), 0.005)]
    turns += [(SERVER, pdata(context, 1, command(0x8020, number, sop_class, response=True, data=True, status=0xFF00)) + pdata(context, 0, data_set(answer)), 0.002) for answer in answers]
    return turns + [(SERVER, pdata(context, 1, command(0x8020, number, sop_class, response=True)), 0.001)]


def study_keys(level="STUDY", patient="", name="", study="", modality=""):
    return ((0x00080052, "CS", level), (0x00080061, "CS", modality), (0x00100010, "PN", name), (0x00100020, "LO", patient), (0x0020000D, "UI", study))


# HL7 v2 over MLLP

def hl7(application, facility, receiver, kind, control, t, segments, version="2.4"):
    head = f"MSH|^~\\&|{application}|{facility}|{receiver}|{facility}|{stamp(t)}||{kind}|{control}|P|{version}"
    return b"\x0b" + "".join(s + "\r" for s in (head, *segments)).encode("latin-1") + b"\x1c\r"


def acknowledgement(application, facility, receiver, control, t, code="AA"):
    return hl7(application, facility, receiver, "ACK", f"A{control}", t, [f"MSA|{code}|{control}"])


def pid(patient):
    return f"PID|1||{patient[0]}^^^MSH^MR||{patient[1]}||19610704|F|||3 Paper Lane^^Nowhere"


def adt(patient, event, t):
    return [f"EVN|{event}|{stamp(t)}", pid(patient), "PV1|1|I|3N^312^A|||||7788^Paper^Doctor"]


def results(patient, t, observations, ordered="CBC^Blood count"):
    return [pid(patient), "PV1|1|I|3N^312^A", f"OBR|1|||{ordered}|||{stamp(t)}", *(f"OBX|{n}|NM|{o}|||||F" for n, o in enumerate(observations, 1))]


def stamp(t):
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(t))


# The laboratory's link (LIS01, LIS02)

def astm(records):
    turns = [(CLIENT, b"\x05"), (SERVER, b"\x06", 0.02)]
    for number, record in enumerate(records, 1):
        body = f"{number % 8}{record}\r\x03".encode()
        turns += [(CLIENT, b"\x02" + body + f"{sum(body) & 255:02X}\r\n".encode(), 0.01), (SERVER, b"\x06", 0.02)]
    return turns + [(CLIENT, b"\x04", 0.01)]


# The rest

def request(method, path, host, agent, headers="", body=b""):
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def reply(status, body, kind="application/json", headers=""):
    return f"HTTP/1.1 {status}\r\nServer: nginx\r\nContent-Type: {kind}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def tls(network, name, up, down, version=0x0303):
    """A hello of TLS 1.3 with a name, or of an older version, then records of up and down bytes."""
    server_name = struct.pack("!HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name.encode() if name else b""
    extensions = server_name + struct.pack("!HHHHH", 10, 6, 4, 29, 23) + struct.pack("!HHHHH", 13, 6, 4, 0x0403, 0x0804)
    is13 = version == 0x0303
    if is13:
        extensions += struct.pack("!HHBHH", 43, 5, 4, 0x0304, 0x0303) + struct.pack("!HHHHH", 51, 38, 36, 29, 32) + network.noise(32)
    suites = struct.pack("!8H", 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0x9C)
    body = struct.pack("!H", min(version, 0x0303)) + network.noise(32) + b"\x20" + network.noise(32) + struct.pack("!H", len(suites)) + suites + b"\x01\0" + struct.pack("!H", len(extensions)) + extensions
    hello = record(22, b"\x01" + len(body).to_bytes(3, "big") + body, 0x0301)
    chosen = struct.pack("!HHH", 43, 2, 0x0304) + struct.pack("!HHHH", 51, 36, 29, 32) + network.noise(32) if is13 else b""
    body = struct.pack("!H", version) + network.noise(32) + b"\x20" + network.noise(32) + struct.pack("!HB", 0x1301 if is13 else 0x2F, 0) + struct.pack("!H", len(chosen)) + chosen
    answer = record(22, b"\x02" + len(body).to_bytes(3, "big") + body) + record(20, b"\x01") + record(23, network.noise(1800))
    turns = [(CLIENT, hello), (SERVER, answer, 0.004), (CLIENT, record(20, b"\x01") + record(23, network.noise(53)))]
    for direction, size in ((CLIENT, up), (SERVER, down)):
        data = b""
        while size > 0:
            data += record(23, network.noise(min(size, 16000)))
            size -= 16000
        turns.append((direction, data, 0.02))
    return [turn for turn in turns if turn[1]]


def record(kind, body, version=0x0303):
    return struct.pack("!BHH", kind, version, len(body)) + body


def ssh(network, up, down, client=b"OpenSSH_9.2p1"):
    suites = [b"curve25519-sha256", b"ssh-ed25519", b"aes128-ctr", b"aes128-ctr", b"hmac-sha2-256", b"hmac-sha2-256", b"none", b"none", b"", b""]
    body = b"\x14" + network.noise(16) + b"".join(struct.pack("!I", len(s)) + s for s in suites) + bytes(5)
    pad = 8 - (len(body) + 5) % 8 + 8
    exchange = struct.pack("!IB", len(body) + pad + 1, pad) + body + bytes(pad)
    turns = [(SERVER, b"SSH-2.0-OpenSSH_9.2p1\r\n", 0.005), (CLIENT, b"SSH-2.0-" + client + b"\r\n"), (SERVER, exchange), (CLIENT, exchange), (CLIENT, packet(network, 36)), (SERVER, packet(network, 452)), (CLIENT, packet(network, 12))]
    turns += [(CLIENT, network.noise(44)), (SERVER, network.noise(44)), (CLIENT, network.noise(60)), (SERVER, network.noise(52), 0.05)]
    for direction, size in ((CLIENT, up), (SERVER, down)):
        turns += [(direction, network.noise(min(size - at, 16384)), 0.01) for at in range(0, size, 16384)]
    return turns


def packet(network, size):
    """An unencrypted packet of the key exchange (RFC 4253)."""
    pad = 8 - (size + 5) % 8 + 4
    return struct.pack("!IB", size + pad + 1, pad) + bytes((30 if size < 100 else 31,)) + network.noise(size - 1) + bytes(pad)


def smb2(code, number, body, response=False, status=0, tree=1, session=0x77):
    head = b"\xfeSMB" + struct.pack("<HHIHHIIQIIQ", 64, 1, status, code, 1, 1 if response else 0, 0, number, 0xFEFF, tree, session) + bytes(16)
    return struct.pack("!I", len(head) + len(body)) + head + body


class Share:
    """A session of SMB 3.0 on one share: log-in, then files. The log-in's tokens are noise of the right shape."""

    def __init__(self, network, server_name, share, failed=False):
        self.network, self.number = network, 0
        token = b"NTLMSSP\0" + struct.pack("<I", 3) + network.noise(120)
        self.turns = self.exchange(0, struct.pack("<HHHHI", 36, 1, 1, 0, 0x7F) + network.noise(16) + bytes(8) + struct.pack("<H", 0x300), struct.pack("<HHHH", 65, 1, 0x300, 0) + network.noise(16) + struct.pack("<IIIIQQHHI", 0x7F, 1 << 20, 1 << 20, 1 << 20, 0, 0, 128, 0, 0))
        self.turns += self.exchange(1, struct.pack("<HBBIIHHQ", 25, 0, 1, 0x7F, 0, 88, len(token), 0) + token, struct.pack("<HHHH", 9, 0, 72, 0), 0xC000006D if failed else 0)
        if failed:
            return
        path = f"\\\\{server_name}\\{share}".encode("utf-16-le")
        self.turns += self.exchange(3, struct.pack("<HHHH", 9, 0, 72, len(path)) + path, struct.pack("<HBBIII", 16, 1, 0, 0x30, 0, 0x1F01FF))

    def exchange(self, code, asked, answered, status=0):
        self.number += 1
        return [(CLIENT, smb2(code, self.number, asked), 0.002), (SERVER, smb2(code, self.number, answered, True, status), 0.001)]

    def open(self, name, disposition=1, access=0x120089):
        self.file = self.network.chance.getrandbits(64)
        text = name.encode("utf-16-le")
        asked = struct.pack("<HBBIQQIIIIIHHII", 57, 0, 0, 2, 0, 0, access, 0x80, 7, disposition, 0x40, 120, len(text), 0, 0) + text
        self.turns += self.exchange(5, asked, struct.pack("<HBBI", 89, 0, 0, 1) + bytes(32) + struct.pack("<QQII", 4096, 30000, 0x20, 0) + struct.pack("<QQ", self.file, self.file) + bytes(8))
        return self

    def read(self, size):
        for at in range(0, size, 65536):
            part = min(size - at, 65536)
            self.turns += self.exchange(8, struct.pack("<HBBIQQQIIIHH", 49, 0x50, 0, part, at, self.file, self.file, 0, 0, 0, 0, 0) + b"\0", struct.pack("<HBBIII", 17, 80, 0, part, 0, 0) + b"plain text of a letter " * (part // 23))
        return self

    def write(self, data):
        for at in range(0, len(data), 65536):
            part = data[at:at + 65536]
            self.turns += self.exchange(9, struct.pack("<HHIQQQIIHHI", 49, 112, len(part), at, self.file, self.file, 0, 0, 0, 0, 0) + part, struct.pack("<HHIIHH", 17, 0, len(part), 0, 0, 0))
        return self

    def rename(self, name):
        text = name.encode("utf-16-le")
        info = struct.pack("<B7xQI", 0, 0, len(text)) + text
        self.turns += self.exchange(17, struct.pack("<HBBIHHIQQ", 33, 1, 10, len(info), 96, 0, 0, self.file, self.file) + info, struct.pack("<H", 2))
        return self

    def close(self):
        self.turns += self.exchange(6, struct.pack("<HHIQQ", 24, 0, 0, self.file, self.file), struct.pack("<HHI", 60, 0, 0) + bytes(52))
        return self


def dhcp(network, host, kind, server="", address="0.0.0.0", router="", dns="", ident=None, name=None):
    """kind: 1 discover, 2 offer, 3 request, 5 acknowledgement (RFC 2131, 2132)."""
    answers = kind in (2, 5)
    head = struct.pack("!BBBBIHH", 2 if answers else 1, 1, 6, 0, ident, 0, 0) + bytes(4) + ip(address) + bytes(8) + host.mac + bytes(10 + 192)
    options = bytes((53, 1, kind))
    if answers:
        options += b"\x36\x04" + ip(server) + b"\x33\x04\0\0\x70\x80" + b"\x01\x04\xff\xff\xff\0" + b"\x03\x04" + ip(router) + b"\x06\x04" + ip(dns)
    else:
        label = (name or host.name).encode()
        options += bytes((12, len(label))) + label + b"\x3c\x08MSFT 5.0" + b"\x37\x07\x01\x03\x06\x0f\x1f\x21\x2b"
    return head + b"\x63\x82\x53\x63" + options + b"\xff"


def snmp(community, request_id, kind=0xA1, oid=b"\x2b\x06\x01\x02\x01\x02\x02\x01\x0a\x01", value=b"\x05\0"):
    """SNMPv2c: get-next, or an answer (0xA2)."""
    binding = tlv(0x30, tlv(0x30, tlv(6, oid) + value))
    body = tlv(2, struct.pack("!I", request_id & 0x7FFFFFFF)) + tlv(2, b"\0") + tlv(2, b"\0") + binding
    return tlv(0x30, tlv(2, b"\x01") + tlv(4, community) + tlv(kind, body))


def tlv(tag, body):
    return bytes((tag, len(body))) + body if len(body) < 128 else bytes((tag, 0x81, len(body))) + body
