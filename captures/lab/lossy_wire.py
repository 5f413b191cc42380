"""A wireless bridge: carries frames between two interfaces, loses a few, holds a few back so that later ones overtake them.

Usage: lossy_wire.py INTERFACE INTERFACE
"""

import heapq
import random
import select
import socket
import sys
import time

SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
ETH_P_ALL = 3
LOSS, HELD_BACK = 0.012, 0.02
DELAY_SECONDS, HOLD_SECONDS = 0.001, 0.006


def main():
    sockets = []
    for interface in sys.argv[1:3]:
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        s.bind((interface, ETH_P_ALL))
        s.setblocking(False)
        sockets.append(s)
    other = {sockets[0]: sockets[1], sockets[1]: sockets[0]}
    chance = random.Random(sys.argv[1])
    air, sequence = [], 0
    while True:
        wait = max(0, air[0][0] - time.monotonic()) if air else None
        for s in select.select(sockets, [], [], wait)[0]:
            try:
                frame = s.recv(1 << 16)
            except BlockingIOError:
                continue
            if chance.random() < LOSS:
                continue
            due = time.monotonic() + (HOLD_SECONDS if chance.random() < HELD_BACK else DELAY_SECONDS)
            sequence += 1
            heapq.heappush(air, (due, sequence, frame, other[s]))
        while air and air[0][0] <= time.monotonic():
            _, _, frame, out = heapq.heappop(air)
            out.send(frame)


if __name__ == "__main__":
    main()
