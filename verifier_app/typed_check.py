"""The check by typing (R25): what the printed fields and the printed code lead to, judged like a credential.

The fingerprint was put on the log by the issuer, so log time is the time of issue, and the status list named beside
it says whether the certificate still stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from credentials.schema import Schema
from credentials.status import slot_key
from credentials.typed import Match, find_typed
from verifier_app.offers import Typed
from weid.canon import JSON
from weid.facts import Facts, Found
from weid.records import AccreditationRecord, DidRecord, OverrideRecord, StatusRecord

__all__ = ["ANSWERS", "TypedAnswer", "check_typed"]

ANSWERS: Final = ("match", "no-match", "revoked", "suspended", "issuer-not-authorised", "expired", "stale", "unknown")


@dataclass(frozen=True, slots=True)
class TypedAnswer:
    """One of ANSWERS; `issuer`, `registry`, `anchored` (a log minute) where one was found."""

    answer: str
    issuer: Mapping[str, str]
    registry: str
    anchored: int | None


def check_typed(
    facts: Facts, schema: Schema, kind: Typed, claims: Mapping[str, JSON], code: bytes, *, at: int, oldest: int,
    revoked: frozenset[str],
) -> TypedAnswer:  # fmt: skip
    """The answer at the minute `at`. `oldest` is the age in minutes from which our knowledge gives no green;
    `revoked` are slots seen revoked before (R9). SchemaError for a value that does not fit its claim."""
    conflict, root = facts.fact("trust", "conflict"), facts.fact("trust", "root")
    if isinstance(conflict, Found) or not isinstance(root, Found):
        return TypedAnswer("unknown", {}, "", None)
    match = find_typed(facts, schema, claims, kind.fields, code)
    if match is None:
        # an absent fingerprint means "no" only where the log is known whole (R22)
        known = all(item.complete for item in facts.find("accreditation", "")) and _whole(facts)
        return TypedAnswer("no-match" if known else "unknown", {}, "", None)
    named = facts.fact("issuer", match.issuer)
    names = dict(named.record.names) if isinstance(named, Found) else {}
    published = match.evidence.record.published
    answer = _standing(facts, schema, match, at=at, oldest=oldest, revoked=revoked)
    return TypedAnswer(answer, names, match.evidence.source.label, published)


def _whole(facts: Facts) -> bool:
    answer = facts.fact("evidence", "00" * 32)
    return not hasattr(answer, "reason")


def _standing(facts: Facts, schema: Schema, match: Match, *, at: int, oldest: int, revoked: frozenset[str]) -> str:
    """The worst of status, right and age, as the pipeline ranks them."""
    slot = slot_key(match.list_id, match.index)
    states = {"revoked"} if slot in revoked else set()
    override = facts.fact("override", slot)
    if isinstance(override, Found):
        record: OverrideRecord = override.record
        states.add(record.state)
    listed = facts.fact("status", match.list_id)
    if isinstance(listed, Found):
        status: StatusRecord = listed.record
        entry = status.entry(match.index)
        states |= {entry.state} if entry is not None else set()
    right = facts.fact("accreditation", f"{match.issuer}|{schema.digest.hex()}")
    if not isinstance(right, Found):
        return "unknown"
    given: AccreditationRecord = right.record
    if given.at(match.evidence.record.published) is None:
        return "issuer-not-authorised"
    for state in ("revoked", "suspended"):
        if state in states:
            return state
    published = match.evidence.record.published
    if at >= published + schema.lifetime:  # the longest it can have been good for; the end itself is not on the log
        return "expired"
    covered = isinstance(listed, Found) and schema.digest in listed.record.schemas
    if not isinstance(listed, Found) or not covered or _by_a_thief(facts, match.issuer, published):
        return "unknown"
    unrenewed = at >= listed.record.next_update and published < listed.record.this_update
    age = at - min(match.evidence.as_of, listed.as_of, right.as_of)
    return "stale" if unrenewed or age > oldest else "match"


def _by_a_thief(facts: Facts, issuer: str, published: int) -> bool:
    """Whether somebody else held a log key of the issuer when the fingerprint came: whose it is cannot be told (R8)."""
    owner = facts.fact("did", issuer)
    if not isinstance(owner, Found):
        return True
    record: DidRecord = owner.record
    return any(
        key.role == "log-op" and key.end == "compromised" and (key.ended or 0) <= published <= (key.noted or published)
        for key in record.keys
    )
