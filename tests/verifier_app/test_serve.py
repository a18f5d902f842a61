"""`weid verifier serve` as a process, plain on loopback and over TLS for a phone."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.verifier_app.places import PACKS, Place


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(place: Place, port: int, *more: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "wallet_cli",
        "verifier",
        "serve",
        "--pack",
        str(PACKS / place.pack),
        "--port",
        str(port),
    ]
    env = os.environ | {"WEID_HOME": str(place.trust)}
    return subprocess.Popen(
        [*command, "--port", str(port), *more], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=env
    )


def fetch(port: int, context: ssl.SSLContext | None = None) -> tuple[str, bytes | None]:
    """(answer, certificate) of GET / once the server is up."""
    for _ in range(300):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
                stream = context.wrap_socket(plain, server_hostname="localhost") if context else plain
                shown = stream.getpeercert(True) if isinstance(stream, ssl.SSLSocket) else None
                stream.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                found = b""
                while part := stream.recv(65536):
                    found += part
                return found.decode(), shown
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise AssertionError("the server did not come up")


def stop(process: subprocess.Popen[str]) -> str:
    process.terminate()
    return process.communicate(timeout=20)[1]


def test_it_serves_on_loopback(place: Place) -> None:
    """The printed address answers, and nothing but loopback is bound."""
    port = free_port()
    process = serve(place, port)
    try:
        answer, _ = fetch(port)
    finally:
        said = stop(process)
    assert answer.startswith("HTTP/1.1 200")
    assert f"http://localhost:{port}/" in said


def test_it_serves_over_tls_with_the_printed_fingerprint(place: Place) -> None:
    """The certificate a phone sees is the one whose SHA-256 was printed; it stays the same at the next start."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    prints = []
    for _ in range(2):
        port = free_port()
        process = serve(place, port, "--tls", "--bind", "127.0.0.1", "--name", "localhost")
        try:
            answer, certificate = fetch(port, context)
        finally:
            said = stop(process)
        assert answer.startswith("HTTP/1.1 200")
        assert "Secure" in answer
        printed = re.search(r"SHA-256 ([0-9A-F:]{95})", said)
        assert printed is not None
        assert certificate is not None
        assert printed.group(1).replace(":", "").lower() == hashlib.sha256(certificate).hexdigest()
        prints.append(printed.group(1))
    assert prints[0] == prints[1]
    assert (place.trust / "verifier-tls" / "key.pem").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "wrong", [("--request", "no/such"), ("--timezone", "Nowhere/None"), ("--trust-url", "http://example.org/b")]
)
def test_wrong_options_are_usage_errors(place: Place, wrong: tuple[str, str]) -> None:
    """Exit 2 with a sentence, before anything is served."""
    process = serve(place, free_port(), *wrong)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 2
    assert wrong[1] in said
    assert "Traceback" not in said


def test_the_memory_of_a_served_verifier_is_private(place: Place, tmp_path: Path) -> None:
    """What was seen is nobody else's business on this machine."""
    place.client(MEMORY=tmp_path / "kept" / "memory.db")
    assert (tmp_path / "kept" / "memory.db").stat().st_mode & 0o077 == 0


@pytest.mark.long
def test_a_kiosk_with_its_own_key(place: Place, tmp_path: Path) -> None:
    """The options reach the pages: the language first, a sealed key; another passphrase at the next start is refused."""
    secret, wrong = tmp_path / "secret", tmp_path / "wrong"
    secret.write_text("correct horse\n")
    wrong.write_text("another\n")
    port = free_port()
    process = serve(place, port, "--kiosk", "--passphrase-file", str(secret), "--keep-undecided", "24")
    try:
        answer, _ = fetch(port)
    finally:
        stop(process)
    assert answer.startswith("HTTP/1.1 302")
    assert "Location: /kiosk" in answer
    assert b"verifier" in (place.trust / "verifier.key").read_bytes()
    refused = serve(place, free_port(), "--passphrase-file", str(wrong))
    said = refused.communicate(timeout=30)[1]
    assert refused.returncode == 2
    assert "wrong passphrase" in said
