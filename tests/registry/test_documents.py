"""The shelf of DID documents, and the errand that fetches one: from a real server on this machine, and from nowhere else."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server
from flask import Flask, Response, redirect

from registry.node import documents
from registry.node.documents import DocumentShelf, fetch_document
from registry.node.folder import TrustFolder
from registry.node.serving import certificate
from weid.errors import MalformedError, ResolutionError
from weid.facts import Found, NoFacts
from weid.handed_in import KIND, HandedIn, hand_in

NOW = 29_000_000


def document(did: str) -> dict[str, Any]:
    return {"@context": "https://www.w3.org/ns/did/v1", "id": did}


def item(did: str = "did:web:school.example", fetched: int = NOW) -> HandedIn:
    return hand_in(did, json.dumps(document(did)).encode(), fetched=fetched)


class Host:
    """A host of did:web documents on this machine, with a certificate of its own."""

    def __init__(self, folder: Path) -> None:
        public, secret, _ = certificate(folder, ["localhost"])
        self.trusted = ssl.create_default_context(cafile=str(public))
        self.seen: list[str] = []
        app = Flask("host")

        @app.get("/<path:path>")
        def answer(path: str) -> Any:
            self.seen.append(path)
            did = f"did:web:localhost%3A{self.port}:" + ":".join(path.split("/")[:-1])
            if path.startswith("big"):
                return Response(b" " * (70 << 10))
            if path.startswith("moved"):
                return redirect("https://localhost/other/did.json")
            if path.startswith("other"):
                did = "did:web:other.example"
            return Response(json.dumps(document(did)), content_type="application/did+json")

        self.server = Server(("127.0.0.1", 0), app, numthreads=1)
        self.server.ssl_adapter = BuiltinSSLAdapter(str(public), str(secret))
        self.server.prepare()
        self.port = self.server.bind_addr[1]
        threading.Thread(target=self.server.serve, daemon=True).start()

    def did(self, path: str) -> str:
        return f"did:web:localhost%3A{self.port}:{path}"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    made = Host(tmp_path_factory.mktemp("host"))
    yield made
    made.server.stop()


@pytest.fixture
def ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where localhost has two addresses the server stands on one."""
    real = socket.getaddrinfo
    monkeypatch.setattr(documents.socket, "getaddrinfo", lambda *a, **k: [x for x in real(*a, **k) if x[0] == socket.AF_INET])


def test_fetched_from_its_host(host: Host, ipv4: None) -> None:
    """The document of the DID, from the path the DID names, at this minute."""
    found = fetch_document(host.did("schools:one"), fetched=NOW, loopback=True, trusted=host.trusted)
    assert (found.did, found.fetched) == (host.did("schools:one"), NOW)
    assert host.seen[-1] == "schools/one/did.json"


@pytest.mark.parametrize(
    ("path", "code"), [("big", "fetch-failed"), ("moved", "fetch-failed"), ("other", "invalid-did-document")]
)
def test_answers_that_are_not_taken(host: Host, ipv4: None, path: str, code: str) -> None:
    """Too large, elsewhere, or about somebody else."""
    with pytest.raises(ResolutionError) as caught:
        fetch_document(host.did(path), fetched=NOW, loopback=True, trusted=host.trusted)
    assert caught.value.code == code


def test_a_certificate_that_nobody_vouches_for(host: Host, ipv4: None) -> None:
    """The name's certificate must be right, on this machine too."""
    with pytest.raises(ResolutionError) as caught:
        fetch_document(host.did("schools"), fetched=NOW, loopback=True)
    assert caught.value.code == "fetch-failed"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "172.16.9.9", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1",
     "fe80::1", "fd00::1", "::ffff:10.0.0.1", "2002:0a00:0001::1", "64:ff9b::a00:1", "255.255.255.255", "192.0.2.1"],
)  # fmt: skip
def test_nothing_inside_the_network_is_asked(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """A name that points to this machine, the network it stands in, or a cloud's metadata: no connection is made."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    inside = (family, socket.SOCK_STREAM, 6, "", (address, 443))
    outside = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))

    def connect(*args: Any, **more: Any) -> socket.socket:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(documents.socket, "create_connection", connect)
    for found in ([inside], [outside, inside], []):
        monkeypatch.setattr(documents.socket, "getaddrinfo", lambda *a, found=found, **k: found)
        with pytest.raises(ResolutionError) as caught:
            fetch_document("did:web:school.example", fetched=NOW)
        assert caught.value.code == "fetch-refused"


def test_loopback_means_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flag for trying things out opens no way into the network."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(documents.socket, "getaddrinfo", lambda *a, **k: found)
    with pytest.raises(ResolutionError) as caught:
        fetch_document("did:web:school.example", fetched=NOW, loopback=True)
    assert caught.value.code == "fetch-refused"
    with pytest.raises(MalformedError):
        fetch_document("did:key:z6Mk", fetched=NOW)


def test_the_shelf(tmp_path: Path) -> None:
    """Kept, read by another reader, not replaced by an older one, removed; a damaged file answers nothing."""
    shelf, reader = DocumentShelf(tmp_path / "documents"), DocumentShelf(tmp_path / "documents")
    assert reader.load() == ()
    shelf.keep(item())
    assert reader.load() == (item(),)
    shelf.keep(item(fetched=NOW + 5))
    assert reader.load() == (item(fetched=NOW + 5),)
    with pytest.raises(ResolutionError) as caught:
        shelf.keep(item())
    assert caught.value.code == "older-document"
    assert shelf.remove("did:web:school.example") is True
    assert shelf.remove("did:web:school.example") is False
    (tmp_path / "documents" / "damaged.did.json").write_bytes(b"{")
    assert reader.load() == ()


def test_beside_the_pinned_registry(tmp_path: Path) -> None:
    """Documents are trust data also where nothing is pinned; everything else stays unknown (R21)."""
    folder = TrustFolder(tmp_path)
    assert isinstance(folder.facts(at=NOW), NoFacts)
    folder.documents.keep(item())
    facts = folder.facts(at=NOW)
    assert isinstance(facts.fact(KIND, "did:web:school.example"), Found)
    assert not isinstance(facts.fact("trust", "root"), Found)
