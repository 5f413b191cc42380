"""Frames of invented hosts on a switched and routed network, as its trunk mirror shows them, in a pcap file."""

import heapq
import itertools
import random
import struct
from dataclasses import dataclass

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = 0, 1
MSS = 1460
BROADCAST = b"\xff" * 6
ROUTER_MAC = bytes.fromhex("84782d0a0b01")


def ip(text):
    return bytes(int(part) for part in text.split("."))


@dataclass
class Host:
    """A host with one address. One outside (VLAN 0) lies behind the router."""

    name: str
    address: str
    mac: bytes
    vlan: int

    @property
    def gateway(self):
        return self.address.rsplit(".", 1)[0] + ".1"


class Network:
    """Takes frames with their time, in any order, and writes them sorted. Routed packets are there twice, as on a trunk: other tag, other MAC addresses, TTL one less."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.noise_pool = self.chance.randbytes(1 << 20)
        self.frames, self.count = [], itertools.count()
        self.identification = {}

    def noise(self, size):
        if size > len(self.noise_pool) // 2:
            return self.noise_pool[:size]
        at = self.chance.randrange(len(self.noise_pool) - size)
        return self.noise_pool[at:at + size]

    def put(self, t, frame):
        self.frames.append((t, next(self.count), frame))

    def ethernet(self, t, source, destination, vlan, kind, body):
        self.put(t, destination + source + struct.pack("!HHH", 0x8100, vlan, kind) + body.ljust(42, b"\0"))

    def packet(self, t, source, destination, protocol, body, mac=None, ttl=64):
        """An IPv4 packet between hosts, by the router where their VLANs differ."""
        number = self.identification[source.address] = (self.identification.get(source.address, len(source.address) * 911) + 1) & 0xFFFF

        def header(hops):
            head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), number, 0x4000, hops, protocol, 0) + ip(source.address) + ip(destination.address)
            return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body

        if source.vlan == destination.vlan:
            self.ethernet(t, mac or source.mac, destination.mac, source.vlan, 0x0800, header(ttl))
            return
        if source.vlan:
            self.ethernet(t, mac or source.mac, ROUTER_MAC, source.vlan, 0x0800, header(ttl))
        if destination.vlan:
            self.ethernet(t + 18e-6, ROUTER_MAC, destination.mac, destination.vlan, 0x0800, header(ttl - 1))

    def udp(self, t, source, destination, source_port, port, payload):
        body = struct.pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload
        self.packet(t, source, destination, 17, body)

    def broadcast(self, t, source, source_port, port, payload, address="255.255.255.255", mac=BROADCAST, own="", ttl=1):
        body = struct.pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, ttl, 17, 0) + ip(own or source.address) + ip(address)
        self.ethernet(t, source.mac, mac, source.vlan, 0x0800, head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body)

    def arp(self, t, operation, source, target, mac=None, to=None, own=None):
        """A request is broadcast; an answer goes to one host."""
        mac = mac or source.mac
        body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + mac + ip(own or source.address) + (to.mac if to else bytes(6)) + ip(target)
        self.ethernet(t, mac, to.mac if to else BROADCAST, source.vlan, 0x0806, body)

    def dns(self, t, client, server, name, answer="10.9.0.9", kind=1, data=None):
        """A question and its answer after half a millisecond; data: the answer's raw record data, None for an address."""
        port, ident = self.port(), self.chance.randrange(65536)
        question = b"".join(bytes((len(label),)) + label.encode() for label in name.split(".")) + b"\0" + struct.pack("!HH", kind, 1)
        self.udp(t, client, server, port, 53, struct.pack("!HHHHHH", ident, 0x100, 1, 0, 0, 0) + question)
        record = ip(answer) if data is None else data
        self.udp(t + 5e-4, server, client, 53, port, struct.pack("!HHHHHH", ident, 0x8580, 1, 1, 0, 0) + question + b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 300, len(record)) + record)

    def port(self):
        return self.chance.randrange(49152, 65500)

    def write(self, path):
        self.frames.sort()
        with open(path, "wb", buffering=1 << 20) as file:
            file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
            for t, _, frame in self.frames:
                file.write(struct.pack("<IIII", int(t), int(t % 1 * 1e9), len(frame), len(frame)) + frame)
        print(f"{path}: {len(self.frames):,} frames, {(self.frames[-1][0] - self.frames[0][0]) / 3600:.2f} h")


