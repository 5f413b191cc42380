"""Receivers whose acknowledgements look like those of programs seen in hospitals.

Usage: mllp_server.py PORT STYLE APPLICATION
  bare-end   no CR before the end block, MSH-9 as ACK^A01^ACK_A01
  again      acknowledges all earlier messages of the connection again with each new one
  one        acknowledges only one of several messages that arrive in one read, MSH-9 as ACK^A01
  enhanced   commit acknowledgement first, the application's after it (chapter 2.9.3), MSH-9 as ACK^A01^ACK
  plain      MSH-9 as ACK
"""

import socketserver
import sys
import time

PORT, STYLE, APPLICATION = int(sys.argv[1]), sys.argv[2], sys.argv[3]
END = b"\x1c\r"


def acknowledge(message, code="AA"):
    fields = message.split(b"\r")[0].split(b"|")
    fields += [b""] * (12 - len(fields))
    trigger = fields[8].split(b"^")[1] if b"^" in fields[8] else b""
    kind = {"bare-end": b"ACK^%b^ACK_%b" % (trigger, trigger), "one": b"ACK^%b" % trigger, "enhanced": b"ACK^%b^ACK" % trigger}.get(STYLE, b"ACK")
    header = b"|".join((b"MSH", b"^~\\&", APPLICATION.encode(), b"IGH", fields[2], fields[3], time.strftime("%Y%m%d%H%M%S").encode(), b"",
                        kind, b"A" + fields[9], b"P", fields[11]))
    text = header + b"\rMSA|" + code.encode() + b"|" + fields[9]
    return b"\x0b" + text + (b"" if STYLE in ("bare-end", "one") else b"\r") + END


class Receiver(socketserver.BaseRequestHandler):
    def handle(self):
        buffer, earlier = b"", []
        while data := self.request.recv(65536):
            buffer += data
            messages = []
            while END in buffer:
                block, buffer = buffer.split(END, 1)
                start = block.find(b"MSH|")
                if start >= 0:
                    messages.append(block[start:])
            if not messages:
                continue
            if STYLE == "again":
                earlier += messages
                self.request.sendall(b"".join(acknowledge(m) for m in earlier))
            elif STYLE == "one":
                self.request.sendall(acknowledge(messages[-1]))
            else:
                for message in messages:
                    if STYLE == "enhanced":
                        self.request.sendall(acknowledge(message, "CA"))
                        time.sleep(0.02)
                    self.request.sendall(acknowledge(message))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True


Server(("", PORT), Receiver).serve_forever()
