"""No client follows a redirect: a key for one host, or a question to it, never reaches another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from registry.engines.calls import post_json
from registry.mirror.source import HttpSource
from registry.node.client import HttpTransport
from registry.witness.client import ask_by_http
from weid.errors import RegistryError


class _Hosts:
    """A host that sends everybody on to a second one, and what arrived there."""

    def __init__(self) -> None:
        self.stolen: list[tuple[str, str | None]] = []
        hosts = self

        class Thief(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hosts.stolen.append((self.path, self.headers.get("Authorization")))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"{}")

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *args: Any) -> None:
                pass

        class Sender(Thief):
            def do_GET(self) -> None:
                self.send_response(int(self.path.strip("/").split("/")[0]))
                self.send_header("Location", f"http://localhost:{hosts._thief.server_port}/stolen")
                self.end_headers()

        self._thief, self._sender = HTTPServer(("127.0.0.1", 0), Thief), HTTPServer(("127.0.0.1", 0), Sender)
        for server in (self._thief, self._sender):
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def url(self, status: int) -> str:
        return f"http://127.0.0.1:{self._sender.server_port}/{status}"

    def close(self) -> None:
        for server in (self._thief, self._sender):
            server.shutdown()
            server.server_close()


@pytest.fixture(scope="module")
def hosts() -> Iterator[_Hosts]:
    made = _Hosts()
    yield made
    made.close()


ASKS: dict[str, Callable[[str], object]] = {
    "node-get": lambda url: HttpTransport(url, key="secret").get("health"),
    "node-post": lambda url: HttpTransport(url, key="secret").post("state", b"x"),
    "mirror": lambda url: HttpSource(url).get("checkpoint"),
    "engine": lambda url: post_json(url, {}, timeout=5),
}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("who", ASKS)
def test_a_redirect_is_no_answer(hosts: _Hosts, who: str, status: int) -> None:
    with pytest.raises(RegistryError) as caught:
        ASKS[who](hosts.url(status))
    assert caught.value.code in ("bad-answer", "unreachable", "engine-refused") and hosts.stolen == []


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_witness_sends_nobody_elsewhere(hosts: _Hosts, status: int) -> None:
    witness: Any = SimpleNamespace(url=hosts.url(status))
    assert ask_by_http(witness, b"x")[0] == status and hosts.stolen == []
