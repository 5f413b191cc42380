"""Writes a large capture of many small conversations: DICOM, HL7, HTTP, TLS, SSH, file shares, DNS, NTP, syslog, RTP.

Every TCP conversation is complete and correct: handshake, sequence numbers, acknowledgements, checksums, close. Almost all are open at
the same time. A quarter goes over IPv6, half carries a VLAN tag.
"""

import argparse
import heapq
import random
import struct

from raw_senders import associate, echo_command, item, pdu, pdv

MSS = 1440
SPAN_SECONDS = 120.0
HURRY_SECONDS = 0.002  # between the packets of a conversation that is still open then
START = 1_767_225_600.0
FIN, SYN, PSH, ACK = 1, 2, 8, 16
CLIENT, SERVER = 0, 1
OVERRUN_PACKETS = 4  # a conversation ends when its last request is answered, on average this late


# Conversations: generators of (direction, bytes), without an end of their own except where the protocol has a good-bye

def dicom(chance, noise):
    calling = f"MOD{chance.randrange(400):03d}"
    yield CLIENT, associate(calling, "HOSPPACS", contexts=chance.randrange(1, 60))
    accepted = b"".join(item(0x21, struct.pack("!BBBB", 2 * n + 1, 0, 0, 0) + item(0x40, b"1.2.840.10008.1.2")) for n in range(3))
    head = struct.pack("!HH", 1, 0) + b"HOSPPACS".ljust(16) + calling.ljust(16).encode() + bytes(32) + item(0x10, b"1.2.840.10008.3.1.1.1")
    yield SERVER, pdu(0x02, head + accepted + item(0x50, item(0x51, struct.pack("!I", 16384))))
    for number in range(1, 1 << 15):
        if chance.random() < 0.3:
            yield CLIENT, pdu(0x04, pdv(1, 3, echo_command()))
            yield SERVER, pdu(0x04, pdv(1, 3, response(0x8030, b"1.2.840.10008.1.1", number)))
            continue
        sop_class = b"1.2.840.10008.5.1.4.1.1.2"
        yield CLIENT, pdu(0x04, pdv(1, 3, store_command(sop_class, b"2.25.%d" % chance.getrandbits(100), number)))
        uid = b"2.25.%d" % chance.getrandbits(100)
        data = element(0x0008, 0x0016, sop_class) + element(0x0008, 0x0018, uid) + element(0x0008, 0x0060, b"CT") + element(0x0010, 0x0020, b"BULK%05d" % number)
        size = chance.choice((4096, 8192, 32768))
        data += struct.pack("<HHI", 0x7FE0, 0x0010, size) + noise(size)
        for at in range(0, len(data), 16378):
            part = data[at:at + 16378]
            yield CLIENT, pdu(0x04, pdv(1, 2 if at + len(part) == len(data) else 0, part))
        yield SERVER, pdu(0x04, pdv(1, 3, response(0x8001, sop_class, number)))


dicom.farewell = ((CLIENT, pdu(0x05, bytes(4))), (SERVER, pdu(0x06, bytes(4))))


def element(group, number, value):
    value += b" " * (len(value) % 2) if number not in (0x16, 0x18) else b"\0" * (len(value) % 2)
    return struct.pack("<HHI", group, number, len(value)) + value


def command(elements):
    return struct.pack("<HHII", 0, 0, 4, len(elements)) + elements


def short(number, value):
    return struct.pack("<HHIH", 0, number, 2, value)


def uid(number, value):
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HHI", 0, number, len(value)) + value


def store_command(sop_class, instance, number):
    return command(uid(2, sop_class) + short(0x100, 1) + short(0x110, number) + short(0x700, 0) + short(0x800, 1) + uid(0x1000, instance))


def response(field, sop_class, number):
    return command(uid(2, sop_class) + short(0x100, field) + short(0x120, number) + short(0x800, 0x101) + short(0x900, 0))


def hl7(chance, noise):
    sender = f"SYS{chance.randrange(300):03d}"
    for number in range(1 << 15):
        control = f"{sender}{number:06d}"
        kind = chance.choice(("ADT^A08^ADT_A01", "ORU^R01^ORU_R01", "ORM^O01^ORM_O01"))
        text = f"MSH|^~\\&|{sender}|IGH|ENGINE|IGH|20260101120000||{kind}|{control}|P|2.5\rEVN|A08|20260101120000\r"
        text += f"PID|1||BULK{chance.randrange(10**5):05d}^^^IGH^MR||Bulk^Patient||19000101|F\rPV1|1|I|W1^101^A\r"
        text += "".join(f"OBX|{n}|NM|C{n}^Test {n}||{chance.random() * 100:.1f}|mmol/L|||||F\r" for n in range(1, chance.randrange(2, 14)))
        yield CLIENT, b"\x0b" + text.encode() + b"\x1c\r"
        yield SERVER, f"\x0bMSH|^~\\&|ENGINE|IGH|{sender}|IGH|20260101120000||ACK|A{control}|P|2.5\rMSA|AA|{control}\x1c\r".encode()


