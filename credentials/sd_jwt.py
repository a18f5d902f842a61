"""Selective disclosure for JWTs (RFC 9901): issuing, presenting with a key-binding JWT, verifying.

    <issuer-signed JWT>~<disclosure>~…~<disclosure>~<key-binding JWT or nothing>

Verifying here is the cryptographic question alone. Who the issuer is, whether it may issue and what the time is are asked
elsewhere: `verify` returns the claims, `jws.time_code` judges `exp` and `nbf` at a given moment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from credentials import jws
from credentials.jws import Jws
from credentials.sd_claims import MAX_DISCLOSURES, Disclosure, Path, conceal, hash_of, open_claims, read_disclosure
from weid.canon import JSON
from weid.codec import b64u
from weid.errors import DisclosureError, IssueError, MalformedError, SignatureError
from weid.hashes import Hash
from weid.keys import PublicKey, Signer
from weid.suites import Random

__all__ = [
    "DC_SD_JWT",
    "VC_SD_JWT",
    "KeyBinding",
    "SdJwt",
    "Verified",
    "answer",
    "bind",
    "confirmed_key",
    "issue",
    "present",
    "read_sd_jwt",
    "verify",
    "verify_binding",
]

DC_SD_JWT: Final = "dc+sd-jwt"
VC_SD_JWT: Final = "vc+sd-jwt"
KB_JWT: Final = "kb+jwt"
MAX_BYTES: Final = 1 << 21
ALWAYS_SHOWN: Final = frozenset({"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"})
"""Claims of the outermost object that a holder may never hide: a verifier would not miss them (RFC 9901 9.7)."""


@dataclass(frozen=True, slots=True)
class SdJwt:
    """An SD-JWT that parsed, with or without key binding: nothing in it is proven until `verify`."""

    jws: Jws
    payload: Mapping[str, JSON]
    disclosures: tuple[Disclosure, ...]
    shown: str
    binding: Jws | None

    @property
    def hash(self) -> Hash:
        """The hash of its digests, which is also the one of `sd_hash`."""
        return hash_of(self.payload)


@dataclass(frozen=True, slots=True)
class Verified:
    """What an SD-JWT says once its signature and digests are right: the claims, and which of them were disclosed."""

    claims: dict[str, JSON]
    disclosed: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class KeyBinding:
    """What a key-binding JWT says once it is right."""

    audience: str
    nonce: str
    issued: int
    claims: Mapping[str, JSON]


# --- reading ---------------------------------------------------------------------------------------------------------


def read_sd_jwt(text: str) -> SdJwt:
    """The parts of exactly this text; MalformedError, or UnknownSuiteError for an `alg` outside the allow-list."""
    if not isinstance(text, str) or len(text) > MAX_BYTES or text.count("~") > MAX_DISCLOSURES + 1:
        raise MalformedError(
            f"an SD-JWT is text of at most {MAX_BYTES} characters, {MAX_DISCLOSURES} disclosures", code="too-large"
        )
    first, *middle = text.split("~")
    if not middle or not text.isascii():
        raise MalformedError("an SD-JWT has a tilde after the JWT and after each disclosure", code="sd-jwt")
    last = middle.pop()
    disclosures = tuple(read_disclosure(item) for item in middle)
    issued = jws.read_jws(first)
    binding = jws.read_jws(last) if last else None
    return SdJwt(issued, MappingProxyType(issued.claims()), disclosures, text[: len(text) - len(last)], binding)


def verify(token: SdJwt, key: PublicKey, *, role: str = "assert", types: Collection[str] = (DC_SD_JWT, VC_SD_JWT)) -> Verified:
    """The claims, if `key` signed them and every disclosure is asked for once (RFC 9901 7.1).

    SignatureError for the signature, `wrong-suite` for an `alg` that is not the key's; MalformedError for the type or
    the digests. A key-binding JWT is not looked at: `verify_binding` is.
    """
    jws.require_type(token.jws, types)
    jws.verify(token.jws, key, role)
    opened = open_claims(token.payload, token.disclosures)
    return Verified(opened.claims, tuple(opened.places))


def confirmed_key(claims: Mapping[str, JSON]) -> PublicKey:
    """The holder's key of `cnf.jwk` (RFC 7800 3.2); MalformedError `cnf` where there is none."""
    confirmation = claims.get("cnf")
    value = confirmation.get("jwk") if isinstance(confirmation, dict) else None
    if not isinstance(value, dict):
        raise MalformedError("cnf has no jwk: this credential is bound to no key that we can read here", code="cnf")
    return PublicKey.from_jwk(value)


def verify_binding(token: SdJwt, key: PublicKey, *, audience: str, nonce: str) -> KeyBinding:
    """What the key-binding JWT says, if `key` signed it for this audience and nonce over exactly this (RFC 9901 7.3).

    `key` is the holder's out of the *verified* claims. Whether `issued` is recent is for the caller to judge. Codes:
    `kb-missing`, `wrong-typ`, `kb-claims`, `kb-audience`, `kb-nonce`, `kb-hash`, and those of the signature.
    """
    if token.binding is None:
        raise MalformedError("there is no key-binding JWT", code="kb-missing")
    jws.require_type(token.binding, (KB_JWT,))
    jws.verify(token.binding, key, "present")
    claims = token.binding.claims()
    said, once, issued, digest = (claims.get(name) for name in ("aud", "nonce", "iat", "sd_hash"))
    if not isinstance(said, str) or not isinstance(once, str) or type(issued) is not int or not isinstance(digest, str):
        raise MalformedError("a key-binding JWT has aud, nonce, iat and sd_hash", code="kb-claims")
    if said != audience:
        raise SignatureError("the key-binding JWT is for somebody else", code="kb-audience")
    if once != nonce:
        raise SignatureError("the key-binding JWT answers another question", code="kb-nonce")
    if digest != _sd_hash(token.shown, token.hash):
        raise SignatureError("the key-binding JWT is of another presentation", code="kb-hash")
    return KeyBinding(said, once, issued, claims)


