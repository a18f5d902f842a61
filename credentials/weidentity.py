"""Credentials of WeIdentity and TDID, 2019 to 2023, as their software wrote them: read strictly, never written (R30).

A foreign format, so what its readers ignored is refused here: members nobody signed, claims without a salt, salts
without a claim. Reading judges nothing; `weidentity_proof` has the hashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from weid.canon import JSON, parse_json
from weid.codec import from_minutes, unb64
from weid.errors import MalformedError

__all__ = [
    "HIDDEN", "MULTI_CPT", "Leaf", "WeIdentityCredential", "address_in", "epoch", "hidden_leaves", "leaves",
    "looks_like", "read_weidentity", "shown_claims",
]  # fmt: skip

HIDDEN: Final = "0"  # the salt of a value that is not shown; the value then is its hash
MULTI_CPT: Final = 107
MAX_BYTES: Final = 256 << 10
MAX_LEAVES: Final = 512
MAX_INNER: Final = 16
MAX_SIGNED: Final = 32  # of all levels together: each costs a few trials of a signature
MAX_NESTING: Final = 3
SHANGHAI: Final = 8 * 3600  # JSON dates are Chinese wall time under a false Z
_MILLISECONDS_FROM: Final = 10**11  # the first releases counted milliseconds
_OTHER_CPTS: Final = frozenset({106, 108, 109, 110, 111})  # obsolete multi-sign, timestamps, zero-knowledge helpers
_MEMBERS: Final = frozenset(
    {"claim", "context", "cptId", "expirationDate", "id", "issuanceDate", "issuer", "proof", "type", "$from"}
)
_PROOF: Final = frozenset({"created", "creator", "verificationMethodId", "salt", "signatureValue", "type"})
_DID: Final = re.compile(r"did:(?:weid|tdid):(?:[A-Za-z0-9._-]{1,64}:){0,3}0x([0-9a-fA-F]{40})\Z")
_HASH: Final = re.compile(r"0x[0-9a-f]{64}\Z")
_STAMP: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z", re.ASCII)
_ID: Final = re.compile(r"[!-~]+\Z", re.ASCII)
_SUITES: Final = {"Secp256k1": "secp256k1", "EcdsaSignature": "secp256k1", "SM2": "sm2"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One salted value of the claim: where it is, what it is, its salt."""

    path: str
    value: JSON
    salt: str

    @property
    def hidden(self) -> bool:
        """Whether the value is only its hash."""
        return self.salt == HIDDEN


@dataclass(frozen=True, slots=True)
class WeIdentityCredential:
    """One credential as read. `kind` is original, lite1 or multi; times are UTC minutes.

    `inner` are the signed credentials of a multi-signature. `valid_from` and `valid_until` hold under both readings
    of a date with a false Z: a start is the later, an end the earlier one (R30).
    """

    document: Mapping[str, JSON]
    kind: str
    id: str
    cpt: int
    issuer: str
    claim: Mapping[str, JSON]
    salt: Mapping[str, JSON]
    suite: str
    creator: str
    signature: bytes
    valid_from: int | None
    valid_until: int | None
    text_dates: bool
    inner: tuple[WeIdentityCredential, ...]

    @property
    def issued(self) -> int | None:
        """The issuer's own date: there is no other start."""
        return self.valid_from

    def everyone(self) -> Iterator[WeIdentityCredential]:
        """This credential and every one inside."""
        yield self
        for item in self.inner:
            yield from item.everyone()


def looks_like(data: bytes) -> bool:
    """A cheap look before parsing: only such bytes are worth reading as this format."""
    return b'"cptId"' in data and b'"claim"' in data


def read_weidentity(data: bytes) -> WeIdentityCredential | None:
    """The credential in JSON bytes, or None when it is JSON of another kind.

    MalformedError for what is none of its shapes, `unsupported` for zero-knowledge and timestamp forms.
    """
    value = parse_json(data, max_bytes=MAX_BYTES)
    if not isinstance(value, dict) or "@context" in value or not {"claim", "cptId"} <= set(value):
        return None
    found = _credential(value, 0)
    if sum(1 for _ in found.everyone()) > MAX_SIGNED:
        raise MalformedError(f"a multi-signature holds at most {MAX_SIGNED} credentials in all", code="too-large")
    return found


