"""What the committee decides, read from the registry's records: who has a seat, what is open, what is still needed.

Times are UTC minutes. Everything here is for showing and for choosing between doing and proposing: the registry decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from issuer_app.rights import log_time
from registry import bodies
from registry.node.client import Closed
from weid import cbor
from weid.errors import MalformedError
from weid.facts import Facts, Found
from weid.governance import ProposalRecord, RuleRecord, Seat, Vote, passes, still_needed
from weid.records import DidRecord, RoleRecord, decode_record

__all__ = ["Ballot", "Decision", "Standing", "closed", "must_vote", "opened", "standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What one member's word is worth in a category: its weight (0: no seat), and whether it decides alone."""

    category: str
    weight: int
    electorate: tuple[Seat, ...]
    rule: RuleRecord
    alone: bool

    @property
    def total(self) -> int:
        """The weight of everybody who can vote."""
        return sum(seat.weight for seat in self.electorate)

    @property
    def least(self) -> int:
        """The least weight in favour that passes if nobody votes against."""
        return still_needed(self.electorate, (), self.rule) or self.total

    @property
    def by_vote(self) -> bool:
        """Whether what this member would do is put to the vote."""
        return self.weight > 0 and not self.alone


@dataclass(frozen=True, slots=True)
class Ballot:
    """One seat of a proposal: its weight then, and its word (None: not yet)."""

    did: str
    name: str
    weight: int
    agree: bool | None


@dataclass(frozen=True, slots=True)
class Decision:
    """A proposal with its votes counted.

    `state`: open, waiting (passed, in its timelock), ready, over; executed, cancelled or expired when it is closed.
    `body` is the operation it would do (None: of a kind this toolkit does not know), `needed` as `still_needed`.
    """

    record: ProposalRecord
    body: Any
    proposer: str
    ballots: tuple[Ballot, ...]
    state: str
    needed: int | None
    takes_votes: bool
    ended: int | None

    @property
    def total(self) -> int:
        """The weight of all seats."""
        return sum(ballot.weight for ballot in self.ballots)

    @property
    def agree(self) -> int:
        """The weight in favour."""
        return sum(ballot.weight for ballot in self.ballots if ballot.agree)

    @property
    def against(self) -> int:
        """The weight against."""
        return sum(ballot.weight for ballot in self.ballots if ballot.agree is False)

    @property
    def silent(self) -> tuple[Ballot, ...]:
        """Who has not voted yet."""
        return tuple(ballot for ballot in self.ballots if ballot.agree is None)

    @property
    def last(self) -> int:
        """The minute until which it can be executed, once it has passed; else until which votes count."""
        due = self.record.due
        return self.record.closes if due is None else max(self.record.closes, due + self.record.rule.period)

    def word(self, did: str) -> bool | None:
        """How a member voted; None: not yet, or no seat."""
        return next((ballot.agree for ballot in self.ballots if ballot.did == did), None)

    def has_seat(self, did: str) -> bool:
        """Whether a member votes on this proposal."""
        return any(ballot.did == did for ballot in self.ballots)


def standing(facts: Facts, did: str, category: str) -> Standing:
    """What a DID's word is worth in a category now; MalformedError `no-rules` where the registry has none."""
    rule = facts.fact("rule", category)
    if not isinstance(rule, Found):
        raise MalformedError(f"the registry has no rule for {category}", code="no-rules")
    seats = _electorate(facts)
    weight = next((seat.weight for seat in seats if seat.did == did), 0)
    held: RuleRecord = rule.record
    alone = weight > 0 and not held.delay and passes(seats, (Vote(did, True, 0),), held)
    return Standing(category, weight, seats, held, alone)


def must_vote(facts: Facts, did: str, category: str, schema: bytes | None = None) -> Standing | None:
    """The standing of a member who must put it to the vote; None for whoever acts by a right of its own or decides alone."""
    if (category == "issuer" and _reviews(facts, did, schema)) or (category == "schema" and _publishes(facts, did)):
        return None
    held = standing(facts, did, category)
    return held if held.by_vote else None


def opened(facts: Facts, at: int) -> tuple[Decision, ...]:
    """What is being voted on, the newest first; `at` is the clock, which may be ahead of the log."""
    now = max(at, log_time(facts))
    held = [item.record for item in facts.find("proposal", "")]
    found = [_decision(facts, record, _state(record, now), record.takes_votes(now), None) for record in held]
    return tuple(sorted(found, key=lambda item: (-item.record.opened, item.record.id)))


def closed(facts: Facts, told: Sequence[Closed]) -> tuple[Decision, ...]:
    """What is over, as the node tells it (the log is the record), the newest first."""
    return tuple(_decision(facts, item.record, item.outcome, False, item.at) for item in told)


def _decision(facts: Facts, record: ProposalRecord, state: str, takes: bool, ended: int | None) -> Decision:
    words = {vote.did: vote.agree for vote in record.votes}
    ballots = tuple(Ballot(seat.did, _name(facts, seat.did), seat.weight, words.get(seat.did)) for seat in record.electorate)
    needed = still_needed(record.electorate, record.votes, record.rule)
    return Decision(record, _body(record), _name(facts, record.proposer), ballots, state, needed, takes, ended)


def _state(record: ProposalRecord, now: int) -> str:
    if record.over(now):
        return "over"
    if record.due is None:
        return "open"
    return "waiting" if now < record.due else "ready"


def _body(record: ProposalRecord) -> Any:
    kind = bodies.BODIES.get(record.type)
    try:
        return None if kind is None else decode_record(kind, cbor.decode(record.body, max_depth=8))
    except MalformedError:
        return None


def _name(facts: Facts, did: str) -> str:
    answer = facts.fact("member", did)
    return str(answer.record.name) if isinstance(answer, Found) else ""


def _electorate(facts: Facts) -> tuple[Seat, ...]:
    members = [item.record for item in facts.find("member", "") if _can_sign(facts, item.record.did)]
    return tuple(Seat(member.did, member.weight) for member in sorted(members, key=lambda item: item.did))


def _can_sign(facts: Facts, did: str) -> bool:
    answer = facts.fact("did", did)
    if not isinstance(answer, Found):
        return False
    record: DidRecord = answer.record
    return record.deactivated is None and any(key.role == "log-op" and key.end is None for key in record.keys)


def _reviews(facts: Facts, did: str, schema: bytes | None) -> bool:
    answer = facts.fact("role", f"{did}|reviewer")
    if not isinstance(answer, Found):
        return False
    role: RoleRecord = answer.record
    if role.ended is not None or not role.since <= log_time(facts) < role.until:
        return False
    return not role.schemas or schema in role.schemas


def _publishes(facts: Facts, did: str) -> bool:
    answer = facts.fact("issuer", did)
    return (isinstance(answer, Found) and answer.record.state == "approved") or _reviews(facts, did, None)
