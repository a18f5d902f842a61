"""SD-JWT VC: the claims of a `dc+sd-jwt`, and what the metadata of its type asks of them (draft-ietf-oauth-sd-jwt-vc-25).

The cryptographic question and the rules of the format; who may issue, what the time is (`jws.time_code`) and whether the
status is good (`token_status`) are asked elsewhere. Nothing is fetched: key, metadata and status list are handed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from credentials import sd_jwt
from credentials.jws import require_type, time_code
from credentials.sd_claims import Disclosure, open_claims
from credentials.sd_jwt import ALWAYS_SHOWN, DC_SD_JWT, SdJwt, confirmed_key
from credentials.token_status import StatusReference, read_reference
from credentials.type_metadata import ClaimMetadata, ClaimPath, TypeMetadata
from weid.canon import JSON
from weid.codec import from_minutes
from weid.errors import MalformedError
from weid.keys import PublicKey

__all__ = ["SdJwtVc", "check_type", "read_sd_jwt_vc", "verify_sd_jwt_vc"]

MAX_TYPES: Final = 64


@dataclass(frozen=True, slots=True)
class SdJwtVc:
    """An SD-JWT VC whose signature, digests and form are right; `holder` is the key that must have bound it, if any."""

    vct: str
    integrity: str | None
    also: tuple[str, ...]
    issuer: str | None
    holder: PublicKey | None
    status: StatusReference | None
    claims: Mapping[str, JSON]

    @property
    def types(self) -> tuple[str, ...]:
        """Every type that it says it is of."""
        return (self.vct, *self.also)


def verify_sd_jwt_vc(token: SdJwt, key: PublicKey) -> SdJwtVc:
    """The credential, if `key` signed it and it keeps the rules of the format.

    Beside the codes of `sd_jwt.verify`: `claim-hidden` (one that a verifier must see), `vct`, `vct-integrity`, `aka-vcts`,
    `iss`, `bad-time`, `cnf`, `status-claim`.
    """
    return _read(token, sd_jwt.verify(token, key, types=(DC_SD_JWT,)).claims)


def read_sd_jwt_vc(token: SdJwt) -> SdJwtVc:
    """The same before anything is proven."""
    require_type(token.jws, (DC_SD_JWT,))
    return _read(token, open_claims(token.payload, token.disclosures).claims)


def _read(token: SdJwt, claims: dict[str, JSON]) -> SdJwtVc:
    for name in sorted(ALWAYS_SHOWN & set(claims)):
        if name not in token.payload or _conceals(token.payload[name]):
            raise MalformedError(f"{name} was hidden, and no verifier would have missed it", code="claim-hidden")
    vct, integrity = claims.get("vct"), claims.get("vct#integrity")
    if not isinstance(vct, str) or not vct:
        raise MalformedError("vct names the type", code="vct")
    if integrity is not None and not isinstance(integrity, str):
        raise MalformedError("vct#integrity is text", code="vct-integrity")
    issuer = claims.get("iss")
    if issuer is not None and (not isinstance(issuer, str) or not issuer):
        raise MalformedError("iss is text", code="iss")
    time_code(claims, from_minutes(0))  # times that are no numbers are refused here, whenever it is
    holder = confirmed_key(claims) if "cnf" in claims else None
    return SdJwtVc(vct, integrity, _also(claims, vct), issuer, holder, read_reference(claims), claims)


def check_type(value: SdJwtVc, token: SdJwt, metadata: TypeMetadata) -> None:
    """MalformedError unless the credential is what the metadata of its type says; nothing for claims that it does not name.

    `claim-path` (the claims have another shape), `claim-not-hidden`, `claim-hidden` (against `sd`), `claim-missing` (a
    mandatory one). What a holder left out is no evidence against the issuer: a claim is missing only where it cannot be
    hidden.
    """
    if metadata.chain[0] != value.vct:
        raise MalformedError("the metadata are those of another type", code="type-metadata")
    walk = _Walk({item.digest(token.hash): item for item in token.disclosures})
    for claim in metadata.claims:
        _check_claim(claim, walk, {name: item for name, item in token.payload.items() if name != "_sd_alg"})


@dataclass(frozen=True, slots=True)
class _Found:
    """A claim at a path as it was issued; `known` is false for an array element that was not disclosed."""

    value: JSON
    hidden: bool
    known: bool = True


class _Walk:
    """Paths into the claims as issued: with the digests in their places, so that what was left out still counts."""

    def __init__(self, disclosures: Mapping[str, Disclosure]) -> None:
        self.disclosures = disclosures

    def select(self, payload: JSON, path: ClaimPath, *, openly: bool) -> tuple[list[_Found], bool]:
        """(what the path selects, whether something it selects may have been left out); `openly`: it may not be hidden."""
        found, perhaps = [_Found(payload, False)], False
        for place, step in enumerate(path):
            never_hidden = openly and place == len(path) - 1
            chosen: list[_Found] = []
            for item in found:
                if not item.known:
                    perhaps = True
                    continue
                more, left = self._member(item.value, step) if isinstance(step, str) else self._elements(item.value, step)
                chosen += more
                perhaps = perhaps or (left and not more and not never_hidden)
            found = chosen
        return found, perhaps

    def _member(self, value: JSON, name: str) -> tuple[list[_Found], bool]:
        if not isinstance(value, dict):
            raise MalformedError(f"{name[:40]!r} is asked of what is no object", code="claim-path")
        if name in value and name != "_sd":
            return [_Found(value[name], False)], False
        digests = value.get("_sd", [])
        read = [self.disclosures.get(str(digest)) for digest in (digests if isinstance(digests, list) else [])]
        return [_Found(item.value, True) for item in read if item is not None and item.name == name], None in read

    def _elements(self, value: JSON, step: int | None) -> tuple[list[_Found], bool]:
        if not isinstance(value, list):
            raise MalformedError("an element is asked of what is no array", code="claim-path")
        chosen: Sequence[JSON] = value if step is None else value[step : step + 1]
        return [self._element(item) for item in chosen], False

    def _element(self, item: JSON) -> _Found:
        if not isinstance(item, dict) or "..." not in item:
            return _Found(item, False)
        disclosure = self.disclosures.get(str(item["..."]))
        return _Found(None, True, known=False) if disclosure is None else _Found(disclosure.value, True)


def _check_claim(claim: ClaimMetadata, walk: _Walk, payload: JSON) -> None:
    shown = ".".join("*" if step is None else str(step) for step in claim.path)[:80]
    found, perhaps = walk.select(payload, claim.path, openly=claim.sd == "never")
    if claim.sd == "never" and any(item.hidden for item in found):
        raise MalformedError(f"{shown} may not be hidden", code="claim-hidden")
    if claim.sd == "always" and not all(item.hidden for item in found):
        raise MalformedError(f"{shown} must be hidden one by one", code="claim-not-hidden")
    if claim.mandatory and not found and not perhaps:
        raise MalformedError(f"{shown} is missing", code="claim-missing")


def _conceals(value: JSON) -> bool:
    """Whether anything inside stands as a digest."""
    if isinstance(value, list):
        return any(_conceals(item) for item in value)
    return isinstance(value, dict) and ("_sd" in value or "..." in value or any(_conceals(item) for item in value.values()))


def _also(claims: Mapping[str, JSON], vct: str) -> tuple[str, ...]:
    """The other types (`aka_vcts`): a list of texts that is not empty, without `vct`."""
    if "aka_vcts" not in claims:
        return ()
    value = claims["aka_vcts"]
    found = tuple(item for item in value if isinstance(item, str) and item) if isinstance(value, list) else ()
    if not isinstance(value, list) or not 0 < len(found) <= MAX_TYPES or len(found) != len(value) or vct in found:
        raise MalformedError("aka_vcts is a list of other types", code="aka-vcts")
    return found
