"""Certificates for make-secure, good and bad. Usage: secure_certificates.py FOLDER"""

import datetime
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

folder = Path(sys.argv[1])
now = datetime.datetime.utcnow()
day = datetime.timedelta(days=1)


def name(common):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Hospital"), x509.NameAttribute(NameOID.COMMON_NAME, common)])


def make(file, common, issuer=None, bits=2048, start=now - 10 * day, end=now + 300 * day, names=()):
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    issuer_name, issuer_key = issuer or (name(common), key)
    builder = x509.CertificateBuilder().subject_name(name(common)).issuer_name(issuer_name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
    if issuer is None and file == "authority":
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
    certificate = builder.sign(issuer_key, hashes.SHA256())
    (folder / f"{file}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{file}.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()))
    return certificate.subject, key


authority = make("authority", "Example Hospital Root")
make("good", "www.hospital.test", authority, names=("www.hospital.test", "quic.hospital.test"))
make("client", "client.hospital.test", authority)
make("expired", "old.hospital.test", authority, start=now - 800 * day, end=now - 70 * day)
make("future", "next.hospital.test", authority, start=now + 30 * day, end=now + 400 * day)
make("short", "short.hospital.test", authority, bits=1024)
make("self", "pacs.hospital.test")
