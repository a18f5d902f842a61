"""The self-signed certificate of an app on somebody's own box."""

from __future__ import annotations

import hashlib
import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from weid.tls import self_signed

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_the_fingerprint_is_that_of_the_certificate_and_names_stand_in_it(tmp_path: Path) -> None:
    """A phone shows the SHA-256 of the DER; addresses and names are alternative names; OpenSSL loads the pair."""
    made = self_signed(["localhost", "192.168.1.5", "::1"], AT)
    der = ssl.PEM_cert_to_DER_cert(made.certificate.decode())
    extensions = x509.load_pem_x509_certificate(made.certificate).extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    (tmp_path / "pair.pem").write_bytes(made.key + made.certificate)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "pair.pem")
    assert hashlib.sha256(der).hexdigest() == made.fingerprint.replace(":", "").lower()
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["192.168.1.5", "::1"]
