"""The shelf of DID documents on disk, and the one explicit errand that fetches a did:web document for it.

Checking never comes here for anything but files. Fetching is asked for by a person, one DID at a time: over HTTPS, a small
answer, no other host than the one the DID names, and no address inside the network this machine stands in.
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import os
import socket
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from weid.did_web import MAX_DOCUMENT, document_url
from weid.errors import ResolutionError, WeidError
from weid.facts import Facts
from weid.handed_in import MAX_DOCUMENTS, HandedIn, WithDocuments, hand_in, read_handed_in

__all__ = ["DocumentShelf", "fetch_document"]

TIMEOUT: Final = 10.0
_SUFFIX: Final = ".did.json"


class DocumentShelf:
    """`<folder>/<hash of the DID>.did.json`, one file a did:web."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._cached: tuple[int, tuple[HandedIn, ...]] | None = None

    def load(self) -> tuple[HandedIn, ...]:
        """Every document that can be read; read again only when the folder changed. A damaged file answers nothing."""
        try:
            stamp = self.folder.stat().st_mtime_ns
        except FileNotFoundError:
            return ()
        if self._cached is None or self._cached[0] != stamp:
            paths = sorted(self.folder.glob(f"*{_SUFFIX}"))[:MAX_DOCUMENTS]
            self._cached = (stamp, tuple(item for item in map(_read, paths) if item is not None))
        return self._cached[1]

    def beside(self, facts: Facts) -> Facts:
        """The facts with the documents beside them."""
        documents = self.load()
        return WithDocuments(facts, documents) if documents else facts

    def keep(self, item: HandedIn) -> None:
        """Put a document on the shelf; ResolutionError `older-document` for one fetched before the one that is there."""
        held = next((other for other in self.load() if other.did == item.did), None)
        if held is not None and held.fetched > item.fetched:
            raise ResolutionError("a newer document of this DID is on the shelf", code="older-document")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(item.did)
        fresh = path.with_name(f"{path.name}.new")
        with fresh.open("wb") as stream:
            stream.write(item.to_bytes())
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
        self._cached = None

    def remove(self, did: str) -> bool:
        """Take a document off the shelf; whether one was there."""
        found = self._path(did).exists()
        self._path(did).unlink(missing_ok=True)
        self._cached = None
        return found

    def _path(self, did: str) -> Path:
        return self.folder / f"{hashlib.sha256(did.encode()).hexdigest()[:40]}{_SUFFIX}"


def _read(path: Path) -> HandedIn | None:
    try:
        with path.open("rb") as stream:
            return read_handed_in(stream.read(2 * MAX_DOCUMENT + 1))
    except (WeidError, OSError):
        return None


def fetch_document(did: str, *, fetched: int, loopback: bool = False, trusted: ssl.SSLContext | None = None) -> HandedIn:
    """The document of a did:web from its host, now; ResolutionError `fetch-refused` or `fetch-failed`.

    Only addresses of the open internet are asked, or with `loopback` only this machine. The address is looked up once and
    that one is connected to, so a name cannot point inside after it was checked. Redirects are never followed.
    """
    parts = urlsplit(document_url(did))
    host, port = parts.hostname or "", parts.port or 443
    address = _address(host, port, loopback)
    connection = _Connection(host, port, address, trusted or ssl.create_default_context())
    try:
        connection.request("GET", parts.path, headers={"Accept": "application/did+json, application/json", "Connection": "close"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise ResolutionError(f"{host} answered {answer.status}; redirects are not followed", code="fetch-failed")
        data = answer.read(MAX_DOCUMENT + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ResolutionError(f"{host} cannot be reached: {error}", code="fetch-failed") from error
    finally:
        connection.close()
    if len(data) > MAX_DOCUMENT:
        raise ResolutionError(f"a document over {MAX_DOCUMENT} bytes", code="fetch-failed")
    return hand_in(did, data, fetched=fetched)


class _Connection(http.client.HTTPSConnection):
    """HTTPS to an address that was chosen before, with the certificate of the name."""

    def __init__(self, host: str, port: int, address: str, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=TIMEOUT, context=context)
        self._address, self._tls = address, context

    def connect(self) -> None:
        """Connect to the address, and ask the certificate for the name."""
        plain = socket.create_connection((self._address, self.port), TIMEOUT)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except (OSError, ValueError):
            plain.close()
            raise


def _address(host: str, port: int, loopback: bool) -> str:
    """The first address of a host, if all of its addresses may be asked."""
    try:
        found = [str(item[4][0]) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise ResolutionError(f"{host} has no address: {error}", code="fetch-failed") from error
    addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in found]
    if loopback:
        allowed = bool(addresses) and all(item.is_loopback for item in addresses)
    else:
        allowed = bool(addresses) and all(_open(item) for item in addresses)
    if not allowed:
        raise ResolutionError(f"{host} is not on the open internet" if not loopback else f"{host} is not this machine",
                              code="fetch-refused")  # fmt: skip
    return found[0]


def _open(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is one of the open internet, also where IPv6 carries an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None and not _open(inner):
            return False
        if address in ipaddress.ip_network("64:ff9b::/96") and not _open(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)):
            return False
    return address.is_global and not address.is_multicast
