"""One request to an address of somebody else's choosing, which must not become a way into this machine's own network.

The name is resolved once, every answer is judged, and the connection goes to exactly a judged address: a second answer for
the same name (DNS rebinding) is never asked for. No redirects, no proxies, no answer's body, and an end to every wait.
Only https to public addresses; what the operator lists (`nets`) may be reached besides, there also by http.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPConnection, HTTPException
from threading import Timer
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

from weid.errors import MalformedError

__all__ = ["Net", "checked_url", "nets_of", "post", "public", "usable"]

Net: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
LONGEST: Final = 500  # characters of a URL
_PAUSE: Final = 5.0  # seconds without a word
_WHOLE: Final = 15.0  # seconds for all of it, however slowly somebody dribbles
_TRIED: Final = 3  # addresses of one name
# Not public, whatever the standard library of this Python calls it; the v6 ones carry a v4 address that a gateway would use.
_INSIDE: Final = tuple(map(ipaddress.ip_network, (
    "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4",
    "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
)))  # fmt: skip


def nets_of(texts: Sequence[str]) -> tuple[Net, ...]:
    """Networks as an operator names them (10.1.0.0/16, ::1); MalformedError `bad-net`."""
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise MalformedError(f"a network is an address, or one with a slash and its bits: {error}", code="bad-net") from None


def checked_url(text: str, nets: Sequence[Net]) -> SplitResult:
    """The parts of an address that may be told something; MalformedError `bad-hook-url`. Where it leads is judged later."""
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        port, host, parts = 0, "", urlsplit("")
    plain = text.isascii() and text.isprintable() and " " not in text and "\\" not in text and len(text) <= LONGEST
    good = plain and host and port != 0 and parts.username is None and parts.password is None and not parts.fragment
    if not good or parts.scheme not in (("https", "http") if nets else ("https",)):
        raise MalformedError("a webhook goes to an https address without a user name or a fragment", code="bad-hook-url")
    return parts


def public(address: Address) -> bool:
    """Whether an address is one of the internet at large."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return public(address.ipv4_mapped)
    inside = any(address.version == net.version and address in net for net in _INSIDE)
    return address.is_global and not inside and not address.is_multicast and not address.is_reserved


def usable(found: Sequence[str], nets: Sequence[Net], *, plain: bool) -> tuple[str, ...]:
    """The addresses of a name, if every one of them may be reached; none otherwise. `plain`: over http."""
    kept = []
    for text in found:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:  # a scope (fe80::1%eth0), or nothing at all
            return ()
        allowed = any(address.version == net.version and address in net for net in nets)
        if not allowed and (plain or not public(address)):
            return ()
        kept.append(str(address))
    return tuple(kept[:_TRIED])


def post(
    url: str, head: Mapping[str, str], body: bytes, *, nets: Sequence[Net] = (), resolve: Resolve | None = None,
    tls: ssl.SSLContext | None = None, whole: float = _WHOLE,
) -> str:  # fmt: skip
    """Send it; `http-204` and the like for an answer, else `refused-address`, `no-name`, `no-answer`, `bad-tls`."""
    parts = checked_url(url, nets)
    plain, host = parts.scheme == "http", str(parts.hostname)
    port = parts.port or (80 if plain else 443)
    try:
        found = (resolve or _resolved)(host, port)
    except (OSError, UnicodeError):
        return "no-name"
    chosen = usable(found, nets, plain=plain)
    if not chosen:
        return "refused-address" if found else "no-name"
    outcome = "no-answer"
    for address in chosen:
        outcome = _asked(_Pinned(host, port, address, None if plain else tls or _tls()), parts, head, body, whole)
        if outcome != "no-answer":
            break
    return outcome


@dataclass(frozen=True, slots=True)
class _End:
    """Closes a connection under whoever waits on it."""

    connection: _Pinned

    def __call__(self) -> None:
        if self.connection.sock is not None:
            # Not the TLS socket's own shutdown, which would wait for the other side.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.connection.sock, socket.SHUT_RDWR)


class _Pinned(HTTPConnection):
    """A connection to one address, under the name that the URL and the certificate have."""

    def __init__(self, host: str, port: int, address: str, tls: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=_PAUSE)
        self.default_port = 80 if tls is None else 443
        self._address, self._context = address, tls

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), _PAUSE)
        if self._context is not None:
            wrapped = self._context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock = wrapped
            wrapped.do_handshake()


def _asked(connection: _Pinned, parts: SplitResult, head: Mapping[str, str], body: bytes, whole: float) -> str:
    timer = Timer(whole, _End(connection))
    timer.daemon = True
    timer.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, {**head, "Connection": "close"})
        return f"http-{connection.getresponse().status}"  # the body stays where it is: nobody here wants it
    except ssl.SSLError:
        return "bad-tls"
    except (OSError, HTTPException, ValueError):
        return "no-answer"
    finally:
        timer.cancel()
        connection.close()


def _resolved(host: str, port: int) -> Sequence[str]:
    """Every address of a name; how long it takes is the system's setting (`resolv.conf`)."""
    return tuple(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
