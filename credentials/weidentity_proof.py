"""What WeIdentity signed, release by release, and who signed it (R30).

Three profiles and the lite form; nothing in a file names its profile, so each that fits the signature's shape is tried
against one key or address. A wrong match would need a collision of 160 bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from credentials.weidentity import HIDDEN, SHANGHAI, WeIdentityCredential, address_in, epoch
from weid.canon import JSON
from weid.did import address_of, keccak256
from weid.errors import KeyMaterialError, MalformedError, SignatureError, UnknownSuiteError
from weid.hashes import SM3
from weid.keys import PublicKey
from weid.recovery import recover, verify_digest
from weid.suites import suite

__all__ = ["PROFILES", "UNSIGNED", "UNSIGNED_OF_MULTI", "Proven", "claim_hashes", "compact", "evidence_hash", "java_text",
           "prove"]  # fmt: skip

UNSIGNED: Final = ("proof.created", "proof.creator", "proof.type")
UNSIGNED_OF_MULTI: Final = ("context", "cptId", "expirationDate", "id", "issuanceDate", "issuer", "type", *UNSIGNED, "proof.salt")
_Hash = Callable[[bytes], bytes]
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Profile:
    """How one range of releases signed: claims as a text or a map, `proof: null` or none, hashed twice or once."""

    name: str
    text_claim: bool
    null_proof: bool
    twice: bool
    parity_first: bool


PROFILES: Final = (
    Profile("P1", True, True, True, True),  # until 1.6.1
    Profile("P2", False, True, True, True),  # 1.6.2
    Profile("P3", False, False, False, False),  # from 1.6.3
)


@dataclass(frozen=True, slots=True)
class Proven:
    """Which key signed, under which profile and reading of the dates, and what the signature leaves out."""

    key: PublicKey
    profile: str
    reading: str
    unsigned: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Attempt:
    profile: Profile
    name: str
    reading: str
    text: str
    unsigned: tuple[str, ...]


def prove(credential: WeIdentityCredential, keys: Sequence[PublicKey] | None) -> Proven | None:
    """Who signed, or None: one of `keys`; with None, the secp256k1 key that the issuer's address stands for.

    A key's own suite decides the algorithm (R2), never the label in the proof, which nobody signed.
    """
    if keys is not None:
        return next((found for key in keys if (found := _by_key(credential, key)) is not None), None)
    address = address_in(credential.issuer)
    for attempt in _attempts(credential, keccak256):
        split = _split(credential.signature, attempt.profile)
        if split is None:
            continue
        signature, parity = split
        try:
            key = recover(_digest(attempt, keccak256), signature, parity)
        except (SignatureError, KeyMaterialError):
            continue
        if address_of(key) == address:
            return Proven(key, attempt.name, attempt.reading, attempt.unsigned)
    return None


def _by_key(credential: WeIdentityCredential, key: PublicKey) -> Proven | None:
    if key.suite not in ("secp256k1", "sm2"):
        return None
    hash_: _Hash = SM3 if key.suite == "sm2" else keccak256
    for attempt in _attempts(credential, hash_):
        split = _split(credential.signature, attempt.profile)
        if split is None:
            continue
        digest = _digest(attempt, hash_)
        try:
            if key.suite == "sm2":
                suite("sm2").verify(key.data, digest, split[0])  # the digest is the message: SM3(Z ‖ SM3(text))
            else:
                verify_digest(key, digest, split[0])
        except (SignatureError, KeyMaterialError, UnknownSuiteError):
            continue
        return Proven(key, attempt.name, attempt.reading, attempt.unsigned)
    return None


def _split(signature: bytes, profile: Profile) -> tuple[bytes, int] | None:
    """(r ‖ s, parity) as the profile orders them; None when the bytes cannot be that."""
    if len(signature) == 64:
        return None if profile.parity_first else (signature, 0)
    mark = signature[0] if profile.parity_first else signature[64]
    if mark not in (27, 28) and (profile.parity_first or mark not in (0, 1)):
        return None
    return (signature[1:] if profile.parity_first else signature[:64]), (mark - 27 if mark >= 27 else mark)


def _digest(attempt: _Attempt, hash_: _Hash) -> bytes:
    digest = hash_(attempt.text.encode("utf-8"))
    return hash_(digest) if attempt.profile.twice else digest


def _attempts(credential: WeIdentityCredential, hash_: _Hash) -> Iterator[_Attempt]:
    for reading, shift in _readings(credential):
        if credential.kind == "lite1":
            yield from _lite(credential, reading, shift)
            continue
        for profile in PROFILES:
            if _split(credential.signature, profile) is None:
                continue
            if credential.kind == "multi":
                text = _concatenated(credential, profile, shift, hash_)
                yield _Attempt(profile, profile.name, reading, text, UNSIGNED_OF_MULTI)
            else:
                yield _Attempt(profile, profile.name, reading, _thumbprint(credential, profile, shift, hash_), UNSIGNED)


def _readings(credential: WeIdentityCredential) -> tuple[tuple[str, int], ...]:
    """A text ends in Z, but the software that wrote it printed the time in Shanghai; both are tried."""
    if any(item.text_dates for item in credential.everyone()):
        return ("shanghai", SHANGHAI), ("utc", 0)
    return (("epoch", 0),)


def _thumbprint(credential: WeIdentityCredential, profile: Profile, shift: int, hash_: _Hash) -> str:
    value = _dated(credential, shift)
    hashes: JSON = claim_hashes(credential.claim, credential.salt, hash_)
    value["claim"] = compact(hashes) if profile.text_claim else hashes
    if profile.null_proof:
        value["proof"] = None
    else:
        del value["proof"]
    return compact(value)


def _lite(credential: WeIdentityCredential, reading: str, shift: int) -> Iterator[_Attempt]:
    """The lite form signs the claims themselves; 1.6.2 left the date of issue out as well."""
    value = {name: item for name, item in _dated(credential, shift).items() if name not in ("proof", "context")}
    value["type"] = "lite1"
    yield _Attempt(PROFILES[2], "LITE", reading, compact(value), ("context", *UNSIGNED))
    value.pop("issuanceDate", None)
    yield _Attempt(PROFILES[2], "LITE-1.6.2", reading, compact(value), ("context", "issuanceDate", *UNSIGNED))


def _dated(credential: WeIdentityCredential, shift: int) -> dict[str, JSON]:
    value = dict(credential.document)
    for name in ("issuanceDate", "expirationDate"):
        if name in value:
            value[name] = epoch(value[name], shift)
    return value


def evidence_hash(credential: WeIdentityCredential, *, text_claim: bool = False, shift: int = 0, hash: _Hash = keccak256) -> str:
    """The hash a credential is anchored by: everything but the salts, the same whatever is disclosed."""
    value = _dated(credential, shift)
    hashes: JSON = claim_hashes(credential.claim, credential.salt, hash)
    value["claim"] = compact(hashes) if text_claim else hashes
    proof = value["proof"]
    if not isinstance(proof, dict):
        raise MalformedError("a lite credential has no evidence hash of this form", code="unsupported")
    proof = {**proof, "salt": None}
    if "created" in proof:
        proof["created"] = epoch(proof["created"], shift)
    value["proof"] = proof
    return "0x" + hash(compact(value).encode("utf-8")).hex()


def _concatenated(credential: WeIdentityCredential, profile: Profile, shift: int, hash_: _Hash) -> str:
    """What a multi-signature signs: the evidence hashes inside, by id; nothing of its own envelope."""
    return "".join(
        _concatenated(item, profile, shift, hash_)
        if item.kind == "multi"
        else evidence_hash(item, text_claim=profile.text_claim, shift=shift, hash=hash_)
        for item in sorted(credential.inner, key=lambda item: _utf16(item.id))
    )


def claim_hashes(claim: Mapping[str, JSON], salt: Mapping[str, JSON], hash: _Hash = keccak256) -> dict[str, JSON]:
    """The claims with every shown value replaced by its salted hash; hidden ones are that already."""
    return {name: _hashed(value, salt[name], hash) for name, value in claim.items()}


def _hashed(value: JSON, salt: JSON, hash_: _Hash) -> JSON:
    if isinstance(value, dict) and isinstance(salt, dict):
        return claim_hashes(value, salt, hash_)
    if isinstance(value, list) and isinstance(salt, list):
        return [_hashed(item, inner, hash_) for item, inner in zip(value, salt, strict=True)]
    if salt == HIDDEN:
        return value
    # value and salt have no border between them: R30 says what that lets a holder do
    return "0x" + hash_(f"{java_text(value)}{salt}".encode()).hex()


def java_text(value: JSON) -> str:
    """A value as Java's String.valueOf prints it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _java_double(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(java_text, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={java_text(item)}" for name, item in value.items()) + "}"
    return str(value)


