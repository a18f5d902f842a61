"""Certificates that several institutions issue together (R26).

How many must sign, who, and in which order stands in the schema, whose digest every signature covers: nobody can show a joint
certificate as if one signature were enough. The issuer signs the certificate; each of the others puts its word on the log,
under a fingerprint of the certificate's id that only it can write, and may take it back there. So a code on paper needs no
more room for three institutions than for one, and a word that was taken back shows everywhere with the next trust data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from weid import cbor
from weid.canon import JSON
from weid.did import DID
from weid.errors import MalformedError, SchemaError
from weid.facts import Facts, Found, Source
from weid.hashes import Hash
from weid.records import AccreditationRecord, EvidenceRecord
from weid.signing import framed

__all__ = ["COSIGNED", "Cosigned", "Joint", "cosign_fingerprint", "cosigned", "joint_from_json"]

COSIGNED: Final = "cosigned"
"""The kind under which a co-signer's word is anchored."""
_MOST: Final = 16
_MEMBERS: Final = frozenset(["signers", "threshold", "ordered"])


@dataclass(frozen=True, slots=True)
class Joint:
    """Who must sign: `threshold` institutions, the issuer among them; of `signers` (DIDs) if any are named, else any that the
    registry accredited for the schema. `ordered`: they sign in the order in which they are named."""

    signers: tuple[str, ...]
    threshold: int
    ordered: bool

    def may_sign(self, did: str) -> bool:
        """Whether a word of this institution counts."""
        return not self.signers or did in self.signers


@dataclass(frozen=True, slots=True)
class Cosigned:
    """One institution's word about one certificate; minutes since 1970."""

    did: str
    at: int
    withdrawn: int | None


def joint_from_json(value: JSON) -> Joint:
    """The `x-weid.joint` of a schema; SchemaError says what is wrong with it."""
    if not isinstance(value, dict) or set(value) != _MEMBERS:
        raise SchemaError("x-weid.joint needs exactly ordered, signers, threshold")
    signers, threshold, ordered = value["signers"], value["threshold"], value["ordered"]
    if not isinstance(signers, list) or len(signers) > _MOST or len(set(map(str, signers))) != len(signers):
        raise SchemaError(f"x-weid.joint.signers is a list of at most {_MOST} different DIDs")
    named = tuple(_did(item) for item in signers)
    if type(threshold) is not int or not 2 <= threshold <= (len(named) or _MOST):
        raise SchemaError("x-weid.joint.threshold is at least 2, and at most as many as may sign")
    if type(ordered) is not bool or (ordered and not named):
        raise SchemaError("x-weid.joint.ordered is true or false, and needs named signers to be true")
    return Joint(named, threshold, ordered)


def cosign_fingerprint(cid: bytes, *, origin: str, signer: str, hash: Hash) -> bytes:
    """The fingerprint under which an institution says that it signs the certificate of this 16-byte id (the form of R25)."""
    if len(cid) != 16:
        raise MalformedError("the id of a certificate is 16 bytes", code="bad-id")
    salt = hash(framed("weid/cosign-salt/v1", cid))
    return hash(framed("weid/cosign/v1", cbor.encode([origin, signer, salt, cid])))


def cosigned(
    facts: Facts, joint: Joint, cid: bytes, *, schema: bytes, issuer: str, source: Source, hash: Hash
) -> tuple[Cosigned, ...]:
    """The words of other institutions that count: each on the log that speaks for the issuer, and accredited at that minute."""
    found = []
    for did in sorted(set(_may_sign(facts, joint, schema, source)) - {issuer}):
        word = facts.fact("evidence", cosign_fingerprint(cid, origin=source.origin, signer=did, hash=hash).hex())
        if not isinstance(word, Found) or word.source.genesis != source.genesis:
            continue
        record: EvidenceRecord = word.record
        # Whoever has the certificate can write another institution's fingerprint: only its own word is one.
        if record.author == did and record.kind == COSIGNED and _accredited(facts, did, schema, source, record.published):
            found.append(Cosigned(did, record.published, record.withdrawn))
    return tuple(found)


def _may_sign(facts: Facts, joint: Joint, schema: bytes, source: Source) -> Iterator[str]:
    if joint.signers:
        yield from joint.signers
        return
    for right in facts.find("accreditation", ""):
        record: AccreditationRecord = right.record
        if record.schema == schema and right.source.genesis == source.genesis:
            yield record.issuer


def _accredited(facts: Facts, did: str, schema: bytes, source: Source, at: int) -> bool:
    answer: Any = facts.fact("accreditation", f"{did}|{schema.hex()}")
    return isinstance(answer, Found) and answer.source.genesis == source.genesis and answer.record.at(at) is not None


def _did(item: JSON) -> str:
    try:
        return str(DID(item if isinstance(item, str) else ""))
    except MalformedError:
        raise SchemaError("x-weid.joint.signers are DIDs of institutions") from None