def _credential(value: Mapping[str, JSON], depth: int) -> WeIdentityCredential:
    if set(value) - _MEMBERS:
        raise MalformedError("a member that no WeIdentity credential has")
    document = {name: item for name, item in value.items() if name != "$from"}
    cpt, issuer, claim = document.get("cptId"), document.get("issuer"), document.get("claim")
    if type(cpt) is not int or not 0 < cpt < 2**31 or not isinstance(claim, dict) or not claim:
        raise MalformedError("a credential has a CPT number and claims")
    kind = _kind(document.get("type"), cpt)
    suite, creator, salt, signature = _proof(document.get("proof"), kind)
    inner = _inner(claim, depth) if kind == "multi" else ()
    own = [_period(document)] + [(item.valid_from, item.valid_until) for item in inner]
    starts, ends = [start for start, _ in own if start is not None], [end for _, end in own if end is not None]
    found = WeIdentityCredential(
        document, kind, _id(document.get("id")), cpt, _text(issuer, 512), claim, salt, suite, creator, signature,
        max(starts, default=None), min(ends, default=None), any(map(_is_text_date, _dates(document))), inner,
    )  # fmt: skip
    address_in(found.issuer)
    _check_context(document, kind)
    if kind == "original":
        _check_leaves(found)
    return found


def _id(value: JSON) -> str:
    text = _text(value, 128)
    if not _ID.match(text):
        raise MalformedError("the id of a credential is plain letters")
    return text


def address_in(did: str) -> bytes:
    """The 20-byte address at the end of a did:weid or did:tdid of any age; MalformedError for other texts."""
    match = _DID.match(did)
    if match is None:
        raise MalformedError("the issuer is no WeIdentity DID", code="unsupported")
    return bytes.fromhex(match[1])


def _kind(value: JSON, cpt: int) -> str:
    types = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    if not types or not all(isinstance(item, str) and len(item) <= 64 for item in types) or len(types) > 4:
        raise MalformedError("a credential lists its types")
    if "zkp" in types or cpt in _OTHER_CPTS:
        raise MalformedError("zero-knowledge and timestamp credentials are not read", code="unsupported")
    if "lite1" in types:
        return "lite1"
    if types[0] != "VerifiableCredential":
        raise MalformedError("not a verifiable credential")
    return "multi" if cpt == MULTI_CPT else "original"


def _check_context(document: Mapping[str, JSON], kind: str) -> None:
    context = document.get("context")
    if not isinstance(context, str) and not (kind == "lite1" and context is None):
        raise MalformedError("a credential has one context")


def _proof(value: JSON, kind: str) -> tuple[str, str, Mapping[str, JSON], bytes]:
    """(suite the label says, creator, salts, signature bytes)."""
    if kind == "lite1" and isinstance(value, str):
        value = {"type": "Secp256k1", "signatureValue": value}
    if not isinstance(value, dict) or set(value) - _PROOF:
        raise MalformedError("not a proof of WeIdentity")
    label, salt = _text(value.get("type"), 32), value.get("salt", {})
    if label not in _SUITES:
        raise MalformedError(f"the proof type {label!r} is not read", code="unsupported")
    if not isinstance(salt, dict) or (salt and kind == "lite1"):
        raise MalformedError("salts have the shape of the claims")
    creator = value.get("creator", value.get("verificationMethodId", ""))
    signature = unb64(_text(value.get("signatureValue"), 128))
    if len(signature) not in (64, 65):
        raise MalformedError("a signature is r, s and a parity byte")
    return _SUITES[label], _text(creator, 600, least=0), salt, signature


def _inner(claim: Mapping[str, JSON], depth: int) -> tuple[WeIdentityCredential, ...]:
    items = claim.get("credentialList")
    if set(claim) != {"credentialList"} or not isinstance(items, list) or not 0 < len(items) <= MAX_INNER:
        raise MalformedError(f"a multi-signature holds 1 to {MAX_INNER} credentials and nothing else")
    if depth >= MAX_NESTING:
        raise MalformedError("multi-signatures are nested too deeply", code="too-deep")
    if not all(isinstance(item, dict) for item in items):
        raise MalformedError("a multi-signature holds whole credentials")
    found = tuple(_credential(item, depth + 1) for item in items if isinstance(item, dict))
    # the signer hashed a map keyed by id, so of two equal ids only one would be signed
    if len({item.id for item in found}) != len(found) or any(item.kind == "lite1" for item in found):
        raise MalformedError("the credentials of a multi-signature have different ids and salts")
    return found


def _dates(document: Mapping[str, JSON]) -> list[JSON]:
    return [document.get("issuanceDate"), document.get("expirationDate")]


def _is_text_date(value: JSON) -> bool:
    return isinstance(value, str)


