"""Credentials and presentations as JWTs of the data model 1.1 (VC Data Model 1.1, 6.3.1): read, never written.

The document stands in a claim `vc` or `vp`; registered claims stand for its members, or repeat them. What comes out is the
document with those members in place. A claim and a member that say different things are refused, not decided between.
Stricter than the recommendation: `typ` must be there (RFC 8725 3.11).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from credentials import jws
from credentials.data_model import ENVELOPED, V1, V2, moment, texts
from credentials.envelope import CLAIMS, JWT, MAX_INNER, TYPES, Enveloped, check_claims, id_of
from credentials.jws import Jws
from weid.canon import JSON
from weid.codec import from_minutes, minutes
from weid.errors import MalformedError

__all__ = ["read_jwt_1_1"]

_BESIDE: Final = frozenset({
    "@context", "type", "id", "issuer", "holder", "credentialSubject", "verifiableCredential", "proof", "credentialStatus",
    "credentialSchema", "issuanceDate", "expirationDate", "validFrom", "validUntil", "evidence", "termsOfUse",
    "refreshService", "relatedResource",
})  # fmt: skip
"""Members of a document: beside the claim they would be signed, and read by some verifiers and not by others."""


def read_jwt_1_1(token: Jws) -> Enveloped:
    """The credential or presentation in the `vc` or `vp` of a JWT of type `JWT`; MalformedError with the rule's code.

    `wrong-typ`, `wrong-cty`, `claim-repeated`, `vc-claim` (not exactly one of the two), `mixed-forms` (members of the
    document beside the claim, or another version of the data model), `wrong-document`, `issuer-mismatch`,
    `subject-mismatch`, `id-mismatch`, `time-mismatch`, `bad-time`, `kid-missing`.
    """
    jws.require_type(token, (JWT,))
    if "cty" in token.header:
        raise MalformedError("the payload of this JWT has no media type", code="wrong-cty")
    payload = jws.replicated(token, token.claims(), CLAIMS)
    kind = _kind(payload)
    inside = payload[kind]
    if not isinstance(inside, dict):
        raise MalformedError(f"{kind} is an object", code="wrong-document")
    claims: dict[str, JSON] = {name: payload[name] for name in CLAIMS if name in payload}
    _check(inside, kind)
    document = _credential(inside, claims) if kind == "vc" else _presentation(inside, claims)
    value = Enveloped(
        f"{kind}-1.1+jwt", document, MappingProxyType(claims), token.suite, token.kid, jws.CONTEXT, token.signed,
        token.signature,
    )  # fmt: skip
    check_claims(value)
    return value


def _kind(payload: Mapping[str, JSON]) -> str:
    kinds = [name for name in TYPES if name in payload]
    if len(kinds) != 1:
        raise MalformedError("a JWT of the data model 1.1 has a claim vc or a claim vp", code="vc-claim")
    if _BESIDE & set(payload):
        raise MalformedError(f"members of a document stand beside {kinds[0]}", code="mixed-forms")
    return kinds[0]


def _check(document: Mapping[str, JSON], kind: str) -> None:
    contexts = document.get("@context")
    first = contexts[0] if isinstance(contexts, list) and contexts else contexts
    if first == V2:
        raise MalformedError(f"{kind} holds a document of 2.0, which has envelopes of its own", code="mixed-forms")
    if first != V1:
        raise MalformedError("only the data model 1.1 is read in a JWT of this type", code="unsupported")
    if TYPES[kind] not in texts(document.get("type")):
        raise MalformedError(f"the document is no {TYPES[kind]}", code="wrong-document")
    if "proof" in document:
        raise MalformedError("a proof inside a JWT would go unchecked", code="wrong-document")


def _credential(inside: Mapping[str, JSON], claims: Mapping[str, JSON]) -> dict[str, JSON]:
    document = _named(dict(inside), claims, "issuer")
    document["credentialSubject"] = _subject(inside.get("credentialSubject"), claims)
    _time(document, claims, "issuanceDate", "nbf")
    _time(document, claims, "expirationDate", "exp")
    _numeric(claims, "iat")
    if "issuanceDate" not in document and "iat" in claims:
        _time(document, claims, "issuanceDate", "iat")  # 1.1 maps nbf; issuers that leave it out say iat
    return document


def _presentation(inside: Mapping[str, JSON], claims: Mapping[str, JSON]) -> dict[str, JSON]:
    """A credential that is a text becomes the envelope of a JWT of this kind, which must be one when it is opened."""
    document = _named(dict(inside), claims, "holder")
    for name in ("nbf", "exp", "iat"):
        _numeric(claims, name)
    held = inside.get("verifiableCredential", [])
    items = held if isinstance(held, list) else [held]
    if len(items) > MAX_INNER:
        raise MalformedError(f"a presentation holds at most {MAX_INNER} credentials", code="too-large")
    if any(isinstance(item, dict) and ENVELOPED in texts(item.get("type")) for item in items):
        raise MalformedError("vp holds an envelope of 2.0", code="mixed-forms")
    if items:
        document["verifiableCredential"] = [_wrapped(item) if isinstance(item, str) else item for item in items]
    return document


def _named(document: dict[str, JSON], claims: Mapping[str, JSON], signer: str) -> dict[str, JSON]:
    """With `iss` and `jti` in the places of the signer and the id."""
    for claim, member, code in (("iss", signer, "issuer-mismatch"), ("jti", "id", "id-mismatch")):
        if claim not in claims:
            continue
        said = claims[claim]
        if not isinstance(said, str) or not said or (member in document and id_of(document[member]) != said):
            raise MalformedError(f"{claim} is not what {member} says", code=code)
        document.setdefault(member, said)
    return document


def _subject(value: JSON, claims: Mapping[str, JSON]) -> JSON:
    """The one subject that a JWT can speak of (6.3.1), with `sub` as its id."""
    several = isinstance(value, list) and len(value) != 1
    single = value[0] if isinstance(value, list) and not several else value
    if several or not isinstance(single, dict):
        raise MalformedError("a JWT is about one subject", code="subject-mismatch")
    said = claims.get("sub", single.get("id"))
    if "sub" in claims and (not isinstance(said, str) or not said or single.get("id", said) != said):
        raise MalformedError("sub is not what credentialSubject says", code="subject-mismatch")
    found = single if "sub" not in claims else {**single, "id": said}
    return [found] if isinstance(value, list) else found


def _time(document: dict[str, JSON], claims: Mapping[str, JSON], member: str, claim: str) -> None:
    """The date as the claim has it; a member too must be of the same second, its fraction rounded either way."""
    seconds = _numeric(claims, claim)
    if seconds is None:
        return
    if member not in document:
        document[member] = from_minutes(seconds // 60).replace(second=seconds % 60).strftime("%Y-%m-%dT%H:%M:%SZ")
        return
    found = moment(document[member])
    start = None if found is None else minutes(found[0]) * 60 + found[0].second
    if found is None or start is None or not start <= seconds <= start + found[1]:
        raise MalformedError(f"{claim} is not the time that {member} says", code="time-mismatch")


def _numeric(claims: Mapping[str, JSON], name: str) -> int | None:
    """The whole seconds of a NumericDate (RFC 7519 2)."""
    if name not in claims:
        return None
    value = jws.seconds(claims, name)
    if value is None:
        raise MalformedError(f"{name} is null", code="bad-time")
    return int(value)


def _wrapped(text: str) -> JSON:
    return {"@context": V2, "id": f"data:application/{JWT},{text}", "type": ENVELOPED}
