"""The state statement (R20): what the log's operations add up to at one size, signed by the operator.

It is a signed note under the state key. Its digest is appended as `state.commit`, and the state machine
refuses a wrong one, so an operator who states a false state leaves evidence in its own log.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.checkpoint import decimal
from weid.codec import b64, unb64, unhex
from weid.errors import MalformedError
from weid.hashes import Hash
from weid.signing import framed

__all__ = ["Statement", "parse_statement", "print_statement", "statement_digest"]

_HEAD = "weid/state/v1"


@dataclass(frozen=True, slots=True)
class Statement:
    """At `size` entries (tree `root`) the records have this snapshot digest and map root; log time in minutes."""

    origin: str
    genesis: bytes
    size: int
    root: bytes
    snapshot: bytes
    map: bytes
    log_time: int


def print_statement(statement: Statement) -> str:
    """The note text of a statement."""
    return (
        f"{_HEAD}\n{statement.origin}\n{statement.genesis.hex()}\n{statement.size}\n{b64(statement.root)}\n"
        f"{statement.snapshot.hex()}\n{statement.map.hex()}\n{statement.log_time}\n"
    )


def parse_statement(text: str) -> Statement:
    """The statement of exactly this text."""
    lines = text.split("\n")
    if len(lines) != 9 or lines[0] != _HEAD or lines[8] or not lines[1]:
        raise MalformedError("not a state statement")
    genesis, root, snapshot, map_root = unhex(lines[2]), unb64(lines[4]), unhex(lines[5]), unhex(lines[6])
    if not len(genesis) == len(root) == len(snapshot) == len(map_root) == 32:
        raise MalformedError("digests in a state statement are 32 bytes")
    return Statement(lines[1], genesis, decimal(lines[3]), root, snapshot, map_root, decimal(lines[7]))


def statement_digest(statement: Statement, *, hash: Hash) -> bytes:
    """What `state.commit` puts on the log."""
    return hash(framed(_HEAD, print_statement(statement).encode()))
