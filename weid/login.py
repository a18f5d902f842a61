"""Signing in with a wallet key: what a site asks, what the key signs, what the site checks (R1).

The site's challenge names its origin, so an answer for one site is worth nothing to another; its nonce is the site's to
use once. What no signature stops: a person who lets a false page show them a true site's challenge and confirms it.
That is why the wallet says who asks and keeps one key for each origin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from weid.canon import jcs, parse_json
from weid.codec import b64u, rfc3339, unb64u, unhex
from weid.did import key_of_did_key
from weid.errors import MalformedError, SignatureError, WeidError
from weid.keys import Signer
from weid.signing import verify

__all__ = [
    "CONTEXT", "LIFETIME", "LINK", "MAX_BYTES", "PURPOSES", "SIGN_IN", "TOLERANCE", "LoginAnswer", "LoginChallenge",
    "answer", "check_answer", "read_answer", "read_challenge", "read_origin",
]  # fmt: skip

CONTEXT: Final = "weid/login/v1"
SIGN_IN, LINK = "sign-in", "link"
PURPOSES: Final = (SIGN_IN, LINK)
LIFETIME: Final = 5  # minutes a challenge is good for
TOLERANCE: Final = 5  # minutes a wallet's clock may differ from the site's
MAX_BYTES: Final = 4096
_LONGEST: Final = 60  # minutes: a wallet answers nothing that stays good for longer
_ORIGIN: Final = re.compile(
    r"(https?)://([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(:[1-9][0-9]{0,4})?", re.ASCII
)
_NEAR: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_CHALLENGE: Final = {"type", "origin", "name", "purpose", "nonce", "issued", "expires"}
_ANSWER: Final = {"type", "nonce", "did", "signature"}


@dataclass(frozen=True, slots=True)
class LoginChallenge:
    """`origin` as a browser writes it, the site's `name`, `purpose` of PURPOSES, 16 bytes of `nonce`; UTC minutes."""

    origin: str
    name: str
    purpose: str
    nonce: bytes
    issued: int
    expires: int

    def __post_init__(self) -> None:
        read_origin(self.origin)
        named = 0 < len(self.name) <= 200 and self.name.isprintable()
        timed = 0 <= self.issued < self.expires <= self.issued + _LONGEST
        if not named or self.purpose not in PURPOSES or len(self.nonce) != 16 or not timed:
            raise MalformedError("not a challenge to sign in", code="not-a-login")

    def to_bytes(self) -> bytes:
        """Canonical JSON, as it is shown, drawn and signed over."""
        return jcs({
            "type": "weid-login-challenge", "origin": self.origin, "name": self.name, "purpose": self.purpose,
            "nonce": self.nonce.hex(), "issued": self.issued, "expires": self.expires,
        })  # fmt: skip


@dataclass(frozen=True, slots=True)
class LoginAnswer:
    """What a wallet hands back: which challenge, which did:key, 64 bytes of signature."""

    nonce: bytes
    did: str
    signature: bytes

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return jcs({
            "type": "weid-login-answer", "nonce": self.nonce.hex(), "did": self.did, "signature": b64u(self.signature),
        })  # fmt: skip


def read_origin(text: str) -> str:
    """The same text; MalformedError `bad-origin` unless it is scheme, host and port alone, as browsers write them."""
    match = _ORIGIN.fullmatch(text) if isinstance(text, str) and len(text) <= 300 else None
    if match is None or (match[1] == "http" and match[2] not in _NEAR):
        raise MalformedError("an origin is https://host or https://host:port, http on this machine alone", code="bad-origin")
    return text


def read_challenge(data: bytes) -> LoginChallenge:
    """The challenge of these bytes, white space around them aside; MalformedError `not-a-login` or `bad-origin`."""
    value = _object(data, _CHALLENGE, "weid-login-challenge")
    issued, expires = value["issued"], value["expires"]
    if type(issued) is not int or type(expires) is not int:
        raise MalformedError("not a challenge to sign in", code="not-a-login")
    origin, name, purpose = (str(value[member]) for member in ("origin", "name", "purpose"))
    return LoginChallenge(origin, name, purpose, _nonce(value["nonce"]), issued, expires)


def read_answer(data: bytes) -> LoginAnswer:
    """The answer of these bytes; MalformedError `not-a-login`."""
    value = _object(data, _ANSWER, "weid-login-answer")
    did, signature = value["did"], value["signature"]
    if not isinstance(did, str) or not isinstance(signature, str):
        raise MalformedError("not an answer to a challenge", code="not-a-login")
    return LoginAnswer(_nonce(value["nonce"]), did, unb64u(signature))


def answer(challenge: LoginChallenge, signer: Signer, did: str, *, origin: str, at: int) -> LoginAnswer:
    """The answer by a key of role `login`, for the origin the person means.

    WeidError `other-origin` when somebody else asks (a relayed challenge), `login-expired` or `login-early` when the
    challenge is not of now, give or take TOLERANCE.
    """
    if challenge.origin != origin:
        raise WeidError(f"{challenge.origin} asks, not {origin}", code="other-origin")
    if challenge.expires + TOLERANCE <= at:
        raise WeidError(f"the challenge expired at {rfc3339(challenge.expires)}; load the page again", code="login-expired")
    if challenge.issued - TOLERANCE > at:
        raise WeidError(f"the challenge is from {rfc3339(challenge.issued)}: one of the clocks is wrong", code="login-early")
    return LoginAnswer(challenge.nonce, did, signer.sign(CONTEXT, _payload(challenge, did)))


def check_answer(given: LoginAnswer, challenge: LoginChallenge) -> str:
    """The did:key that answered this challenge; SignatureError `wrong-answer` for anything else.

    `challenge` is the site's own copy: nothing of the answer says what was asked.
    """
    try:
        if given.nonce != challenge.nonce:
            raise SignatureError("an answer to another challenge", code="wrong-answer")
        verify(key_of_did_key(given.did), "login", CONTEXT, _payload(challenge, given.did), given.signature)
    except WeidError as error:
        raise SignatureError(f"this is no answer to our challenge: {error}", code="wrong-answer") from error
    return given.did


def _payload(challenge: LoginChallenge, did: str) -> bytes:
    return jcs({"challenge": challenge.to_bytes().decode(), "did": did})


def _object(data: bytes, members: set[str], kind: str) -> dict[str, object]:
    value = parse_json(data.strip(), max_bytes=MAX_BYTES)
    if not isinstance(value, dict) or set(value) != members or value["type"] != kind:
        raise MalformedError(f"not a {kind}", code="not-a-login")
    return dict(value)


def _nonce(text: object) -> bytes:
    data = unhex(text) if isinstance(text, str) else b""
    if len(data) != 16:
        raise MalformedError("a nonce has 16 bytes", code="not-a-login")
    return data
