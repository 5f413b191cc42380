"""The mirror port of the switch: every frame that enters a port is copied, once, with the VLAN tag it would have on a trunk.

Usage: mirror.py MIRROR_INTERFACE.
A packet that is routed enters the switch twice: from the host, and from the router. That is why a trunk mirror shows it twice.
"""

import socket
import struct
import sys

from topology import HOSTS, VLANS

SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
SO_RCVBUFFORCE = 33
ETH_P_ALL = 3
RECEIVE_BUFFER_BYTES = 256 << 20


def vlan_of(port):
    """`p-HOST`, `p-router-VLAN`; anything else is no port of the switch."""
    name, _, vlan = port.removeprefix("p-").partition("-")
    return int(vlan) if vlan else HOSTS[name].vlan


def main():
    receive = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    receive.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    receive.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    send = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    send.bind((sys.argv[1], 0))
    tags = {v.id: struct.pack("!HH", 0x8100, v.id) if v.tagged else b"" for v in VLANS.values()}
    vlans = {}
    while True:
        frame, address = receive.recvfrom(1 << 17)
        interface = address[0]
        if not interface.startswith("p-"):
            continue
        vlan = vlans.get(interface)
        if vlan is None:
            vlan = vlans[interface] = vlan_of(interface)
        send.send(frame[:12] + tags[vlan] + frame[12:])


if __name__ == "__main__":
    main()
