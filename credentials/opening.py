"""Any envelope from its bytes: the bytes say which of the three it is, the `typ` inside says it again."""

from __future__ import annotations

from credentials.cose import read_cose
from credentials.envelope import JWT, Enveloped, Inner
from credentials.jose import open_jwt, read_sd_jwt_document
from credentials.jws import read_jws
from credentials.jwt_1_1 import read_jwt_1_1
from weid.errors import MalformedError

__all__ = ["open_inner", "read_envelope"]

_COSE_TAG = b"\xd2"


def read_envelope(data: bytes) -> Enveloped:
    """The document in a COSE_Sign1, SD-JWT or JWT, white space around the texts left out; MalformedError for anything else.

    A key-binding JWT is kept for those who ask for it: `jose.read_sd_jwt_document` returns the token too.
    """
    if data[:1] == _COSE_TAG:
        return read_cose(data)
    try:
        text = data.decode("ascii").strip(" \t\r\n")
    except UnicodeDecodeError:
        raise MalformedError("not an envelope that is read here", code="unsupported") from None
    if "~" in text:
        return read_sd_jwt_document(text)[0]
    token = read_jws(text)
    return read_jwt_1_1(token) if token.type == JWT else open_jwt(token)


def open_inner(held: Inner) -> Enveloped:
    """The document in an envelope of a presentation; `wrong-typ` when it is not what its `data:` URL calls it."""
    value = read_envelope(held.data)
    if value.media != held.form:
        raise MalformedError(f"an envelope called {held.form} holds {value.form}", code="wrong-typ")
    return value