def http(chance, noise):
    while True:
        yield CLIENT, b"GET /page/%d HTTP/1.1\r\nHost: intranet\r\nUser-Agent: bulk\r\nAccept: */*\r\n\r\n" % chance.randrange(10 ** 6)
        size = chance.choice((300, 600, 1200, 5000))
        yield SERVER, b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % size + noise(size)


def tls(chance, noise):
    hello = b"\x03\x03" + noise(32) + b"\0\0\x02\x13\x01\x01\0\0\0"
    yield CLIENT, struct.pack("!BHH", 22, 0x301, len(hello) + 4) + b"\x01" + len(hello).to_bytes(3, "big") + hello
    hello = b"\x03\x03" + noise(32) + b"\0\x13\x01\0"
    yield SERVER, struct.pack("!BHH", 22, 0x303, len(hello) + 4) + b"\x02" + len(hello).to_bytes(3, "big") + hello
    while True:
        for direction in (CLIENT, SERVER):
            size = chance.choice((60, 120, 600, 1400, 2600))
            yield direction, struct.pack("!BHH", 23, 0x303, size) + noise(size)


def ssh(chance, noise):
    yield SERVER, b"SSH-2.0-OpenSSH_9.2p1\r\n"
    yield CLIENT, b"SSH-2.0-dropbear_2022.83\r\n"
    while True:
        for direction in (CLIENT, SERVER):
            yield direction, noise(chance.choice((36, 52, 84, 196)))


def share(chance, noise):
    while True:
        for direction, size in ((CLIENT, 120), (SERVER, chance.choice((180, 180, 1200, 8000)))):
            yield direction, struct.pack("!I", size) + b"\xfeSMB" + noise(size - 4)


def dns(chance, noise):
    query = struct.pack("!HHHHHH", chance.randrange(65536), 0x100, 1, 0, 0, 0)
    name = bytes((4,)) + b"h%03d" % chance.randrange(1000) + b"\x08hospital\x04test\0" + struct.pack("!HH", 1, 1)
    yield CLIENT, query + name
    yield SERVER, query[:2] + struct.pack("!HHHHH", 0x8580, 1, 1, 0, 0) + name + b"\xc0\x0c" + struct.pack("!HHIHI", 1, 1, 300, 4, 0x0A141400)


def ntp(chance, noise):
    for _ in range(2):
        yield CLIENT, b"\x23" + bytes(39) + noise(8)
        yield SERVER, b"\x24\x08\x06\xe8" + bytes(12) + noise(32)


def syslog(chance, noise):
    while True:
        yield CLIENT, b"<134>1 2026-01-01T12:00:00Z host app - - - event %d" % chance.randrange(10 ** 9) * 2


def rtp(chance, noise):
    sequence, source = chance.randrange(1 << 16), noise(4)
    while True:
        sequence = (sequence + 1) & 0xFFFF
        yield CLIENT, struct.pack("!BBHI", 0x80, 0, sequence, sequence * 160 & 0xFFFFFFFF) + source + noise(160)


#        conversation, port, TCP, share of flows, packets per flow relative to the others
KINDS = ((dicom, 104, True, 0.10, 2.1), (hl7, 2575, True, 0.14, 1.7), (http, 80, True, 0.16, 1.0), (tls, 443, True, 0.18, 1.0), (ssh, 22, True, 0.04, 0.6),
         (share, 445, True, 0.08, 1.6), (dns, 53, False, 0.20, 0), (ntp, 123, False, 0.04, 0), (syslog, 514, False, 0.03, 0.4), (rtp, 5004, False, 0.03, 1.6))


