"""What real programs do not do here: HL7 in other dialects, sinks, a cloud. `speakers.py MODE ARGUMENT…`"""

import http.server
import os
import random
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time

import patients

chance = random.Random()


def stamp():
    return time.strftime("%Y%m%d%H%M%S") + time.strftime("%z")


class Dialect:
    """Delimiters (MSH-1, MSH-2), line ends, character set, names and version of a sender."""

    def __init__(self, application, facility, to, at, marks="|^~\\&", encoding="utf-8", charset="UNICODE UTF-8", version="2.3.1"):
        self.names, self.marks, self.encoding, self.charset, self.version = (application, facility, to, at), marks, encoding, charset, version

    def message(self, kind, *segments, control=None):
        f, c = self.marks[0], self.marks[1]
        a, b, to, at = self.names
        msh = f.join(("MSH", self.marks[1:], a, b, to, at, stamp(), "", kind.replace("^", c), control or f"{a[:3]}-{time.time_ns() // 1000:x}", "P", self.version, "", "", "", "", "", self.charset))
        return ("\r".join([msh, *(s.replace("|", f).replace("^", c) for s in segments)]) + "\r").encode(self.encoding, "replace")

    def pid(self, p):
        return f"PID|||{p.id}^^^STM^PI||{p.family}^{p.given}||{p.birth_date}|{p.sex}"

    def adt(self, event="A08"):
        p = chance.choice(patients.read())
        return self.message(f"ADT^{event}", f"EVN|{event}|{stamp()}", self.pid(p), f"PV1||I|S{chance.randrange(5)}^{chance.randrange(40)}")

    def oru(self, n=4, control=None, p=None):
        p = p or chance.choice(patients.read())
        rows = [f"OBX|{i + 1}|NM|{code}^{code}||{chance.uniform(1, 150):.1f}|u|||||F" for i, code in zip(range(n), ("HR", "SPO2", "RR", "NIBP", "TEMP", "NA", "K", "CL") * 8)]
        return self.message("ORU^R01", self.pid(p), f"OBR|1|||PANEL^panel|||{stamp()}", *rows, control=control)

    def qbp(self):
        p = chance.choice(patients.read())
        return self.message("QBP^Q22", f"QPD|IHE PDQ Query|{chance.randrange(10**6)}|@PID.3.1^{p.id}~@PID.5.1^{p.family}", "RCP|I|50^RD")


DIALECTS = {
    "adt": Dialect("ADTSYS", "STM", "HUB", "STM", version="2.4"),
    "bed1": Dialect("MONITOR1", "ICU", "HUB", "STM", marks="|^~\\&", version="2.6"), "bed2": Dialect("MONITOR2", "ICU", "HUB", "STM", version="2.6"),
    "bed3": Dialect("MONITOR3", "ICU", "HUB", "STM", version="2.6"),
    "gas1": Dialect("ABL", "POC", "LABSYS", "LAB", marks="#$~\\&", encoding="latin-1", charset="8859/1", version="2.2"),
    "gas2": Dialect("ABL2", "POC", "LABSYS", "LAB", marks="#$~\\&", encoding="latin-1", charset="8859/1", version="2.2"),
    "lis": Dialect("LABSYS", "LAB", "HUB", "STM", version="2.5.1"), "clinic": Dialect("PRACTICE", "OUTER", "HUB", "STM", version="2.7"),
}


def frame(message):
    return b"\x0b" + message + b"\x1c\r"


def connect(host, port):
    s = socket.create_connection((host, int(port)), timeout=6)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def await_ack(s, seconds=4.0):
    s.settimeout(seconds)
    data = b""
    try:
        while b"\x1c" not in data and (chunk := s.recv(65536)):
            data += chunk
    except OSError:
        pass
    return data


def send(kind, host, port, period, persistent="yes"):
    """A source with a rhythm: one connection, or one per message."""
    dialect, s = DIALECTS[kind], None
    while True:
        try:
            if s is None:
                s = connect(host, port)
            message = dialect.adt(chance.choice(("A01", "A03", "A08", "A08"))) if kind in ("adt", "clinic") else dialect.oru()
            s.sendall(frame(message))
            if not await_ack(s) or persistent == "no":
                s.close()
                s = None
        except OSError:
            s = None
        time.sleep(float(period) * chance.uniform(0.8, 1.2))