# --- making ----------------------------------------------------------------------------------------------------------


def issue(
    claims: Mapping[str, JSON],
    hide: Collection[Path],
    *,
    signer: Signer,
    random: Random,
    typ: str = DC_SD_JWT,
    content: str | None = None,
    kid: str | None = None,
    holder: PublicKey | None = None,
    hash_name: str | None = None,
    decoys: int = 0,
) -> str:
    """The SD-JWT over `claims` with those of the paths `hide` as disclosures, all of them attached (RFC 9901 5.1).

    `holder` becomes `cnf.jwk`, `content` and `kid` stand in the header as `cty` and `kid`, the hash is that of the signer's
    suite if `hash_name` names no other. IssueError: `claim-always-shown`, `no-such-claim`, `reserved-claim`, `cnf-twice`.
    """
    for path in hide:
        if len(path) == 1 and path[0] in ALWAYS_SHOWN:
            raise IssueError(f"{path[0]}: a verifier must always see this claim", code="claim-always-shown")
    if holder is not None and "cnf" in claims:
        raise IssueError("cnf: the holder is named twice", code="cnf-twice")
    name = hash_name or ("sm3" if signer.public_key.suite == "sm2" else "sha-256")
    made, disclosures = conceal(claims, hide, random=random, hash=hash_of({"_sd_alg": name}), decoys=decoys)
    if len(disclosures) > MAX_DISCLOSURES:
        raise IssueError(f"an SD-JWT has at most {MAX_DISCLOSURES} disclosures", code="too-large")
    if holder is not None:
        made["cnf"] = {"jwk": {**holder.jwk()}}
    if disclosures:
        made["_sd_alg"] = name
    optional: dict[str, JSON] = {"cty": content, "kid": kid}
    header: dict[str, JSON] = {"typ": typ, **{name: item for name, item in optional.items() if item is not None}}
    return "~".join((jws.sign(header, jws.compact_json(made), signer), *disclosures, ""))


def present(text: str, show: Collection[Path]) -> str:
    """The SD-JWT cut down to what `show` names, with the disclosures above each path; no key binding yet.

    A path to something inside a disclosed value takes the whole disclosure. DisclosureError `no-such-claim` for a path
    that the credential does not have; paths to claims that are never hidden cost nothing.
    """
    return _cut(text, read_sd_jwt(text), show)


def _cut(text: str, token: SdJwt, show: Collection[Path]) -> str:
    opened = open_claims(token.payload, token.disclosures)
    chosen: set[str] = set()
    for path in show:
        if not _exists(opened.claims, path):
            raise DisclosureError(f"{path}: the credential has no such claim", code="no-such-claim")
        for end in range(len(path), 0, -1):
            if path[:end] in opened.places:
                chosen |= {item.text for item in opened.places[path[:end]]}
                break
    kept = [item.text for item in token.disclosures if item.text in chosen]
    return "~".join((text.split("~", 1)[0], *kept, ""))


def bind(text: str, holder: Signer, *, audience: str, nonce: str, at: datetime) -> str:
    """The presentation with a key-binding JWT of the holder over all of it (RFC 9901 4.3).

    IssueError `holder-key-mismatch` when the credential names another key, `already-bound` when one is there.
    """
    if not text.endswith("~"):
        raise IssueError("this presentation is bound already, or is none", code="already-bound")
    return _bound(text, jws.read_jws(text.split("~", 1)[0]).claims(), holder, audience=audience, nonce=nonce, at=at)


def answer(text: str, show: Collection[Path], holder: Signer, *, audience: str, nonce: str, at: datetime) -> str:
    """`present` and `bind` in one reading: what `show` names, bound to this audience and nonce."""
    token = read_sd_jwt(text)
    return _bound(_cut(text, token, show), token.payload, holder, audience=audience, nonce=nonce, at=at)


def _bound(text: str, payload: Mapping[str, JSON], holder: Signer, *, audience: str, nonce: str, at: datetime) -> str:
    confirmation = payload.get("cnf")
    if isinstance(confirmation, dict) and "jwk" in confirmation and confirmed_key(payload) != holder.public_key:
        raise IssueError("the credential is not bound to this key", code="holder-key-mismatch")
    claims: dict[str, JSON] = {
        "aud": audience, "iat": int(at.timestamp()), "nonce": nonce, "sd_hash": _sd_hash(text, hash_of(payload))
    }  # fmt: skip
    return text + jws.sign({"typ": KB_JWT}, jws.compact_json(claims), holder)


def _sd_hash(shown: str, hash: Hash) -> str:
    return b64u(hash(shown.encode("ascii")))


def _exists(value: JSON, path: Path) -> bool:
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            if step not in value:
                return False
            value = value[step]
        elif isinstance(value, list) and type(step) is int and 0 <= step < len(value):
            value = value[step]
        else:
            return False
    return bool(path)
