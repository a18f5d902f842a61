"""Which other system a text or file is of, and what is inside: one door for the pipeline, the pages and the command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from credentials.foreign import claim169, dcc, smart
from credentials.foreign.open_attestation import looks_like, read_open_attestation
from credentials.foreign.value import OtherCredential
from weid.canon import parse_json
from weid.errors import MalformedError, WeidError

__all__ = ["is_code", "is_other", "items_in", "read_other"]

_JWS: Final = b"eyJ"
_SPACE: Final = b" \t\r\n"  # no base45 text begins or ends with a space
_DEFLATED: Final = frozenset({"DEF"})
MAX_CARDS: Final = 16


def is_other(data: bytes) -> bool:
    """Whether the data announce another system's form; cheap, and nothing is said about whether they read."""
    data = data.strip(_SPACE)
    if data.startswith((dcc.PREFIX.encode(), smart.PREFIX.encode(), *(start.encode() for start in claim169.STARTS))):
        return True
    if data.startswith(_JWS):
        return _is_card(data)
    return data[:1] == b"{" and (looks_like(data) or _is_file(data))


def read_other(data: bytes) -> OtherCredential:
    """The credential in data that `is_other`; MalformedError or UnknownSuiteError with the reason."""
    data = data.strip(_SPACE)
    if data[:1] == b"{":
        return read_open_attestation(data) if looks_like(data) else _card_in(data)
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        raise MalformedError("a code of ASCII letters", code="not-a-credential") from None
    if text.startswith(dcc.PREFIX):
        return dcc.read_dcc(text)
    if text.startswith(smart.PREFIX):
        return smart.read_smart(text)
    return smart.read_smart_jws(text) if data.startswith(_JWS) else claim169.read_claim_169(text)


def is_code(text: bytes) -> bool:
    """Whether a line of text is the code of another system: for a camera, which sees codes of every kind."""
    try:
        return text[:1] != b"{" and is_other(text) and bool(read_other(text))
    except WeidError:
        return text.startswith(smart.PREFIX.encode()) and text.count(b"/") == 3


def items_in(items: Sequence[bytes]) -> tuple[bytes, ...]:
    """The credentials in what one picture or file held: chunks of one card joined, a file of several cards taken apart."""
    texts = tuple(item.decode("ascii", "replace") for item in items)
    chunks = tuple(text for text in texts if text.startswith(smart.PREFIX) and text.count("/") == 3)
    joined = smart.join_chunks(chunks) if chunks else None
    found = [item for item, text in zip(items, texts, strict=True) if joined is None or text not in chunks]
    if joined is not None:
        found.append(joined.encode("ascii"))
    return tuple(card for item in found for card in _apart(item))


def _apart(item: bytes) -> tuple[bytes, ...]:
    if item[:1] != b"{" or not _is_file(item):
        return (item,)
    held = json.loads(item)["verifiableCredential"]
    return tuple(card.encode("utf-8", "replace") for card in held[:MAX_CARDS]) if len(held) > 1 else (item,)


def _is_card(data: bytes) -> bool:
    """Whether the header of a JWS says that its payload is deflated, as only these cards do."""
    from credentials.jws import read_header

    try:
        return read_header(data.partition(b".")[0].decode("ascii")).get("zip") in _DEFLATED
    except (WeidError, UnicodeDecodeError, TypeError):
        return False


def _is_file(data: bytes) -> bool:
    """Whether JSON is `{"verifiableCredential": [JWS, …]}` alone, the file of a wallet."""
    if b'"verifiableCredential"' not in data[:64]:
        return False
    try:
        value = parse_json(data)
    except WeidError:
        return False
    held = value.get("verifiableCredential") if isinstance(value, dict) and len(value) == 1 else None
    return isinstance(held, list) and bool(held) and all(isinstance(card, str) and card.startswith("eyJ") for card in held)


def _card_in(data: bytes) -> OtherCredential:
    value = parse_json(data)
    held = value["verifiableCredential"] if isinstance(value, dict) else []
    if not isinstance(held, list) or len(held) != 1:
        raise MalformedError("a file of several cards: check them one by one", code="unsupported")
    return smart.read_smart_jws(str(held[0]))
