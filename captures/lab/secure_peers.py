"""
Small programs around the real ones of make-secure: a listener for telnetd (inetd's part), a Telnet client that types, an SMTP server
out of aiosmtpd with TLS and log-ins, and an RFB client written from RFC 6143 (no packaged client works without a screen).

Usage: secure_peers.py telnetd PORT | telnet HOST PORT USER PASSWORD | smtpd HOST PORT CERT KEY | vnc HOST PORT [PASSWORD]
"""

import socket
import subprocess
import sys
import time


def telnetd(port):
    listener = socket.create_server(("", int(port)))
    while True:
        connection, _ = listener.accept()
        subprocess.Popen(["/usr/sbin/telnetd", "-h"], stdin=connection, stdout=connection)
        connection.close()


def telnet(host, port, user, password):
    import telnetlib
    client = telnetlib.Telnet(host, int(port), 15)
    client.read_until(b"login: ", 10)
    client.write(user.encode() + b"\r")
    client.read_until(b"assword: ", 10)
    client.write(password.encode() + b"\r")
    index, _, _ = client.expect([b"incorrect", b"[$#] "], 10)
    if index == 1:
        client.write(b"exit\r")
    time.sleep(1)
    client.close()


def smtpd(host, port, certificate, key):
    import ssl
    from aiosmtpd.controller import Controller
    from aiosmtpd.handlers import Sink
    from aiosmtpd.smtp import AuthResult
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    refuse = lambda *_: AuthResult(success=False, handled=False)
    Controller(Sink(), hostname=host, port=int(port), tls_context=context, authenticator=refuse, auth_require_tls=False,
               server_hostname="mail.hospital.test").start()
    time.sleep(3600)


def vnc(host, port, password=None):
    server = socket.create_connection((host, int(port)), 10)
    server.recv(12)
    server.sendall(b"RFB 003.008\n")
    types = server.recv(16)
    if password is None:
        server.sendall(b"\x01")
    else:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        server.sendall(b"\x02")
        challenge = server.recv(16)
        mirrored = bytes(int(f"{c:08b}"[::-1], 2) for c in password.encode()[:8].ljust(8, b"\0"))
        cipher = Cipher(algorithms.TripleDES(mirrored * 3), modes.ECB()).encryptor()
        server.sendall(cipher.update(challenge))
    print("vnc", types, server.recv(4))
    server.sendall(b"\x01")
    time.sleep(0.5)
    server.close()


globals()[sys.argv[1]](*sys.argv[2:])
