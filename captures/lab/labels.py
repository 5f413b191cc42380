"""Narrows the times of labels to the attacks' own packets, and writes them as JSON lines."""

import json
import socket
import struct


def packets(path):
    """(seconds, source MAC, source, destination, source port, destination port) of a pcapng that editcap wrote; None and 0 where there are none."""
    with open(path, "rb") as file:
        data = file.read()
    offset, divisors = 0, []
    while offset + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, offset)
        if kind == 1:  # interface description: look for if_tsresol
            divisor, position = 10 ** 6, offset + 16
            while position < offset + length - 4:
                code, size = struct.unpack_from("<HH", data, position)
                if code == 0:
                    break
                if code == 9:
                    divisor = 10 ** data[position + 4]
                position += 4 + (size + 3) // 4 * 4
            divisors.append(divisor)
        elif kind == 6:
            interface, high, low, captured = struct.unpack_from("<IIII", data, offset + 8)
            frame = data[offset + 28:offset + 28 + captured]
            at = 12 if frame[12:14] != b"\x81\x00" else 16
            when, mac = (high << 32 | low) / divisors[interface], frame[6:12].hex(":")
            header = at + 2
            if frame[at:header] != b"\x08\x00" or len(frame) < header + 20:
                yield when, mac, None, None, 0, 0
            else:
                transport = header + (frame[header] & 15) * 4
                ports = struct.unpack_from("!HH", frame, transport) if frame[header + 9] in (6, 17) and len(frame) >= transport + 4 else (0, 0)
                yield when, mac, socket.inet_ntoa(frame[header + 12:header + 16]), socket.inet_ntoa(frame[header + 16:header + 20]), *ports
        offset += length


def belongs(label, mac, source, destination, source_port, destination_port):
    if mac == label.get("mac"):
        return True
    attackers, victims, ports = label["attackers"], label["victims"], label["ports"]
    ends = (source, destination)
    if not any(a in ends for a in attackers) or victims and not any(v in ends for v in victims):
        return False
    return not ports or source_port in ports or destination_port in ports


def narrow(labels, capture):
    spans = [[None, None] for _ in labels]
    for seconds, *addresses in packets(capture):
        for label, span in zip(labels, spans):
            if label["start"] <= seconds <= label["end"] and belongs(label, *addresses):
                span[0] = span[0] or seconds
                span[1] = seconds
    for label, (first, last) in zip(labels, spans):
        if first:
            label["start"], label["end"] = round(first, 6), round(last, 6)
        label.pop("mac", None)
    return labels


def write(labels, path):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(label) + "\n" for label in labels)
