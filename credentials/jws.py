"""Compact JWS, read strictly and signed through the Signer seam (RFC 7515, RFC 8725).

The algorithm is the key's: `alg` must name the suite of the resolved key and never chooses one. `none`, MACs, `crit` and
unencoded payloads are refused by name; a key inside the header (`jwk`, `x5c`) is never looked at.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from weid import signing
from weid.canon import JSON, parse_json
from weid.codec import b64u, from_minutes, unb64u
from weid.errors import MalformedError, SignatureError, UnknownSuiteError
from weid.keys import JWS_ALGORITHMS, PublicKey, Signer

__all__ = [
    "ALGORITHMS",
    "CONTEXT",
    "Jws",
    "compact_json",
    "json_text",
    "media_type",
    "read_jws",
    "replicated",
    "require_type",
    "seconds",
    "sign",
    "time_code",
    "verify",
]

CONTEXT: Final = "jose"
MAX_BYTES: Final = 1 << 21
MAX_HEADER: Final = 1 << 14
ALGORITHMS: Final[Mapping[str, str]] = MappingProxyType(
    {name: suite for suite, names in JWS_ALGORITHMS.items() for name in names}
)
"""JWS algorithm → suite: the whole allow-list."""


@dataclass(frozen=True, slots=True)
class Jws:
    """A JWS that parsed: nothing in it is proven until `verify`."""

    header: Mapping[str, JSON]
    payload: bytes
    signature: bytes
    signed: bytes

    @property
    def suite(self) -> str:
        """The suite its `alg` stands for."""
        return ALGORITHMS[str(self.header["alg"])]

    @property
    def type(self) -> str | None:
        """Its `typ` as a media type without `application/`, or None."""
        text = self.header.get("typ")
        return None if text is None else media_type(str(text))

    @property
    def kid(self) -> str | None:
        """Its `kid`: a hint at a key, never the key."""
        text = self.header.get("kid")
        return None if text is None else str(text)

    def claims(self) -> dict[str, JSON]:
        """The payload as a JSON object, else MalformedError."""
        value = parse_json(self.payload, max_bytes=MAX_BYTES)
        if not isinstance(value, dict):
            raise MalformedError("the payload of a JWT is a JSON object", code="jws")
        return value


def media_type(text: str) -> str:
    """A `typ` or `cty` for comparison: lower case, without the `application/` that may be left out (RFC 7515 4.1.9)."""
    lower = text.lower()
    short = lower.removeprefix("application/")
    return short if "/" not in short else lower


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def compact_json(value: JSON) -> bytes:
    """JSON text without white space, its members in their order: what is signed here needs no canonical form."""
    return json_text(value).encode("utf-8")


def json_text(value: JSON) -> str:
    """The same as text; MalformedError for what has no JSON, lone surrogates too."""
    try:
        text = _ENCODER.encode(value)
        if not text.isascii():
            text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise MalformedError(f"no JSON: {error}") from error
    return text


def read_jws(text: str, *, max_bytes: int = MAX_BYTES) -> Jws:
    """The JWS of exactly this text; MalformedError, or UnknownSuiteError for an `alg` outside the allow-list."""
    if not isinstance(text, str) or len(text) > max_bytes:
        raise MalformedError(f"a JWS is text of at most {max_bytes} characters", code="too-large")
    parts = text.split(".")
    if not text.isascii() or len(parts) != 3 or not parts[0] or not parts[2]:
        raise MalformedError("a JWS has a header, a payload and a signature", code="jws")
    if len(parts[0]) > MAX_HEADER:
        raise MalformedError(f"a JWS header is over {MAX_HEADER} characters", code="too-large")
    header = read_header(parts[0])
    signed = f"{parts[0]}.{parts[1]}".encode("ascii")
    return Jws(header, unb64u(parts[1]), unb64u(parts[2]), signed)


@lru_cache(maxsize=256)
def read_header(text: str) -> Mapping[str, JSON]:
    """The protected header of this base64url text, checked; kept, because an issuer or wallet writes the same one each time."""
    header = parse_json(unb64u(text), max_depth=8)
    if not isinstance(header, dict):
        raise MalformedError("a JWS header is a JSON object", code="jws")
    _check_header(header)
    return MappingProxyType(header)


def require_type(jws: Jws, allowed: Collection[str]) -> None:
    """MalformedError `wrong-typ` unless `typ` is there and allowed: what one profile signs is no other's (RFC 8725 3.11)."""
    if jws.type not in allowed:
        raise MalformedError(f"typ is {jws.type!r}, not one of {', '.join(sorted(allowed))}", code="wrong-typ")


