"""How every app and node of ours is served: cheroot, over TLS with a self-signed certificate where asked."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from weid.errors import MalformedError

__all__ = ["certificate", "serve"]


def certificate(folder: Path, hosts: Sequence[str]) -> tuple[Path, Path, str]:
    """(certificate, key, SHA-256 fingerprint), made once and kept until a month before it ends."""
    from cryptography import x509

    from weid.tls import fingerprint_of, self_signed

    public, secret = folder / "certificate.pem", folder / "key.pem"
    names = folder / "hosts"
    if public.exists() and secret.exists() and names.exists() and names.read_text().split() == list(hosts):
        held = x509.load_pem_x509_certificate(public.read_bytes())
        if held.not_valid_after_utc > datetime.now(UTC) + timedelta(days=30):
            return public, secret, fingerprint_of(held)
    made = self_signed(hosts, datetime.now(UTC))
    for path, data in ((public, made.certificate), (secret, made.key), (names, "\n".join(hosts).encode())):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(data)
    return public, secret, made.fingerprint


def serve(
    app: Any, address: str, port: int, *, ready: Callable[[int], None], tls: tuple[Path, Path] | None = None,
    body: int = 16 << 20,
) -> None:  # fmt: skip
    """Serve until interrupted; `ready` is told the port when connections are accepted; bodies up to `body` bytes."""
    from cheroot.ssl.builtin import BuiltinSSLAdapter
    from cheroot.wsgi import Server

    # The system keeps connections that wait for a thread: with cheroot's own 5, fifty people at once had some of them reset.
    server = Server((address, port), app, numthreads=8, request_queue_size=256)
    server.max_request_body_size = body
    if tls is not None:
        server.ssl_adapter = BuiltinSSLAdapter(str(tls[0]), str(tls[1]))
    with contextlib.suppress(KeyboardInterrupt):
        try:
            server.prepare()
        except (UnicodeError, OverflowError) as error:  # of the name or the port; what the system says is an OSError
            raise MalformedError(f"{address}, port {port}, is no address to listen on", code="bad-url") from error
        ready(int(server.bind_addr[1]))
        try:
            server.serve()
        finally:
            server.stop()
