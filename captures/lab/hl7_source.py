"""Systems that send HL7: each mode is one system's rhythm, until it is stopped.

Usage: hl7_source.py SYSTEM SEED
"""

import random
import socket
import sys
import time

import hl7.client

import patients
import topology as t
from hl7_messages import Messages, frame

SYSTEM, SEED = sys.argv[1], sys.argv[2]
ALL = patients.read()
chance = random.Random(f"{SEED}/{SYSTEM}")


def connect(host, port, family=socket.AF_UNSPEC):
    """A connection over whatever address comes first, which is IPv6 where there is one."""
    for kind, _, _, _, address in socket.getaddrinfo(host, port, family, socket.SOCK_STREAM):
        try:
            s = socket.socket(kind, socket.SOCK_STREAM)
            s.settimeout(5)
            s.connect(address)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return s
        except OSError:
            s.close()
    raise ConnectionError(host)


def replies(s, wait=1.0, count=1):
    """Reads what comes back, until so many end blocks were seen or nothing more comes."""
    s.settimeout(wait)
    data = b""
    try:
        while data.count(b"\x1c\r") < count:
            chunk = s.recv(65536)
            if not chunk:
                break
            data += chunk
    except TimeoutError:
        pass
    return data


def forever(step, period, host, port, per_connection):
    """Calls step(socket, number) about every `period` seconds, on a new connection after `per_connection` messages."""
    s, number = None, 0
    while True:
        try:
            if s is None:
                s = connect(host, port)
            step(s, number)
        except OSError as error:
            print(repr(error), file=sys.stderr, flush=True)
            s = None
        number += 1
        if number % per_connection == 0 and s:
            s.close()
            s = None
        time.sleep(period * chance.uniform(0.6, 1.4))


def his():
    """Admissions: one long connection; IPv6; mostly single messages, sometimes two or three in a segment, VT alone, no character set."""
    adt = Messages("HIS", "IGH", "ENGINE", "IGH", SEED)

    def step(s, number):
        def message():
            return adt.adt(chance.choice(ALL), chance.choice(("A01", "A02", "A03", "A04", "A08", "A08", "A08", "A13", "A40")))
        if number % 11 == 7:
            several = [message() for _ in range(chance.choice((2, 3)))]
            s.sendall(b"".join(frame(m) for m in several))
            replies(s, 1.0, len(several))
            return
        whole = frame(message())
        if number % 13 == 5:
            s.sendall(whole[:1])
            time.sleep(0.05)
            s.sendall(whole[1:])
        elif number % 17 == 9:
            s.sendall(whole[:-1])
            time.sleep(0.05)
            s.sendall(whole[-1:])
        else:
            s.sendall(whole)
        replies(s)
    forever(step, 3.0, "engine", t.HL7_ADT_PORT, 40)


def orders():
    """Order entry on the same host: python3-hl7's own client, a connection for each message, UTF-8."""
    orm = Messages("CPOE", "IGH", "ENGINE", "IGH", SEED, charset="UNICODE UTF-8", encoding="utf-8", version="2.3.1")
    number = 0
    while True:
        try:
            with hl7.client.MLLPClient("engine", t.HL7_ORDER_PORT) as client:
                p = chance.choice(ALL)
                client.send_message(orm.schedule(p) if number % 3 == 2 else orm.order(p))
        except OSError as error:
            print(repr(error), file=sys.stderr, flush=True)
        number += 1
        time.sleep(11 * chance.uniform(0.6, 1.4))


def lis():
    """Laboratory results in enhanced mode, some reports of 80 KB, now and then a batch to billing."""
    oru = Messages("LIS", "LAB", "ENGINE", "IGH", SEED, charset="8859/1", version="2.5.1")
    direct = Messages("LIS", "LAB", "EHR", "IGH", SEED, charset="8859/1", version="2.5.1", accept="AL")

    def step(s, number):
        if number % 30 == 4:
            s.sendall(frame(oru.report(chance.choice(ALL))))
        else:
            s.sendall(frame(oru.result(chance.choice(ALL))))
        replies(s, 3)
        if number % 6 == 3:
            with connect("ehr", t.EHR_PORT + 10) as other:
                other.sendall(frame(direct.result(chance.choice(ALL))))
                replies(other, 1.0, 2)
        if number % 14 == 8:
            with connect("billing", t.BILLING_PORT) as other:
                other.sendall(frame(oru.batch(chance.sample(ALL, 4))))
                replies(other)
    forever(step, 7.0, "engine", t.HL7_ORU_PORT, 15)


def analyser(application, maker, period, per_connection):
    oru = Messages(application, "LAB", "LIS", "LAB", SEED, version="2.4")
    forever(lambda s, _: (s.sendall(frame(oru.result(chance.choice(ALL), device=f"{application}^{maker}"))), replies(s)),
            period, "lis", t.LIS_PORT, per_connection)


def monitors():
    """The gateway of the bedside monitors: six beds, a burst of their vital signs in one write."""
    oru = Messages("MONGW", "ICU", "ENGINE", "IGH", SEED, version="2.6", charset="UNICODE UTF-8", encoding="utf-8")
    beds = chance.sample(ALL, 6)

    def step(s, number):
        count = 1 if number % 2 else 3
        s.sendall(b"".join(frame(oru.monitor(p, f"{10 + i}")) for i, p in enumerate(beds[:count])))
        replies(s, 1.0, count)
    forever(step, 8.0, "engine", t.HL7_ORU_PORT, 1000)


SYSTEMS = {"his": his, "orders": orders, "lis": lis, "monitors": monitors, "chem": lambda: analyser("COBASLAB", "ROCHE", 9.0, 1000),
           "hema": lambda: analyser("XNLAB", "SYSMEX", 13.0, 1)}

if __name__ == "__main__":
    SYSTEMS[SYSTEM]()
