"""Peers for which Debian has no program: LLMNR asker (RFC 4795), BACnet/IP (ANSI/ASHRAE 135) and Philips IntelliVue data export (its programming guide)."""
import socket
import struct
import sys
import time


def udp(address, port=0):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.settimeout(6)
    return s


def llmnr_query(own, name):
    s = udp(own)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))
    message = struct.pack('>6H', 0x4c4c, 0, 1, 0, 0, 0) + bytes([len(name)]) + name.encode() + b'\0' + struct.pack('>2H', 1, 1)
    s.sendto(message, ('224.0.0.252', 5355))
    print(s.recvfrom(2000))


BACNET = 47808


def bvlc(function, npdu):
    return struct.pack('>BBH', 0x81, function, 4 + len(npdu)) + npdu


def bacnet_device(own):
    s = udp('0.0.0.0', BACNET)
    device = (8 << 22) | 1234
    analog = 2 << 22 | 5
    i_am = bytes([0x01, 0x00, 0x10, 0x00, 0xC4]) + struct.pack('>I', device) + bytes([0x22, 0x05, 0xC4, 0x91, 0x03, 0x21, 0x0F])
    while True:
        data, peer = s.recvfrom(2000)
        if peer[0] == own:
            continue
        npdu = data[4:]
        apdu = npdu[2:] if npdu[1] & 0x20 == 0 else npdu[2 + 3 + npdu[4] + 1:]
        if apdu[0] >> 4 == 1 and apdu[1] == 8:
            s.sendto(bvlc(0x0B, i_am), ('10.30.0.255', BACNET))
        elif apdu[0] >> 4 == 0 and apdu[3] == 12:
            value = bytes([0x01, 0x00, 0x30, apdu[2], 0x0C, 0x0C]) + struct.pack('>I', analog) + bytes([0x19, 0x55, 0x3E, 0x44]) + struct.pack('>f', 21.5) + b'\x3F'
            s.sendto(bvlc(0x0A, value), peer)
        elif apdu[0] >> 4 == 0 and apdu[3] == 15:
            s.sendto(bvlc(0x0A, bytes([0x01, 0x00, 0x20, apdu[2], 15])), peer)
        else:
            s.sendto(bvlc(0x0A, bytes([0x01, 0x00, 0x60, apdu[2], 9])), peer)


def bacnet_client(own, peer):
    s = udp('0.0.0.0', BACNET)
    analog = struct.pack('>I', 2 << 22 | 5)
    s.sendto(bvlc(0x0B, bytes([0x01, 0x20, 0xFF, 0xFF, 0x00, 0xFF, 0x10, 0x08])), ('10.30.0.255', BACNET))
    time.sleep(0.5)
    for invoke in range(1, 6):
        s.sendto(bvlc(0x0A, bytes([0x01, 0x04, 0x00, 0x05, invoke, 12, 0x0C]) + analog + b'\x19\x55'), (peer, BACNET))
        time.sleep(0.2)
    write = bytes([0x01, 0x04, 0x00, 0x05, 9, 15, 0x0C]) + analog + bytes([0x19, 0x55, 0x3E, 0x44]) + struct.pack('>f', 26.0) + bytes([0x3F, 0x49, 0x08])
    s.sendto(bvlc(0x0A, write), (peer, BACNET))
    time.sleep(0.3)
    s.sendto(bvlc(0x0A, bytes([0x01, 0x04, 0x00, 0x05, 10, 20, 0x09, 0x00])), (peer, BACNET))
    time.sleep(0.5)


# IntelliVue: session headers of association control as ISO 8327-1 has them, then data messages.
ASSOCIATE = bytes.fromhex('0d ec 05 08 13 01 00 16 01 02 80 00 14 02 00 02') + bytes(222)
ACCEPT = bytes.fromhex('0e c8 05 08 13 01 00 16 01 02 80 00 14 02 00 02') + bytes(186)
RELEASE = bytes.fromhex('09 18 c1 16 61 80 30 80 02 01 01 a0 80 62 80 80 01 00 00 00 00 00 00 00 00 00')
RELEASED = bytes.fromhex('0a 18 c1 16 61 80 30 80 02 01 01 a0 80 63 80 80 01 00 00 00 00 00 00 00 00 00')
MDS = struct.pack('>3H', 0x0021, 0, 0)


def label(text):
    text = text.encode() + b'\0' * (len(text) % 2)
    return struct.pack('>H', len(text)) + text


def attributes(*pairs):
    body = b''.join(struct.pack('>2H', number, len(value)) + value for number, value in pairs)
    return struct.pack('>2H', len(pairs), len(body)) + body


def operation(kind, invoke, command, argument):
    inner = struct.pack('>3H', invoke, command, len(argument)) + argument
    return struct.pack('>2H', kind, len(inner)) + inner


def presented(message):
    return struct.pack('>2H', 0xE100, 2) + message


MODEL = (0x0928, label('Philips') + label('M8000'))


def intellivue_monitor(own):
    indication = operation(1, 0, 0, MDS + struct.pack('>IHH', 0, 0x0D17, 0) + attributes(MODEL))
    s = udp('0.0.0.0', 24105)
    s.sendto(struct.pack('>2H', 1, 0) + indication, ('10.30.0.255', 24005))
    while True:
        data, peer = s.recvfrom(2000)
        if data[0] == 0x0D:
            s.sendto(ACCEPT, peer)
            s.sendto(presented(operation(1, 1, 1, MDS + struct.pack('>IHH', 1000, 0x0D06, 0) + MDS + attributes(MODEL))), peer)
        elif data[0] == 0x09:
            s.sendto(RELEASED, peer)
            return
        elif data[:2] == b'\xE1\x00' and struct.unpack('>H', data[10:12])[0] == 7:
            invoke = struct.unpack('>H', data[8:10])[0]
            s.sendto(presented(operation(2, invoke, 7, MDS + struct.pack('>HH', 0x0C16, 40) + b'INVENTED PATIENT, NOBODY' + bytes(16))), peer)


def intellivue_collector(own, peer):
    s = udp(own)
    s.sendto(ASSOCIATE, (peer, 24105))
    s.recvfrom(2000)
    created, _ = s.recvfrom(2000)
    s.sendto(presented(operation(2, 1, 1, MDS + struct.pack('>IHH', 1000, 0x0D06, 0))), (peer, 24105))
    for invoke in range(2, 7):
        s.sendto(presented(operation(1, invoke, 7, MDS + struct.pack('>IHH', 0, 0x0C16, 8) + struct.pack('>4H', invoke, 1, 6, 0))), (peer, 24105))
        s.recvfrom(2000)
        time.sleep(0.2)
    s.sendto(RELEASE, (peer, 24105))
    s.recvfrom(2000)


if __name__ == '__main__':
    globals()[sys.argv[1].replace('-', '_')](*sys.argv[2:])
