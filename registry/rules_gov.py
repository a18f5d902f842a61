"""Rules of the committee: proposals, votes, their execution, its members and its own rules (R24).

A proposal carries an operation. Electorate, weights and rule are frozen when it is made; a vote may be replaced until it
is over; after it passes, its timelock is time for objections: the votes must still be enough when it is executed.
Execution is an operation of its own, so that what becomes of it stands on the log with its own result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from registry import bodies
from registry.rejections import reject
from registry.view import Changes, View, check_text
from weid import cbor
from weid.errors import MalformedError
from weid.governance import CATEGORIES, VOTER, MemberRecord, ProposalRecord, RuleRecord, Vote, passes
from weid.records import decode_record

__all__ = ["DEFAULT", "GOVERNED", "VOTER", "cancel", "execute", "expired", "member", "propose", "rule", "vote"]

GOVERNED: Mapping[str, str] = MappingProxyType(
    {
        "did.recover": "recovery",
        "gov.member": "membership",
        "gov.rule": "rules",
        "issuer.approve": "issuer",
        "issuer.delegate": "issuer",
        "issuer.reinstate": "issuer",
        "issuer.remove": "issuer",
        "issuer.suspend": "issuer",
        "issuer.undelegate": "issuer",
        "key.change": "key",
        "machine.publish": "schema",
        "role.end": "role",
        "role.grant": "role",
        "schema.publish": "schema",
        "trust.recognise": "recognition",
        "trust.withdraw": "recognition",
        "witness.change": "key",
    }
)
"""operation type → the category whose rule decides about it."""
DEFAULT = RuleRecord("", 0, 51, 51, 0, 43_200)
"""How decisions are taken before the committee says otherwise; `agree` is the genesis floor, `period` thirty days."""

_OPEN = 64  # proposals at a time, and of one member at most a quarter of them
_YEAR = 527_040


def propose(view: View, body: bodies.GovPropose) -> Changes:
    """A member puts an operation to the vote; proposing is voting for it."""
    category = GOVERNED.get(body.type)
    if category is None:
        reject("not-votable", body.type)
    _operation_body(body.type, body.body)
    electorate = view.electorate()
    if all(seat.did != view.author for seat in electorate):
        reject("not-committee", view.author)
    opened = [record for record in view.tables["proposal"].values() if not record.over(view.now)]
    if len(opened) >= _OPEN or sum(record.proposer == view.author for record in opened) >= _OPEN // 4:
        reject("too-many")
    record = ProposalRecord(
        view.id, view.author, category, body.type, view.operation.sub, body.body, view.rule(category), electorate,
        (), view.now, None,
    )  # fmt: skip
    return Changes(put=(_voted(record, Vote(view.author, True, view.now)),))


def vote(view: View, body: bodies.GovVote) -> Changes:
    """One vote a member, replaced until the proposal is over; only the electorate of its day has one."""
    record = _proposal(view)
    if record.weight(view.author) == 0:
        reject("not-committee", view.author)
    if not record.takes_votes(view.now):
        reject("vote-closed")
    if Vote(view.author, body.agree, view.now) in [replace(old, at=view.now) for old in record.votes]:
        reject("already-exists", "this very vote")
    return Changes(put=(_voted(record, Vote(view.author, body.agree, view.now)),))


def _voted(record: ProposalRecord, word: Vote) -> ProposalRecord:
    votes = tuple(sorted((*(old for old in record.votes if old.did != word.did), word), key=lambda item: item.did))
    if not passes(record.electorate, votes, record.rule):
        return replace(record, votes=votes, passed=None)
    return replace(record, votes=votes, passed=word.at if record.passed is None else record.passed)


def execute(view: View, body: bodies.GovExecute) -> Changes:
    """What has passed, and waited its time, is done as the committee's word; refused, it stays as it was."""
    record = _proposal(view)
    if view.weight(view.author) == 0 and record.weight(view.author) == 0:
        reject("not-committee", view.author)
    if record.due is None:
        reject("not-passed")
    if view.now < record.due:
        reject("timelock", str(record.due))
    inner = _operation_body(record.type, record.body)
    operation = replace(view.operation, type=record.type, sub=record.sub, body=inner)
    mandate = replace(view, operation=operation, author=f"{VOTER}{record.id.hex()}", mandate=record.category)
    changes: Changes = view.rules[record.type](mandate, inner)
    return replace(changes, drop=(*changes.drop, ("proposal", record.id.hex())), closed=((record, "executed"),))


