"""Operations of the committee, one builder each (R24). What is voted on is built like any other operation.

made = proposals.propose(author, "role.grant", f"{did}|auditor", bodies.RoleGrant((), None, until))
proposals.vote(other, made.id, True); proposals.execute(other, made.id)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from registry import bodies
from registry.operations import Author, Operation, SignedOperation, key_entry
from weid import cbor
from weid.keys import Signer
from weid.records import encode_record

__all__ = ["cancel", "execute", "propose", "proposed", "recovery", "set_member", "set_rule", "vote"]


def propose(author: Author, type: str, sub: str, body: Any) -> SignedOperation:
    """Put an operation to the vote; the id of the proposal is this operation's id."""
    return author.sign("gov.propose", sub, bodies.GovPropose(type, cbor.encode(encode_record(body))))


def proposed(author: Author, operation: Operation) -> SignedOperation:
    """Put to the vote what somebody would have done alone; its signature and nonce are not used."""
    return propose(author, operation.type, operation.sub, operation.body)


def vote(author: Author, proposal: bytes, agree: bool) -> SignedOperation:
    """A member's word on a proposal; a later one replaces it."""
    return author.sign("gov.vote", proposal.hex(), bodies.GovVote(agree))


def execute(author: Author, proposal: bytes) -> SignedOperation:
    """Do what has passed."""
    return author.sign("gov.execute", proposal.hex(), bodies.GovExecute())


def cancel(author: Author, proposal: bytes) -> SignedOperation:
    """Take one's own proposal back."""
    return author.sign("gov.cancel", proposal.hex(), bodies.GovCancel())


def set_member(author: Author, did: str, name: str, weight: int) -> SignedOperation:
    """Admit a member, change its weight, or remove it with weight 0: by whoever passes that alone."""
    return author.sign("gov.member", did, bodies.GovMember(name, weight))


def set_rule(
    author: Author, category: str, *, agree: int, participates: int, win: int, delay: int, period: int
) -> SignedOperation:
    """How decisions of a category pass from now on: weight, shares in percent, times in minutes."""
    return author.sign("gov.rule", category, bodies.GovRule(agree, participates, win, delay, period))


def recovery(
    author: Author, did: str, prev: bytes, *, add: Sequence[Signer], end: Sequence[bodies.KeyEnd] = ()
) -> bodies.DidRecover:
    """What a `did.recover` does: new keys, whose holder proves each, and the end of lost ones; `prev` is `last_op`."""
    return bodies.DidRecover(prev, tuple(key_entry(author, did, signer) for signer in add), tuple(end))
