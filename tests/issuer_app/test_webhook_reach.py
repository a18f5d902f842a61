"""Where a webhook may go: the public internet by https, and nothing else unless the operator of the machine says so."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from issuer_app.webhooks.reaching import checked_url, nets_of, post, public, usable
from weid.errors import MalformedError
from weid.tls import self_signed

LOOPBACK = nets_of(["127.0.0.1"])
INSIDE = (
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.9",
    "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1", "192.0.2.1", "203.0.113.7",
    "::", "::1", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:1::1", "2001:db8::1", "100::1", "fec0::1", "::127.0.0.1",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_is_public(address: str) -> None:
    """This machine, its network, clouds' metadata, and what only leads there by another name."""
    assert not public(ip_address(address))
    assert usable([address], (), plain=False) == ()
    assert usable(["93.184.216.34", address], (), plain=False) == ()  # one bad answer spoils them all


def test_public_addresses_are() -> None:
    for address in ("93.184.216.34", "1.1.1.1", "2606:2800:220:1::1", "::ffff:101:101"):
        assert usable([address], (), plain=False) == (address,)
        assert usable([address], (), plain=True) == ()  # never in the clear
        assert usable([address], LOOPBACK, plain=True) == ()


def test_what_the_operator_lists_is_usable_and_nothing_beside_it() -> None:
    nets = nets_of(["10.1.0.0/16", "::1"])
    assert usable(["10.1.2.3"], nets, plain=True) == ("10.1.2.3",)
    assert usable(["10.2.0.1"], nets, plain=True) == usable(["127.0.0.1"], nets, plain=False) == ()
    assert usable(["::1"], nets, plain=True) == ("::1",)
    assert usable(["fe80::1%lo"], nets_of(["fe80::/10"]), plain=False) in ((), ("fe80::1%lo",))
    with pytest.raises(MalformedError) as caught:
        nets_of(["10.1.0.1/16"])
    assert caught.value.code == "bad-net"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:7f00:1]", "localhost"]
)
def test_every_spelling_of_this_machine_is_refused(host: str) -> None:
    """The resolver's answer is judged, not the text."""
    url = f"https://{host}:1/"
    checked_url(url, ())
    assert post(url, {}, b"") in ("refused-address", "no-name")


class Ear(BaseHTTPRequestHandler):
    """Answers what the path says, and remembers who asked."""

    heard: list[tuple[str, str, bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append((self.path, self.headers["Host"], body))
        if self.path.startswith("/drip"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for _ in range(100):
                self.wfile.write(b"X-Slow: 1\r\n")
                self.wfile.flush()
                time.sleep(0.05)
            return
        self.send_response(302 if self.path.startswith("/elsewhere") else 204)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/taken")  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Nothing on the screen."""


@contextmanager
def listening(tls: ssl.SSLContext | None = None) -> Iterator[int]:
    Ear.heard = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ear)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def test_the_name_is_asked_once_and_the_judged_address_is_the_one_reached() -> None:
    """A second answer (DNS rebinding) is never asked for; the receiver sees the name; a redirect is not followed."""
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with listening() as port:
        url = f"http://hooks.example.org:{port}/in?x=1"
        assert post(url, {}, b"body", nets=LOOPBACK, resolve=resolve) == "http-204"
        assert (asked, Ear.heard) == (["hooks.example.org"], [("/in?x=1", f"hooks.example.org:{port}", b"body")])
        assert post(url, {}, b"", nets=LOOPBACK, resolve=resolve) == "refused-address"
        assert post(f"http://127.0.0.1:{port}/elsewhere", {}, b"", nets=LOOPBACK) == "http-302"
        assert [path for path, _, _ in Ear.heard] == ["/in?x=1", "/elsewhere"]


def test_nobody_holds_a_courier_for_long() -> None:
    """A receiver that dribbles headers (its status was heard), one that never speaks, one that is not there, a name that is none."""
    with listening() as port, socket.create_server(("127.0.0.1", 0)) as mute:
        for place, outcome in ((f"{port}/drip", "http-200"), (f"{mute.getsockname()[1]}/", "no-answer"), ("1/", "no-answer")):
            begun = time.monotonic()
            assert post(f"http://127.0.0.1:{place}", {}, b"", nets=LOOPBACK, whole=0.2) == outcome
            assert time.monotonic() - begun < 2

    def fails(host: str, port: int) -> list[str]:
        raise socket.gaierror(8, "no network")

    assert post("https://hooks.example.org", {}, b"", resolve=fails) == "no-name"


def test_over_tls_the_certificate_must_have_the_name(tmp_path: Path) -> None:
    """By the name in the URL, whatever address it has; a certificate nobody vouches for ends it."""
    made = self_signed(["hooks.example.org"], datetime.now(UTC))
    for name, data in (("c.pem", made.certificate), ("k.pem", made.key)):
        (tmp_path / name).write_bytes(data)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")
    known = ssl.create_default_context(cadata=made.certificate.decode())

    def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    with listening(server) as port:
        url = f"https://hooks.example.org:{port}/in"
        assert post(url, {}, b"{}", nets=LOOPBACK, resolve=here, tls=known) == "http-204"
        assert post(url, {}, b"{}", nets=LOOPBACK, resolve=here) == "bad-tls"
        assert post(f"https://other.example.org:{port}/", {}, b"{}", nets=LOOPBACK, resolve=here, tls=known) == "bad-tls"