def epoch(value: JSON, shift: int) -> int | None:
    """A date as the signer counted it, with `shift` seconds taken off a text; MalformedError for other values."""
    if value is None:
        return None
    if type(value) is int and 0 <= value < 10**14:
        return value
    if not isinstance(value, str) or not _STAMP.match(value):
        raise MalformedError("a date is a number of seconds or yyyy-MM-ddTHH:mm:ssZ")
    try:
        return int(datetime.fromisoformat(value[:-1]).replace(tzinfo=UTC).timestamp()) - shift
    except ValueError:
        raise MalformedError("no such date") from None


def _period(document: Mapping[str, JSON]) -> tuple[int | None, int | None]:
    start, end = ([_seconds(epoch(value, shift)) for shift in (0, SHANGHAI)] for value in _dates(document))
    starts, ends = [item for item in start if item is not None], [item for item in end if item is not None]
    found = (-(-max(starts) // 60) if starts else None, min(ends) // 60 if ends else None)
    for count in found:
        if count is not None:
            from_minutes(count)
    return found


def _seconds(value: int | None) -> int | None:
    return value if value is None or value < _MILLISECONDS_FROM else value // 1000


def leaves(claim: Mapping[str, JSON], salt: Mapping[str, JSON], place: str = "") -> Iterator[Leaf]:
    """Every salted value in document order; MalformedError where claims and salts have different shapes."""
    if set(claim) != set(salt):
        raise MalformedError("claims and salts name different members", code="bad-disclosure")
    for name, value in claim.items():
        yield from _below(value, salt[name], f"{place}.{name}" if place else name)


def _below(value: JSON, salt: JSON, path: str) -> Iterator[Leaf]:
    if isinstance(value, dict) and isinstance(salt, dict):
        yield from leaves(value, salt, path)
    elif isinstance(value, list) and isinstance(salt, list):
        # only lists of objects (or of such lists) are salted inside; anything else would stand there unhashed
        if len(value) != len(salt) or not all(isinstance(item, dict | list) for item in value):
            raise MalformedError("a list and its salts have different shapes", code="bad-disclosure")
        for place, (item, inner) in enumerate(zip(value, salt, strict=True)):
            yield from _below(item, inner, f"{path}[{place}]")
    elif isinstance(salt, str) and not isinstance(value, dict):
        yield Leaf(path, value, salt)
    else:
        raise MalformedError("claims and salts have different shapes", code="bad-disclosure")


def _check_leaves(credential: WeIdentityCredential) -> None:
    for count, leaf in enumerate(leaves(credential.claim, credential.salt)):
        if count >= MAX_LEAVES:
            raise MalformedError(f"more than {MAX_LEAVES} values", code="too-large")
        if leaf.hidden and not (isinstance(leaf.value, str) and _HASH.match(leaf.value)):
            raise MalformedError("a hidden value is given by its hash", code="bad-disclosure")
        if not leaf.hidden and not (leaf.salt.isascii() and leaf.salt.isalnum() and len(leaf.salt) <= 64):
            raise MalformedError("a salt is letters and digits", code="bad-disclosure")


def hidden_leaves(credential: WeIdentityCredential) -> tuple[str, ...]:
    """The paths that are not shown."""
    if credential.kind != "original":
        return tuple(path for item in credential.inner for path in hidden_leaves(item))
    return tuple(leaf.path for leaf in leaves(credential.claim, credential.salt) if leaf.hidden)


def shown_claims(credential: WeIdentityCredential) -> dict[str, JSON]:
    """The claims without what is hidden; of a multi-signature, who says what."""
    if credential.kind == "lite1":
        return dict(credential.claim)
    if credential.kind == "multi":
        told: list[JSON] = [
            {"id": item.id, "issuer": item.issuer, "cptId": item.cpt, "claim": shown_claims(item)} for item in credential.inner
        ]
        return {"credentialList": told}
    return _shown(credential.claim, credential.salt)


def _shown(claim: Mapping[str, JSON], salt: Mapping[str, JSON]) -> dict[str, JSON]:
    return {name: _seen(value, salt[name]) for name, value in claim.items() if salt[name] != HIDDEN}


def _seen(value: JSON, salt: JSON) -> JSON:
    if isinstance(value, dict) and isinstance(salt, dict):
        return _shown(value, salt)
    if isinstance(value, list) and isinstance(salt, list):
        return [_seen(item, inner) for item, inner in zip(value, salt, strict=True)]
    return value


def _text(value: JSON, longest: int, *, least: int = 1) -> str:
    if not isinstance(value, str) or not least <= len(value) <= longest:
        raise MalformedError("a member is missing or not a short text")
    return value