def fields(message):
    head = message.split(b"\r", 1)[0]
    return head.split(head[3:4])


def ack(message, name, code="AA"):
    f = fields(message)
    sep = message[3:4]
    return sep.join((b"MSH", f[1], name.encode(), b"STM", f[2], f[3], time.strftime("%Y%m%d%H%M%S").encode(), b"", b"ACK", b"A" + f[9], b"P", f[11])) + b"\r" + sep.join((b"MSA", code.encode(), f[9])) + b"\r"


def messages(s):
    data = b""
    while chunk := s.recv(65536):
        data += chunk
        while b"\x1c" in data:
            message, _, data = data.partition(b"\x1c")
            yield message.lstrip(b"\r\n\x0b")


def serve(port, handle):
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            try:
                handle(self.request)
            except OSError:
                pass

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True
        request_queue_size = 128
    Server(("", int(port)), Handler).serve_forever()


def receive(port, name):
    def handle(s):
        for message in messages(s):
            if len(fields(message)) > 11:
                s.sendall(frame(ack(message, name, "AE" if os.path.exists("failing") else "AA")))
    serve(port, handle)


def hub(adt, oru, bed, emr, emr_port, lis, lis_port):
    """Acknowledges and passes on: everything to the record system, results in the engine's own words."""
    lock, out = threading.Lock(), {}

    def forward(host, port, message):
        with lock:
            for _ in range(2):
                try:
                    s = out.get((host, port)) or connect(host, port)
                    out[host, port] = s
                    s.sendall(frame(message))
                    await_ack(s)
                    return
                except OSError:
                    out.pop((host, port), None)

    def handle(s):
        for message in messages(s):
            f = fields(message)
            if len(f) < 12:
                continue
            s.sendall(frame(ack(message, "HUB")))
            sep = message[3:4]
            f[4], f[5] = b"EMR", b"STM"
            forward(emr, emr_port, sep.join(f) + b"\r" + message.split(b"\r", 1)[1])
            if f[8].startswith(b"ADT"):
                forward(lis, lis_port, message)
    for port in (adt, oru, bed):
        threading.Thread(target=serve, args=(port, handle), daemon=True).start()
    threading.Event().wait()


def sink(port):
    def handle(s):
        while data := s.recv(1 << 16):
            s.sendall(b"ok" if len(data) < 1000 else b"+")
    serve(port, handle)


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version, name, blob = "HTTP/1.1", "server", os.urandom(1 << 20)

    def version_string(self):
        return self.name

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        while length > 0:
            length -= len(self.rfile.read(min(length, 1 << 16)))
        size = 3_000_000 if self.path.endswith(".deb") else 1500
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.send_header("Content-Type", "application/octet-stream" if size > 9999 else "text/html")
        self.end_headers()
        for _ in range(0, size, len(self.blob)):
            self.wfile.write(self.blob[:min(size, len(self.blob))])
            size -= len(self.blob)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


def web(port, name="server", context=None):
    Web.name = name
    server = http.server.ThreadingHTTPServer(("", int(port)), Web)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


def tls(port, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    web(port, "cloud", context)


def dns(port):
    """Answers every question with a text: the far end of a tunnel."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", int(port)))
    while True:
        data, who = s.recvfrom(4096)
        end = data.index(b"\0", 12) + 5
        s.sendto(data[:2] + b"\x84\x00\0\1\0\1\0\0\0\0" + data[12:end] + b"\xc0\x0c\0\x10\0\1\0\0\0\0\0\x29\x28" + b"0123456789abcdef" * 2 + b"01234567", who)


MODES = {"send": send, "receive": receive, "hub": hub, "sink": sink, "web": web, "files": web, "tls": tls, "dns": dns}

if __name__ == "__main__":
    MODES[sys.argv[1]](*sys.argv[2:])
