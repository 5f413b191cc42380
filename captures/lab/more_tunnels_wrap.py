#!/usr/bin/python3
"""Wraps a recorded conversation by Scapy in encapsulations that no program of Debian makes. Usage: more_tunnels_wrap.py IN OUT

Each gets the conversation once, later than the one before, with addresses of its own inside: 802.1ah (I-SID 0x00ABCD), TZSP (as a mirror sends it, all frames in one direction), EtherIP."""
import sys

from scapy.contrib.etherip import EtherIP
from scapy.contrib.spbm import SPBM
from scapy.contrib.tzsp import TZSP, TZSPTagEnd
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import PcapWriter, rdpcap

SECONDS_APART = 10
FORWARD, BACK = ("02:00:00:00:0c:01", "02:00:00:00:0c:02"), ("02:00:00:00:0c:02", "02:00:00:00:0c:01")
FORWARD_IP, BACK_IP = ("93.184.80.1", "93.184.80.2"), ("93.184.80.2", "93.184.80.1")


def ether(forward):
    source, destination = FORWARD if forward else BACK
    return Ether(src=source, dst=destination)


def ip(forward, **fields):
    source, destination = FORWARD_IP if forward else BACK_IP
    return IP(src=source, dst=destination, **fields)


def backbone(frame, forward):
    return ether(forward) / SPBM(isid=0x00ABCD) / frame


def mirror(frame, _):
    return ether(True) / ip(True) / UDP(sport=40000, dport=37008) / TZSP() / TZSPTagEnd() / frame


def ether_ip(frame, forward):
    return ether(forward) / ip(forward, proto=97) / EtherIP() / frame


conversation = rdpcap(sys.argv[1])
client = next(frame[IP].src for frame in conversation if frame[TCP].flags == "S")
with PcapWriter(sys.argv[2], linktype=1) as out:
    for number, wrap in enumerate((backbone, mirror, ether_ip)):
        for frame in conversation:
            forward = frame[IP].src == client
            inner = frame.copy()
            inner[IP].src, inner[IP].dst = [f"10.8.{20 + number}.{end}" for end in ((1, 2) if forward else (2, 1))]
            del inner[IP].chksum, inner[TCP].chksum
            outer = wrap(inner, forward)
            outer.time = frame.time + (number + 1) * SECONDS_APART
            out.write(outer)
