"""An analyser's service login over telnet; nobody ever gets in. Usage: telnet_login.py PORT"""

import socketserver
import sys


class Login(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self):
        try:
            self.wfile.write(b"\xff\xfb\x01\xff\xfb\x03\r\nXN-LAB service console\r\n")
            for _ in range(3):
                self.wfile.write(b"login: ")
                if not self.rfile.readline(200):
                    return
                self.wfile.write(b"Password: ")
                if not self.rfile.readline(200):
                    return
                self.wfile.write(b"\r\nLogin incorrect\r\n")
        except OSError:
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True


Server(("", int(sys.argv[1])), Login).serve_forever()
