"""Token status lists of JWTs, handed in and never fetched (draft-ietf-oauth-status-list): reference, list, one value."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from credentials import jws
from weid.canon import JSON
from weid.codec import unb64u
from weid.errors import MalformedError, SignatureError
from weid.keys import PublicKey

__all__ = ["NAMES", "StatusReference", "read_reference", "value_in"]

TYPE: Final = "statuslist+jwt"
MAX_LIST: Final = 1 << 24
MAX_URI: Final = 2048
NAMES: Final = ("valid", "invalid", "suspended")
"""The values that the draft names; others are for the application (7.1)."""


@dataclass(frozen=True, slots=True)
class StatusReference:
    """Where a token's status stands: the list's URI and the place in it."""

    uri: str
    index: int


def read_reference(claims: Mapping[str, JSON]) -> StatusReference | None:
    """The `status.status_list` of the claims, None where there is no `status`; MalformedError `status-claim`.

    A `status` of another mechanism is refused too: nobody could say that the token is still good.
    """
    if "status" not in claims:
        return None
    status = claims["status"]
    value = status.get("status_list") if isinstance(status, dict) else None
    uri, index = (value.get("uri"), value.get("idx")) if isinstance(value, dict) else (None, None)
    if not isinstance(uri, str) or not 0 < len(uri) <= MAX_URI or type(index) is not int or index < 0:
        raise MalformedError("status holds a status_list with idx and uri", code="status-claim")
    return StatusReference(uri, index)


def value_in(text: str, reference: StatusReference, key: PublicKey, *, at: datetime) -> tuple[int, int]:
    """(the value at the reference, when it was said in seconds) of a token that `key` signed and that is good now (8.3).

    Codes: `wrong-typ`, `status-list-uri` (another list), `status-list-expired`, `status-list`, `status-index`, and those
    of the signature. `ttl` says when to ask for a newer one, and is for whoever fetches.
    """
    token = jws.read_jws(text)
    jws.require_type(token, (TYPE,))
    jws.verify(token, key, "assert")
    claims = token.claims()
    if claims.get("sub") != reference.uri:
        raise MalformedError("this is another status list", code="status-list-uri")
    said = claims.get("iat")
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said < 1 << 38 or jws.time_code(claims, at):
        raise SignatureError("the status list is not of this time", code="status-list-expired")
    bits, packed = _list(claims.get("status_list"))
    values = 8 // bits
    if reference.index >= len(packed) * values:
        raise MalformedError("the list ends before the index", code="status-index")
    byte = packed[reference.index // values]
    value = byte >> (reference.index % values * bits) & ((1 << bits) - 1)  # the lowest bits are the first (4.1)
    return value, int(said)


def _list(value: JSON) -> tuple[int, bytes]:
    bits, text = (value.get("bits"), value.get("lst")) if isinstance(value, dict) else (None, None)
    if type(bits) is not int or bits not in (1, 2, 4, 8) or not isinstance(text, str):
        raise MalformedError("a status list has bits, 1, 2, 4 or 8, and lst", code="status-list")
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(unb64u(text), MAX_LIST)
    except zlib.error as error:
        raise MalformedError("the list does not inflate", code="status-list") from error
    if not inflater.eof or inflater.unused_data or inflater.unconsumed_tail:
        raise MalformedError(f"the list is cut, has more behind it, or is over {MAX_LIST} bytes", code="status-list")
    return bits, data
