"""Records of a registry's governance (R24): its members, the rule of each kind of decision, what is being voted on,
and who was given the right to accredit others. Times are UTC minutes, shares are percent."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CATEGORIES", "VOTER", "DelegationRecord", "MemberRecord", "ProposalRecord", "RuleRecord", "Seat", "Vote", "passes",
           "still_needed"]  # fmt: skip

CATEGORIES = ("issuer", "key", "membership", "recognition", "recovery", "role", "rules", "schema")
"""The kinds of decision a committee takes; each has a floor in the genesis and a rule of its own."""

VOTER = "vote:"
"""The author of what a vote carries is `vote:` and the proposal's id."""


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """A governor: a registered DID with a voting weight."""

    did: str
    name: str
    weight: int
    since: int


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """When a kind of decision passes. `agree` is a weight, never below the genesis floor; `participates` and `win` are
    percent, 0 switching one off; `delay` is the timelock and `period` how long a vote is open, in minutes."""

    category: str
    agree: int
    participates: int
    win: int
    delay: int
    period: int


@dataclass(frozen=True, slots=True)
class Seat:
    """One voter of a proposal, with the weight it had when the proposal was made."""

    did: str
    weight: int


@dataclass(frozen=True, slots=True)
class Vote:
    """A member's word on a proposal; a later one replaces it."""

    did: str
    agree: bool
    at: int


@dataclass(frozen=True, slots=True)
class ProposalRecord:
    """What is being voted on: an operation, and the electorate and rule as they were when it was proposed."""

    id: bytes
    proposer: str
    category: str
    type: str
    sub: str
    body: bytes
    rule: RuleRecord
    electorate: tuple[Seat, ...]
    votes: tuple[Vote, ...]
    opened: int
    passed: int | None  # since when the votes have been enough

    @property
    def closes(self) -> int:
        """The minute from which no vote counts, but for objections in the timelock of what has passed."""
        return self.opened + self.rule.period

    @property
    def due(self) -> int | None:
        """The minute from which it may be executed, once it has passed."""
        return None if self.passed is None else self.passed + self.rule.delay

    def takes_votes(self, now: int) -> bool:
        """Whether a vote still counts: until it closes, and through the timelock of what has passed."""
        return now < self.closes or (self.due is not None and now < self.due)

    def over(self, now: int) -> bool:
        """Whether nothing can come of it any more: the votes are not enough, or nobody executed it in time."""
        return not self.takes_votes(now) and (self.due is None or now >= self.due + self.rule.period)

    def weight(self, did: str) -> int:
        """A voter's weight in this proposal, 0 for anybody else."""
        return next((seat.weight for seat in self.electorate if seat.did == did), 0)


@dataclass(frozen=True, slots=True)
class DelegationRecord:
    """The right to accredit others for one schema: up to a level, with `depth` further delegations below it."""

    did: str
    schema: bytes
    level: int
    depth: int
    by: str
    since: int
    until: int
    ended: int | None

    def covers(self, at: int) -> bool:
        """Whether it is in force at a minute."""
        return self.since <= at < self.until and self.ended is None


def passes(electorate: tuple[Seat, ...], votes: tuple[Vote, ...], rule: RuleRecord) -> bool:
    """FISCO's formula in whole numbers, with R24's corrections.

    voted/total ≥ participates and agree/voted ≥ win; never without a vote in favour, never below the agreed weight.
    """
    weights = {seat.did: seat.weight for seat in electorate}
    total = sum(weights.values())
    voted = sum(weights.get(vote.did, 0) for vote in votes)
    agree = sum(weights.get(vote.did, 0) for vote in votes if vote.agree)
    if voted <= 0 or agree <= 0 or agree < rule.agree:
        return False
    return voted * 100 >= rule.participates * total and agree * 100 >= rule.win * voted


def still_needed(electorate: tuple[Seat, ...], votes: tuple[Vote, ...], rule: RuleRecord) -> int | None:
    """The least weight of members who have not voted that would have to agree for the proposal to pass; 0: it passes now.

    None: they are too few, so it passes only if somebody who voted against votes again.
    """
    weights = {seat.did: seat.weight for seat in electorate}
    total = sum(weights.values())
    voted = sum(weights.get(vote.did, 0) for vote in votes)
    agree = sum(weights.get(vote.did, 0) for vote in votes if vote.agree)
    least = max(0, rule.agree - agree, 1 - agree, -(-rule.participates * total // 100) - voted)
    short = rule.win * voted - 100 * agree  # below 0: more are in favour than is asked for
    if short > 0:
        if rule.win == 100:
            return None
        least = max(least, -(-short // (100 - rule.win)))
    return least if least <= total - voted else None
