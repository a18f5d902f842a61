"""How credential bytes travel as text: `https://host/#` and the bytes as one decimal number (R16).

The fragment is never sent to a server, any phone camera opens it in a browser verifier, and digits are what a QR
code packs best. A verifier parses the text, ignores the host and never fetches it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from weid.errors import MalformedError

__all__ = ["MAX_DIGITS", "Carried", "from_text", "prefix", "to_digits", "to_text"]

MAX_DIGITS: Final = 2400
MAX_PREFIX: Final = 22
MAX_BYTES: Final = 997  # the bytes 2,400 digits can hold
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.:-]*[a-z0-9])?", re.ASCII)
_TEXT: Final = re.compile(r"(?:https://([a-z0-9.:-]{1,12})/#)?([1-9][0-9]{0,2399})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Carried:
    """The bytes a text carried, and the host it named ("" for bare digits); the host proves nothing."""

    data: bytes
    host: str


def prefix(host: str) -> str:
    """`https://host/#`, at most 22 characters; MalformedError for another host."""
    text = f"https://{host}/#"
    if len(text) > MAX_PREFIX or not _HOST.fullmatch(host):
        raise MalformedError(f"{host!r} does not make a prefix of at most {MAX_PREFIX} characters", code="bad-host")
    return text


def to_digits(data: bytes) -> str:
    """The bytes as a big-endian decimal number; the first byte is never zero (a CBOR array head)."""
    if not data or data[0] == 0 or len(data) > MAX_BYTES:
        raise MalformedError(f"{len(data)} bytes cannot travel as digits", code="too-large")
    digits = str(int.from_bytes(data, "big"))
    if len(digits) > MAX_DIGITS:
        raise MalformedError(f"more than {MAX_DIGITS} digits", code="too-large")
    return digits


def to_text(data: bytes, host: str) -> str:
    """The text of a QR code: the prefix of `host` and the digits."""
    return prefix(host) + to_digits(data)


def from_text(text: str) -> Carried:
    """The bytes in a QR text or in bare digits; checked in full before any arithmetic (R11)."""
    match = _TEXT.fullmatch(text)
    if match is None:
        raise MalformedError("not the text of a credential code", code="not-a-credential")
    host, digits = match.groups()
    if host is not None and not _HOST.fullmatch(host):
        raise MalformedError("not the text of a credential code", code="not-a-credential")
    number = int(digits)
    return Carried(number.to_bytes((number.bit_length() + 7) // 8, "big"), host or "")
