"""A self-signed TLS certificate for a box without a public name: the fingerprint is what people compare."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["SelfSigned", "fingerprint_of", "self_signed"]

DAYS = 397  # browsers refuse certificates that live longer


@dataclass(frozen=True, slots=True)
class SelfSigned:
    """PEM bytes of a certificate with its key, and the SHA-256 fingerprint as browsers show it."""

    certificate: bytes
    key: bytes
    fingerprint: str


def self_signed(hosts: Iterable[str], at: datetime) -> SelfSigned:
    """A P-256 certificate for these host names and addresses, valid from an hour before `at` for 397 days."""
    names = tuple(dict.fromkeys(hosts))
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(hours=1))
        .not_valid_after(at + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([_name(host) for host in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return SelfSigned(certificate.public_bytes(serialization.Encoding.PEM), private, fingerprint_of(certificate))


def fingerprint_of(certificate: x509.Certificate) -> str:
    """The SHA-256 of a certificate as browsers show it."""
    digest = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    return ":".join(digest[place : place + 2] for place in range(0, 64, 2))


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