def verify(jws: Jws, key: PublicKey, role: str) -> None:
    """SignatureError unless `key`, acting in `role`, signed exactly this; `wrong-suite` when `alg` is not the key's."""
    if jws.suite != key.suite:
        raise SignatureError(f"alg {jws.header['alg']} is not for a key of {key.suite}", code="wrong-suite")
    signing.verify(key, role, CONTEXT, jws.signed, jws.signature)


def sign(header: Mapping[str, JSON], payload: bytes, signer: Signer) -> str:
    """The compact JWS over the payload; `alg` is added and is the one of the signer's key."""
    algorithm = JWS_ALGORITHMS[signer.public_key.suite][0]
    texts = tuple((name, item) for name, item in header.items() if isinstance(item, str))
    first = _kept_header(texts, algorithm) if len(texts) == len(header) else _header_text(header, algorithm)
    signed = f"{first}.{b64u(payload)}"
    return f"{signed}.{b64u(signer.sign(CONTEXT, signed.encode('ascii')))}"


def _header_text(header: Mapping[str, JSON], algorithm: str) -> str:
    """The protected header as it is signed, checked."""
    full: dict[str, JSON] = {**header, "alg": algorithm}
    _check_header(full)
    return b64u(compact_json(full))


@lru_cache(maxsize=256)
def _kept_header(members: tuple[tuple[str, str], ...], algorithm: str) -> str:
    """The same, kept, because a signer writes the same one each time."""
    return _header_text(dict(members), algorithm)


def replicated(jws: Jws, payload: Mapping[str, JSON], names: Collection[str]) -> dict[str, JSON]:
    """The payload with those claims that the header has too, `claim-repeated` where they say something else (RFC 7519 5.3)."""
    header = {name: jws.header[name] for name in names if name in jws.header}
    if any(name in payload and payload[name] != item for name, item in header.items()):
        raise MalformedError("a claim says one thing in the header and another in the payload", code="claim-repeated")
    return {**payload, **header}


def seconds(claims: Mapping[str, JSON], name: str) -> int | float | None:
    """The NumericDate of a claim, None where it is not there (RFC 7519 2); `bad-time` outside the years that have minutes."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 38:
        raise MalformedError(f"{name} is not a number of seconds", code="bad-time")
    from_minutes(int(value // 60))
    return value


def time_code(claims: Mapping[str, JSON], at: datetime, *, leeway: int = 0) -> str | None:
    """None while `nbf ≤ at < exp`, else `not-yet-valid` or `expired`; MalformedError for a time that is no number.

    RFC 7519 4.1.4, 4.1.5; `leeway` in seconds for clocks that differ. A claim that is not there sets no bound.
    """
    now = at.timestamp()
    for name in ("nbf", "exp"):
        if isinstance(claims.get(name, 0), bool) or not isinstance(claims.get(name, 0), int | float):
            raise MalformedError(f"{name} is not a number of seconds", code="bad-time")
    start, end = claims.get("nbf"), claims.get("exp")
    if isinstance(end, int | float) and now >= end + leeway:
        return "expired"
    return "not-yet-valid" if isinstance(start, int | float) and now < start - leeway else None


def _check_header(header: Mapping[str, JSON]) -> None:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise MalformedError("a JWS header has an alg", code="jws")
    if algorithm.lower() == "none":
        raise MalformedError("alg none proves nothing", code="alg-none")
    if algorithm not in ALGORITHMS:
        raise UnknownSuiteError(f"alg {algorithm[:40]!r} is not one we verify", code="unknown-alg")
    if "crit" in header or "b64" in header:
        raise MalformedError("crit asks for an extension; none is understood here", code="crit")
    for name in ("typ", "cty", "kid", "iss"):
        if not isinstance(header.get(name, ""), str):
            raise MalformedError(f"the header member {name} is not text", code="jws")