def checksum(data):
    """RFC 1071, over an even number of bytes."""
    return 0xFFFF - int.from_bytes(data, "big") % 0xFFFF


class Connection:
    """A TCP connection. Its clock, self.t, moves on with what is sent."""

    def __init__(self, network, t, client, server, port, rtt=6e-4, source_port=0, mac=None):
        self.network, self.t, self.rtt, self.mac = network, t, rtt, mac
        self.ends, self.ports = (client, server), (source_port or network.port(), port)
        self.sequence = [network.chance.getrandbits(32), network.chance.getrandbits(32)]

    def segment(self, direction, flags, payload=b"", options=b""):
        acknowledged = self.sequence[1 - direction] if flags & ACK else 0
        head = struct.pack("!HHIIBBHHH", self.ports[direction], self.ports[1 - direction], self.sequence[direction], acknowledged, (5 + len(options) // 4) << 4, flags, 64240, 0, 0)
        source, destination = self.ends[direction], self.ends[1 - direction]
        body = head + options + payload
        pseudo = ip(source.address) + ip(destination.address) + struct.pack("!HH", 6, len(body)) + body + b"\0" * (len(body) & 1)
        body = body[:16] + struct.pack("!H", checksum(pseudo)) + body[18:]
        self.network.packet(self.t, source, destination, 6, body, self.mac if direction == CLIENT else None)
        self.sequence[direction] = (self.sequence[direction] + len(payload) + (1 if flags & (SYN | FIN) else 0)) & 0xFFFFFFFF

    def open(self):
        mss = struct.pack("!BBH", 2, 4, MSS) + b"\x01\x03\x03\x07" + b"\x04\x02\x01\x01"
        self.segment(CLIENT, SYN, options=mss)
        self.t += self.rtt
        self.segment(SERVER, SYN | ACK, options=mss)
        self.t += self.rtt / 2
        self.segment(CLIENT, ACK)
        return self

    def refused(self):
        """A port on which nobody listens."""
        self.segment(CLIENT, SYN, options=struct.pack("!BBH", 2, 4, MSS))
        self.t += self.rtt
        self.segment(SERVER, RST | ACK)

    def send(self, direction, payload, pause=0.0):
        """Payload after a pause; every second segment is acknowledged at once, the last after a while."""
        self.t += pause + self.rtt / 2
        for number, at in enumerate(range(0, len(payload), MSS), 1):
            part = payload[at:at + MSS]
            last = at + len(part) == len(payload)
            self.segment(direction, ACK | (PSH if last else 0), part)
            self.t += 12e-6
            if number % 2 == 0 or last:
                self.segment(1 - direction, ACK)
        return self

    def talk(self, turns):
        """Turns of (direction, payload) or (direction, payload, pause)."""
        for turn in turns:
            self.send(*turn)
        return self

    def close(self, pause=0.001):
        self.t += pause
        self.segment(CLIENT, FIN | ACK)
        self.t += self.rtt
        self.segment(SERVER, FIN | ACK)
        self.segment(CLIENT, ACK)
        return self.t

    def reset(self, direction=CLIENT):
        self.segment(direction, RST | ACK)
        return self.t


class Clock:
    """Runs jobs in order of time. A job is a function of the time; it returns when it runs next, or None."""

    def __init__(self):
        self.queue, self.count = [], itertools.count()

    def at(self, t, job):
        heapq.heappush(self.queue, (t, next(self.count), job))

    def every(self, begin, end, pause, job):
        """From begin to end: pause is a function that gives the seconds to the next time."""

        def run(t):
            job(t)
            later = t + pause()
            return later if later < end else None

        self.at(begin + pause(), run)

    def run(self):
        while self.queue:
            t, _, job = heapq.heappop(self.queue)
            later = job(t)
            if later is not None:
                self.at(later, job)
