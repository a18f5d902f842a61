"""SMART Health Cards 1.4: shc:/ ‖ digit pairs of a JWS whose payload is raw deflate; its content is a FHIR bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from credentials import jws
from credentials.foreign.inflate import inflate
from credentials.foreign.value import SMART, Listed, OtherCredential
from credentials.jws import Jws
from weid.canon import JSON, jcs, parse_json
from weid.codec import b64u
from weid.errors import MalformedError, UnknownSuiteError

if TYPE_CHECKING:
    from credentials.foreign.keys import ForeignKey
    from weid.anchors import Anchor

__all__ = ["PREFIX", "join_chunks", "read_smart", "read_smart_jws", "scope_of"]

PREFIX: Final = "shc:/"
CAP: Final = 1 << 19
MAX_DIGITS: Final = 60_000
MAX_CHUNKS: Final = 9
MAX_RESOURCES: Final = 64
_OFFSET: Final = 45  # ASCII of the lowest letter of base64url, "-"
_LAST: Final = 77
_TYPE: Final = "https://smarthealth.cards#health-card"
_BESIDE: Final = frozenset({"resourceType", "meta", "id", "patient", "subject"})  # what binds the bundle together


def read_smart(text: str) -> OtherCredential:
    """The card in the text of one code; MalformedError `shc`, or `unsupported` for one code of several."""
    digits = text.removeprefix(PREFIX)
    if "/" in digits:
        raise MalformedError("one of several codes: all are needed", code="unsupported")
    return read_smart_jws(_letters(digits))


def join_chunks(texts: tuple[str, ...]) -> str | None:
    """The one text of codes `shc:/1/n/…` to `shc:/n/n/…` in any order; None where these are not exactly such a set."""
    found: dict[int, str] = {}
    for text in texts:
        place, total, digits = (*text.removeprefix(PREFIX).split("/"), "", "")[:3]
        if not text.startswith(PREFIX) or total != str(len(texts)) or not place.isdecimal() or len(texts) > MAX_CHUNKS:
            return None
        found[int(place)] = digits
    if sorted(found) != list(range(1, len(texts) + 1)):
        return None
    return PREFIX + "".join(found[place] for place in sorted(found))


def read_smart_jws(text: str) -> OtherCredential:
    """The card in a compact JWS, as wallets keep it in files; MalformedError, or UnknownSuiteError for another algorithm."""
    token = jws.read_jws(text)
    if token.header.get("alg") != "ES256":
        raise UnknownSuiteError("a card is signed with ES256", code="unknown-alg")
    if token.header.get("zip") != "DEF" or token.kid is None:
        raise MalformedError("a card is compressed, and names its key", code="shc")
    payload = parse_json(inflate(token.payload, raw=True, cap=CAP), max_bytes=CAP)
    content = payload.get("vc") if isinstance(payload, dict) else None
    if not isinstance(payload, dict) or not isinstance(content, dict):
        raise MalformedError("no vc inside", code="shc")
    issuer, start, end = payload.get("iss"), jws.seconds(payload, "nbf"), jws.seconds(payload, "exp")
    if not isinstance(issuer, str) or not issuer.startswith("https://") or issuer.endswith("/") or start is None:
        raise MalformedError("a card has an https issuer without a slash at its end, and a beginning", code="shc")
    bundle = _bundle(content)
    return OtherCredential(
        format=SMART, type=SMART, issuer=issuer, kid=token.kid, hint=f"iss|{issuer}", suite=token.suite,
        claims=dict(_claims(bundle)), verify=lambda key: _verify(token, key), issued=int(start), valid_from=int(start),
        valid_until=None if end is None else int(end), listed=(_listed(issuer, token.kid, content, bundle),),
        has_status=_announces,
    )  # fmt: skip


def scope_of(issuer: str, kid: str) -> str:
    """How a revocation list of one key is named among others."""
    return f"{issuer}#{kid}"


def _verify(token: Jws, key: ForeignKey) -> None:
    key.verify(token.suite, "jose", token.signed, token.signature)


def _announces(anchor: Anchor | None) -> bool:
    """Only a key with a revocation counter has a list (framework, Revocation)."""
    return anchor is None or anchor.counter is not None


def _letters(digits: str) -> str:
    if not digits.isascii() or not digits.isdecimal() or len(digits) % 2 or len(digits) > MAX_DIGITS:
        raise MalformedError("a code has pairs of digits", code="shc")
    numbers = [int(digits[place : place + 2]) for place in range(0, len(digits), 2)]
    if max(numbers) > _LAST:
        raise MalformedError("a pair of digits that stands for no letter", code="shc")
    return "".join(chr(number + _OFFSET) for number in numbers)


def _bundle(content: Mapping[str, JSON]) -> dict[str, JSON]:
    types, subject = content.get("type"), content.get("credentialSubject")
    if not isinstance(types, list) or _TYPE not in types or not isinstance(subject, dict):
        raise MalformedError("not of the type of these cards", code="shc")
    bundle = subject.get("fhirBundle")
    if not isinstance(bundle, dict) or not isinstance(bundle.get("entry"), list):
        raise MalformedError("no FHIR bundle inside", code="shc")
    return bundle


def _listed(issuer: str, kid: str, content: Mapping[str, JSON], bundle: dict[str, JSON]) -> Listed:
    """Its own `rid`, or the hash of its bundle where it has none (RFC 002 of the framework)."""
    rid = content.get("rid")
    if rid is not None:
        if not isinstance(rid, str) or not 0 < len(rid) <= 24 or not rid.replace("-", "a").replace("_", "a").isalnum():
            raise MalformedError("a rid is up to 24 letters of base64url", code="shc")
        return Listed(scope_of(issuer, kid), "rid", rid)
    digest = hashlib.sha256(b64u(jcs(bundle)).encode("ascii")).digest()
    return Listed(scope_of(issuer, kid), "hash-fhir", b64u(digest[:8]))


def _claims(bundle: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
    """Every member of every resource, in order, named by its resource's type and number."""
    entries, seen = bundle["entry"], dict[str, int]()
    if not isinstance(entries, list) or len(entries) > MAX_RESOURCES:
        raise MalformedError(f"a bundle of more than {MAX_RESOURCES} resources", code="too-large")
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(resource, dict) or not isinstance(kind, str):
            raise MalformedError("an entry without a resource", code="shc")
        seen[kind] = seen.get(kind, 0) + 1
        number = "" if seen[kind] == 1 else str(seen[kind])
        for name, value in resource.items():
            if name not in _BESIDE:
                yield f"{kind}{number}.{name}", _plain(value)


def _plain(value: JSON) -> JSON:
    """What FHIR nests for machines, as one text where there is one: names, codes, references, dates, quantities."""
    if isinstance(value, list) and len(value) == 1:
        return _plain(value[0])
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "family" in value or "given" in value:
        given = value.get("given", [])
        parts = [*(given if isinstance(given, list) else [given]), value.get("family")]
        return " ".join(part for part in parts if isinstance(part, str))
    for name in ("display", "text", "code", "reference", "coding", "actor"):
        if name in value and set(value) <= {name, "system"}:
            return _plain(value[name])
    return value