class Flow:
    """One conversation as packets: packets() yields (gap weight, frame)."""

    def __init__(self, kind, number, packets, chance, noise):
        self.conversation, self.server_port, self.tcp = kind[:3]
        self.chance, self.packets_wanted = chance, packets
        self.ports = (1024 + chance.randrange(64000), self.server_port)
        client, server = number % 60000, number % 211
        self.v6 = chance.random() < 0.25
        if self.v6:
            addresses = (bytes.fromhex("fd207e5700000050") + struct.pack("!Q", client + 1), bytes.fromhex("fd207e5700000020") + struct.pack("!Q", server + 1))
        else:
            addresses = (struct.pack("!BBH", 10, 20 + client % 7, client + 1), struct.pack("!BBH", 10, 10, server + 1))
        self.addresses = addresses
        macs = (b"\x00\x01\xe6" + struct.pack("!I", client)[1:], b"\x00\x0c\x29" + struct.pack("!I", server)[1:])
        tag = struct.pack("!HH", 0x8100, 10 + number % 5) if chance.random() < 0.5 else b""
        kind_of_ip = b"\x86\xdd" if self.v6 else b"\x08\x00"
        self.link = (macs[1] + macs[0] + tag + kind_of_ip, macs[0] + macs[1] + tag + kind_of_ip)
        self.sequence = [chance.getrandbits(32), chance.getrandbits(32)]
        self.identification = chance.getrandbits(16)
        self.noise = noise

    def frame(self, direction, flags, payload=b""):
        protocol = 6 if self.tcp else 17
        source, destination = self.addresses[direction], self.addresses[1 - direction]
        ports = struct.pack("!HH", self.ports[direction], self.ports[1 - direction])
        if self.tcp:
            acknowledged = self.sequence[1 - direction] if flags & ACK else 0
            segment = ports + struct.pack("!IIBBHHH", self.sequence[direction], acknowledged, 0x50, flags, 64240, 0, 0) + payload
            self.sequence[direction] = (self.sequence[direction] + len(payload) + (1 if flags & (SYN | FIN) else 0)) & 0xFFFFFFFF
            at = 16
        else:
            segment = ports + struct.pack("!HH", 8 + len(payload), 0) + payload
            at = 6
        # The one's complement sum of 16-bit words is the number they form, modulo 65535 (RFC 1071).
        pseudo = source + destination + struct.pack("!HH", protocol, len(segment)) + segment + b"\0" * (len(segment) & 1)
        checksum = 0xFFFF - int.from_bytes(pseudo, "big") % 0xFFFF
        if self.tcp:
            checksum %= 0xFFFF
        segment = segment[:at] + struct.pack("!H", checksum) + segment[at + 2:]
        if self.v6:
            return self.link[direction] + struct.pack("!IHBB", 0x60000000, len(segment), protocol, 63) + source + destination + segment
        self.identification = (self.identification + 1) & 0xFFFF
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), self.identification, 0x4000, 63, protocol, 0) + source + destination
        checksum = 0xFFFF - int.from_bytes(header, "big") % 0xFFFF
        return self.link[direction] + header[:10] + struct.pack("!H", checksum) + header[12:] + segment

    def packets(self):
        conversation = self.conversation(self.chance, self.noise)
        if not self.tcp:
            for count, (direction, payload) in enumerate(conversation):
                if self.packets_wanted and count >= self.packets_wanted:
                    return
                yield self.frame(direction, 0, payload)
            return
        yield self.frame(CLIENT, SYN)
        yield self.frame(SERVER, SYN | ACK)
        yield self.frame(CLIENT, ACK)
        sent = 3
        for direction, payload in conversation:
            if sent >= self.packets_wanted and direction == CLIENT and self.asked:
                break
            for frame in self.message(direction, payload):
                sent += 1
                yield frame
            self.asked = direction == SERVER or self.conversation is share
        for direction, payload in getattr(self.conversation, "farewell", ()):
            yield from self.message(direction, payload)
        yield self.frame(CLIENT, FIN | ACK)
        yield self.frame(SERVER, FIN | ACK)
        yield self.frame(CLIENT, ACK)

    asked = False  # the last request was answered: a good moment to end

    def message(self, direction, payload):
        for number, at in enumerate(range(0, len(payload), MSS), 1):
            part = payload[at:at + MSS]
            yield self.frame(direction, ACK | (PSH if at + len(part) == len(payload) else 0), part)
            if number % 2 == 0:
                yield self.frame(1 - direction, ACK)


def write(path, seed, flow_count, packet_count):
    chance = random.Random(seed)
    pool = chance.randbytes(1 << 20)

    def noise(size):
        at = chance.randrange(len(pool) - size)
        return pool[at:at + size]

    kinds = chance.choices(KINDS, weights=[k[3] for k in KINDS], k=flow_count)
    weights = [k[4] * chance.lognormvariate(0, 0.8) for k in kinds]
    few = sum(3 for k in kinds if not k[4])
    scale = (packet_count - few - OVERRUN_PACKETS * flow_count) / sum(weights)
    queue = []
    for number, (kind, weight) in enumerate(zip(kinds, weights)):
        wanted = max(8, round(weight * scale)) if weight else 0
        packets = Flow(kind, number, wanted, chance, noise).packets()
        begin = chance.random() * SPAN_SECONDS * (0.05 if wanted else 0.98)
        gap = (SPAN_SECONDS * 0.95 - begin) / wanted if wanted else 0.002
        queue.append((begin, number, gap, packets))
    heapq.heapify(queue)
    count = size = 0
    with open(path, "wb", buffering=1 << 20) as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        record = struct.Struct("<IIII").pack
        while queue:
            moment, number, gap, packets = queue[0]
            frame = next(packets, None)
            if frame is None:
                heapq.heappop(queue)
                continue
            seconds = int(START + moment)
            file.write(record(seconds, int((START + moment - seconds) * 1e6), len(frame), len(frame)) + frame)
            count += 1
            size += len(frame)
            pause = gap * (0.5 + chance.random()) if moment < SPAN_SECONDS else HURRY_SECONDS
            heapq.heapreplace(queue, (moment + pause, number, gap, packets))
    print(f"{path}: {flow_count:,} flows, {count:,} packets, {size:,} bytes, {size / count:.0f} bytes each")


def main():
    parser = argparse.ArgumentParser(prog="make-bulk mixed")
    parser.add_argument("file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--flows", type=int, default=20_000)
    parser.add_argument("--packets", type=int, default=1_500_000)
    arguments = parser.parse_args()
    write(arguments.file, arguments.seed, arguments.flows, arguments.packets)


if __name__ == "__main__":
    main()