def cancel(view: View, body: bodies.GovCancel) -> Changes:
    """Its proposer takes a proposal back."""
    record = _proposal(view)
    if record.proposer != view.author:
        reject("not-yours", record.id.hex())
    return Changes(drop=(("proposal", record.id.hex()),), closed=((record, "cancelled"),))


def member(view: View, body: bodies.GovMember) -> Changes:
    """Admit a registered DID to the committee, change its weight, or (weight 0) remove it."""
    view.require_committee("membership")
    did = view.operation.sub
    old: MemberRecord | None = view.get("member", did)
    if not 0 <= body.weight < 1 << 31:
        reject("malformed", "a weight is 0 or more")
    if body.weight:
        check_text(body.name, "name")
        if not view.can_sign(view.did(did).did):
            reject("no-controller", did)
        record = MemberRecord(did, body.name, body.weight, view.now if old is None else old.since)
        changes = Changes(put=(record,))
    elif old is None:
        reject("not-active", did)
    else:
        changes = Changes(drop=(("member", did),))
    if old is not None and (old.name, old.weight) == (body.name, body.weight):
        reject("wrong-delta")
    weights = {seat.did: seat.weight for seat in view.electorate() if seat.did != did}
    require_reachable(view, sum(weights.values()) + body.weight)
    return changes


def rule(view: View, body: bodies.GovRule) -> Changes:
    """How decisions of one category are taken from now on; proposals that are open keep the rule they began with."""
    view.require_committee("rules")
    category = view.operation.sub
    if category not in CATEGORIES:
        reject("malformed", "a category of decisions")
    if not (0 <= body.participates <= 100 and 0 <= body.win <= 100):
        reject("malformed", "shares are percent")
    if not (0 <= body.delay <= _YEAR and 0 < body.period <= _YEAR):
        reject("malformed", "a delay of at most a year, a period of a minute to a year")
    if body.agree < view.genesis.floors[category]:
        reject("floor", f"{body.agree} of {view.genesis.floors[category]}")
    fresh = RuleRecord(category, body.agree, body.participates, body.win, body.delay, body.period)
    if fresh == view.rule(category):
        reject("wrong-delta")
    if body.agree > sum(seat.weight for seat in view.electorate()):
        reject("quorum-unreachable", category)
    return Changes(put=(fresh,))


def require_reachable(view: View, total: int) -> None:
    """With this total weight every category could still pass something: all in favour are enough."""
    short = [category for category in CATEGORIES if view.rule(category).agree > total]
    if short or total == 0:
        reject("quorum-unreachable", ", ".join(short))


def expired(view: View, now: int) -> Changes:
    """Proposals that nothing can come of at a minute: a tick takes them away."""
    over = [record for record in view.tables["proposal"].values() if record.over(now)]
    return Changes(
        drop=tuple(("proposal", record.id.hex()) for record in over), closed=tuple((record, "expired") for record in over)
    )


def _proposal(view: View) -> ProposalRecord:
    record: ProposalRecord | None = view.get("proposal", view.operation.sub)
    if record is None or record.over(view.now):
        reject("unknown-proposal", view.operation.sub)
    return record


def _operation_body(type_: str, data: bytes) -> Any:
    """The body of the operation a proposal carries: of exactly these bytes."""
    try:
        return decode_record(bodies.BODIES[type_], cbor.decode(data, max_depth=8))
    except MalformedError as error:
        reject("malformed", str(error))
