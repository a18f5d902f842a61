"""Signing together with other institutions: what there is to sign, in words; signing it; taking the word back.

A certificate travels between institutions as its file. Who signs has checked it here, against its own trust data: what is
signed is what this page showed, since the word on the log is about the certificate's id, a hash over all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from credentials.compact import read_compact
from credentials.joint import COSIGNED, Cosigned, Joint, cosign_fingerprint, cosigned
from credentials.policy import Policy
from credentials.report import Presented
from credentials.schema import Schema
from credentials.verify import verify
from issuer_app.desk import Desk, Issued
from registry import operations as ops
from weid.codec import minutes
from weid.errors import IssueError, MalformedError, RejectedError
from weid.facts import Found
from weid.hashes import Hash
from weid.suites import suite

__all__ = ["Asked", "Standing", "cosign", "names_of", "read_asked", "standing", "take_back", "words_of"]

# What only says who has not signed yet, or no more, or that we cannot know: everything else must be in order. Nor does the
# holder show anything here: a certificate bound to a key is signed by the institutions before its holder answers anybody.
_OPEN: Final = frozenset({"not-cosigned", "cosigning-unknown", "cosignature-withdrawn", "holder-proof-missing"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One certificate of another institution that asks for our word; `told` says whether it has it, and since when."""

    presented: Presented
    schema: Schema
    joint: Joint
    others: tuple[Cosigned, ...]
    told: Cosigned | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a joint certificate of ours is: `needed` words in all, ours among them."""

    needed: int
    words: tuple[Cosigned, ...]

    @property
    def signed(self) -> int:
        """How many institutions have signed, we among them."""
        return 1 + sum(word.withdrawn is None for word in self.words)


def read_asked(desk: Desk, data: bytes, at: datetime) -> Asked:
    """The certificate in a file, text or picture's text, if it may have our word.

    MalformedError `not-a-credential`; IssueError `not-joint`, `own-certificate`, `not-a-signer`, `not-accredited`, `not-in-order`
    (it is revoked, expired, or an institution before us has not signed).
    """
    now = minutes(at)
    facts = desk.party.facts(now, fresh=True)
    report = verify(data, facts=facts, policy=Policy(), at=at)
    shown = report.presented
    if report.authentic is None or shown is None or shown.cid is None or shown.schema is None:
        raise MalformedError("not a genuine certificate of this registry", code="not-a-credential")
    schema = desk.schema(shown.schema, now)
    if schema.joint is None:
        raise IssueError("this kind is issued by one institution alone", code="not-joint")
    if shown.issuer == desk.did:
        raise IssueError("it is our own: the other institutions sign it", code="own-certificate")
    if not schema.joint.may_sign(desk.did):
        raise IssueError("this kind names other institutions", code="not-a-signer")
    if not desk.may_issue(schema.digest, now):
        raise IssueError("the registry gives no right to this schema today", code="not-accredited")
    words = words_of(desk, schema, shown.cid, shown.issuer, _hash_of(shown), now)
    wrong = [check.code for check in report if check.outcome.value in ("FAILED", "UNKNOWN") and check.code not in _OPEN]
    if wrong or not _our_turn(schema.joint, desk.did, shown.issuer, words):
        raise IssueError(", ".join(wrong) or "another institution signs first", code="not-in-order")
    own = next((word for word in words if word.did == desk.did), None)
    return Asked(shown, schema, schema.joint, tuple(word for word in words if word.did != desk.did), own)


def cosign(desk: Desk, asked: Asked) -> None:
    """Put our word about this certificate on the log; again is no change. IssueError `word-taken` for one taken back before."""
    if asked.told is not None:
        if asked.told.withdrawn is not None:
            raise IssueError("our word was taken back before, and cannot be given again", code="word-taken")
        return
    try:
        desk.anchor(_mark(desk, asked), COSIGNED)
    except RejectedError as error:
        if error.code == "already-exists":  # nobody but us can have a word there that counts
            raise IssueError("somebody else has written in this place of the log", code="word-taken") from error
        raise
    desk.party.forget()


def take_back(desk: Desk, asked: Asked) -> None:
    """Take our word back: checks of the certificate fail from the next trust data on. RejectedError if there was none."""
    desk.party.submit(ops.evidence_withdraw(desk.party.author(), _mark(desk, asked)))


def standing(desk: Desk, row: Issued, at: int) -> Standing | None:
    """Who has signed a certificate of ours; None for a kind that is not joint."""
    schema = desk.schema(row.schema, at)
    if schema.joint is None or row.erased:
        return None
    desk.party.facts(at, fresh=True)  # others write there, and somebody is looking for just that
    words = words_of(desk, schema, bytes.fromhex(row.id), desk.did, read_compact(row.compact).hash, at)
    return Standing(schema.joint.threshold, words)


def words_of(desk: Desk, schema: Schema, cid: bytes, issuer: str, hash: Hash, at: int) -> tuple[Cosigned, ...]:
    """The words of institutions about a certificate, as the newest trust data have them."""
    facts = desk.facts(at)
    found = facts.fact("did", issuer)
    if schema.joint is None or not isinstance(found, Found):
        return ()
    return cosigned(facts, schema.joint, cid, schema=schema.digest, issuer=issuer, source=found.source, hash=hash)


def names_of(desk: Desk, words: tuple[Cosigned, ...], at: int) -> Mapping[str, Mapping[str, str]]:
    """The registered names of institutions, by DID."""
    facts, names = desk.facts(at), dict[str, Mapping[str, str]]()
    for word in words:
        answer = facts.fact("issuer", word.did)
        names[word.did] = dict(answer.record.names) if isinstance(answer, Found) else {}
    return names


def _our_turn(joint: Joint, own: str, issuer: str, words: tuple[Cosigned, ...]) -> bool:
    """Whether every institution named before us has signed."""
    if not joint.ordered:
        return True
    signed = {issuer, *(word.did for word in words if word.withdrawn is None)}
    return all(did in signed for did in joint.signers[: joint.signers.index(own)])


def _mark(desk: Desk, asked: Asked) -> bytes:
    assert asked.presented.cid is not None
    return cosign_fingerprint(
        asked.presented.cid, origin=desk.client.genesis.origin, signer=desk.did, hash=_hash_of(asked.presented)
    )


def _hash_of(shown: Presented) -> Hash:
    return suite(shown.suite).hash
