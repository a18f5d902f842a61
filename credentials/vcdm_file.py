"""A credential file, read: the value that the checks go by, and how its period is counted in minutes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from credentials.data_integrity import BBS, Proof
from credentials.data_model import moment
from credentials.envelope import CLAIMS_ALONE, Enveloped
from credentials.sd_jwt import SdJwt
from weid.canon import JSON
from weid.codec import from_minutes, minutes
from weid.errors import MalformedError

__all__ = ["FileCredential", "Own", "end_of", "seconds_of", "start_of"]


@dataclass(frozen=True, slots=True)
class Own:
    """What makes a file one of ours: everything the compact preimage needs beside schema and claims."""

    origin: str
    genesis: bytes
    issued: int
    bind_kind: int
    bind: bytes
    seed: bytes
    suite: str
    key_number: int
    specimen: bool
    schema: bytes
    list_number: int | None
    index: int | None
    signature: bytes


@dataclass(frozen=True, slots=True)
class FileCredential:
    """A credential file, read; `own` is None for a foreign one. Times are UTC minutes, rounded to the stricter side."""

    document: Mapping[str, JSON]
    proofs: tuple[Proof, ...]
    id: str | None
    types: tuple[str, ...]
    issuer: str
    valid_from: int | None
    valid_until: int | None
    claims: Mapping[str, JSON]
    has_status: bool
    own: Own | None
    enveloped: Enveloped | None = None  # then there are no proofs
    token: SdJwt | None = None  # an SD-JWT with what the holder added
    lead: int = 0  # seconds by which the signed start lies before valid_from

    @property
    def proof(self) -> Proof:
        """The proof that speaks for the issuer: the first by a key named under its DID, else the first of all."""
        own = (proof for proof in self.proofs if proof.method.partition("#")[0] == self.issuer)
        return next(own, self.proofs[0])

    @property
    def claims_alone(self) -> bool:
        """Whether it is an SD-JWT VC: claims, and no document of the data model around them."""
        return self.enveloped is not None and self.enveloped.form == CLAIMS_ALONE

    @property
    def method(self) -> str:
        """The verification method that proof or envelope names; "" for none."""
        if self.enveloped is None:
            return self.proof.method
        return self.enveloped.method or ""

    @property
    def suites(self) -> tuple[str, ...]:
        """The signature suites its key may have."""
        return self.proof.kind.suites if self.enveloped is None else (self.enveloped.suite,)

    @property
    def bbs(self) -> bool:
        """Whether its key is a BBS key."""
        return self.enveloped is None and self.proof.cryptosuite == BBS

    @property
    def self_certified(self) -> bool:
        """Whether the method spells its own key (did:key, did:jwk), which no registry vouches for."""
        return self.method.startswith(("did:key:", "did:jwk:"))


def seconds_of(value: JSON) -> int | None:
    """Seconds since 1970 of an XSD dateTimeStamp, a part of one counted whole."""
    if value is None:
        return None
    found = moment(value)
    if found is None:
        raise MalformedError("a period is given in dateTimeStamps", code="vcdm-validity")
    when, fraction = found
    return minutes(when) * 60 + when.second + fraction


def start_of(*seconds: int | None) -> tuple[int | None, int]:
    """(the minute after which the latest of these has come, the seconds by which that rounds it up)."""
    given = [item for item in seconds if item is not None]
    if not given:
        return None, 0
    count = -(-max(given) // 60)
    from_minutes(count)  # the last half minute of the year 9999 rounds out of the calendar
    return count, count * 60 - max(given)


def end_of(value: JSON) -> int | None:
    """The minute in which a period ends, rounded down: never a minute more than signed."""
    seconds = seconds_of(value)
    return None if seconds is None else seconds // 60