def _java_double(value: float) -> str:
    """Double.toString: plain between 10^-3 and 10^7, else one digit, a point and E."""
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    sign, size = ("-" if value < 0 else ""), abs(value)
    mantissa, _, exponent = f"{size!r}".partition("e")
    whole, _, part = mantissa.partition(".")
    digits = (whole + part).lstrip("0").rstrip("0") or "0"
    leading = len(whole + part) - len((whole + part).lstrip("0"))
    power = len(whole) - leading - 1 + int(exponent or 0)
    if -3 <= power < 7:
        padded = digits.rjust(len(digits) - power, "0") if power < 0 else digits.ljust(power + 2, "0")
        cut = 1 if power < 0 else power + 1
        return f"{sign}{padded[:cut]}.{padded[cut:] or '0'}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{power}"


def compact(value: JSON) -> str:
    """JSON as WeIdentity's serializer prints it: names in UTF-16 order, no space, nothing escaped that need not be."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(name)}:{compact(value[name])}" for name in sorted(value, key=_utf16)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    return _quoted(value) if isinstance(value, str) else java_text(value)


def _quoted(text: str) -> str:
    plain = "".join(_ESCAPES.get(letter) or (letter if letter >= " " else f"\\u{ord(letter):04X}") for letter in text)
    return f'"{plain}"'


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")
