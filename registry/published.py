"""What a registry hands out: a committed state, the checkpoint over it, and the key chain that vouches for both.

Where the policy asks for witnesses, the newest checkpoint is not the one that was cosigned: the three are kept together
when a quorum has spoken, and bundles are made of them until the next time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from registry.authority import Authority, Link
from registry.checkpoint import Checkpoint, parse_checkpoint
from registry.note import Note, NoteKey, parse_note, verify_note
from registry.policy import verify_quorum
from registry.snapshot import parse_snapshot
from registry.statement import Statement, parse_statement
from weid import cbor
from weid.errors import ConflictError, MalformedError, RegistryError, TrustError

__all__ = ["Published", "committed_state", "handed_out", "keep_cosigned", "read_log_note", "read_state_note", "with_cosignatures"]

_HEAD = "weid/published/v1"
_KEPT = ("witnessed", "published")


class _Shelf(Protocol):
    """Small named values beside a log."""

    def keep(self, kind: str, key: str, data: bytes) -> None: ...

    def kept(self, kind: str, key: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Published:
    """The parts of a bundle that belong together; `stale` when a key has changed since the state was committed."""

    snapshot: bytes
    statement: bytes
    checkpoint: bytes
    links: tuple[Link, ...]
    stale: bool = False


def handed_out(shelf: _Shelf, authority: Authority, checkpoint: bytes) -> Published:
    """What bundles are made of now; RegistryError `no-state` before the first commit, `not-witnessed` before a quorum."""
    state = committed_state(shelf)
    if state is None:
        raise RegistryError("no state was committed yet", code="no-state")
    witnessed = shelf.kept(*_KEPT)
    if witnessed is not None:
        kept = _read(witnessed, authority)
        current = parse_note(kept.checkpoint).text == parse_note(checkpoint).text
        if current or Authority.of(authority.genesis, kept.links).policy.needed:
            return kept
    links = authority.links[: _count(state[0])]
    if authority.policy.needed and Authority.of(authority.genesis, links).policy.needed:
        raise RegistryError("no quorum of witnesses has cosigned this log yet", code="not-witnessed")
    return Published(*state, checkpoint, links, len(links) != len(authority.links))


def keep_cosigned(shelf: _Shelf, authority: Authority, note: bytes, state: tuple[bytes, bytes] | None = None) -> None:
    """Keep a cosigned checkpoint with the state it covers: the one committed when it was asked for, or the newest.

    TrustError or SignatureError unless the policy's quorum has cosigned, `older-checkpoint` for one that is behind the one
    kept, `stale-state` if a key has changed or the state was committed after it.
    """
    parsed, state = parse_note(note), state or committed_state(shelf)
    verify_quorum(parsed, authority.note_key, authority.policy)
    checkpoint = parse_checkpoint(parsed.text)
    if state is None or _count(state[0]) != len(authority.links):
        raise TrustError("commit the state first: a key has changed since", code="stale-state")
    if parse_statement(parse_note(state[1]).text).size >= checkpoint.size:
        raise TrustError("the state was committed after this checkpoint", code="stale-state")
    before = shelf.kept(*_KEPT)
    if before is not None and parse_checkpoint(parse_note(_read(before, authority).checkpoint).text).size > checkpoint.size:
        raise TrustError("a later checkpoint was cosigned before", code="older-checkpoint")
    shelf.keep(*_KEPT, cbor.encode([_HEAD, *state, note, len(authority.links)]))


def with_cosignatures(shelf: _Shelf, authority: Authority, note: bytes) -> bytes:
    """The note, or the same one as it was cosigned."""
    witnessed = shelf.kept(*_KEPT)
    if witnessed is None:
        return note
    kept = _read(witnessed, authority).checkpoint
    return kept if parse_note(kept).text == parse_note(note).text else note


def read_log_note(note: Note, authority: Authority) -> Checkpoint:
    """The checkpoint of a note that the log signed, with the key of today or one before it (R21)."""
    origin = authority.genesis.origin
    known = [NoteKey(origin, key) for key in authority.log_keys]
    signers = {(line.name, line.key_id) for line in note.signatures}
    key = next((key for key in reversed(known) if (key.name, key.key_id) in signers), authority.note_key)
    verify_note(note, key, "log")
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise TrustError("the checkpoint is of another log", code="foreign-genesis")
    return checkpoint


def read_state_note(note: Note, authority: Authority) -> Statement:
    """The statement of a note that the operator signed, with the state key of today or one before it (R21)."""
    genesis = authority.genesis
    known = [NoteKey(genesis.origin, key) for key in authority.state_keys]
    signers = {(line.name, line.key_id) for line in note.signatures}
    verify_note(note, next((key for key in reversed(known) if (key.name, key.key_id) in signers), known[-1]), "state")
    statement = parse_statement(note.text)
    if (statement.origin, statement.genesis) != (genesis.origin, genesis.digest):
        raise TrustError("the statement is of another registry", code="foreign-genesis")
    return statement


def committed_state(shelf: _Shelf) -> tuple[bytes, bytes] | None:
    """(snapshot, statement note) as committed last, or None."""
    snapshot, statement = shelf.kept("state", "snapshot"), shelf.kept("state", "statement")
    return None if snapshot is None or statement is None else (snapshot, statement)


def _count(snapshot: bytes) -> int:
    return len(parse_snapshot(snapshot).records["keychange"])


def _read(data: bytes, authority: Authority) -> Published:
    match cbor.decode(data):
        case (str(head), bytes(snapshot), bytes(statement), bytes(checkpoint), int(links)) if head == _HEAD:
            if links > len(authority.links):
                raise ConflictError("a state with key changes that this log does not have", code="forked")
            return Published(snapshot, statement, checkpoint, authority.links[:links])
    raise MalformedError("not what a registry hands out")
